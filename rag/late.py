"""The sparing ways to index: some vectors of all papers, the rest of those a question may mean.

When papers come in, only their windows get vectors, from the embedding model, or the fast way from
the table of tokens (`rag.static`). They and the words say which papers a question may mean; what is
missing of those is then read by the embedding model, at once and kept in memory. What is usual, by
which a likeness stands out, is taken from a sample of papers that is read when they come in.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from rag import chunk, embeddings
from rag.sentences import split
from rag.settings import Way
from rag.text import digest
from rag.types import Embedder, Paper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.static import StaticModel

SAMPLED = 100  # papers: mean and deviation of a cosine to within a tenth of a deviation
REMEMBERED = 4_000  # papers whose vectors are kept in memory, some 10 kB each
Kind = Literal["windows", "sentences"]


@dataclass(frozen=True, slots=True)
class Sparing:
    """An `Embedder` of papers' windows that leaves the reading of the rest for later."""

    table: StaticModel
    precise: Embedder
    rough: bool  # whether the windows too have only the table's vectors

    @property
    def fingerprint(self) -> str:
        """Of both models where both have made vectors, and of the way."""
        if not self.rough:
            return f"windows-{digest(self.precise.fingerprint)}"
        return f"rough-{digest(self.table.fingerprint, self.precise.fingerprint)}"

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Float32 (n, dim), unit rows; rough ones are in the model's space, near its own."""
        return (self.table if self.rough else self.precise)(texts, progress)

    def truncated(self, texts: Sequence[str]) -> int:
        """As the model says that makes them."""
        return (self.table if self.rough else self.precise).truncated(texts)


def maker_of(embedder: Embedder) -> str:
    """The fingerprint of the model whose vectors *embedder* gives, under which they are kept."""
    if isinstance(embedder, Sparing) and not embedder.rough:
        return embedder.precise.fingerprint
    return embedder.fingerprint


def way_of(embedder: Embedder) -> Way:
    """How *embedder* indexes."""
    if not isinstance(embedder, Sparing):
        return "full"
    return "fast" if embedder.rough else "windows"


class Late:
    """Vectors of papers, made when they are asked for; safe to use from many threads at once."""

    def __init__(self, sparing: Sparing, sample: Sequence[Sequence[NDArray[np.float32]]]) -> None:
        """*sample* holds the windows and the sentences of some papers, a matrix for each paper."""
        self.sampled_windows, self.sampled_sentences = sample
        self.rough = sparing.rough  # whether the windows are still to be read, too
        self._sparing = sparing
        self._made: OrderedDict[tuple[Kind, str, str], NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def vectors(self, kind: Kind, papers: Sequence[Paper]) -> list[NDArray[np.float32]]:
        """The vectors of each paper's windows or sentences, float32 (n, dim)."""
        keys = [(kind, paper.id, paper.content_hash) for paper in papers]
        with self._lock:
            known = {key: self._made[key] for key in keys if key in self._made}
        missing = [paper for key, paper in zip(keys, papers, strict=True) if key not in known]
        made = _embedded(self._sparing.precise, [texts_of(kind, paper) for paper in missing])
        for paper, vectors in zip(missing, made, strict=True):
            known[kind, paper.id, paper.content_hash] = vectors
        with self._lock:
            for key in keys:
                self._made[key] = known[key]
                self._made.move_to_end(key)
            while len(self._made) > 2 * REMEMBERED:
                self._made.popitem(last=False)
        return [known[key] for key in keys]

    def roughly(self, paper: Paper) -> NDArray[np.float32]:
        """Rough vectors of a paper's sentences, for lists, which look at very many."""
        return self._sparing.table(texts_of("sentences", paper))


def texts_of(kind: Kind, paper: Paper) -> list[str]:
    """What is embedded of *paper*."""
    sentences = split(paper.id, paper.abstract)
    if kind == "sentences":
        return [sentence.text for sentence in sentences]
    return [window.embedded_text for window in chunk.chunks(paper, sentences)]


def keep_sample(folder: Path, sparing: Sparing, papers: Sequence[Paper]) -> None:
    """Embed the sample *papers* and keep it in *folder*, whose writer the caller is."""
    texts = [text for kind in KINDS for paper in papers for text in texts_of(kind, paper)]
    model = sparing.precise.fingerprint
    with embeddings.Embeddings(folder) as kept:
        rows = kept.known(model, texts)
        missing = list(dict.fromkeys(t for t, row in zip(texts, rows, strict=True) if row < 0))
        if missing:
            kept.add(model, missing, sparing.precise(missing))


def opened(folder: Path, sparing: Sparing, papers: Sequence[Paper]) -> Late:
    """What reads later for the store in *folder*, whose first *papers* are the sample."""

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        with embeddings.Embeddings(folder) as kept:
            rows = kept.known(sparing.precise.fingerprint, texts)
            if len(rows) and rows.min() >= 0:
                return kept.take(sparing.precise.fingerprint, rows)
        return sparing.precise(texts)  # only slower

    return Late(sparing, [_embedded(embed, [texts_of(kind, p) for p in papers]) for kind in KINDS])


KINDS: tuple[Kind, ...] = ("windows", "sentences")


def _embedded(
    embed: Callable[[Sequence[str]], NDArray[np.float32]], texts: Sequence[Sequence[str]]
) -> list[NDArray[np.float32]]:
    """The vectors of each group of *texts*, all made in one call."""
    if not texts:
        return []
    bounds = np.cumsum([0, *map(len, texts)]).tolist()
    made = embed([text for group in texts for text in group])
    return [made[start:end] for start, end in pairwise(bounds)]
