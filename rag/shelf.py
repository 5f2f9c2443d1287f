"""The generation that questions are answered from, and the switch to the next one.

Whoever asks first after an update starts the reading of the new generation and waits for it a
moment; a large one takes longer, and until it is there the one before answers. What goes wrong
meanwhile is logged and tried again later: a reader that has a whole generation never stops
answering from it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from rag.errors import PaperChatError
from rag.store import Snapshot

PATIENCE = 2.0  # seconds that a question waits for the new generation
AGAIN = 5.0  # seconds after a failure until the next try

log = logging.getLogger(__name__)


class Shelf:
    """Holds one whole generation at a time; safe to use from many threads at once."""

    def __init__(
        self, load: Callable[[], Snapshot], patience: float = PATIENCE, again: float = AGAIN
    ) -> None:
        """Read the live generation with *load*, whose errors come out the first time only."""
        self._load, self._patience, self._again = load, patience, again
        self._snapshot = load()
        self._lock = threading.Lock()
        self._reading: threading.Thread | None = None
        self._not_before = 0.0
        self._unsettled: Snapshot | None = None  # one that was read again and is as it was

    def current(self) -> Snapshot:
        """The live generation, or the one before while that is being read."""
        if self._is_old():
            self._begin().join(self._patience)
        return self._snapshot

    def _is_old(self) -> bool:
        if time.monotonic() < self._not_before:
            return False
        snapshot, catalog = self._snapshot, self._snapshot.catalog
        try:
            if catalog.is_moved() or catalog.manifest() != snapshot.manifest:
                return True
            # Read while a writer was about to remove what others had left, which it has done now.
            return not (snapshot.settled or snapshot is self._unsettled or catalog.dead())
        except PaperChatError:  # whatever it is, reading anew tells, or mends it
            return True

    def _begin(self) -> threading.Thread:
        """The thread that reads, started if there is none."""
        with self._lock:
            if self._reading is None or not self._reading.is_alive():
                self._reading = threading.Thread(target=self._read, daemon=True)
                self._reading.start()
            return self._reading

    def _read(self) -> None:
        try:
            before, self._snapshot = self._snapshot, self._load()
            if before.manifest == self._snapshot.manifest:
                self._unsettled = self._snapshot
        except PaperChatError as error:
            self._failed(error)

    def _failed(self, error: PaperChatError) -> None:
        self._not_before = time.monotonic() + self._again
        generation = self._snapshot.manifest.generation
        log.warning("still answering from generation %d, since %s", generation, error)
