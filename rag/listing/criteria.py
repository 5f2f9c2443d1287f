"""What a list is asked for, as values: a paper must meet every clause.

`rag.listing.asked` reads them from a question, `rag.matching.matches` decides them for papers;
`described` says them in words, so that people see how their question was understood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.listing.plural import asks_for_list
from rag.listing.quantities import Measure

__all__ = [
    "Amount", "Brings", "Clause", "Criteria", "Criterion", "Field", "IsKind", "Topic", "Words",
    "asks_for_list", "described",
]  # fmt: skip

Field = Literal["any", "title"]


@dataclass(frozen=True, slots=True)
class Words:
    """The text holds one of these literally."""

    alternatives: tuple[tuple[str, ...], ...]  # of each the first spelling that any paper has
    where: Field = "any"
    exact: bool = False  # not inflected; no acronym stands for it, nor what an acronym stands for
    used: bool = False  # in the paper's own work, rather than in passing
    masks: tuple[str, ...] = ()  # longer names that it may be a part of and that do not count


@dataclass(frozen=True, slots=True)
class Amount:
    """A sentence states an amount of a measure within bounds."""

    measure: Measure
    low: float = 0.0
    high: float = float("inf")
    above: bool = False  # more than *low*, not exactly it
    below: bool = False  # less than *high*
    about: tuple[str, ...] = ()  # stems that must stand beside it, for what has no unit
    own: bool = True  # of the paper's own work, not of what is usual, needed or compared with
    training: bool = False  # of training, not of a corpus or an input


@dataclass(frozen=True, slots=True)
class IsKind:
    """The paper is of one of `rag.kinds.KINDS`, by its name."""

    kind: str
    where: Field = "any"


@dataclass(frozen=True, slots=True)
class Brings:
    """The paper introduces something that the noun names."""

    noun: str


@dataclass(frozen=True, slots=True)
class Topic:
    """The paper is about this, as far as words and meaning tell."""

    text: str
    alternatives: tuple[str, ...]  # phrases any of which would be it
    examples: tuple[str, ...] = ()  # named with it: each of them is a sign of it, too


Criterion = Words | Amount | IsKind | Brings | Topic


@dataclass(frozen=True, slots=True)
class Clause:
    """Criteria of which one must hold; with *negated*, none may."""

    any_of: tuple[Criterion, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a paper must meet to be listed: every clause."""

    clauses: tuple[Clause, ...]


def described(criteria: Criteria) -> str:
    """What papers do that meet *criteria*, in words: "mention “BERT”, and are no surveys".

    >>> gpt, bert = (Clause((Words(((name,),)),)) for name in ("GPT-3", "BERT"))
    >>> described(Criteria((gpt, Clause(bert.any_of, negated=True))))
    'mention “GPT-3”, and do not mention “BERT”'
    """
    return ", and ".join(
        " or ".join(_in_words(one, clause.negated) for one in clause.any_of)
        for clause in criteria.clauses
    )


def _in_words(criterion: Criterion, negated: bool) -> str:
    not_ = "do not " if negated else ""
    match criterion:
        case Words():
            verb = "use" if criterion.used else "mention"
            where = " in the title" if criterion.where == "title" else ""
            names = " or ".join(f"“{spellings[0]}”" for spellings in criterion.alternatives)
            masks = f" (not as {', '.join(criterion.masks)})" if criterion.masks else ""
            return f"{not_}{verb} {names}{masks}{where}"
        case Amount():
            own = " for their own work" if criterion.own else ""
            return f"{not_}state {_range(criterion)}{own}"
        case IsKind():
            by = " by their title" if criterion.where == "title" else ""
            plural = " or ".join(map(_plural, criterion.kind.split(" or ")))
            return f"are {'no ' if negated else ''}{plural}{by}"
        case Brings():
            article = "an" if criterion.noun[:1] in "aeiou" else "a"
            return f"{not_}introduce {article} {criterion.noun}"
        case Topic():
            also = f" ({', '.join(criterion.examples)})" if criterion.examples else ""
            return f"are {'not ' if negated else ''}about “{criterion.text}”{also}"


def _plural(noun: str) -> str:
    if noun.endswith("sis"):
        return f"{noun[:-2]}es"
    return f"{noun[:-1]}ies" if noun.endswith("dy") else f"{noun}s"


_UNITS = {
    "accelerators": "GPUs or other accelerators",
    "parameters": "parameters",
    "tokens": "tokens",
    "money": "in money",
    "percent": "%",
    "context": "tokens of context",
    "speed": "times the speed",
    "factor": "times",
    "time": "",
    "count": "",
}


def _range(amount: Amount) -> str:
    about = f"({', '.join(amount.about)})" if amount.about else ""
    low = f"{'more than' if amount.above else 'at least'} {_short(amount.low)}"
    high = f"{'less than' if amount.below else 'at most'} {_short(amount.high)}"
    bounds = [low] if amount.low > 0 else []
    bounds += [high] if amount.high < float("inf") else []
    if amount.low == amount.high:
        bounds = [_short(amount.low)]
    said = " and ".join(bounds) or "an amount"
    return " ".join(filter(None, (said, _UNITS[amount.measure], about)))


def _short(value: float) -> str:
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:g} {name}"
    return f"{value:,g}"
