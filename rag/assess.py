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

# What kind of thing is wanted (`rag.expected`), read more widely than quantity_… and name_… of
# SIGNALS, which stay: without them questions that are answered and not are told apart by an AUROC
# of 0.76 in place of 0.78. Nothing is wanted of most questions.
EXPECTED = (
    # By form: how well the abstract's best sentence holds one, and what it lacks of that.
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
    *EXPECTED,
)

Values = dict[str, float]  # signals by their names

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
    values = _of_retrieval(seen, rarity, unseen)
    values |= _of_rest(seen, rarity) | _of_quantities(seen, rarity) | _of_other_names(seen)
    values |= _of_scores(seen) | _of_reader(seen.read) | _of_expected(seen)
    number, kind = values["number_wanted"], values["name_given"] + values["name_missing"]
    uncovered = 1.0 - seen.coverage
    values |= {
        "named_uncovered": seen.named * (1.0 - values["rest_in_abstract"]),
        "number_x_rest": number * values["rest_covered"],
        "number_x_score": number * values["best_score"],
        "kind_x_rest": kind * values["rest_covered"],
        "kind_x_score": kind * values["best_score"],
        "number_x_answered": number * values["answered"],
        "kind_x_answered": kind * values["answered"],
        "named_x_answered": seen.named * values["answered"],
        "uncovered_x_answered": uncovered * values["answered"],
        "uncovered_x_relevance": uncovered * values["relevance"],
    }
    return np.array([values[name] for name in SIGNALS], dtype=np.float64)


def _of_retrieval(
    seen: Seen, rarity: Callable[[str], float], unseen: Callable[[str], bool]
) -> Values:
    """How near the question came to the first paper and to the collection."""
    terms = {term for term, weight in query_terms(seen.question).items() if weight == 1.0}
    mass = sum(rarity(term) for term in terms)
    strange = sum(rarity(term) for term in terms if unseen(term))
    return {
        "one": 1.0,
        "whole": seen.whole,
        "whole_best": seen.whole_best,
        "sentence": float(seen.cosines.max(initial=0.0)),
        "sentence_best": seen.sentence_best,
        "coverage": seen.coverage,
        "coverage_best": seen.coverage_best,
        "named": seen.named,
        "unknown_names": min(2, seen.unknown_names),
        "unknown_words": strange / mass if mass else 1.0,
        "lead": min(10.0, seen.lead),
        "short": 1.0 / max(1, len(content_words(seen.question))),
        "formal": wanted(seen.question).formal,
        "formal_missing": bool(missing_formal_words(seen.question, seen.sentences)),
    }


@dataclass(frozen=True, slots=True)
class _Rest:
    """The words of a question besides the names of the paper, and which sentences hold them."""

    words: frozenset[str]
    held: tuple[set[str], ...]  # per sentence, all of its words
    rarity: Callable[[str], float]

    def share(self, held: set[str]) -> float:
        """Share of the rarity of the words that *held* covers, 0 to 1."""
        total = sum(self.rarity(term) for term in self.words)
        # A question that is all name ("What is GenZ for?") leaves nothing that could be missing.
        return sum(self.rarity(term) for term in self.words & held) / total if total else 1.0

    def covered(self) -> NDArray[np.float64]:
        """`share` of each sentence."""
        return np.array([self.share(words) for words in self.held])


def _rest_of(seen: Seen, rarity: Callable[[str], float]) -> _Rest:
    own = {term for name in seen.own_names for term in content_words(name)}
    held = tuple(content_words(text) for text in seen.sentences)
    return _Rest(frozenset(content_words(seen.question) - own), held, rarity)


def _of_rest(seen: Seen, rarity: Callable[[str], float]) -> Values:
    """How much of what is asked, besides names, the abstract has words for."""
    rest = _rest_of(seen, rarity)
    everywhere = set().union(*rest.held)
    return {
        "rest_covered": float(rest.covered().max(initial=0.0)),
        "rest_in_abstract": rest.share(everywhere),
        "rest_missing": max((rarity(term) for term in rest.words - everywhere), default=0.0) / 6.0,
    }


def _of_quantities(seen: Seen, rarity: Callable[[str], float]) -> Values:
    """Whether numbers, and names of the kind that is asked for, stand where they are wanted."""
    kind = wanted(seen.question)
    quantity = asked_quantity(seen.question) if kind.number else ""
    name_kind = "" if quantity else asked_kind(seen.question)
    covered = _rest_of(seen, rarity).covered()
    with_number = np.array([bool(numbers(t)) for t in seen.sentences], dtype=bool)
    with_quantity = np.array(
        [bool(quantity) and has_quantity(t, quantity) for t in seen.sentences], dtype=bool
    )
    named = bool(name_kind) and any(
        has_name_of(text, name_kind, seen.question) for text in seen.sentences
    )
    return {
        "number_wanted": kind.number,
        "number_near": kind.number * float(covered[with_number].max(initial=0.0)),
        "quantity_given": bool(with_quantity.any()),
        "quantity_missing": bool(quantity) and not with_quantity.any(),
        "quantity_covered": float(covered[with_quantity].max(initial=0.0)),
        "name_given": named,
        "name_missing": bool(name_kind) and not named,
    }


def _of_other_names(seen: Seen) -> Values:
    """Whether the names asked with that are not the paper's own stand in the abstract."""
    others = _other_names(seen)
    keys = [key_of(text) for text in seen.sentences]
    number = wanted(seen.question).number
    beside = (
        number
        and bool(others)
        and any(
            bool(numbers(text)) and any(other in key for other in others)
            for text, key in zip(seen.sentences, keys, strict=True)
        )
    )
    return {
        "other_names_absent": min(2, sum(not any(o in key for key in keys) for o in others)),
        "other_name_number": beside,
        "other_name_no_number": number and bool(others) and not beside,
    }


def _of_scores(seen: Seen) -> Values:
    """How clearly one sentence of the first paper answers, by the fitted choice of sentences."""
    return {
        "best_score": float(seen.sentence_scores.max(initial=-10.0)) / 10.0,
        "best_share": _top_share(seen.sentence_scores),
    }


def _of_expected(seen: Seen) -> Values:
    """The signals of what kind of thing is wanted; zeros where none is."""
    wanted_thing = expected(seen.question)
    values = dict.fromkeys(EXPECTED, 0.0)
    if wanted_thing.form and seen.sentences:
        own = own_words((seen.title.partition(":")[0], *seen.own_names))
        held = np.array([holds(t, wanted_thing, seen.question, own) for t in seen.sentences])
        values[f"{wanted_thing.form}_held"] = float(held.max())
        values[f"{wanted_thing.form}_lacked"] = 1.0 - float(held.max())
        likely = _likelihoods(seen)
        wholly = held >= WHOLLY
        best = float(likely[wholly].max(initial=-2.0))
        top = float(likely.max())
        group = "number" if wanted_thing.form in NUMBERS else "name"
        values[f"{group}_likely"] = best
        values[f"{group}_nowhere"] = float(not wholly.any())
        values[f"{group}_on_top"] = float(held[likely.argmax()])
        values[f"{group}_below_top"] = top - best if wholly.any() else 0.0
    return values


def _likelihoods(seen: Seen) -> NDArray[np.float64]:
    """How likely each sentence is to answer, scaled to about -2 to 2: (sentences,)."""
    if seen.read is None:
        return np.asarray(seen.sentence_scores / 10)
    return np.asarray(seen.read.evidence[: len(seen.sentences)] / 4, dtype=np.float64)


def _of_reader(read: PairRead | None) -> Values:
    """Relevance, answered and the largest evidence, over 4; zeros where nobody read."""
    if read is None:
        return {"relevance": 0.0, "answered": 0.0, "evidence": 0.0}
    most = float(read.evidence.max(initial=-4.0))
    return {"relevance": read.relevance / 4, "answered": read.answered / 4, "evidence": most / 4}


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
