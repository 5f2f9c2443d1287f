"""Can the collection answer, and if not, in which of three ways not.

A multinomial logit over what retrieval saw (McFadden, 1974): four outcomes, of which three are
silence. Weights and the threshold come from `rag/calibration.json`, written by
`python -m eval.calibrate`, which also prints what they reach on questions they were not fitted to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import numpy as np

from rag.question import wanted
from rag.words import content_words, numbers, query_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Abstention

Outcome = Literal["answer", "off_topic", "no_paper", "not_stated"]
OUTCOMES: tuple[Outcome, ...] = ("answer", "off_topic", "no_paper", "not_stated")

SIGNALS = (
    "one",  # the constant
    "whole",  # cosine of the question to the first paper
    "whole_best",  # to the closest paper of all
    "sentence",  # to the first paper's closest sentence
    "sentence_best",  # to the closest sentence of all
    "sentence_plain",  # the same in the first paper, with the question's vector as the model gave it
    "coverage",  # share of the question's rarity in the first paper
    "coverage_best",
    "named",  # the question names something of the first paper
    "unknown_names",  # words written as names that no paper holds, at most 2
    "unknown_words",  # share of the question's rarity in words that no paper holds
    "rest_covered",  # share of the rest of the question (names aside) in the best sentence
    "rest_in_abstract",  # … anywhere in the abstract
    "rest_missing",  # rarity of the rarest rest word missing from the abstract, over 6
    "number_wanted",
    "number_near",  # a number is wanted: rest covered by the best sentence with a number
    "lead",  # score of the first paper over the second, in standard deviations, at most 10
    "short",  # 1 for one word of content, falling as 1/n
    "formal",  # asks for authors, year, venue, licence and the like
    "named_uncovered",  # named, times what the abstract lacks of the rest
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What retrieval saw of one question, for the first paper and the collection."""

    question: str
    whole: float
    whole_best: float
    sentence_best: float
    coverage: float
    coverage_best: float
    named: bool
    unknown_names: int
    lead: float
    own_names: tuple[str, ...]
    abstract: str
    sentences: tuple[str, ...]
    cosines: NDArray[np.float32]  # (sentences,), adapted question vector
    plain_cosines: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Assessment:
    """How likely each outcome is, and the one chosen."""

    outcome: Outcome
    probabilities: tuple[float, ...]  # in the order of OUTCOMES, summing to 1

    @property
    def abstention(self) -> Abstention | None:
        """The kind of silence; None where there is an answer."""
        return None if self.outcome == "answer" else self.outcome


@dataclass(frozen=True, slots=True)
class Calibration:
    """Everything that was fitted, with where it came from."""

    sentence_weights: NDArray[np.float64]  # (evidence.FEATURES,)
    outcome_weights: NDArray[np.float64]  # (SIGNALS, OUTCOMES)
    answer_at_least: float  # probability of an answer below which the collection stays silent
    share_at_least: float  # probability above which a further sentence is shown
    made_by: str


@cache
def calibration() -> Calibration:
    """The shipped calibration."""
    raw = json.loads((files("rag") / "calibration.json").read_text(encoding="utf-8"))
    return Calibration(
        sentence_weights=np.array(list(raw["sentence_weights"].values())),
        outcome_weights=np.array(list(raw["outcome_weights"].values())),
        answer_at_least=float(raw["answer_at_least"]),
        share_at_least=float(raw["share_at_least"]),
        made_by=str(raw["made_by"]),
    )


def signals(seen: Seen, rarity: Callable[[str], float], unseen: Callable[[str], bool]) -> NDArray[np.float64]:
    """Describe one question for the logit: (SIGNALS,).

    *rarity* gives a term's inverse document frequency; *unseen* says that no paper holds a term.
    """
    asked = content_words(seen.question)
    own = {term for name in seen.own_names for term in content_words(name)}
    rest = asked - own
    total = sum(rarity(term) for term in rest)
    held = [content_words(text) for text in seen.sentences]
    everywhere = set().union(*held) if held else set()

    def share(words: set[str]) -> float:
        return sum(rarity(term) for term in rest & words) / total if total else 0.0

    covered = [share(words) for words in held]
    with_number = [c for c, text in zip(covered, seen.sentences, strict=True) if numbers(text)]
    kind = wanted(seen.question)
    missing = max((rarity(term) for term in rest - everywhere), default=0.0)
    terms = {term: weight for term, weight in query_terms(seen.question).items() if weight == 1.0}
    mass = sum(rarity(term) for term in terms)
    lost = sum(rarity(term) for term in terms if unseen(term))
    return np.array(
        [
            1.0,
            seen.whole,
            seen.whole_best,
            float(seen.cosines.max(initial=0.0)),
            seen.sentence_best,
            float(seen.plain_cosines.max(initial=0.0)),
            seen.coverage,
            seen.coverage_best,
            seen.named,
            min(2, seen.unknown_names),
            lost / mass if mass else 1.0,
            max(covered, default=0.0),
            share(everywhere),
            missing / 6.0,
            kind.number,
            kind.number * max(with_number, default=0.0),
            min(10.0, seen.lead),
            1.0 / max(1, len(asked)),
            kind.formal,
            seen.named * (1.0 - share(everywhere)),
        ]
    )


def assess(
    values: Sequence[float] | NDArray[np.float64], fitted: Calibration | None = None
) -> Assessment:
    """Choose the outcome for the values of SIGNALS: silence unless an answer is likely enough."""
    fitted = fitted or calibration()
    odds = np.asarray(values) @ fitted.outcome_weights
    odds = np.exp(odds - odds.max())
    shares = odds / odds.sum()
    silent = [place for place, outcome in enumerate(OUTCOMES) if outcome != "answer"]
    best = max(silent, key=lambda place: shares[place])
    chosen = 0 if shares[0] >= fitted.answer_at_least else best
    return Assessment(OUTCOMES[chosen], tuple(round(float(share), 4) for share in shares))
