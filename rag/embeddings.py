"""Every vector ever made, by the text and the model it was made from: nothing is embedded twice.

A file for each model holds the vectors one after another; a SQLite table says which row is whose
text, and which rows are those of each version of a paper. The file is written and on the disk
before the table knows of it, so that a killed run leaves rows that nobody points at and that the
next one overwrites. Readers take whole generations from here, which for 100,000 papers is a minute
less than Chroma's `get` takes, and a tenth of the memory.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import StoreError
from rag.rows import ALL_IN_MEMORY, Stored
from rag.text import digest

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

FILE = "embeddings.sqlite"
OURS = r"embeddings\.sqlite(-journal)?|embeddings-[0-9a-f]{16}\.f32"  # files of a store
_SCHEMA = """
CREATE TABLE models (model TEXT PRIMARY KEY, dimension INTEGER NOT NULL);
CREATE TABLE texts (model TEXT NOT NULL, hash BLOB NOT NULL, row INTEGER NOT NULL,
    PRIMARY KEY (model, hash)) WITHOUT ROWID;
CREATE TABLE versions (stamp TEXT NOT NULL, version TEXT NOT NULL, model TEXT NOT NULL,
    chunks BLOB NOT NULL, sentences BLOB NOT NULL, PRIMARY KEY (stamp, version)) WITHOUT ROWID;
"""
# In which of the parts of a space's collections the records of a version lie.
_PARTS = """
CREATE TABLE IF NOT EXISTS parts (version TEXT NOT NULL, space TEXT NOT NULL, kind TEXT NOT NULL,
    part INTEGER NOT NULL, PRIMARY KEY (version, space, kind, part)) WITHOUT ROWID
"""
_MEND = "run `paperchat doctor --repair`"
_AT_ONCE = (
    50_000  # rows that are gathered at a time, so that the file is never in memory as a whole
)
_MOST_ASKED = 500  # values in one statement


Arranged = tuple[
    tuple["NDArray[np.float32]", "NDArray[np.intp]"],
    tuple["NDArray[np.float32] | Stored", "NDArray[np.intp]"],
]
"""Vectors of windows and of sentences in the order of papers, each with every paper's first row."""


class Embeddings:
    """The vectors that a store has made so far; safe for many readers and one writer."""

    def __init__(self, folder: Path) -> None:
        """Open or make them. Raises StoreError."""
        self._folder = folder
        with self._our_errors():
            self._connection = sqlite3.connect(
                folder / FILE, isolation_level=None, check_same_thread=False, timeout=10
            )
            try:
                if not self._connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                    self._connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def known(self, model: str, texts: Sequence[str]) -> NDArray[np.int64]:
        """The row of each text's vector under the fingerprint *model*, -1 if there is none."""
        hashes = [_hash(text) for text in texts]
        rows: dict[bytes, int] = {}
        with self._our_errors():
            for start in range(0, len(hashes), _MOST_ASKED):
                part = hashes[start : start + _MOST_ASKED]
                marks = ",".join("?" * len(part))
                found = self._connection.execute(
                    f"SELECT hash, row FROM texts WHERE model = ? AND hash IN ({marks})",
                    (digest(model), *part),
                )
                rows.update(found)
        return np.array([rows.get(one, -1) for one in hashes], dtype=np.int64)

    def add(self, model: str, texts: Sequence[str], made: NDArray[np.float32]) -> None:
        """Keep the vectors *made* (n, dim) of *texts*, which are distinct and not yet known."""
        name = digest(model)
        with self._our_errors():
            dimension = self._dimension(name) or made.shape[1]
            if dimension != made.shape[1]:
                raise StoreError(
                    f"the embedding model now gives {made.shape[1]} numbers a text and gave"
                    f" {dimension} before; give it another name in PAPERCHAT_EMBEDDING_MODEL"
                )
            asked = "SELECT coalesce(max(row) + 1, 0) FROM texts WHERE model = ?"
            (first,) = self._connection.execute(asked, (name,)).fetchone()
            path = self._folder / f"embeddings-{name}.f32"
            with path.open("r+b" if path.exists() else "wb") as file:
                file.truncate(first * dimension * 4)
                file.seek(first * dimension * 4)
                file.write(np.ascontiguousarray(made, dtype="<f4").tobytes())
                file.flush()
                os.fsync(file.fileno())
            rows = [(name, _hash(text), first + n) for n, text in enumerate(texts)]
            with self._transaction():
                self._connection.execute(
                    "INSERT OR IGNORE INTO models VALUES (?, ?)", (name, dimension)
                )
                self._connection.executemany("INSERT INTO texts VALUES (?, ?, ?)", rows)

    def take(self, model: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors at *rows*, float32 (n, dim). Raises StoreError if the file is too short."""
        name = digest(model)
        return self._gather(name, rows)

    def note(
        self, model: str, stamp: str, versions: Mapping[str, Mapping[str, NDArray[np.int64]]]
    ) -> None:
        """Note the rows of the "chunks" and "sentences" of each version, cut as *stamp* says."""
        rows = [
            (stamp, version, digest(model), _packed(own["chunks"]), _packed(own["sentences"]))
            for version, own in versions.items()
        ]
        with self._our_errors(), self._transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?)", rows
            )

    def note_parts(self, space: str, kind: str, held: Iterable[tuple[str, int]]) -> None:
        """Note in which parts of the collection of *kind* versions lie: (version, part)."""
        rows = [(version, space, kind, part) for version, part in held]
        with self._our_errors(), self._transaction():
            self._connection.execute(_PARTS)
            self._connection.executemany("INSERT OR IGNORE INTO parts VALUES (?, ?, ?, ?)", rows)

    def parts(self, space: str, kind: str, versions: Iterable[str]) -> dict[str, set[int]]:
        """The parts in which each of *versions* lies; those not noted are left out."""
        found: dict[str, set[int]] = {}
        asked = "SELECT part FROM parts WHERE version = ? AND space = ? AND kind = ?"
        with self._our_errors():
            for version in versions if self._has_parts() else ():
                rows = self._connection.execute(asked, (version, space, kind)).fetchall()
                if rows:
                    found[version] = {part for (part,) in rows}
        return found

    def _has_parts(self) -> bool:
        wanted = "SELECT 1 FROM sqlite_master WHERE name = 'parts'"
        return self._connection.execute(wanted).fetchone() is not None

    def forget(self, versions: Iterable[str]) -> None:
        """Drop the notes of *versions*; their vectors stay for when they come back."""
        gone = [(version,) for version in versions]
        with self._our_errors(), self._transaction():
            self._connection.executemany("DELETE FROM versions WHERE version = ?", gone)
            if self._has_parts():
                self._connection.executemany("DELETE FROM parts WHERE version = ?", gone)

    def counts(self, stamp: str, versions: Sequence[str]) -> dict[str, dict[str, int]]:
        """How many chunks and sentences each of *versions* has; those not noted are left out."""
        found: dict[str, dict[str, int]] = {"chunks": {}, "sentences": {}}
        with self._our_errors():
            for version in versions:
                row = self._connection.execute(
                    "SELECT length(chunks) / 4, length(sentences) / 4 FROM versions"
                    " WHERE stamp = ? AND version = ?",
                    (stamp, version),
                ).fetchone()
                if row:
                    found["chunks"][version], found["sentences"][version] = row
        return found

    def arranged(self, stamp: str, versions: Sequence[str]) -> Arranged | None:
        """Vectors of the chunks and of the sentences of *versions*, in their order, or None.

        Each with the first row of every version. None if anything is missing. The sentences of
        many versions stay in the file; where none has any, they are (0, dim).
        """
        with self._our_errors():
            found = {
                version: (model, chunks, sentences)
                for version, model, chunks, sentences in self._connection.execute(
                    "SELECT version, model, chunks, sentences FROM versions WHERE stamp = ?",
                    (stamp,),
                )
            }
        if not versions or not all(version in found for version in versions):
            return None
        own = [found[version] for version in versions]
        models = {model for model, _, _ in own}
        if len(models) != 1:
            return None
        name = models.pop()
        read = self._stored if len(versions) > ALL_IN_MEMORY else self._gather
        try:
            rows, starts = _unpacked([one[1] for one in own])
            sentences, sentence_starts = _unpacked(
                [one[2] for one in own], bare=not any(one[2] for one in own)
            )
            return (self._gather(name, rows), starts), (read(name, sentences), sentence_starts)
        except StoreError:  # Chroma has them too
            return None

    def damage(self) -> str:
        """What is wrong with the files, in words; empty if nothing is."""
        with self._our_errors():
            (said,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                return f"{FILE} is damaged; {_MEND}"
            counted = self._connection.execute(
                "SELECT model, count(*) FROM texts GROUP BY model"
            ).fetchall()
        for name, count in counted:
            try:
                for start in range(0, count, _AT_ONCE):
                    rows = np.arange(start, min(count, start + _AT_ONCE))
                    with np.errstate(all="ignore"):  # junk may be as large as it likes
                        lengths = np.linalg.norm(self._gather(name, rows), axis=1)
                    if not np.all(np.abs(lengths - 1) < 0.01):
                        return f"embeddings-{name}.f32 holds what are no vectors; {_MEND}"
            except StoreError as error:
                return str(error)
        return ""

    def _gather(self, name: str, rows: NDArray[Any]) -> NDArray[np.float32]:
        with self._our_errors():
            dimension = self._dimension(name)
            path = self._folder / f"embeddings-{name}.f32"
            held = path.stat().st_size // (4 * dimension) if dimension else 0
            if len(rows) and int(rows.max()) >= held:
                raise StoreError(f"{path.name} is cut off; run `paperchat doctor --repair`")
            out = np.empty((len(rows), dimension), dtype=np.float32)
            for start in range(0, len(rows), _AT_ONCE):
                part = rows[start : start + _AT_ONCE]
                # Mapped anew each time: what was read leaves this process's memory.
                mapped = np.memmap(path, dtype="<f4", mode="r", shape=(held, dimension))
                out[start : start + _AT_ONCE] = mapped[part]
            return out

    def _stored(self, name: str, rows: NDArray[np.uint32]) -> Stored:
        with self._our_errors():
            path, dimension = self._checked(name, int(rows.max(initial=0)))
            return Stored.opened(path, rows, dimension)

    def _checked(self, name: str, last: int) -> tuple[Path, int]:
        """The file of the model *name* and its dimension. Raises StoreError if it ends early."""
        dimension = self._dimension(name)
        path = self._folder / f"embeddings-{name}.f32"
        if dimension == 0 or path.stat().st_size // (4 * dimension) <= last:
            raise StoreError(f"{path.name} is cut off; run `paperchat doctor --repair`")
        return path, dimension

    def _dimension(self, name: str) -> int:
        asked = "SELECT dimension FROM models WHERE model = ?"
        row = self._connection.execute(asked, (name,)).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"the vectors kept in {self._folder / FILE} cannot be used ({error}); check the"
                " disk, or run `paperchat doctor --repair`"
            ) from error


def exists(folder: Path) -> bool:
    """Whether any are kept in *folder*."""
    return (folder / FILE).is_file()


def destroy(folder: Path) -> None:
    """Delete all that are kept in *folder*: they can be made again."""
    for path in [*folder.glob(f"{FILE}*"), *folder.glob("embeddings-*.f32")]:
        path.unlink(missing_ok=True)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _unpacked(
    packed: Sequence[bytes], *, bare: bool = False
) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """All rows one after another, and where those of each paper begin; *bare*, there are none."""
    counts = np.array([len(one) // 4 for one in packed], dtype=np.intp)
    if len(counts) and counts.min() == 0 and not bare:
        raise StoreError("a paper has no vectors; run `paperchat doctor --repair`")
    starts = np.concatenate([[0], counts.cumsum()[:-1]]).astype(np.intp)
    return np.frombuffer(b"".join(packed), dtype="<u4").astype(np.uint32), starts


def _packed(rows: NDArray[np.int64]) -> bytes:
    return rows.astype("<u4").tobytes()
