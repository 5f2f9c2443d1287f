"""Papers into a store: one update at a time, all or nothing.

An update writes in an order that can be cut off anywhere:

    1. the catalog notes which versions are about to be written
    2. vectors and words of the new versions are added; nothing old is touched
    3. one catalog transaction makes the new generation live
    4. what is no longer live is removed

A process killed before 3 leaves the old generation whole, one killed after it the new one; the
next run removes what is left over.
"""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag import chunk, embeddings, journal, late, lexical, vectors
from rag.catalog import Catalog, Manifest, version_of
from rag.errors import StoreError
from rag.names import names_in
from rag.sentences import split
from rag.store import FEW, KINDS, fingerprint, made_with
from rag.types import Corpus, Embedder, IndexReport, Paper, Progress
from rag.writer import Lease, writing

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

BYTES_A_TEXT = 11_000  # measured: 7,000 in Chroma while it writes, 1,600 kept, and the words
PORTION = 2_000  # texts that are embedded and written at a time
ROOM = 4_000_000  # bytes that a store needs before its first text
MOST_QUERIED = 5_000  # vectors of a collection that are all looked for; of more, evenly spread ones


@dataclass(frozen=True, slots=True)
class Turn:
    """What an update does about another process that writes, and where its vectors lie."""

    wait: float = 0.0  # seconds
    take_over: bool = False  # from one that has shown no sign of life for `writer.HANGS_AFTER`
    server: str | None = field(default=None, repr=False)  # a Chroma server's address
    # What to embed with, asked once nobody else writes, who may have changed how the store is made.
    choose: Callable[[], Embedder] | None = None


NOW = Turn()


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

    With *prune*, papers that are not in *corpus* are removed. Everything is made anew if the
    model or the chunking changed, or with *rebuild*. *turn* says what to do about another writer.
    Raises StoreLocked, StoreVersion, StoreError; whatever it raises, the index answers as it did
    before.
    """
    with (
        writing(folder, wait=turn.wait, take_over=turn.take_over) as lease,
        running(
            folder, turn.choose() if turn.choose else embedder, lease, progress, turn.server
        ) as run,
    ):
        return _watched(run, corpus, prune, "as asked" if rebuild else "")


def _watched(run: Run, corpus: Corpus, prune: bool, asked: str) -> IndexReport:
    """Update, and leave a line of it in the log."""
    began = time.perf_counter()
    report = _update(run, corpus, prune, asked)
    told = {name: getattr(report, name) for name in ("new", "changed", "unchanged", "removed")}
    told |= {"rebuilt": report.rebuilt, "generation": run.catalog.manifest().generation}
    told |= {"request": run.lease.owner.token[:12], "rejected": len(report.rejected)}
    told |= {"milliseconds": round((time.perf_counter() - began) * 1000, 1)}
    log.info("indexed", extra={"fields": told})
    return report


def renew(run: Run, corpus: Corpus, reason: str) -> IndexReport:
    """Make everything anew, *corpus* added, for the *reason* that the report gives."""
    report = _watched(run, corpus, False, reason)
    return replace(report, rebuilt=reason)


def _update(run: Run, corpus: Corpus, prune: bool, asked: str, again: bool = True) -> IndexReport:
    catalog, folder = run.catalog, run.folder
    stamp = fingerprint(run.embedder)
    manifest = catalog.manifest()
    if manifest.generation == 0 and not prune:
        corpus = _with_copy(folder, corpus)
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
        notes = {"journal": mark.as_text(), "way": late.way_of(run.embedder)}
        catalog.commit(upsert, plan.removed, space, run.lease.owner.token, notes)
        if isinstance(run.embedder, late.Sparing):
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


def _with_copy(folder: Path, corpus: Corpus) -> Corpus:
    """*corpus*, and the papers of a copy that has outlived its catalog."""
    given = {paper.id for paper in corpus.papers}
    back = tuple(paper for paper in journal.left(folder) if paper.id not in given)
    if not back:
        return corpus
    note = f"{len(back)} papers were taken back from their copy in {folder}"
    return replace(
        corpus,
        papers=(*corpus.papers, *back),
        records=corpus.records + len(back),
        notes=(*corpus.notes, note),
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
    """How many vectors of *space* are counted by Chroma and yet not to be had from it."""
    both = [run.database().reached(f"{kind}-{space}", MOST_QUERIED) for kind in KINDS]
    return sum(reach.stored - reach.held for reach in both)


def _rebuild_reason(manifest: Manifest, stamp: str, asked: str) -> str:
    if manifest.generation == 0:
        return ""
    if not made_with(manifest, stamp):
        return "the embedding model or the chunking changed"
    return asked


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
        if isinstance(run.embedder, late.Sparing):
            continue
        records["sentences"].extend(
            vectors.Record(version, s.number, s.start, s.end, s.text) for s in sentences
        )
    _check_room(run.folder, sum(len(part) for part in records.values()))
    lost = _embed_and_add(run, records, space) if papers else 0
    index.update(_as_words(paper) for paper in papers)
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
    """Write vectors into Chroma; how many of them it lost at once."""
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
    database, maker = run.database(), late.maker_of(run.embedder)
    with embeddings.Embeddings(run.folder) as kept:
        for kind, part in records.items():
            # Portions: the vectors in memory stay few for any corpus.
            for start in range(0, len(part), PORTION):
                portion = part[start : start + PORTION]
                places = _embedded(kept, run.embedder, [record.text for record in portion], step)
                run.lease.check()
                made = kept.take(maker, places)
                name = f"{kind}-{space}"
                lost += database.add(name, portion, made, placed=_noting(kept, kind, space))
                for record, place in zip(portion, places.tolist(), strict=True):
                    own = rows.setdefault(record.version, {name: [] for name in KINDS})
                    own[kind].append(place)
        kept.note(
            maker,
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
    maker = late.maker_of(embedder)
    rows = kept.known(maker, texts)
    missing = list(dict.fromkeys(t for t, row in zip(texts, rows, strict=True) if row < 0))
    step(len(texts) - len(missing))
    if not missing:
        return rows
    kept.add(maker, missing, embedder(missing, step))
    return kept.known(maker, texts)


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
        run.lease.check(at_once=True)  # what another run is writing must not go with the dead
        _remove_words(run.catalog, lexical.LexicalIndex(folder / f"lexical-{space}"), dead)
    run.catalog.forget_dead(dead)


def _remove_words(catalog: Catalog, index: lexical.LexicalIndex, dead: Sequence[str]) -> None:
    """Remove *dead* versions from *index*; of few papers so that nothing tells of them any more.

    Equal collections then have equal scores, whatever was in them before.
    """
    if len(catalog) <= FEW and set(catalog.dead()) <= set(dead):
        index.replace(_as_words(paper) for paper in catalog.papers())
    else:
        index.update((), dead)


def _as_words(paper: Paper) -> lexical.LexicalDocument:
    return lexical.LexicalDocument(version_of(paper), paper.title, paper.abstract)
