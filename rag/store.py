"""The collection on disk, read: one whole generation of it as a consistent snapshot.

Three indexes make up a store: the catalog (what exists), Chroma (vectors of chunks and sentences)
and the lexical index. How they are written is told in `rag.indexing`; a reader takes only what the
catalog lists.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag import chunk, embeddings, late, lexical, vectors
from rag.catalog import FILE, Catalog, Manifest, version_of
from rag.errors import NoIndex, StoreAway, StoreError
from rag.rows import Stored
from rag.settings import WAYS, Way
from rag.text import digest
from rag.types import Embedder, Paper
from rag.writer import seems_at_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

TERMS_VERSION = "terms-1"  # grows whenever rag.words or rag.lexical would index another term
KINDS = ("chunks", "sentences")
LEAST_ROOM = 1_000_000  # bytes on the disk without which Chroma does not even read
SETTLING = 1.0  # seconds that a reader gives a writer between its commit and its last removal
FEW = 2_000  # papers of a store that is looked through as a whole after each write


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

    @property
    def settled(self) -> bool:
        """Whether the words are of these papers alone, and so BM25's figures."""
        return len(self.lexical) == len(self.papers)


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
            return made_with(catalog.manifest(), fingerprint(embedder))
    except StoreError:  # whoever opens it in earnest says what is wrong
        return False


def stamps(folder: Path) -> frozenset[str]:
    """What the live generation was made with, or, where no catalog tells, what its words were.

    Empty if nothing was ever written.
    """
    try:
        with closing(Catalog(folder)) as catalog:
            space = catalog.manifest().space
    except StoreError:  # `doctor` says what is wrong
        space = ""
    spaces = [space] if space else [path.name[8:] for path in folder.glob("lexical-*.*")]
    return frozenset(one.partition(".")[0] for one in spaces)


def noted_way(folder: Path) -> Way | None:
    """How the live generation was indexed, if that was noted."""
    try:
        with closing(Catalog(folder)) as catalog:
            noted = catalog.note("way")
    except StoreError:
        return None
    return next((way for way in WAYS if way == noted), None)


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
    sparing: late.Sparing | None = None,
) -> Snapshot:
    """Read the live generation. Raises NoIndex, StoreVersion, StoreError.

    *embedder_fingerprint* is `fingerprint` of the model that will embed the questions: vectors of
    two models cannot be compared, so an index made with another one is refused, not misread.
    *sparing* is that model where only windows have vectors.
    """
    catalog = Catalog(folder)
    try:
        while True:
            manifest, papers = catalog.snapshot()
            if manifest.generation == 0:
                raise NoIndex(
                    f"the first index in {folder} was never finished; run `paperchat index`"
                )
            if not made_with(manifest, embedder_fingerprint):
                raise StoreError(
                    f"the index in {folder} was made with another embedding model or chunking; run"
                    " `paperchat index --rebuild` to bring it up to date"
                )
            try:
                return _read(folder, catalog, manifest, papers, server, sparing)
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
    sparing: late.Sparing | None,
) -> Snapshot:
    by_version = {version_of(paper): place for place, paper in enumerate(papers)}
    words = folder / f"lexical-{manifest.space}"
    if not (vectors.exists(folder, server) and lexical.exists(words)):
        raise _incomplete(folder)
    index = _settled(lexical.LexicalIndex(words), folder, len(papers))
    if len(index) < len(papers) or catalog.manifest() != manifest:
        raise _incomplete(folder)
    arranged = _kept(folder, manifest, list(by_version), server)
    if arranged is None:
        arranged = _stored(folder, manifest, by_version, server, sparing is not None)
    elif len(papers) and not (len(arranged[1][0]) or sparing):
        raise _incomplete(folder)
    (chunks, chunk_starts), (sentences, sentence_starts) = arranged
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
        late=late.opened(folder, sparing, papers[: late.SAMPLED]) if sparing else None,
    )


def _settled(index: lexical.LexicalIndex, folder: Path, live: int) -> lexical.LexicalIndex:
    """*index* once a writer at work has removed what is no longer live, or after a moment as it is.

    A document more changes the rarity of words, and with it every score.
    """
    last = time.monotonic() + SETTLING
    while len(index) > live and time.monotonic() < last and seems_at_work(folder):
        time.sleep(SETTLING / 50)
        index.reload()
    return index


def _kept(
    folder: Path, manifest: Manifest, versions: Sequence[str], server: str | None
) -> embeddings.Arranged | None:
    """The vectors as kept beside Chroma, None if some are not; Chroma must hold as many.

    Chroma's own count is not asked for where the folder cannot be written or its disk is full,
    since Chroma opens none such, nor of many papers, where counting takes seconds: `doctor` does.

    Raises StoreError if Chroma has lost some.
    """
    if not embeddings.exists(folder):
        return None
    try:
        with embeddings.Embeddings(folder) as kept:
            arranged = kept.arranged(manifest.space.partition(".")[0], versions)
    except StoreError:  # Chroma has them too
        return None
    if arranged is not None and len(versions) <= FEW and _writable(folder):
        try:
            with vectors.VectorStore(folder, server) as database:
                for kind, (matrix, _) in zip(KINDS, arranged, strict=True):
                    if database.count(f"{kind}-{manifest.space}") < len(matrix):
                        raise _incomplete(folder)
        except StoreAway as error:
            log.warning("answering from the vectors kept in %s, since %s", folder, error)
    return arranged


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > LEAST_ROOM


def _stored(
    folder: Path,
    manifest: Manifest,
    by_version: Mapping[str, int],
    server: str | None,
    bare: bool,
) -> embeddings.Arranged:
    """The vectors as Chroma gives them, which for many papers takes long."""
    with vectors.VectorStore(folder, server) as database:
        windows, sentences = (database.read(f"{kind}-{manifest.space}") for kind in KINDS)
    arranged = _arrange(folder, windows, by_version)
    if bare:
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


def made_with(manifest: Manifest, stamp: str) -> bool:
    """Whether the live generation is of the model and chunking that *stamp* names."""
    return manifest.space.partition(".")[0] == stamp
