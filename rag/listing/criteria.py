"""What a list is asked for, as values: a paper must meet every clause.

`rag.listing.asked` reads them from a question, `rag.matching.matches` decides them for papers;
`described` says them in words, so that people see how their question was understood.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    at_start: bool = False  # of the title, or of the abstract where that may hold it, too
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
    brought: bool = False  # of a model that the same sentence or the title presents
    phase: str = ""  # of the work that is made faster: "training" or "inference"
    said: tuple[str, ...] = ()  # the words of the question that *about* stands for


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


def described(criteria: Criteria, *, single: bool = False) -> str:
    """What papers do that meet *criteria*, in words: "mention “BERT”, and are no surveys".

    With *single*, what one paper does: "mentions “BERT”, and is no survey".

    >>> gpt, bert = (Clause((Words(((name,),)),)) for name in ("GPT-3", "BERT"))
    >>> described(Criteria((gpt, Clause(bert.any_of, negated=True))))
    'mention “GPT-3”, and do not mention “BERT”'
    """
    return ", and ".join(
        " or ".join(_in_words(one, clause.negated, single) for one in clause.any_of)
        for clause in criteria.clauses
    )


def _in_words(criterion: Criterion, negated: bool, single: bool) -> str:
    are, their = ("is", "its") if single else ("are", "their")
    match criterion:
        case Words():
            return _does(_words_verb(criterion), _named(criterion), negated, single)
        case Amount():
            own = f" for {their} own work" if criterion.own else ""
            return _does("state", f"{_range(criterion)}{own}", negated, single)
        case IsKind():
            by = f" by {their} title" if criterion.where == "title" else ""
            kinds = criterion.kind.split(" or ")
            said = " or ".join(kinds if single else map(_plural, kinds))
            said = f"no {said}" if negated else _with_article(said) if single else said
            return f"{are} {said}{by}"
        case Brings():
            return _does("introduce", _with_article(criterion.noun), negated, single)
        case Topic():
            examples = _several([_short(one) for one in criterion.examples], ", ")
            also = f" ({examples})" if examples else ""
            return f"{are} {'not ' if negated else ''}about “{_short(criterion.text)}”{also}"


def _does(verb: str, what: str, negated: bool, single: bool) -> str:
    if negated:
        return f"{'does' if single else 'do'} not {verb} {what}"
    return f"{verb}{'s' if single else ''} {what}"


def _words_verb(words: Words) -> str:
    if words.at_start:
        return "begin"
    return "use" if words.used else "mention"


def _named(words: Words) -> str:
    """The names of *words*, and where they are looked for."""
    names = _several([f"“{_short(spellings[0])}”" for spellings in words.alternatives], " or ")
    masks = f" (not as {', '.join(words.masks)})" if words.masks else ""
    if words.at_start:
        return f"the {'title' if words.where == 'title' else 'abstract'} with {names}{masks}"
    return f"{names}{masks}{' in the title' if words.where == 'title' else ''}"


_UNCOUNTED = frozenset({"software", "code", "data", "hardware"})


def _with_article(noun: str) -> str:
    if noun in _UNCOUNTED:
        return noun
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


_MOST_LETTERS = 80  # of a name or a topic that are told again
_MOST_NAMES = 8  # and of names side by side


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1].rstrip()}…"


def _several(names: Sequence[str], joined: str) -> str:
    more = len(names) - _MOST_NAMES
    said = [*names[:_MOST_NAMES], f"{more} more"] if more > 1 else names
    return joined.join(said)


def _plural(noun: str) -> str:
    if noun.endswith("sis"):
        return f"{noun[:-2]}es"
    return f"{noun[:-1]}ies" if noun.endswith("dy") else f"{noun}s"


_LARGEST = 1e18  # numbers beyond it are told by their order alone

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
    words = amount.said or amount.about
    about = f"({_short(', '.join(words))})" if words else ""
    low = f"{'more than' if amount.above else 'at least'} {_number(amount.low)}"
    high = f"{'less than' if amount.below else 'at most'} {_number(amount.high)}"
    bounds = [low] if amount.low > 0 else []
    bounds += [high] if amount.high < float("inf") else []
    if amount.low == amount.high:
        bounds = [_number(amount.low)]
    said = " and ".join(bounds) or "an amount"
    return " ".join(filter(None, (said, _UNITS[amount.measure], about)))


def _number(value: float) -> str:
    if value >= _LARGEST:
        return "∞" if math.isinf(value) else f"10^{math.floor(math.log10(value))}"
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:g} {name}"
    return f"{value:,g}"
