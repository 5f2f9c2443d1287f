"""Fusion of normalised scores: one number per paper from words, meaning and names.

Adding scores keeps what ranks throw away: by how much the first is ahead of the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """What each signal counts, in standard deviations. `python -m eval.retrieval` measures them."""

    lexical_always: float = 0.05  # BM25 of a paper that holds few of the question's words
    lexical_covered: float = 0.4  # more of it for a paper that holds most of them
    coverage_middle: float = 0.45  # share of the question's rarity at which half of that counts
    coverage_slope: float = 15.0
    whole: float = 1.0
    sentence: float = 0.5
    introduced: float = 2.0  # the question names a system that the paper introduces
    mentioned: float = 1.5  # the question names a system that hardly any other paper mentions


WEIGHTS = FusionWeights()


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of n papers for one question: arrays (n,), one place per paper."""

    lexical: NDArray[np.float64]  # BM25, 0 where no word matched
    coverage: NDArray[np.float64]  # 0 to 1: share of the question's word rarity found in the paper
    whole: NDArray[np.float64]  # cosine to the closest chunk
    sentence: NDArray[np.float64]  # cosine to the closest sentence; nan where it was not looked at
    introduced: NDArray[np.bool_]
    mentioned: NDArray[np.bool_]
    # BM25 is known of the best papers only: what the least of them has. The others have less.
    lexical_floor: float = 0.0
    # Of a collection in which not every sentence was looked at, the cosines of a sample of papers.
    sample: NDArray[np.float64] | None = None
    # Where vectors are rough, the papers that were read with true ones, and `whole` of a sample.
    read: NDArray[np.intp] | None = None
    whole_sample: NDArray[np.float64] | None = None


def standardise(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in standard deviations from their mean; all zero where they do not differ.

    >>> standardise(np.array([1.0, 2.0, 3.0])).round(2).tolist()
    [-1.22, 0.0, 1.22]
    """
    spread = float(scores.std()) if scores.size else 0.0
    noise = 1e-12 * max(1.0, float(np.abs(scores).max(initial=0.0)))  # equal scores, rounded
    return (scores - scores.mean()) / spread if spread > noise else np.zeros_like(scores)


def standardise_by(scores: NDArray[np.float64], sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in standard deviations from the mean of *sample*; 0, the mean, where one is nan.

    >>> standardise_by(np.array([2.0, np.nan, 4.0]), np.array([1.0, 2.0, 3.0])).round(2).tolist()
    [0.0, 0.0, 2.45]
    """
    spread = float(sample.std()) if sample.size else 0.0
    known = ~np.isnan(scores)
    out = np.zeros_like(scores)
    if spread > 1e-12:  # equal cosines, rounded
        out[known] = (scores[known] - sample.mean()) / spread
    return out


def fuse(
    signals: Signals, weights: FusionWeights = WEIGHTS, meaning: float = 1.0
) -> NDArray[np.float64]:
    """One score per paper, larger is better.

    BM25 counts in the measure in which a paper covers the question: a paper that holds the rare
    words asked for is trusted, one that shares "model" and "furniture" with an everyday question
    is not, so that the lexical side falls silent where it has nothing to say. *meaning*, 0 to 1,
    says how far the embedding model understands the question's language.
    """
    # Of a large collection nearly all papers hold nothing asked for, and share one value.
    holding = np.flatnonzero(signals.coverage)
    covered = np.full(len(signals.coverage), _logistic(weights, np.zeros(1))[0])
    covered[holding] = _logistic(weights, signals.coverage[holding])
    named = signals.introduced | signals.mentioned
    trust = weights.lexical_always + weights.lexical_covered * np.where(named, 1.0, covered)
    whole = standardise(signals.whole)
    if signals.read is not None and signals.whole_sample is not None:
        whole[signals.read] = standardise_by(signals.whole[signals.read], signals.whole_sample)
    dense = weights.whole * whole
    sentence = (
        standardise(signals.sentence)
        if signals.sample is None
        else standardise_by(signals.sentence, signals.sample)
    )
    dense = dense + weights.sentence * sentence
    scores = np.asarray(
        trust * _standard_words(signals.lexical, signals.lexical_floor)
        + meaning * dense
        + weights.introduced * signals.introduced
        + weights.mentioned * (signals.mentioned & ~signals.introduced)
    )
    return scores if signals.read is None else _behind(scores, signals.read)


def _standard_words(scores: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """BM25 in standard deviations, those below *floor* taken for spread evenly down to 0.

    As zeros they would make every paper that shares a word stand out in a large collection by more
    than any likeness can.
    """
    if floor <= 0.0:
        return standardise(scores)
    unseen = scores <= 0.0
    filled = np.where(unseen, floor / 2, scores)
    spread = float(np.sqrt(filled.var() + unseen.mean() * floor**2 / 12))
    return np.asarray((filled - filled.mean()) / spread)


def _behind(scores: NDArray[np.float64], read: NDArray[np.intp]) -> NDArray[np.float64]:
    """*scores* with those of papers that were not *read* moved behind, in their order."""
    others = np.ones(len(scores), dtype=bool)
    others[read] = False
    if len(read) and others.any():
        excess = float(scores[others].max() - scores[read].min())
        scores[others] -= max(0.0, excess) + 1e-6
    return scores


def _logistic(weights: FusionWeights, coverage: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far BM25 is trusted at each *coverage*, 0 to 1."""
    trust = 1.0 + np.exp(-weights.coverage_slope * (coverage - weights.coverage_middle))
    return np.asarray(1.0 / trust)


def best_first(scores: NDArray[np.float64], ids: list[str]) -> list[int]:
    """Places of *scores*, largest first; ties by id, so that the order never depends on chance."""
    return sorted(range(len(ids)), key=lambda i: (-scores[i], ids[i]))


def best_places(scores: NDArray[np.float64], most: int) -> list[int]:
    """The *most* best places, largest score first; ties by place.

    The rest is not put in order, which of a million papers takes a second.

    >>> best_places(np.array([1.0, 3.0, 2.0, 3.0, 2.0]), 3)
    [1, 3, 2]
    """
    if most <= 0:
        return []
    places = np.arange(len(scores))
    if most < len(scores):
        least = np.partition(scores, len(scores) - most)[len(scores) - most]
        places = np.flatnonzero(scores >= least)
    order: list[int] = places[np.argsort(-scores[places], kind="stable")][:most].tolist()
    return order
