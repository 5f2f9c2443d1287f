"""What an open page is in the middle of, and when it has to give way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_LAST_WORD = 0.05  # seconds in which what was told just before a click reaches the page
_PAGES = 1000  # open pages whose newest click is remembered


@dataclass(frozen=True, slots=True)
class Visit:
    """Who does something on one of their open pages, and whether it is still what they want."""

    owner: str  # empty where nobody can be told from anybody else
    latest: Callable[[], bool] = lambda: True
    done: Callable[[], None] = lambda: None


class Busy:
    """What each open page is in the middle of, so that it gives way to what is asked next.

    A click on "New conversation" or a second question while an answer is being written would else
    be overwritten by the answer's next sentence. Gradio hands over in any order what comes at the
    same moment; the page numbers its clicks, so that the later one wins whichever comes first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._doing: dict[str, object] = {}
        self._newest: dict[str, int] = {}  # the page seen last is the last one

    def visit(self, owner: str, page: str, click: int) -> Visit:
        """Begin something on *page*, and let what it was doing end.

        *click* counts the page's clicks; one that a later click has overtaken begins nothing.
        """
        mine = object()
        with self._lock:
            newest = self._newest.pop(page, click)
            self._newest[page] = max(click, newest)
            if len(self._newest) > _PAGES:
                del self._newest[next(iter(self._newest))]
            if click < newest:
                return Visit(owner, lambda: False)
            before = self._doing.get(page)
            self._doing[page] = mine
        if before is not None:
            time.sleep(_LAST_WORD)

        def done() -> None:
            with self._lock:
                if self._doing.get(page) is mine:
                    del self._doing[page]

        return Visit(owner, lambda: self._doing.get(page) is mine, done)
