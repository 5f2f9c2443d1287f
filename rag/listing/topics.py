"""Whether a paper is about a topic: signs in its words and its vectors, weighed by a logit.

What a paper is about stands in its title, or comes back in its abstract; what stands there once, in
passing, is named and not treated. Vectors find what is said in other words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = (
    "title", "sentences", "comes back", "share in title", "share in abstract", "share in sentence",
    "whole", "sentence", "close",
)  # fmt: skip
# Fitted to 44 topics over the bundled papers, labelled by hand, papers that count neither way left
# out; ten-fold over topics, F1 0.83 at the cut.
WEIGHTS = np.array([1.8, 0.5, 1.5, 2.8, 1.35, 1.1, 0.9, 0.6, 0.35])
BIAS = -7.4
CUT = 0.4  # probability from which a paper is listed
CUT_BESIDE = 0.2  # … where another criterion, not of topic, holds as well
DESCRIBED = (
    7  # words from which a topic is described: no paper has them all, so that CUT_BESIDE does
)
NEAR = 0.1  # and from which it is offered as a near miss
MOST_SENTENCES = 4  # more of them say no more


@dataclass(frozen=True, slots=True)
class Signs:
    """What one paper shows of a topic."""

    in_title: bool  # a phrase of the topic stands in the title
    sentences: int  # of the abstract, that hold such a phrase
    title_share: float  # of the topic's word rarity that the title holds, 0 to 1
    abstract_share: float  # … title and abstract together
    sentence_share: float  # … the best sentence
    whole: float  # cosine of the closest window, in standard deviations over the collection
    sentence: float  # cosine of the closest sentence, likewise
    close: int = 0  # sentences that hold all words of a phrase near each other, in any order


def features(signs: Signs) -> NDArray[np.float64]:
    """`FEATURES` of one paper, (9,)."""
    return np.array(
        [
            float(signs.in_title),
            float(min(signs.sentences, MOST_SENTENCES)),
            float(signs.sentences + signs.close >= 2),
            signs.title_share,
            signs.abstract_share,
            signs.sentence_share,
            signs.whole,
            signs.sentence,
            float(min(signs.close, MOST_SENTENCES)),
        ]
    )


def probability(signs: Signs) -> float:
    """How likely the paper is about the topic, 0 to 1.

    >>> nothing = Signs(False, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
    >>> probability(nothing) < NEAR < CUT < probability(Signs(True, 3, 1.0, 1.0, 1.0, 3.0, 3.0))
    True
    """
    return float(1.0 / (1.0 + np.exp(-(features(signs) @ WEIGHTS + BIAS))))
