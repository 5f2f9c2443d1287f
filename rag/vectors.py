"""Vectors in Chroma: the only door to chromadb.

Every trap that a user of Chroma 1.5 meets is stepped round here and nowhere else: batches stay
under the server's limit; ids are never reused for other content (`add` ignores a known id, `upsert`
merges metadata); telemetry is off; no embedding function is ever attached (the default one
downloads); cosine is stored and checked, not assumed; nobody reads while another process writes,
which crashes Chroma; and readers open the database anew, since an open one keeps a graph in memory
that knows nothing of what other processes wrote. Before it writes one record, Chroma reads the
whole graph of its collection from the disk (of 550,000 sentences a gigabyte, 3 s): so a collection
here is several of Chroma's, of which a small update touches the last.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import StoreError, StoreLocked
from rag.remote import Server, away, check, is_lost, parsed, patient_session

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection as ChromaCollection
    from numpy.typing import NDArray

FOLDER = "chroma"
LOCK = "vectors.lock"
SERVER_ID = "server-id"  # names the collections of this store on a server
PAGE = 2_000  # records of one answer of a server
LONGEST_WAIT = 60.0  # seconds for another process to finish a batch, which takes about one
MOST_IN_PART = 50_000  # records of one of the parts that make up a collection
SAMPLE = 200  # records that are looked for at one place of a large collection
UNKNOWN: Mapping[str, int] = MappingProxyType({})
ANYWHERE: Mapping[str, Collection[int]] = MappingProxyType({})
_opening = threading.Lock()  # Chroma counts who shares a folder, but not safely between threads


@dataclass(frozen=True, slots=True)
class Record:
    """One vector with the text it was made from; *version* names the paper's version."""

    version: str
    number: int
    start: int
    end: int
    text: str
    whole: bool = False  # a window, whose text goes with it

    @property
    def id(self) -> str:
        """Unique for this content: a changed paper gets other ids."""
        return f"{self.version}-{self.number}"


@dataclass(frozen=True, slots=True)
class Rows:
    """Vectors read back: row i belongs to part numbers[i] of versions[i]; sorted by both."""

    versions: tuple[str, ...]
    numbers: tuple[int, ...]
    matrix: NDArray[np.float32]  # (rows, dim), unit length


@dataclass(frozen=True, slots=True)
class Reach:
    """How many records of a collection are counted, and how many of them can be had."""

    stored: int
    queried: int  # found by a nearest-neighbour query
    held: int  # those, and those whose vector Chroma gives by id

    def __str__(self) -> str:
        """For the doctor."""
        said = f"{self.stored} stored, {self.queried} reachable by query"
        if apart := self.held - self.queried:
            said += f" and {apart} by id alone, as happens to equal texts and harms no answer"
        return said


class VectorStore:
    """A Chroma database in *folder*, holding one collection per kind of record and fingerprint.

    Each is Chroma's collection of that name, and once it is full, others called "name_1" and so on.

    Use it in a `with` statement: what stays open keeps files that an update may replace, and an
    in-memory graph that another process's writes do not reach.
    """

    def __init__(self, folder: Path, server: str | None = None) -> None:
        """Open or make the database, at the address *server* if there is one.

        Raises StoreError, and StoreAway if the server cannot be reached.
        """
        self._folder = folder / FOLDER
        self._server = parsed(server) if server else None
        self._prefix = f"{_store_id(folder)}-" if server else ""
        with _opening, self._our_errors():
            self._client = _reach(self._server) if self._server else _open(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _opening, self._our_errors():
            if self._server is not None:
                _leave(self._client)
            self._client.close()

    def add(
        self,
        collection: str,
        records: Sequence[Record],
        vectors: NDArray[np.float32],
        progress: Callable[[int], None] | None = None,
        placed: Callable[[Sequence[Record], int], None] | None = None,
    ) -> int:
        """Write *records* with *vectors* (n, dim); the same record twice changes nothing.

        That holds within a part: whoever writes removes first what a killed run left. Windows carry
        their text, since people look at them; that of a sentence is in the paper, and would take
        Chroma twice the room for an index of its letters that nobody asks. *placed* is told which
        records are about to go into which part. Returns how many of a sample of them, the last
        ones, are lost: neither a query nor their id brings them back.
        """
        start, lost = 0, 0
        while start < len(records):
            with self._alone():
                target, number, room = self._last_part(collection)
                end = start + min(room, int(self._client.get_max_batch_size()))
                batch = records[start:end]
                if placed:
                    placed(batch, number)
                texts = [record.text for record in batch] if batch[0].whole else None
                target.add(
                    ids=[record.id for record in batch],
                    embeddings=vectors[start:end],
                    documents=texts,
                    metadatas=[_metadata(record) for record in batch],
                )
                if end >= len(records):
                    last = [record.id for record in batch[-SAMPLE:]]
                    lost = len(last) - _reach_of(target, vectors[-1:], last).held
            start = end
            if progress:
                progress(len(batch))
        return lost

    def read(self, collection: str) -> Rows:
        """All vectors of *collection*; empty if there is none."""
        ids: list[str] = []
        found: list[NDArray[Any]] = []
        with self._alone():
            for part in self._parts(collection):
                more, rows = _everything(part, PAGE if self._server else None)
                ids += more
                found += rows
        if not ids:
            return Rows((), (), np.zeros((0, 0), dtype=np.float32))
        keys = [identifier.rsplit("-", 1) for identifier in ids]
        order = sorted(range(len(keys)), key=lambda i: (keys[i][0], int(keys[i][1])))
        matrix = np.concatenate(found).reshape(len(keys), -1)
        return Rows(
            tuple(keys[i][0] for i in order),
            tuple(int(keys[i][1]) for i in order),
            matrix[order],
        )

    def remove(
        self,
        collection: str,
        versions: Iterable[str],
        counts: Mapping[str, int] = UNKNOWN,
        held: Mapping[str, Collection[int]] = ANYWHERE,
    ) -> None:
        """Delete every record of *versions*; unknown ones are no error.

        *counts* says how many records a version has, if it is known: deleting by id spares Chroma
        looking through all metadata, which of 500,000 records takes ten seconds. *held* says in
        which parts it lies, so that the graphs of the others need not be read.
        """
        wanted = sorted(set(versions))
        with self._alone():
            for number, part in enumerate(self._parts(collection) if wanted else ()):
                here = [version for version in wanted if number in held.get(version, (number,))]
                ids = [f"{v}-{n}" for v in here for n in range(counts.get(v, 0))]
                for start in range(0, len(ids), 2000):
                    part.delete(ids=ids[start : start + 2000])
                uncounted = [version for version in here if version not in counts]
                for start in range(0, len(uncounted), 500):
                    some: Any = {"version": {"$in": uncounted[start : start + 500]}}
                    part.delete(where=some)

    def count(self, collection: str) -> int:
        """Records stored in *collection*; 0 if there is none."""
        with self._alone():
            return sum(int(part.count()) for part in self._parts(collection))

    def reachable(self, collection: str, vector: NDArray[np.float32]) -> int:
        """Records that a nearest-neighbour query can find: less than `count` means damage."""
        asked: Any = [vector]
        reached = 0
        with self._alone():
            for part in self._parts(collection):
                stored = int(part.count())
                if stored:
                    got = part.query(query_embeddings=asked, n_results=stored, include=[])
                    reached += len(got["ids"][0])
        return reached

    def reached(self, collection: str, most: int) -> Reach:
        """How many records are stored, and how many of them can be had.

        Of a part of more than *most* records, the last ones written and others evenly spread are
        looked for by their ids, and those not looked for count as found. Looking for each by its
        own vector would not do: in a large graph a search misses some that are there.
        """
        with self._alone():
            each = [_reached(part, most) for part in self._parts(collection)]
        return Reach(
            sum(reach.stored for reach in each),
            sum(reach.queried for reach in each),
            sum(reach.held for reach in each),
        )

    def collections(self) -> list[str]:
        """Names of all collections, sorted."""
        with self._our_errors():
            names = [collection.name for collection in self._client.list_collections()]
        own = (name for name in names if name.startswith(self._prefix))
        return sorted({_PART.sub("", name.removeprefix(self._prefix)) for name in own})

    def drop(self, collection: str) -> None:
        """Delete a whole collection; an unknown one is no error."""
        with self._alone():
            names = [found.name for found in self._client.list_collections()]
            own = [n for n in names if _PART.sub("", n) == self._prefix + collection]
            for name in sorted(own, key=len, reverse=True):  # the first names the others, so last
                self._client.delete_collection(name)

    def _last_part(self, name: str) -> tuple[ChromaCollection, int, int]:
        """Where the next records of *name* go, made if need be, its number, and the room there."""
        parts = self._parts(name)
        room = MOST_IN_PART - int(parts[-1].count()) if parts else 0
        if room > 0:
            return parts[-1], len(parts) - 1, room
        return self._create(_part_name(name, len(parts))), len(parts), MOST_IN_PART

    def _parts(self, name: str) -> list[ChromaCollection]:
        """Chroma's collections that make up *name*, in order; none if there is no such."""
        parts: list[ChromaCollection] = []
        while (part := self._collection(_part_name(name, len(parts)))) is not None:
            parts.append(part)
        return parts

    def _create(self, name: str) -> ChromaCollection:
        return self._client.create_collection(
            self._prefix + name,
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine"}},
        )

    def _collection(self, name: str) -> ChromaCollection | None:
        from chromadb.errors import NotFoundError

        try:
            found = self._client.get_collection(self._prefix + name, embedding_function=None)
        except NotFoundError:
            return None
        space = (found.configuration_json.get("hnsw") or {}).get("space")
        if space != "cosine":
            raise StoreError(
                f"the Chroma collection {name} in {self._folder} compares by {space}, not by"
                " cosine; choose another folder with --store"
            )
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only one, in any process, who reads or writes vectors. Raises StoreLocked.

        Chroma crashes the process that reads a graph while another one saves it.
        """
        from filelock import FileLock, Timeout

        if self._server is not None:  # which sees to it itself
            with self._our_errors():
                yield
            return
        with self._our_errors():
            lock = FileLock(self._folder.parent / LOCK)
            try:
                lock.acquire(LONGEST_WAIT)
            except Timeout as error:
                raise StoreLocked(
                    f"another process keeps the vectors in {self._folder} busy; try again later"
                ) from error
            try:
                yield
            finally:
                lock.release()

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        """Let no Chroma exception out: its Rust core raises many classes, some bare Exception."""
        try:
            yield
        except StoreError:
            raise
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise  # Rust's panics are no Exception, so that nobody swallows them by mistake
            if self._server is not None:
                if is_lost(error):
                    raise away(self._server, error) from error
                raise StoreError(
                    f"the Chroma server at {self._server.shown} failed"
                    f" ({type(error).__name__}: {str(error).splitlines()[0][:150]}); look into its"
                    " log, or run `paperchat doctor --repair`"
                ) from error
            problem = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise StoreError(
                f"the Chroma database in {self._folder} failed ({problem}); check that the disk"
                " has room and may be written, or run `paperchat doctor --repair`"
            ) from error


def _reach_of(target: ChromaCollection, vector: Any, ids: list[str]) -> Reach:
    """How many of the records *ids* a query finds, and how many more their id brings.

    Where a few dozen vectors are all but equal, as those of a sentence that many abstracts share,
    they have room in Chroma's graph for ways to one another only, and no query comes to some of
    them [tried]. Their vectors are there, and read by id as PaperChat reads them all.
    """
    from chromadb.errors import InternalError

    try:
        got = target.query(query_embeddings=vector, ids=ids, n_results=len(ids), include=[])
        missing = sorted(set(ids).difference(got["ids"][0]))
    except InternalError:  # Chroma stumbles over a lost one
        missing = ids
    queried = len(ids) - len(missing)
    return Reach(len(ids), queried, queried + _given(target, missing))


def _given(target: ChromaCollection, ids: list[str]) -> int:
    """How many of the records *ids* Chroma gives with their vectors."""
    from chromadb.errors import InternalError

    if not ids:
        return 0
    try:
        return len(target.get(ids=ids, include=["embeddings"])["ids"])
    except InternalError:  # one of them has none, and spoils it for all: halve to find which
        half = len(ids) // 2
        return _given(target, ids[:half]) + _given(target, ids[half:]) if half else 0


def _reached(target: ChromaCollection, most: int) -> Reach:
    """As `VectorStore.reached`, of one part."""
    from chromadb.errors import InternalError

    stored = int(target.count())
    if stored == 0:
        return Reach(0, 0, 0)
    try:
        vector: Any = target.get(limit=1, include=["embeddings"])["embeddings"]
    except InternalError:  # of a record that is counted and has no vector any more
        return Reach(stored, stored - 1, stored - 1)
    if stored <= most:
        return _reach_of(target, vector, target.get(include=[])["ids"])
    queried = held = stored
    for start in _samples(stored):
        ids = target.get(limit=SAMPLE, offset=start, include=[])["ids"]
        found = _reach_of(target, vector, ids)
        queried -= found.stored - found.queried
        held -= found.stored - found.held
    return Reach(stored, queried, held)


_PART = re.compile(r"_\d+$")


def _part_name(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def _samples(stored: int) -> list[int]:
    """Where samples of SAMPLE records begin: spread over all, and the last ones."""
    return [*range(0, stored - SAMPLE, max(SAMPLE, stored // 4)), stored - SAMPLE]


def load_library() -> None:
    """Import Chroma now, as one does before starting processes that shall not each wait for it."""
    import chromadb  # noqa: F401  # the import is the point


def exists(folder: Path, server: str | None = None) -> bool:
    """Whether there is a database in *folder*, or to be looked for at *server*."""
    return bool(server) or (folder / FOLDER / "chroma.sqlite3").is_file()


def _store_id(folder: Path) -> str:
    """The name under which the store in *folder* keeps its collections on a server.

    Several stores may share a server, and must not take each other's collections for left over.
    """
    path = folder / SERVER_ID
    try:
        if not path.exists():
            part = path.with_suffix(".part")
            part.write_text(uuid.uuid4().hex[:16], encoding="ascii")
            part.replace(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise StoreError(
            f"the store folder {folder} cannot be used ({error.strerror}); choose another with"
            " --store"
        ) from error


def _reach(server: Server) -> Client:
    import chromadb  # late, as below
    from chromadb.config import Settings

    check(server)
    client: Any = chromadb.HttpClient(
        server.host,
        server.port,
        server.ssl,
        server.headers,
        Settings(anonymized_telemetry=False),
    )
    client._server._session.close()
    client._admin_client._server._session.close()  # only looked whether the tenant exists
    client._server._session = patient_session(server)  # Chroma's own would wait for ever
    opened: Client = client
    return opened


def _leave(client: Any) -> None:
    """Close what Chroma's client of a server leaves open when it is closed (1.5.9)."""
    from chromadb.api.shared_system_client import SharedSystemClient

    client._server._session.close()
    for name in (client._identifier, client._admin_client._identifier):
        SharedSystemClient._identifier_to_system.pop(name, None)


def _everything(target: ChromaCollection, page: int | None) -> tuple[list[str], list[NDArray[Any]]]:
    """Ids and vectors of all records, *page* at a time."""
    ids: list[str] = []
    parts: list[NDArray[Any]] = []
    while True:
        got: Any = target.get(limit=page, offset=len(ids), include=["embeddings"])
        ids += got["ids"]
        if got["ids"]:
            parts.append(np.asarray(got["embeddings"], dtype=np.float32))
        if page is None or len(got["ids"]) < page:
            return ids, parts


def _open(folder: Path) -> Client:
    import chromadb  # late: half a second that commands without vectors do not pay
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    try:
        client: Any = chromadb.PersistentClient(
            str(folder), settings=Settings(anonymized_telemetry=False)
        )
    except Exception:
        SharedSystemClient.clear_system_cache()  # it would hand out what failed to start, for ever
        raise
    opened: Client = client
    return opened


def _metadata(record: Record) -> dict[str, str | int]:
    return {
        "version": record.version,
        "paper_id": record.version.partition("-")[0],
        "number": record.number,
        "start": record.start,
        "end": record.end,
    }
