"""What the collection holds, in one SQLite file: the single source of truth.

Vectors and the lexical index may hold more than is live (a run that was killed, a version being
replaced); they never hold less. Whatever the catalog does not list does not exist. One transaction
moves the catalog from one generation to the next, which makes every update all or nothing.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rag.errors import NoIndex, StoreError, StoreLocked, StoreVersion
from rag.names import Name
from rag.text import digest
from rag.types import Paper

FORMAT = 1
FILE = "catalog.sqlite"
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE papers (
    id TEXT PRIMARY KEY, version TEXT NOT NULL, title TEXT NOT NULL, abstract TEXT NOT NULL,
    content_hash TEXT NOT NULL, sources TEXT NOT NULL, external_id TEXT, year INTEGER,
    authors TEXT NOT NULL, url TEXT
);
CREATE TABLE names (key TEXT NOT NULL, surface TEXT NOT NULL, paper_id TEXT NOT NULL,
    introduced INTEGER NOT NULL);
CREATE INDEX names_by_key ON names (key);
CREATE INDEX names_by_paper ON names (paper_id);
CREATE TABLE dead (version TEXT PRIMARY KEY);
"""
# All that the hash of a generation reads; the table itself has the abstracts between.
_VERSIONS = "CREATE INDEX IF NOT EXISTS papers_versions ON papers (id, version)"
NOTHING: Mapping[str, str] = MappingProxyType({})
_COLUMNS = "id, title, abstract, content_hash, sources, external_id, year, authors, url"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which generation is live, and what its vectors were made with."""

    generation: int  # 0 before the first commit; grows by one with each
    space: str  # fingerprint of model, chunking and terms, a dot, and the rebuild it came from
    index_hash: str  # of every live version: equal collections have equal hashes


def version_of(paper: Paper) -> str:
    """The name of one version of a paper in the vector and lexical indexes."""
    return f"{paper.id}-{paper.content_hash}"


def is_unchanged(paper: Paper) -> bool:
    """Whether the text of *paper* is the one that its version names."""
    return digest(paper.title, paper.abstract) == paper.content_hash


class Catalog:
    """The catalog in *folder*; safe for many readers, and one writer at a time."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the catalog.

        Raises NoIndex if there is none, StoreVersion for another format, StoreError for a damaged
        one.
        """
        self.path = folder / FILE
        self._lock = threading.RLock()  # one connection: its statements take one thread at a time
        if not create and not self.path.exists():
            raise NoIndex(f"there is no index in {folder}; run `paperchat index` first")
        # Readers open it for writing too: after a writer was killed, somebody must roll back.
        uri = f"{self.path.resolve().as_uri()}?mode={'rwc' if create else 'rw'}"
        with self._our_errors():
            self._connection = sqlite3.connect(
                uri, uri=True, check_same_thread=False, isolation_level=None, timeout=10
            )
            try:
                self._begin(create)
            except BaseException:
                self._connection.close()
                raise

    def _begin(self, create: bool) -> None:
        if create:
            with self._transaction("IMMEDIATE"):
                if not self._has("table"):
                    for statement in _SCHEMA.split(";"):
                        self._connection.execute(statement)
                    self._set_meta({"format": str(FORMAT)})
                if self._has("table", "papers"):  # else it is not ours, which `_check_format` says
                    self._connection.execute(_VERSIONS)
        self._check_format()
        found = self.path.stat()
        self._identity = (found.st_dev, found.st_ino)
        if not create:
            self._connection.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def manifest(self) -> Manifest:
        """The live generation."""
        with self._our_errors():
            meta = self._meta()
        return Manifest(
            int(meta.get("generation", "0")),
            meta.get("space", ""),
            meta.get("index_hash", ""),
        )

    def note(self, key: str) -> str:
        """What was noted under *key* with the live generation; empty if nothing was."""
        with self._our_errors():
            return self._meta().get(key, "")

    def damage(self) -> str:
        """What is wrong with the file, in words; empty if it holds what its manifest says."""
        with self._our_errors():
            (said,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if said == "ok":
                said = self._astray()
        return f"{self.path} is damaged ({' '.join(str(said).split())})" if said else ""

    def _astray(self) -> str:
        """What somebody else has changed in a file that is whole, in words."""
        with self._transaction("DEFERRED"):
            manifest, papers = self.manifest(), self.papers()
            if manifest.generation and self._hash(manifest.space) != manifest.index_hash:
                return "its papers are not those of its manifest"
        strange = next((paper for paper in papers if not is_unchanged(paper)), None)
        return f"the text of '{strange.title[:80]}' is not what was indexed" if strange else ""

    def is_moved(self) -> bool:
        """Whether another file, or none, now lies where this one was opened."""
        try:
            found = self.path.stat()
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._identity

    def __len__(self) -> int:
        """How many papers are live."""
        with self._our_errors():
            (count,) = self._connection.execute("SELECT count(*) FROM papers").fetchone()
        return int(count)

    def papers(self, ids: Sequence[str] | None = None) -> tuple[Paper, ...]:
        """All papers, by id, or those of *ids*, in any order and each once."""
        with self._our_errors():
            if ids is not None:
                wanted = f"SELECT {_COLUMNS} FROM papers WHERE id = ?"
                found = (self._connection.execute(wanted, (i,)).fetchone() for i in set(ids))
                return tuple(_as_paper(row) for row in found if row)
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM papers ORDER BY id")
            return tuple(_as_paper(row) for row in rows)

    def first(self, count: int) -> tuple[Paper, ...]:
        """The first *count* papers by id: a sample, since ids are hashes."""
        wanted = f"SELECT {_COLUMNS} FROM papers ORDER BY id LIMIT ?"
        with self._our_errors():
            return tuple(_as_paper(row) for row in self._connection.execute(wanted, (count,)))

    def snapshot(self) -> tuple[Manifest, tuple[Paper, ...]]:
        """Manifest and papers of one and the same generation."""
        with self._our_errors(), self._transaction("DEFERRED"):
            return self.manifest(), self.papers()

    def papers_named(self, keys: Sequence[str]) -> list[tuple[str, str, str, bool]]:
        """Who uses these names: (key, surface, paper id, introduced), ordered."""
        found: list[tuple[str, str, str, bool]] = []
        with self._our_errors():
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                rows = self._connection.execute(
                    "SELECT key, surface, paper_id, introduced FROM names"
                    f" WHERE key IN ({marks}) ORDER BY key, paper_id, surface",
                    part,
                )
                found.extend((key, surface, paper, bool(new)) for key, surface, paper, new in rows)
        return found

    def dead(self) -> list[str]:
        """Versions that may still lie in the other indexes but are not live."""
        with self._our_errors():
            return [row[0] for row in self._connection.execute("SELECT version FROM dead")]

    def intend(self, versions: Iterable[str], writer: str = "") -> None:
        """Note versions about to be written: dead until `commit` makes them live.

        *writer* names the run that writes them, and alone may commit.
        """
        with self._our_errors(), self._transaction("IMMEDIATE"):
            self._set_meta({"writer": writer})
            self._connection.executemany(
                "INSERT OR IGNORE INTO dead VALUES (?)", ((version,) for version in versions)
            )

    def commit(
        self,
        upsert: Mapping[str, tuple[Paper, Sequence[Name]]],
        remove: Iterable[str],
        space: str,
        writer: str = "",
        notes: Mapping[str, str] = NOTHING,
    ) -> Manifest:
        """Make the next generation live in one transaction.

        *upsert* maps paper ids to the paper and its names; *remove* lists paper ids; *notes* are
        what `note` gives from then on. Raises
        StoreLocked if another run than *writer*, which a caller names only if it has named it to
        `intend`, has begun to write since.
        """
        with self._our_errors(), self._transaction("IMMEDIATE"):
            if writer and self._meta().get("writer") != writer:
                raise StoreLocked(
                    f"another process took over writing to {self.path.parent}; run it again"
                )
            for paper_id in [*remove, *upsert]:
                self._retire(paper_id)
            for paper, names in upsert.values():
                self._insert(paper, names)
            before = self.manifest()
            manifest = Manifest(before.generation + 1, space, self._hash(space))
            self._set_meta(
                {
                    "generation": str(manifest.generation),
                    "space": manifest.space,
                    "index_hash": manifest.index_hash,
                    **notes,
                }
            )
            return manifest

    def forget_dead(self, versions: Iterable[str]) -> None:
        """Drop *versions* from the list of dead ones: the other indexes are rid of them."""
        with self._our_errors(), self._transaction("IMMEDIATE"):
            self._connection.executemany(
                "DELETE FROM dead WHERE version = ?", ((version,) for version in versions)
            )

    def _retire(self, paper_id: str) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO dead SELECT version FROM papers WHERE id = ?", (paper_id,)
        )
        self._connection.execute("DELETE FROM papers WHERE id = ?", (paper_id,))
        self._connection.execute("DELETE FROM names WHERE paper_id = ?", (paper_id,))

    def _insert(self, paper: Paper, names: Sequence[Name]) -> None:
        version = version_of(paper)
        self._connection.execute("DELETE FROM dead WHERE version = ?", (version,))
        self._connection.execute(
            f"INSERT INTO papers (version, {_COLUMNS}) VALUES ({','.join('?' * 10)})",
            (version, *_as_row(paper)),
        )
        self._connection.executemany(
            "INSERT INTO names VALUES (?, ?, ?, ?)",
            [(name.key, name.surface, paper.id, int(name.introduced)) for name in names],
        )

    def _hash(self, space: str) -> str:
        rows = self._connection.execute("SELECT version FROM papers ORDER BY id").fetchall()
        return digest(space.partition(".")[0], *(row[0] for row in rows))

    def _meta(self) -> dict[str, str]:
        return dict(self._connection.execute("SELECT key, value FROM meta"))

    def _set_meta(self, values: Mapping[str, str]) -> None:
        self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def _has(self, kind: str, name: str = "%") -> bool:
        wanted = "SELECT 1 FROM sqlite_master WHERE type = ? AND name LIKE ?"
        return self._connection.execute(wanted, (kind, name)).fetchone() is not None

    def _check_format(self) -> None:
        if not self._has("table"):  # a first run was killed before it wrote anything
            raise NoIndex(
                f"the first index in {self.path.parent} was never finished; run `paperchat index`"
            )
        row = None
        if self._has("table", "meta"):
            wanted = "SELECT value FROM meta WHERE key = 'format'"
            row = self._connection.execute(wanted).fetchone()
        if row is None and self._has("table", "papers"):  # ours, and not what it should be
            raise StoreError(
                f"the catalog {self.path} lacks its manifest; run `paperchat doctor --repair`"
            )
        found = row[0] if row else "unknown"
        if found != str(FORMAT):
            raise StoreVersion(
                f"the store in {self.path.parent} has format {found}, this PaperChat reads"
                f" {FORMAT}; use another folder with --store, or install the version that made it"
            )

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # SQLite itself rolls back when the disk is full
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            raise StoreError(
                f"the catalog {self.path} cannot be used ({error}); check the disk, or run"
                " `paperchat doctor --repair`"
            ) from error


def _as_row(paper: Paper) -> tuple[object, ...]:
    return (
        paper.id,
        paper.title,
        paper.abstract,
        paper.content_hash,
        json.dumps(paper.sources, ensure_ascii=False),
        paper.external_id,
        paper.year,
        json.dumps(paper.authors, ensure_ascii=False),
        paper.url,
    )


def _as_paper(row: Sequence[object]) -> Paper:
    paper_id, title, abstract, content_hash, sources, external_id, year, authors, url = row
    return Paper(
        id=str(paper_id),
        title=str(title),
        abstract=str(abstract),
        content_hash=str(content_hash),
        sources=tuple(json.loads(str(sources))),
        external_id=None if external_id is None else str(external_id),
        year=year if isinstance(year, int) else None,
        authors=tuple(json.loads(str(authors))),
        url=None if url is None else str(url),
    )
