"""Can the collection answer, and if not, in which of three ways not.

A multinomial logit over what retrieval saw (McFadden, 1974): four outcomes, of which three are
silence. Weights and the threshold come from `rag/calibration.json`, written by
`python -m eval.calibrate`, which also prints what they reach on questions they were not fitted to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import numpy as np

from rag.expected import NUMBERS, WHOLLY, Form, expected, holds, own_words
from rag.names import key_of, marked_names
from rag.question import (
    asked_kind,
    asked_quantity,
    has_name_of,
    has_quantity,
    missing_formal_words,
    wanted,
)
from rag.words import content_words, numbers, query_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Abstention, PairRead

Outcome = Literal["answer", "off_topic", "no_paper", "not_stated"]
OUTCOMES: tuple[Outcome, ...] = ("answer", "off_topic", "no_paper", "not_stated")

FORMS: tuple[Form, ...] = ("count", "measure", "size", "unit", "name", "model")

SIGNALS = (
    "one",  # the constant
    "whole",  # cosine of the question to the first paper
    "whole_best",  # to the closest paper of all
    "sentence",  # to the first paper's closest sentence
    "sentence_best",  # to the closest sentence of all
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
    "quantity_given",  # a quantity is wanted, and a number stands beside its noun in the abstract
    "quantity_missing",  # … and none does
    "name_given",  # "which dataset": a sentence on data sets holds a name that is not asked with
    "name_missing",  # … and none does
    "quantity_covered",  # rest covered by the best sentence in which such a number stands
    "other_names_absent",  # names asked with, not the paper's own, that the abstract lacks; to 2
    "other_name_number",  # a number is wanted with such a name, and a sentence holds both
    "other_name_no_number",  # … and none does
    "formal_missing",  # asks for authors, licence, …, and no sentence has the word
    # The same where a number is wanted, or the name of a kind: those answers are easier to miss.
    "number_x_rest",
    "number_x_score",
    "kind_x_rest",
    "kind_x_score",
    "best_score",  # linear score of the sentence most likely to answer, over 10
    "best_share",  # its probability among the sentences of the first paper
    # What the reader makes of the first paper's whole abstract: logits over 4.
    "relevance",
    "answered",
    "evidence",  # its largest
    "number_x_answered",
    "kind_x_answered",
    "named_x_answered",
    "uncovered_x_answered",  # times the share of the question that the abstract lacks
    "uncovered_x_relevance",
    # What kind of thing is wanted (`rag.expected`), read more widely than quantity_… and name_…
    # above, which stay: without them questions that are answered and not are told apart by an
    # AUROC of 0.76 in place of 0.78. By form: how well the abstract's best sentence holds one, and
    # what it lacks of that. Nothing is wanted of most questions.
    *(f"{form}_{part}" for form in FORMS for part in ("held", "lacked")),
    # Where a sentence wholly holds one: how likely the likeliest of those is to answer, by the
    # reader; whether there is none; how well the likeliest sentence of all holds one; how far below
    # it the likeliest that does is.
    *(
        f"{group}_{part}"
        for group in ("number", "name")
        for part in ("likely", "nowhere", "on_top", "below_top")
    ),
)

COVERED = 0.4
_COVERAGE, _NAMED = SIGNALS.index("coverage"), SIGNALS.index("named")
_NUMBER = SIGNALS.index("number_wanted")
Regime = Literal["covered", "number", "uncovered"]
REGIMES: tuple[Regime, ...] = ("covered", "number", "uncovered")


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
    title: str
    abstract: str
    sentences: tuple[str, ...]
    cosines: NDArray[np.float32]  # (sentences,)
    sentence_scores: NDArray[np.float64]  # (sentences,), linear, from `evidence`
    read: PairRead | None  # by the reader, if there is one


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
    answer_at_least: Mapping[str, float]  # per regime: below it the collection stays silent
    # Probability above which a further sentence is shown: where a number is wanted, and elsewhere.
    share_at_least_number: float
    share_at_least: float
    # Whether a paper known to be meant answers, for the cells of a comparison.
    stated_weights: NDArray[np.float64]  # (SIGNALS,)
    stated_at_least: float


@cache
def calibration(*, read: bool) -> Calibration:
    """The shipped calibration: for questions that the reader *read*, or for those it did not."""
    text = (files("rag") / "calibration.json").read_text(encoding="utf-8")
    raw = json.loads(text)["read" if read else "unread"]
    return Calibration(
        sentence_weights=np.array(list(raw["sentence_weights"].values())),
        outcome_weights=np.array(list(raw["outcome_weights"].values())),
        answer_at_least={name: float(least) for name, least in raw["answer_at_least"].items()},
        share_at_least_number=float(raw["share_at_least_number"]),
        share_at_least=float(raw["share_at_least"]),
        stated_weights=np.array(list(raw["stated_weights"].values())),
        stated_at_least=float(raw["stated_at_least"]),
    )


def signals(
    seen: Seen, rarity: Callable[[str], float], unseen: Callable[[str], bool]
) -> NDArray[np.float64]:
    """Describe one question for the logit: (SIGNALS,).

    *rarity* gives a term's inverse document frequency; *unseen* says that no paper holds a term.
    """
    asked = content_words(seen.question)
    own = {term for name in seen.own_names for term in content_words(name)}
    rest = asked - own
    total = sum(rarity(term) for term in rest)

    def share(words: set[str]) -> float:
        # A question that is all name ("What is GenZ for?") leaves nothing that could be missing.
        return sum(rarity(term) for term in rest & words) / total if total else 1.0

    held = [content_words(text) for text in seen.sentences]
    everywhere = set().union(*held) if held else set()
    covered = np.array([share(words) for words in held])
    best_covered = float(covered.max(initial=0.0))
    kind = wanted(seen.question)
    quantity = asked_quantity(seen.question) if kind.number else ""
    name_kind = "" if quantity else asked_kind(seen.question)
    with_number = np.array([bool(numbers(text)) for text in seen.sentences])
    with_quantity = np.array([bool(quantity) and has_quantity(t, quantity) for t in seen.sentences])
    with_name = [
        bool(name_kind) and has_name_of(t, name_kind, seen.question) for t in seen.sentences
    ]
    others = _other_names(seen)
    absent = sum(not any(key in key_of(text) for text in seen.sentences) for key in others)
    beside = (
        kind.number
        and bool(others)
        and any(
            number and any(key in key_of(text) for key in others)
            for number, text in zip(with_number, seen.sentences, strict=True)
        )
    )
    terms = {term for term, weight in query_terms(seen.question).items() if weight == 1.0}
    mass = sum(rarity(term) for term in terms)
    best = float(seen.sentence_scores.max(initial=-10.0)) / 10.0
    relevance, answered, located = _of_reader(seen.read)
    return np.array(
        [
            1.0,
            seen.whole,
            seen.whole_best,
            float(seen.cosines.max(initial=0.0)),
            seen.sentence_best,
            seen.coverage,
            seen.coverage_best,
            seen.named,
            min(2, seen.unknown_names),
            sum(rarity(term) for term in terms if unseen(term)) / mass if mass else 1.0,
            best_covered,
            share(everywhere),
            max((rarity(term) for term in rest - everywhere), default=0.0) / 6.0,
            kind.number,
            kind.number * float(covered[with_number].max(initial=0.0)) if len(covered) else 0.0,
            min(10.0, seen.lead),
            1.0 / max(1, len(asked)),
            kind.formal,
            seen.named * (1.0 - share(everywhere)),
            bool(with_quantity.any()),
            bool(quantity) and not with_quantity.any(),
            any(with_name),
            bool(name_kind) and not any(with_name),
            float(covered[with_quantity].max(initial=0.0)) if len(covered) else 0.0,
            min(2, absent),
            beside,
            kind.number and bool(others) and not beside,
            bool(missing_formal_words(seen.question, seen.sentences)),
            kind.number * best_covered,
            kind.number * best,
            bool(name_kind) * best_covered,
            bool(name_kind) * best,
            best,
            _top_share(seen.sentence_scores),
            relevance,
            answered,
            located,
            kind.number * answered,
            bool(name_kind) * answered,
            seen.named * answered,
            (1.0 - seen.coverage) * answered,
            (1.0 - seen.coverage) * relevance,
            *_of_expected(seen),
        ],
        dtype=np.float64,
    )


def _of_expected(seen: Seen) -> list[float]:
    """The signals of what kind of thing is wanted; zeros where none is."""
    wanted_thing = expected(seen.question)
    by_form = dict.fromkeys(
        (f"{form}_{part}" for form in FORMS for part in ("held", "lacked")), 0.0
    )
    by_group = [0.0] * 8
    if wanted_thing.form and seen.sentences:
        own = own_words((seen.title.partition(":")[0], *seen.own_names))
        held = np.array([holds(t, wanted_thing, seen.question, own) for t in seen.sentences])
        by_form[f"{wanted_thing.form}_held"] = float(held.max())
        by_form[f"{wanted_thing.form}_lacked"] = 1.0 - float(held.max())
        likely = _likelihoods(seen)
        wholly = held >= WHOLLY
        best = float(likely[wholly].max(initial=-2.0))
        top = float(likely.max())
        below = top - best if wholly.any() else 0.0
        place = 0 if wanted_thing.form in NUMBERS else 4
        by_group[place : place + 4] = [
            best,
            float(not wholly.any()),
            float(held[likely.argmax()]),
            below,
        ]
    return [*by_form.values(), *by_group]


def _likelihoods(seen: Seen) -> NDArray[np.float64]:
    """How likely each sentence is to answer, scaled to about -2 to 2: (sentences,)."""
    if seen.read is None:
        return np.asarray(seen.sentence_scores / 10)
    return np.asarray(seen.read.evidence[: len(seen.sentences)] / 4, dtype=np.float64)


def _of_reader(read: PairRead | None) -> tuple[float, float, float]:
    """Relevance, answered and the largest evidence, over 4; zeros where nobody read."""
    if read is None:
        return 0.0, 0.0, 0.0
    return read.relevance / 4, read.answered / 4, float(read.evidence.max(initial=-4.0)) / 4


def _other_names(seen: Seen) -> tuple[str, ...]:
    """Keys of the words written as names in the question that are not the paper's own."""
    own = "".join(key_of(name) for name in seen.own_names)
    keys = [key_of(name) for name in marked_names(seen.question)]
    return tuple(key for key in keys if len(key) > 1 and key not in own)


def regime(values: NDArray[np.float64]) -> Regime:
    """Which threshold holds: questions in the paper's words are surer than others, numbers most."""
    if values[_COVERAGE] < COVERED and values[_NAMED] == 0:
        return "uncovered"
    return "number" if values[_NUMBER] else "covered"


def _top_share(scores: NDArray[np.float64]) -> float:
    return float(1.0 / np.exp(scores - scores.max()).sum()) if len(scores) else 0.0


def stated_share(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """How likely it is, 0 to 1, that a paper known to be meant answers, by *weights* (SIGNALS,)."""
    return float(1.0 / (1.0 + np.exp(-np.clip(values @ weights, -50, 50))))


def assess(values: Sequence[float] | NDArray[np.float64], fitted: Calibration) -> Assessment:
    """Choose the outcome for the values of SIGNALS: silence unless an answer is likely enough."""
    odds = np.asarray(values) @ fitted.outcome_weights
    odds = np.exp(odds - odds.max())
    shares = odds / odds.sum()
    silent = [place for place, outcome in enumerate(OUTCOMES) if outcome != "answer"]
    best = max(silent, key=lambda place: shares[place])
    chosen = 0 if shares[0] >= fitted.answer_at_least[regime(np.asarray(values))] else best
    return Assessment(OUTCOMES[chosen], tuple(round(float(share), 4) for share in shares))
