"""The collection on disk: papers in, a consistent snapshot out.

Three indexes make up a store: the catalog (what exists), Chroma (vectors of chunks and sentences)
and the lexical index. An update writes in an order that can be cut off anywhere:

    1. the catalog notes which versions are about to be written
    2. vectors and words of the new versions are added; nothing old is touched
    3. one catalog transaction makes the new generation live
    4. what is no longer live is removed

A process killed before 3 leaves the old generation whole, one killed after it the new one; the
next run removes what is left over. A reader takes only what the catalog lists.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag import chunk, embeddings, journal, late, lexical, vectors
from rag.catalog import FILE, Catalog, Manifest, version_of
from rag.errors import NoIndex, StoreAway, StoreError
from rag.names import names_in
from rag.rows import Stored
from rag.sentences import split
from rag.text import digest
from rag.types import Corpus, Embedder, IndexReport, Paper, Progress
from rag.writer import Lease, writing

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

TERMS_VERSION = "terms-1"  # grows whenever rag.words or rag.lexical would index another term
BYTES_A_TEXT = 11_000  # measured: 7,000 in Chroma while it writes, 1,600 kept, and the words
PORTION = 2_000  # texts that are embedded and written at a time
ROOM = 4_000_000  # bytes that a store needs before its first text
KINDS = ("chunks", "sentences")
FEW = 2_000  # papers of a store that is looked through as a whole after each write
MOST_QUERIED = 5_000  # vectors of a collection that are all looked for; of more, evenly spread ones


@dataclass(frozen=True, slots=True)
class Turn:
    """What an update does about another process that writes, and where its vectors lie."""

    wait: float = 0.0  # seconds
    take_over: bool = False  # from one that has shown no sign of life for `writer.HANGS_AFTER`
    server: str | None = field(default=None, repr=False)  # a Chroma server's address


NOW = Turn()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One generation in memory: everything a question needs, never changing."""

    manifest: Manifest
    papers: tuple[Paper, ...]  # by id
    places: Mapping[str, int]  # paper id to its place in `papers`
    by_version: Mapping[str, int]
    chunks: NDArray[np.float32]  # (chunks, dim), unit rows, in the order of papers
    chunk_starts: NDArray[np.intp]  # (papers,): first row of each paper
    sentences: NDArray[np.float32] | Stored  # (sentences, dim), unit rows; of many, on the disk
    sentence_starts: NDArray[np.intp]
    lexical: lexical.LexicalIndex
    catalog: Catalog
    late: late.Late | None = None  # where the sentences have no vectors, what makes some


class ById(Mapping[str, Paper]):
    """The papers of a snapshot by their ids, without a dictionary being made for each question."""

    def __init__(self, snapshot: Snapshot) -> None:
        """See the papers of *snapshot*."""
        self._snapshot = snapshot

    def __getitem__(self, paper_id: str) -> Paper:
        """The paper of this id. Raises KeyError."""
        return self._snapshot.papers[self._snapshot.places[paper_id]]

    def __iter__(self) -> Iterator[str]:
        """The ids, in order."""
        return iter(self._snapshot.places)

    def __len__(self) -> int:
        """How many papers there are."""
        return len(self._snapshot.papers)


def fingerprint(embedder: Embedder) -> str:
    """What vectors and terms were made with; another fingerprint means building anew."""
    return digest(embedder.fingerprint, chunk.VERSION, "sentences-1", TERMS_VERSION)


def is_made_with(folder: Path, embedder: Embedder) -> bool:
    """Whether the live generation in *folder*, if there is one, is of *embedder*."""
    if not exists(folder):
        return False
    try:
        with closing(Catalog(folder)) as catalog:
            return _made_with(catalog.manifest(), fingerprint(embedder))
    except StoreError:  # whoever opens it in earnest says what is wrong
        return False


def exists(folder: Path) -> bool:
    """Whether an index was ever begun in *folder*."""
    return (folder / FILE).is_file()


def generation(folder: Path) -> int:
    """The live generation, 0 if there is none; cheap enough to ask before every question."""
    try:
        catalog = Catalog(folder)
    except NoIndex:
        return 0
    try:
        return catalog.manifest().generation
    finally:
        catalog.close()


def load(
    folder: Path,
    embedder_fingerprint: str,
    server: str | None = None,
    rough: late.Rough | None = None,
) -> Snapshot:
    """Read the live generation. Raises NoIndex, StoreVersion, StoreError.

    *embedder_fingerprint* is `fingerprint` of the model that will embed the questions: vectors of
    two models cannot be compared, so an index made with another one is refused, not misread.
    *rough* is that model where only windows have vectors.
    """
    catalog = Catalog(folder)
    try:
        while True:
            manifest, papers = catalog.snapshot()
            if manifest.generation == 0:
                raise NoIndex(
                    f"the first index in {folder} was never finished; run `paperchat index`"
                )
            if not _made_with(manifest, embedder_fingerprint):
                raise StoreError(
                    f"the index in {folder} was made with another embedding model or chunking; run"
                    " `paperchat index --rebuild` to bring it up to date"
                )
            try:
                return _read(folder, catalog, manifest, papers, server, rough)
            except StoreError:
                # An update may retire versions between reading the catalog and the rest.
                if catalog.manifest() == manifest:
                    raise
    except BaseException:
        catalog.close()
        raise


def _read(
    folder: Path,
    catalog: Catalog,
    manifest: Manifest,
    papers: tuple[Paper, ...],
    server: str | None,
    rough: late.Rough | None,
) -> Snapshot:
    by_version = {version_of(paper): place for place, paper in enumerate(papers)}
    words = folder / f"lexical-{manifest.space}"
    if not (vectors.exists(folder, server) and lexical.exists(words)):
        raise _incomplete(folder)
    arranged = _kept(folder, manifest, list(by_version), server)
    if arranged is None:
        arranged = _stored(folder, manifest, by_version, server, rough is not None)
    elif len(papers) and not (len(arranged[1][0]) or rough):
        raise _incomplete(folder)
    (chunks, chunk_starts), (sentences, sentence_starts) = arranged
    index = lexical.LexicalIndex(words)
    if len(index) < len(papers):
        raise _incomplete(folder)
    return Snapshot(
        manifest=manifest,
        papers=papers,
        places={paper.id: place for place, paper in enumerate(papers)},
        by_version=by_version,
        chunks=chunks,
        chunk_starts=chunk_starts,
        sentences=sentences,
        sentence_starts=sentence_starts,
        lexical=index,
        catalog=catalog,
        late=late.opened(folder, rough, papers[: late.SAMPLED]) if rough else None,
    )


def _kept(
    folder: Path, manifest: Manifest, versions: Sequence[str], server: str | None
) -> embeddings.Arranged | None:
    """The vectors as kept beside Chroma, None if some are not; Chroma must hold as many.

    Chroma's own count is not asked for where the folder cannot be written, since Chroma opens none
    such, nor of many papers, where counting takes seconds: `doctor` does.

    Raises StoreError if Chroma has lost some.
    """
    if not embeddings.exists(folder):
        return None
    try:
        with embeddings.Embeddings(folder) as kept:
            arranged = kept.arranged(manifest.space.partition(".")[0], versions)
    except StoreError:  # Chroma has them too
        return None
    if arranged is not None and len(versions) <= FEW and os.access(folder, os.W_OK):
        try:
            with vectors.VectorStore(folder, server) as database:
                for kind, (matrix, _) in zip(KINDS, arranged, strict=True):
                    if database.count(f"{kind}-{manifest.space}") < len(matrix):
                        raise _incomplete(folder)
        except StoreAway as error:
            log.warning("answering from the vectors kept in %s, since %s", folder, error)
    return arranged


def _stored(
    folder: Path,
    manifest: Manifest,
    by_version: Mapping[str, int],
    server: str | None,
    rough: bool,
) -> embeddings.Arranged:
    """The vectors as Chroma gives them, which for many papers takes long."""
    with vectors.VectorStore(folder, server) as database:
        windows, sentences = (database.read(f"{kind}-{manifest.space}") for kind in KINDS)
    arranged = _arrange(folder, windows, by_version)
    if rough:
        return arranged, (np.zeros((0, 0), np.float32), np.zeros(len(by_version), np.intp))
    return arranged, _arrange(folder, sentences, by_version)


def _incomplete(folder: Path) -> StoreError:
    return StoreError(
        f"the index in {folder} lacks parts that its catalog lists; run `paperchat index --rebuild`"
    )


def _arrange(
    folder: Path, rows: vectors.Rows, by_version: Mapping[str, int]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Order rows as the papers are, dead versions left out. Raises StoreError if a paper has none.

    Versions begin with the paper id and rows come sorted by version, as papers do by id, so that
    keeping the live rows is enough.
    """
    live = np.array([version in by_version for version in rows.versions], dtype=bool)
    owners = np.array([by_version[v] for v in rows.versions if v in by_version], dtype=np.intp)
    starts = np.searchsorted(owners, np.arange(len(by_version)))
    if len(np.unique(owners)) != len(by_version):
        raise _incomplete(folder)
    return (rows.matrix[live] if len(live) else rows.matrix), starts.astype(np.intp)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an update will do."""

    new: tuple[Paper, ...]
    changed: tuple[Paper, ...]
    touched: tuple[Paper, ...]  # same content, other sources or metadata
    unchanged: int
    removed: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an update: what it works on and with."""

    folder: Path
    catalog: Catalog
    embedder: Embedder
    lease: Lease
    progress: Progress | None
    stack: ExitStack
    server: str | None  # the address of a Chroma server, in place of the folder's
    opened: list[vectors.VectorStore]  # at most one: a large graph takes Chroma seconds to load

    def database(self) -> vectors.VectorStore:
        """Chroma, opened at the first call."""
        if not self.opened:
            self.opened.append(
                self.stack.enter_context(vectors.VectorStore(self.folder, self.server))
            )
        return self.opened[0]


@contextmanager
def running(
    folder: Path,
    embedder: Embedder,
    lease: Lease,
    progress: Progress | None,
    server: str | None = None,
) -> Iterator[Run]:
    """A run on *folder* with its catalog, made if there is none; all is closed at its end."""
    with ExitStack() as stack:
        catalog = stack.enter_context(closing(Catalog(folder, create=True)))
        yield Run(folder, catalog, embedder, lease, progress, stack, server, [])


def update(
    folder: Path,
    corpus: Corpus,
    embedder: Embedder,
    *,
    prune: bool = False,
    rebuild: bool = False,
    progress: Progress | None = None,
    turn: Turn = NOW,
) -> IndexReport:
    """Add *corpus* to the store, embedding only what is new or changed.

    With *prune*, papers that are not in *corpus* are removed. Everything is embedded anew if the
    model or the chunking changed, or with *rebuild*. *turn* says what to do about another writer.
    Raises StoreLocked, StoreVersion, StoreError; whatever it raises, the index answers as it did
    before.
    """
    with (
        writing(folder, wait=turn.wait, take_over=turn.take_over) as lease,
        running(folder, embedder, lease, progress, turn.server) as run,
    ):
        return _update(run, corpus, prune, "as asked" if rebuild else "")


def renew(run: Run, corpus: Corpus, reason: str) -> IndexReport:
    """Make everything anew, *corpus* added, for the *reason* that the report gives."""
    report = _update(run, corpus, False, reason)
    return replace(report, rebuilt=reason)


def _update(run: Run, corpus: Corpus, prune: bool, asked: str, again: bool = True) -> IndexReport:
    catalog, folder = run.catalog, run.folder
    stamp = fingerprint(run.embedder)
    manifest = catalog.manifest()
    reason = _rebuild_reason(manifest, stamp, asked)
    # Adding a few papers to many reads only those that they may replace.
    touched = None if prune or reason else [paper.id for paper in corpus.papers]
    known = {paper.id: paper for paper in catalog.papers(touched)}
    plan = _plan(corpus, known, prune)
    # A rebuild writes into a space of its own, so that the old one answers until it is done.
    space = f"{stamp}.{manifest.generation}" if reason or not manifest.space else manifest.space
    written = (*plan.new, *plan.changed)
    if reason:
        gone = {*plan.removed, *(paper.id for paper in written)}
        written = (*written, *(paper for paper in known.values() if paper.id not in gone))
    truncated = 0
    mark = journal.mark_of(catalog.note("journal"))
    uncopied = not journal.is_whole(folder, mark)
    if uncopied or written or plan.touched or plan.removed or reason or manifest.generation == 0:
        _sweep(run, () if reason else catalog.dead(), thorough=bool(reason))
        # What a rebuild writes anew is live in the old space, and stays so until the commit.
        live = {version_of(paper) for paper in known.values()}
        run.lease.check()
        catalog.intend({version_of(paper) for paper in written} - live, run.lease.owner.token)
        truncated, lost = _write(run, written, space)
        if manifest.generation == 0 or reason or len(catalog) <= FEW:
            lost = max(lost, _lost(run, space))
        if lost and again:
            return _update(run, corpus, prune, f"{lost} vectors could not be found again", False)
        if lost:
            raise StoreError(
                f"the Chroma database in {folder} lost {lost} vectors as they were written; check"
                " the disk, then run `paperchat index --rebuild`"
            )
        upsert = {p.id: (p, names_in(p.title, p.abstract)) for p in (*plan.touched, *written)}
        mark = _keep(run, journal.Mark() if reason else mark, plan)
        notes = {"journal": mark.as_text()}
        catalog.commit(upsert, plan.removed, space, run.lease.owner.token, notes)
        if isinstance(run.embedder, late.Rough):
            late.keep_sample(folder, run.embedder, catalog.first(late.SAMPLED))
    _sweep(run, catalog.dead(), thorough=bool(reason))
    journal.sweep(folder, mark)
    return IndexReport(
        new=len(plan.new),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        removed=len(plan.removed),
        duplicate=corpus.duplicates,
        rejected=corpus.rejected,
        notes=(*corpus.notes, *plan.notes),
        rebuilt=reason,
        truncated=truncated,
    )


def _keep(run: Run, mark: journal.Mark, plan: _Plan) -> journal.Mark:
    """Copy what *plan* puts and removes into the journal, which *mark* tells the end of."""
    put = (*plan.new, *plan.changed, *plan.touched)

    def everything() -> list[Paper]:
        after = {paper.id: paper for paper in (*run.catalog.papers(), *put)}
        return [after[paper_id] for paper_id in sorted(after.keys() - set(plan.removed))]

    generation = run.catalog.manifest().generation + 1
    return journal.append(run.folder, mark, generation, put, plan.removed, everything)


def _lost(run: Run, space: str) -> int:
    """How many vectors of *space* are stored and yet not found by a query."""
    both = [run.database().reached(f"{kind}-{space}", MOST_QUERIED) for kind in KINDS]
    return sum(stored - reached for stored, reached in both)


def _rebuild_reason(manifest: Manifest, stamp: str, asked: str) -> str:
    if manifest.generation == 0:
        return ""
    if not _made_with(manifest, stamp):
        return "the embedding model or the chunking changed"
    return asked


def _made_with(manifest: Manifest, stamp: str) -> bool:
    return manifest.space.partition(".")[0] == stamp


def _plan(corpus: Corpus, known: Mapping[str, Paper], prune: bool) -> _Plan:
    new: list[Paper] = []
    changed: list[Paper] = []
    touched: list[Paper] = []
    notes: list[str] = []
    for paper in corpus.papers:
        before = known.get(paper.id)
        if before is None:
            new.append(paper)
            continue
        # Pruning says that these files are all there is: what others once said no longer counts.
        after = paper if prune else _merge(before, paper, notes)
        if after.content_hash != before.content_hash:
            changed.append(after)
        elif after != before:
            touched.append(after)
    kept = {paper.id for paper in corpus.papers}
    removed = tuple(sorted(known.keys() - kept)) if prune else ()
    unchanged = len(corpus.papers) - len(new) - len(changed)
    return _Plan(tuple(new), tuple(changed), tuple(touched), unchanged, removed, tuple(notes))


def _merge(before: Paper, after: Paper, notes: list[str]) -> Paper:
    """A known paper read again: an edit of its own file replaces it, another file's may not."""
    if set(before.sources) <= set(after.sources):
        return after
    longer = len(after.abstract) > len(before.abstract)
    if after.abstract != before.abstract:
        which = "this one" if longer else "the one before"
        notes.append(
            f"'{after.title}' has another abstract in {', '.join(after.sources)}; {which} was kept"
        )
    kept, other = (after, before) if longer else (before, after)
    return replace(
        kept,
        sources=tuple(sorted({*before.sources, *after.sources})),
        external_id=kept.external_id or other.external_id,
        year=kept.year or other.year,
        authors=kept.authors or other.authors,
        url=kept.url or other.url,
    )


def _write(run: Run, papers: Sequence[Paper], space: str) -> tuple[int, int]:
    """Add vectors and words of *papers*.

    How many texts were too long for the model, and how many vectors Chroma lost at once.
    """
    # First of all: by this folder the next run knows a space that was never finished.
    index = lexical.LexicalIndex(run.folder / f"lexical-{space}")
    records: dict[str, list[vectors.Record]] = {"chunks": [], "sentences": []}
    for paper in papers:
        sentences = split(paper.id, paper.abstract)
        version = version_of(paper)
        records["chunks"].extend(
            vectors.Record(version, c.number, c.start, c.end, c.embedded_text, whole=True)
            for c in chunk.chunks(paper, sentences)
        )
        if isinstance(run.embedder, late.Rough):
            continue
        records["sentences"].extend(
            vectors.Record(version, s.number, s.start, s.end, s.text) for s in sentences
        )
    _check_room(run.folder, sum(len(part) for part in records.values()))
    lost = _embed_and_add(run, records, space) if papers else 0
    index.update(lexical.LexicalDocument(version_of(p), p.title, p.abstract) for p in papers)
    return run.embedder.truncated([record.text for record in records["chunks"]]), lost


def _check_room(folder: Path, texts: int) -> None:
    """Raises StoreError if *texts* would not fit: a disk that fills up halfway helps nobody.

    Chroma retries its log on reading and cannot do that on a full disk, so that even the old index
    would not answer until there is room again.
    """
    needed = ROOM + texts * BYTES_A_TEXT
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"the disk of {folder} has {free // 1_000_000} MB free and this needs"
            f" {needed // 1_000_000} MB; make room, or choose another folder with --store"
        )


def _embed_and_add(run: Run, records: Mapping[str, Sequence[vectors.Record]], space: str) -> int:
    """Write vectors into Chroma; how many of them a query does not find."""
    lost = 0
    total = sum(len(part) for part in records.values())
    done = 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        run.lease.check()
        if run.progress:
            run.progress("embedding", done, total)

    rows: dict[str, dict[str, list[int]]] = {}
    database = run.database()
    with embeddings.Embeddings(run.folder) as kept:
        for kind, part in records.items():
            # Portions: the vectors in memory stay few for any corpus.
            for start in range(0, len(part), PORTION):
                portion = part[start : start + PORTION]
                places = _embedded(kept, run.embedder, [record.text for record in portion], step)
                run.lease.check()
                made = kept.take(run.embedder.fingerprint, places)
                name = f"{kind}-{space}"
                lost += database.add(name, portion, made, placed=_noting(kept, kind, space))
                for record, place in zip(portion, places.tolist(), strict=True):
                    own = rows.setdefault(record.version, {name: [] for name in KINDS})
                    own[kind].append(place)
        kept.note(
            run.embedder.fingerprint,
            space.partition(".")[0],
            {
                version: {kind: np.array(own[kind], dtype=np.int64) for kind in KINDS}
                for version, own in rows.items()
            },
        )
    return lost


def _embedded(
    kept: embeddings.Embeddings,
    embedder: Embedder,
    texts: Sequence[str],
    step: Callable[[int], None],
) -> NDArray[np.int64]:
    """The rows of the vectors of *texts*, those that are not kept yet being made, each once."""
    rows = kept.known(embedder.fingerprint, texts)
    missing = list(dict.fromkeys(t for t, row in zip(texts, rows, strict=True) if row < 0))
    step(len(texts) - len(missing))
    if not missing:
        return rows
    kept.add(embedder.fingerprint, missing, embedder(missing, step))
    return kept.known(embedder.fingerprint, texts)


def _noting(
    kept: embeddings.Embeddings, kind: str, space: str
) -> Callable[[Sequence[vectors.Record], int], None]:
    """What notes in which part of a collection records lie, before they do: a run may be killed."""

    def note(records: Sequence[vectors.Record], part: int) -> None:
        kept.note_parts(space, kind, {(record.version, part) for record in records})

    return note


def _remove(run: Run, kind: str, space: str, dead: Sequence[str]) -> None:
    """Remove the records of *kind* of *dead* versions, from the parts where they lie if noted."""
    counts: Mapping[str, int] = vectors.UNKNOWN
    held: Mapping[str, set[int]] = {}
    if dead and embeddings.exists(run.folder):
        with embeddings.Embeddings(run.folder) as kept:
            counts = kept.counts(space.partition(".")[0], dead)[kind]
            held = kept.parts(space, kind, dead)
    run.database().remove(f"{kind}-{space}", dead, counts, held)


def _sweep(run: Run, dead: Sequence[str], *, thorough: bool) -> None:
    """Remove what is not live: *dead* versions, and whole spaces that a rebuild left behind.

    Unless *thorough*, Chroma is not opened where the lexical folders
    show no such space.
    """
    folder, space = run.folder, run.catalog.manifest().space
    foreign = [
        path
        for path in folder.glob("lexical-*")
        if re.fullmatch(lexical.FOLDER, path.name) and path.name != f"lexical-{space}"
    ]
    if not (dead or foreign or thorough):
        return
    if vectors.exists(folder, run.server):
        database = run.database()
        for name in database.collections():
            kind, _, made_in = name.partition("-")
            if kind in KINDS and made_in != space:
                database.drop(name)
            elif kind in KINDS:
                _remove(run, kind, space, dead)
    for path in foreign:
        lexical.destroy(path)
    if dead and embeddings.exists(folder):
        with embeddings.Embeddings(folder) as kept:
            kept.forget(dead)
    if dead and lexical.exists(folder / f"lexical-{space}"):
        lexical.LexicalIndex(folder / f"lexical-{space}").update((), dead)
    run.catalog.forget_dead(dead)
