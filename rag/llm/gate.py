"""What all calls of this process share: how many run at once, and when a server may be asked again.

A limit on the rate holds for the account, not for the thread that happened to be told of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Lets calls through. Safe to use from many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._callers: list[int] = []  # the threads of the calls that run
        self._until: dict[str, float] = {}  # monotonic seconds, by host

    @contextmanager
    def call(self, most: int, seconds: float) -> Iterator[bool]:
        """Be one of *most* calls at once; False, and no call, if *seconds* pass without room.

        A thread that asks while it listens to another answer is let through: that answer cannot
        end, and make room, before this one has.
        """
        caller = threading.get_ident()
        with self._changed:
            listens = caller in self._callers
            entered = listens or self._changed.wait_for(lambda: len(self._callers) < most, seconds)
            if entered:
                self._callers.append(caller)
        try:
            yield entered
        finally:
            with self._changed:
                if entered:
                    self._callers.remove(caller)
                    self._changed.notify()

    def hold(self, host: str, seconds: float) -> None:
        """Nobody is to ask *host* for *seconds* from now."""
        with self._changed:
            until = time.monotonic() + seconds
            self._until[host] = max(until, self._until.get(host, until))

    def held(self, host: str) -> float:
        """Seconds until *host* may be asked; 0 for now."""
        return max(0.0, self._until.get(host, 0.0) - time.monotonic())


GATE = Gate()
"""The gate of this process."""
