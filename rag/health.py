"""Whether a store is whole, and how it becomes whole again.

Everything but the papers can be made anew from the papers, and those are kept twice: in the catalog
and in the journal beside it. What cannot be read is set aside or made again, never guessed at.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from rag import atlas, embeddings, history, indexing, journal, lexical, store, vectors, writer
from rag.catalog import FILE, Catalog, is_unchanged
from rag.errors import NoIndex, StoreAway, StoreError, StoreVersion
from rag.late import Sparing
from rag.types import Corpus, Embedder, IndexReport, Paper, Progress

_OURS = re.compile(
    rf"{re.escape(FILE)}(-journal)?|catalog\.damaged-\d+\.sqlite|{vectors.FOLDER}|{vectors.LOCK}"
    rf"|{writer.LOCK}|{re.escape(writer.OWNER)}(\.part)?|papers-\d+\.jsonl|{lexical.FOLDER}"
    rf"|{embeddings.OURS}|{vectors.SERVER_ID}(\.part)?"
    rf"|{re.escape(atlas.FILE)}(\.\w+)?|{re.escape(history.FILE)}(-journal|-wal|-shm)?"
)
_SHOWN = 5  # foreign files that are named
Check = tuple[str, bool, str]
"""What was looked at, whether it is well, what was found."""


def anything(folder: Path) -> bool:
    """Whether there is or was a store in *folder*."""
    return store.exists(folder) or journal.any_in(folder)


def checks(folder: Path, embedder: Embedder, server: str | None = None) -> Iterator[Check]:
    """What `doctor` looks at. Raises NoIndex if there is nothing to look into."""
    try:
        with closing(Catalog(folder)) as catalog:
            problem = catalog.damage()
            manifest, papers = catalog.snapshot()
            mark = journal.mark_of(catalog.note("journal"))
    except NoIndex:
        if not journal.any_in(folder):
            raise
        problem, papers = "it is missing", ()
    except StoreVersion as error:
        yield "catalog", False, str(error)
        return
    except StoreError as error:
        problem, papers = str(error), ()
    if problem:
        repair = "" if "doctor --repair" in problem else "; run `paperchat doctor --repair`"
        yield "catalog", False, problem + repair
        return
    yield "catalog", True, f"{len(papers)} papers, generation {manifest.generation}"
    yield _copy(folder, mark, papers)
    yield _vectors_kept(folder)
    yield from _indexes(folder, embedder, server)
    yield from _foreign(folder)


def _copy(folder: Path, mark: journal.Mark, papers: Sequence[Paper]) -> Check:
    if not mark.file:
        return "copy of the papers", False, "there is none yet; run `paperchat index`"
    well = journal.check(folder, mark, papers)
    found = f"{len(papers)} papers in {mark.file}" if well else f"{mark.file} is damaged"
    return "copy of the papers", well, found + ("" if well else "; run `paperchat doctor --repair`")


def _vectors_kept(folder: Path) -> Check:
    what = "vectors kept"
    if not embeddings.exists(folder):
        return what, True, "none: Chroma's are read, which for many papers takes long"
    try:
        with embeddings.Embeddings(folder) as kept:
            problem = kept.damage()
    except StoreError as error:
        problem = str(error)
    return what, not problem, problem or "each is a vector"


def _indexes(folder: Path, embedder: Embedder, server: str | None) -> Iterator[Check]:
    try:
        sparing = embedder if isinstance(embedder, Sparing) else None
        snapshot = store.load(folder, store.fingerprint(embedder), server, sparing)
        with closing(snapshot.catalog), vectors.VectorStore(folder, server) as database:
            for kind, held in (("chunks", snapshot.chunks), ("sentences", snapshot.sentences)):
                name = f"{kind}-{snapshot.manifest.space}"
                reach = database.reached(name, indexing.MOST_QUERIED)
                well = reach.stored == reach.held == len(held)
                yield f"vectors of {kind}", well, f"{len(held)} live, {reach}"
            words = snapshot.lexical.keys()
            well = words == set(snapshot.by_version)
            found = f"{len(words)} documents for {len(snapshot.papers)} papers"
            yield "lexical index", well, found
            dead = snapshot.catalog.dead()
            yield "left over", not dead, _left_over(len(dead))
    except NoIndex:
        raise
    except StoreError as error:
        repair = "" if "doctor --repair" in str(error) else "; or run `paperchat doctor --repair`"
        yield "index", False, f"{error}{repair if not isinstance(error, StoreAway) else ''}"


def _left_over(count: int) -> str:
    if not count:
        return "nothing of an unfinished update"
    return f"{count} versions of an unfinished update; run `paperchat index` to finish it"


def _foreign(folder: Path) -> Iterator[Check]:
    busy = writer.described(folder) if writer.is_locked(folder) else "nobody is writing"
    yield "writer", True, busy
    names = sorted(path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name))
    if names:
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        yield "folder", True, f"also holds what is not PaperChat's, and is left alone: {shown}"


def repair(
    folder: Path,
    embedder: Embedder,
    progress: Progress | None = None,
    turn: indexing.Turn = indexing.NOW,
) -> IndexReport:
    """Make every index anew from the papers, and the catalog from their copy if it is damaged.

    Raises StoreLocked, StoreVersion (another version's store is left alone), NoIndex, StoreError.
    """
    if not folder.is_dir():
        raise NoIndex(f"there is no index in {folder}; run `paperchat index` first")
    with writer.writing(folder, wait=turn.wait, take_over=turn.take_over) as lease:
        recovered = _recovered(folder)
        if embeddings.exists(folder) and not _vectors_kept(folder)[1]:
            embeddings.destroy(folder)
        if not (turn.server or _vectors_can_be_read(folder)):
            _put_away(folder / vectors.FOLDER)
        with indexing.running(folder, embedder, lease, progress, turn.server) as run:
            corpus = Corpus(recovered, (), len(recovered))
            return indexing.renew(run, corpus, "repaired")


def _put_away(path: Path) -> None:
    """Delete a folder of ours; what lies in its place and is none is only moved aside."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.replace(path.with_name(f"{path.name}.aside-{time.time_ns()}"))


def _recovered(folder: Path) -> tuple[Paper, ...]:
    """The papers where the catalog is lost or not what it was, which is set aside; else none.

    They are the journal's, and those that the catalog still has unchanged.
    """
    kept: tuple[Paper, ...] = ()
    try:
        with closing(Catalog(folder)) as catalog:
            problem = catalog.damage()
            _, papers = catalog.snapshot()  # a table may be gone from a file that is whole
            if not problem:
                return ()
            kept = tuple(paper for paper in papers if is_unchanged(paper))
    except StoreVersion:
        raise
    except NoIndex:
        if not journal.any_in(folder):
            raise
    except StoreError:
        pass
    papers = _with_journal(folder, kept)
    aside = folder / f"catalog.damaged-{time.time_ns()}.sqlite"
    if (folder / FILE).exists():
        (folder / FILE).replace(aside)
    (folder / f"{FILE}-journal").unlink(missing_ok=True)  # it belongs to the damaged one
    return papers


def _with_journal(folder: Path, kept: tuple[Paper, ...]) -> tuple[Paper, ...]:
    """*kept* and the papers of the journal; of two versions the journal's. Raises StoreError."""
    try:
        recovered = journal.recover(folder)
    except StoreError:
        if not kept:
            raise
        return kept
    given = {paper.id for paper in recovered}
    return (*recovered, *(paper for paper in kept if paper.id not in given))


def _vectors_can_be_read(folder: Path) -> bool:
    if not vectors.exists(folder):
        return not (folder / vectors.FOLDER).exists()
    try:
        with vectors.VectorStore(folder) as database:
            for name in database.collections():
                database.reached(name, indexing.MOST_QUERIED)
    except StoreError:
        return False
    return True


def failed(found: Iterable[Check]) -> list[str]:
    """What of *found* is not well, by name."""
    return [what for what, well, _ in found if not well]
