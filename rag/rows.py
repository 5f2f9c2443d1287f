"""Rows of a large matrix that stay on the disk until somebody asks for them.

Of a collection of many papers a question needs the sentences of a few thousand. They are read with
the file's own calls and not mapped: what was read counts as the system's memory and not as this
process's, and a file that is cut off is an error and no crash.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import StoreError

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

ALL_IN_MEMORY = 20_000  # papers up to which all vectors are read when a store is opened
HEAD = 20_000  # rows at the beginning that are kept in memory in any case: a sample of the papers


@dataclass(frozen=True, slots=True)
class Stored:
    """Float32 rows (n, dim) in a file, in an order of their own; indexed as an array is.

    The file stays open, so that what is read is of this file even where another takes its name.
    """

    file: FileIO
    places: NDArray[np.uint32]  # (n,): which row of the file is the i-th
    dimension: int
    head: NDArray[np.float32]  # (up to HEAD, dim): the first ones
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def opened(cls, path: Path, places: NDArray[np.uint32], dimension: int) -> Self:
        """The rows at *places* of the file at *path*. Raises OSError, StoreError."""
        file = FileIO(path)
        try:
            head = _read(file, places[:HEAD].astype(np.int64), dimension)
        except BaseException:
            file.close()
            raise
        return cls(file, places, dimension, head)

    def __del__(self) -> None:
        """Let go of the file with the generation that it belongs to."""
        self.file.close()

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.places)

    def __getitem__(self, which: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        """The rows of a slice without steps, or at an array of numbers.

        Raises StoreError if some are lost.
        """
        if isinstance(which, slice):
            first, end, _ = which.indices(len(self))
            if end <= len(self.head):
                return self.head[first:end]
            which = np.arange(first, end)
        with self.lock:
            return _read(self.file, self.places[which].astype(np.int64), self.dimension)


def _read(file: FileIO, places: NDArray[np.int64], dimension: int) -> NDArray[np.float32]:
    """The rows of *file* at *places*, those that follow one another read at once."""
    out = np.empty((len(places), dimension), dtype="<f4")
    if len(places) == 0:
        return np.asarray(out, dtype=np.float32)
    bounds = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(places)]
    width, into = 4 * dimension, memoryview(out.data).cast("B")
    for first, end in pairwise(bounds):
        file.seek(int(places[first]) * width)
        if file.readinto(into[first * width : end * width]) != (end - first) * width:
            raise StoreError(f"{file.name!s} is cut off; run `paperchat doctor --repair`")
    return np.asarray(out, dtype=np.float32)
