"""What an open page is in the middle of, and when it has to give way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_LAST_WORD = 0.05  # seconds in which what was told just before a click reaches the page


@dataclass(frozen=True, slots=True)
class Visit:
    """Who does something on one of their open pages, and whether it is still what they want."""

    owner: str  # empty where nobody can be told from anybody else
    latest: Callable[[], bool] = lambda: True
    done: Callable[[], None] = lambda: None


class Busy:
    """What each open page is in the middle of, so that it gives way to what is asked next.

    A click on "New conversation" or a second question while an answer is being written would else
    be overwritten by the answer's next sentence.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._doing: dict[str, object] = {}

    def visit(self, owner: str, page: str) -> Visit:
        """Begin something on *page*, and let what it was doing end."""
        mine = object()
        with self._lock:
            before = self._doing.get(page)
            self._doing[page] = mine
        if before is not None:
            time.sleep(_LAST_WORD)

        def done() -> None:
            with self._lock:
                if self._doing.get(page) is mine:
                    del self._doing[page]

        return Visit(owner, lambda: self._doing.get(page) is mine, done)
