"""A question and a paper read together: which paper is meant, is the answer there, and where.

A cross-encoder (Nogueira and Cho, 2019) over `[CLS] question [SEP] title [SEP] sentence [SEP] …`;
how it was trained and what it is bad at: `rag/models/README.md`. Each pair runs alone, as in
`rag.embed`, so that a score does not depend on what else was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import CORES, Graph, open_graph, pieces_of
from rag.types import PairRead

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_TOKENS = 250  # of a pair, about what it was trained on; a longer abstract is read in pieces
HEAD_TOKENS = 96  # of the question, and of the title
CLS, SEP = 101, 102


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair as the graph takes it."""

    input_ids: NDArray[np.int64]  # (1, tokens)
    token_type_ids: NDArray[np.int64]  # (1, tokens), 0 question, 1 paper
    pool: NDArray[np.float32]  # (1, 1 + sentences, tokens), rows sum to 1


@dataclass(frozen=True, slots=True)
class CrossEncoder:
    """The shipped cross-encoder: a `PairReader`."""

    graph: Graph

    def __call__(self, question: str, pairs: Sequence[tuple[str, Sequence[str]]]) -> list[PairRead]:
        """Read *question* beside each (title, sentences) of *pairs*, a core for each piece."""
        pieces = [
            (place, title, sentences[first:last])
            for place, (title, sentences) in enumerate(pairs)
            for first, last in windows(question, title, sentences)
        ]
        if len(pieces) == 1:  # no threads to start
            return [self._run(question, *pieces[0][1:])]
        with ThreadPoolExecutor(CORES) as pool:
            parts = list(pool.map(lambda piece: self._run(question, *piece[1:]), pieces))
        return [
            _together([part for (owner, *_), part in zip(pieces, parts, strict=True) if owner == n])
            for n in range(len(pairs))
        ]

    def _run(self, question: str, title: str, sentences: Sequence[str]) -> PairRead:
        pair = encode(question, title, sentences)
        paper, evidence = self.graph(
            {
                "input_ids": pair.input_ids,
                "token_type_ids": pair.token_type_ids,
                "pool": pair.pool,
            }
        )
        return PairRead(float(paper[0, 0]), float(paper[0, 1]), np.asarray(evidence[0]))


def _together(parts: Sequence[PairRead]) -> PairRead:
    """An abstract read in pieces says what its most telling piece says."""
    return PairRead(
        relevance=max(part.relevance for part in parts),
        answered=max(part.answered for part in parts),
        evidence=np.concatenate([part.evidence for part in parts]),
    )


@cache
def load_reader() -> CrossEncoder:
    """Load the shipped model once a process. Raises EmbeddingError if its files are damaged."""
    return CrossEncoder(open_graph("reader.onnx"))


def encode(question: str, title: str, sentences: Sequence[str]) -> Pair:
    """One pair as arrays; what does not fit MOST_TOKENS is cut from the last sentences."""
    pieces = pieces_of((question, title, *sentences))
    asked, title_piece = pieces[0][:HEAD_TOKENS], pieces[1][:HEAD_TOKENS]
    ids, types = [CLS, *asked, SEP], [0] * (len(asked) + 2)
    spans: list[tuple[int, int]] = []
    for piece in (title_piece, *pieces[2:]):
        kept = piece[: max(0, MOST_TOKENS - len(ids) - 1)]
        start = min(len(ids), MOST_TOKENS - 1)
        spans.append((start, start + max(1, len(kept))))
        if len(ids) < MOST_TOKENS:
            ids += [*kept, SEP]
            types += [1] * (len(kept) + 1)
    pool = np.zeros((1, len(spans), len(ids)), dtype=np.float32)
    pool[0, 0] = 1.0 / len(ids)
    for row, (first, last) in enumerate(spans[1:], 1):
        pool[0, row, first:last] = 1.0 / (last - first)
    return Pair(np.array([ids], dtype=np.int64), np.array([types], dtype=np.int64), pool)


def windows(question: str, title: str, sentences: Sequence[str]) -> list[tuple[int, int]]:
    """Runs of sentences, as places, that fit the model beside *question* and *title*."""
    lengths = [len(piece) + 1 for piece in pieces_of((question, title, *sentences))]
    room = MOST_TOKENS - 1 - sum(min(length, HEAD_TOKENS + 1) for length in lengths[:2])
    windows, first, used = [], 0, 0
    for place, length in enumerate(lengths[2:]):
        if used + length > room and place > first:
            windows.append((first, place))
            first, used = place, 0
        used += length
    windows.append((first, len(sentences)))
    return windows
