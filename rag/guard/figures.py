"""Numbers with their scale and unit, and whether two of them say the same.

"78.6%" and "roughly 79 percent", "1.6B" and "1,600 million" say the same; "1,696 billion" and
"1,696 million" do not. A hedge widens what is the same: "over 42%" holds for 42.4%.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from rag.guard.findings import Finding
from rag.guard.tokens import Token, tokens

_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9,
           "t": 1e12, "trillion": 1e12}  # fmt: skip
_FIGURE = re.compile(
    r"(?<![\w.])(?<![A-Za-z]-)(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:[\s-]?(?P<scale>[kKMBT](?![\w])|(?:thousand|million|billion|trillion)\b))?"
    r"(?:\s?(?P<percent>\\?%|percent\b|per cent\b|percentage points?\b)"
    r"|\s?(?P<factor>x(?!\w)|×|times\b|-?fold\b|\\times))?"
)
_ABOUT = re.compile(
    r"\b(?:about|around|roughly|nearly|almost|approximately|some|close to|an? average of)\s*$", re.I
)
_OVER = re.compile(
    r"\b(?:over|more than|above|at least|upwards? of|beyond|exceed\w*|past)\s*$", re.I
)
_UNDER = re.compile(
    r"\b(?:under|less than|fewer than|below|at most|up to|as little as|within)\s*$", re.I
)
_ROUNDED, _HEDGED, _WIDE = 0.02, 0.13, 0.5
_BEFORE, _BEHIND = 4, 5  # tokens around a figure that tell what it measures


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a text: `value` times `scale`, in a unit."""

    value: float
    scale: float
    unit: str  # "percent", "factor" or ""
    start: int
    end: int
    text: str
    hedge: str  # "about", "over", "under" or ""

    @property
    def amount(self) -> float:
        """What it comes to."""
        return self.value * self.scale


def figures(text: str) -> tuple[Figure, ...]:
    """The numbers of *text* in order, those within names ("GPT-4") left out.

    >>> [(f.amount, f.unit) for f in figures("1.6B weights, roughly 79 percent, 2x, GPT-4")]
    [(1600000000.0, ''), (79.0, 'percent'), (2.0, 'factor')]
    """
    found = []
    for match in _FIGURE.finditer(text):
        before = text[max(0, match.start() - 24) : match.start()]
        hedges = {"about": _ABOUT, "over": _OVER, "under": _UNDER}
        hedge = next((name for name, pattern in hedges.items() if pattern.search(before)), "")
        unit = "percent" if match["percent"] else "factor" if match["factor"] else ""
        scale = _SCALES[match["scale"].lower()] if match["scale"] else 1.0
        value = float(match["value"].replace(",", ""))
        place = (match.start(), match.end())
        found.append(Figure(value, scale, unit, *place, match[0].strip(), hedge))
    return tuple(found)


def same(claimed: Figure, held: Figure) -> bool:
    """Whether *claimed* may be said where an abstract gives *held*."""
    if claimed.unit and held.unit and claimed.unit != held.unit:
        return False
    one, other = claimed.amount, held.amount
    larger = max(abs(one), abs(other), 1e-12)
    match claimed.hedge:
        case "about":
            return abs(one - other) <= _HEDGED * larger
        case "over":
            return one <= other * (1 + _ROUNDED) and other <= one * (1 + _WIDE)
        case "under":
            return other <= one * (1 + _ROUNDED) and one <= other * (1 + _WIDE)
    return abs(one - other) <= _ROUNDED * larger


def wrong_figures(claim: str, sentences: Sequence[str], near: Sequence[int]) -> list[Finding]:
    """What *claim* gives in numbers that *sentences* do not; *near* are those it speaks of."""
    held = [(place, one) for place, text in enumerate(sentences) for one in figures(text)]
    found: list[Finding] = []
    for one in figures(claim):
        if any(same(one, other) for _, other in held):
            continue
        scaled = [o for _, o in held if o.value == one.value and _of_another(one, o)]
        rivals = [
            o for place, o in held if place in near and o.unit == one.unit and o.scale == one.scale
        ]
        if scaled:
            found.append(_wrong("unit", one, scaled[0], 1.0))
        elif rivals:
            found.append(_wrong("number", one, rivals[0], 1.0 if one.unit else 0.7))
        else:
            reason = f"“{one.text}” is not in the abstract"
            found.append(Finding("number", "absent", 0.5, one.text, reason))
    return found + _swapped(claim, sentences)


def _of_another(one: Figure, other: Figure) -> bool:
    """Whether two figures differ in their scale, or have two units."""
    return one.scale != other.scale or bool(one.unit and other.unit and one.unit != other.unit)


def _wrong(kind: str, claimed: Figure, held: Figure, strength: float) -> Finding:
    reason = f"“{claimed.text}” is not in the abstract, which says “{held.text}”"
    return Finding(
        "unit" if kind == "unit" else "number", "contradicted", strength, claimed.text, reason
    )


def _swapped(claim: str, sentences: Sequence[str]) -> list[Finding]:
    """Two figures of one sentence that *claim* gives to one another's things."""
    own, mine = tokens(claim), figures(claim)
    for text in sentences:
        read, held = tokens(text), figures(text)
        if "respectively" in text:  # what belongs to what stands further off
            continue
        for one, other in combinations(mine, 2):
            first = next((f for f in held if same(one, f)), None)
            second = next((f for f in held if same(other, f) and f != first), None)
            if first is None or second is None or one.amount == other.amount:
                continue
            around = [_around(own, one, mine), _around(own, other, mine)]
            both = [_around(read, first, held), _around(read, second, held)]
            there = [both[0] - both[1], both[1] - both[0]]  # what tells the two apart
            straight = len(around[0] & there[0]) + len(around[1] & there[1])
            crossed = (len(around[0] & there[1]), len(around[1] & there[0]))
            if all(crossed) and not straight:
                reason = f"“{one.text}” and “{other.text}” stand for one another's things"
                return [Finding("swap", "contradicted", 1.0, one.text, reason)]
    return []


def _around(read: tuple[Token, ...], one: Figure, everyone: Sequence[Figure]) -> frozenset[str]:
    """Stems of the words about a figure, within its clause and up to the next figures."""
    first = next((i for i, token in enumerate(read) if token.start >= one.start), len(read))
    last = next((i for i, token in enumerate(read) if token.start >= one.end), len(read))
    before = max((f.end for f in everyone if f.end <= one.start), default=0)
    behind = min((f.start for f in everyone if f.start >= one.end), default=10**9)
    clause = read[min(first, len(read) - 1)].clause
    window = [*read[max(0, first - _BEFORE) : first], *read[last : last + _BEHIND]]
    close = (token for token in window if token.clause == clause and token.content)
    return frozenset(token.stem for token in close if before <= token.start < behind)
