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

    lexical_always: float = 0.15  # BM25 of a paper that holds few of the question's words
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
    sentence: NDArray[np.float64]  # cosine to the closest sentence
    introduced: NDArray[np.bool_]
    mentioned: NDArray[np.bool_]


def standardise(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in standard deviations from their mean; all zero where they do not differ.

    >>> standardise(np.array([1.0, 2.0, 3.0])).round(2).tolist()
    [-1.22, 0.0, 1.22]
    """
    spread = float(scores.std()) if scores.size else 0.0
    noise = 1e-12 * max(1.0, float(np.abs(scores).max(initial=0.0)))  # equal scores, rounded
    return (scores - scores.mean()) / spread if spread > noise else np.zeros_like(scores)


def fuse(
    signals: Signals, weights: FusionWeights = WEIGHTS, meaning: float = 1.0
) -> NDArray[np.float64]:
    """One score per paper, larger is better.

    BM25 counts in the measure in which a paper covers the question: a paper that holds the rare
    words asked for is trusted, one that shares "model" and "furniture" with an everyday question
    is not, so that the lexical side falls silent where it has nothing to say. *meaning*, 0 to 1,
    says how far the embedding model understands the question's language.
    """
    covered = 1.0 / (
        1.0 + np.exp(-weights.coverage_slope * (signals.coverage - weights.coverage_middle))
    )
    named = signals.introduced | signals.mentioned
    trust = weights.lexical_always + weights.lexical_covered * np.where(named, 1.0, covered)
    dense = weights.whole * standardise(signals.whole)
    dense = dense + weights.sentence * standardise(signals.sentence)
    return np.asarray(
        trust * standardise(signals.lexical)
        + meaning * dense
        + weights.introduced * signals.introduced
        + weights.mentioned * (signals.mentioned & ~signals.introduced)
    )


def best_first(scores: NDArray[np.float64], ids: list[str]) -> list[int]:
    """Places of *scores*, largest first; ties by id, so that the order never depends on chance."""
    return sorted(range(len(ids)), key=lambda i: (-scores[i], ids[i]))
