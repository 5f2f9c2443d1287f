"""The connection on which an answer comes in, that another thread may cut.

Reading waits in the system; only a socket that is shut wakes it. One thread beside the reader shuts
it when the time is up, so that a limit holds to the instant whatever a server sends or keeps back.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

_MARGIN = 0.05  # seconds


class Line:
    """One answer's connection, and the next one's if it is asked for again."""

    def __init__(self) -> None:
        self.closed = threading.Event()  # the reader has gone
        self._late = False
        self._changed = threading.Condition()
        self._socket: Any = None
        self._ends = self._limit = 0.0  # monotonic seconds

    @contextlib.contextmanager
    def held(self, response: Any, ends: float) -> Iterator[None]:
        """Watch over *response*, an HTTP response whose body is read, until *ends* at most."""
        stream = response.extensions.get("network_stream")
        self._ends = self._limit = ends
        self._late = False
        with self._changed:
            self._socket = stream and stream.get_extra_info("socket")
        if self.closed.is_set():
            self._shut()
        threading.Thread(target=self._watch, name="paperchat-watch", daemon=True).start()
        try:
            yield
        finally:
            with self._changed:
                self._socket = None
                self._changed.notify()

    @property
    def late(self) -> bool:
        """Whether the server took too long; the client has a limit too, and may notice first."""
        return self._late or time.monotonic() > self._limit - _MARGIN

    def expect(self, seconds: float) -> None:
        """Something must come within *seconds* from now."""
        limit = min(self._ends, time.monotonic() + seconds)
        sooner = limit < self._limit
        self._limit = limit
        if sooner:
            with self._changed:
                self._changed.notify()

    def rest(self) -> None:
        """Nothing is waited for: the reader is busy with what it has."""
        self._limit = self._ends

    def close(self) -> None:
        """Wake the reader, which finds that nobody listens any more."""
        self.closed.set()
        self._shut()

    def _watch(self) -> None:
        with self._changed:
            while self._socket is not None:
                left = self._limit - time.monotonic()
                if left <= 0:
                    self._late = True
                    break
                self._changed.wait(left)
        if self._late:
            self._shut()

    def _shut(self) -> None:
        with self._changed, contextlib.suppress(OSError):
            if self._socket is not None:
                # Not the method of an encrypted socket, which takes the reader's state away.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
