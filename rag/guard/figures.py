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
from rag.guard.spelled import spelled
from rag.guard.tokens import Token, tokens

_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9,
           "t": 1e12, "trillion": 1e12}  # fmt: skip
_FIGURE = re.compile(
    r"(?<![\w.])(?<![A-Za-z]-)(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:[\s-]?(?P<scale>[kKMBT](?![\w])|(?:thousand|million|billion|trillion)\b))?"
    r"(?:\s?(?P<percent>\\?%|percent\b|per cent\b|percentage points?\b)"
    r"|\s?(?P<factor>x(?!\w)|×|times\b|-?fold\b|\\times))?"
)
# What is measured, in seconds, bytes, dollars and watts.
_MEASURES = {
    "time": {"ns": 1e-9, "nanosecond": 1e-9, "µs": 1e-6, "μs": 1e-6, "microsecond": 1e-6,
             "ms": 1e-3, "millisecond": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0,
             "minute": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "day": 86400.0,
             "week": 604800.0, "month": 2.63e6, "year": 3.156e7},
    "data": {"KB": 1e3, "KiB": 1e3, "kilobyte": 1e3, "MB": 1e6, "MiB": 1e6, "megabyte": 1e6,
             "GB": 1e9, "GiB": 1e9, "gigabyte": 1e9, "TB": 1e12, "TiB": 1e12, "terabyte": 1e12,
             "PB": 1e15, "petabyte": 1e15},
    "money": {"dollar": 1.0, "USD": 1.0, "cent": 0.01},
    "power": {"mW": 1e-3, "milliwatt": 1e-3, "W": 1.0, "watt": 1.0, "kW": 1e3, "kilowatt": 1e3},
}  # fmt: skip
_MEASURED = {word: (unit, by) for unit, words in _MEASURES.items() for word, by in words.items()}
_WORD_BEHIND = re.compile(
    rf"[\s-]?(?:(?:[CGT]PU|[AHV]100|wall-clock|US)[\s-])?"
    rf"({'|'.join(sorted(map(re.escape, _MEASURED), key=len, reverse=True))})s?(?!\w)"
)
_DOLLARS = re.compile(r"(?<![\d$])\\?\$\s?$")
_ABOUT = re.compile(
    r"\b(?:about|around|roughly|nearly|almost|approximately|some|close to|an? average of)\s*$", re.I
)
_OVER = re.compile(
    r"\b(?:over|more than|above|at least|upwards? of|beyond|exceed\w*|past)\s*$", re.I
)
_UNDER = re.compile(
    r"\b(?:under|less than|fewer than|below|at most|up to|as little as|within)\s*$", re.I
)
_HEDGES = {"about": _ABOUT, "over": _OVER, "under": _UNDER}
_ONLY_HEDGES = re.compile(
    r"\b(?:about|around|roughly|nearly|almost|approximately|some|close to|more than|at least"
    r"|upwards of|less than|fewer than|at most|up to|as little as)\s*$",
    re.I,
)
_ROUNDED, _ROUND, _RETOLD, _HEDGED, _RETOLD_HEDGED, _WIDE = 0.02, 0.06, 0.1, 0.13, 0.25, 0.5
_BEFORE, _BEHIND = 4, 5  # tokens around a figure that tell what it measures


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a text: `value` times `scale`, in a unit or of what is measured."""

    value: float
    scale: float
    unit: str  # "percent", "factor" or ""
    start: int
    end: int
    text: str
    hedge: str  # "about", "over", "under" or ""
    measure: str = ""  # "time", "data", "money", "power" or ""
    each: float = 1.0  # what one of its measure's word comes to: 60 seconds of a minute
    in_words: bool = False  # one reading of several
    is_round: bool = False  # said of what is a little more or less, too

    @property
    def amount(self) -> float:
        """What it comes to, whatever it measures."""
        return self.value * self.scale


def figures(text: str) -> tuple[Figure, ...]:
    """The numbers of *text* in order, those within names ("GPT-4") left out.

    >>> [(f.amount, f.unit) for f in figures("1.6B weights, roughly 79 percent, 2x, GPT-4")]
    [(1600000000.0, ''), (79.0, 'percent'), (2.0, 'factor')]
    """
    found = []
    for match in _FIGURE.finditer(text):
        unit = "percent" if match["percent"] else "factor" if match["factor"] else ""
        scale = _SCALES[match["scale"].lower()] if match["scale"] else 1.0
        value = float(match["value"].replace(",", ""))
        place = (match.start(), match.end())
        hedge, measure = _hedge(text, match.start()), _measure(text, *place, unit)
        found.append(Figure(value, scale, unit, *place, match[0].strip(), hedge, *measure))
    return tuple(found)


def told(text: str) -> tuple[Figure, ...]:
    """`figures`, and every reading of the quantities that *text* has in words."""
    found = list(figures(text))
    for one in spelled(text):
        place, said = (one.start, one.end), text[one.start : one.end]
        hedge, measure = _hedge(text, one.start), _measure(text, *place, one.unit)
        found.append(
            Figure(one.value, 1.0, one.unit, *place, said, hedge, *measure, True, one.is_round)
        )
    return tuple(found)


def _measure(text: str, start: int, end: int, unit: str) -> tuple[str, float]:
    """What the figure at *start* to *end* measures, and what one of its word comes to."""
    if unit:
        return "", 1.0
    if _DOLLARS.search(text[:start]) and not text[end:].startswith("$"):  # else it is LaTeX
        return "money", 1.0
    behind = _WORD_BEHIND.match(text, end)
    return _MEASURED[behind[1]] if behind else ("", 1.0)


def _hedge(text: str, start: int) -> str:
    before = text[max(0, start - 24) : start]
    return next((name for name, pattern in _HEDGES.items() if pattern.search(before)), "")


def in_its_figures(claim: str, sentences: Sequence[str]) -> str:
    """*claim* with the figures of *sentences* in place of its own that say the same otherwise.

    *sentences* are those that speak of it: any figure has its like somewhere in an abstract. What
    differs from them by more than rounding, or in its unit's word, stays as it is.

    >>> in_its_figures("It spares three quarters of the work.", ["We avoid 75.4% of all work."])
    'It spares 75.4% of the work.'
    """
    held = [one for text in sentences for one in figures(text)]
    written = {(one.amount, one.unit) for one in held}
    places: list[tuple[int, int, str]] = []
    for one in told(claim):
        if not one.in_words and (one.amount, one.unit) in written:
            continue
        alike = [other for other in held if _retold(one, other)]
        if alike:
            best = min(alike, key=lambda other: abs(other.amount - one.amount))
            places.append((*_with_hedge(claim, one), best.text))
    taken: list[tuple[int, int, str]] = []
    for start, end, text in sorted(places, key=lambda place: place[0] - place[1]):
        if all(end <= other[0] or other[1] <= start for other in taken):
            taken.append((start, end, text))
    for start, end, text in sorted(taken, reverse=True):
        claim = claim[:start] + text + claim[end:]
    return claim


def _retold(one: Figure, other: Figure) -> bool:
    """Whether the claim's *one* may be read as the abstract's *other*."""
    if one.unit != other.unit or (one.measure and other.measure and one.each != other.each):
        return False
    if not same(one, other):
        return False
    far = abs(one.amount - other.amount) / max(abs(one.amount), abs(other.amount), 1e-12)
    if one.in_words:
        return far <= (_RETOLD_HEDGED if one.hedge in {"over", "under"} else _RETOLD)
    return (one.scale == other.scale and _is_rounded(one.value, other.value)) or far < 1e-9


def _with_hedge(text: str, one: Figure) -> tuple[int, int]:
    """The place of *one* in *text* with the words that only hedge it."""
    found = _ONLY_HEDGES.search(text[: one.start]) if one.hedge and one.in_words else None
    return (found.start() if found else one.start), one.end


def same(claimed: Figure, held: Figure) -> bool:
    """Whether *claimed* may be said where an abstract gives *held*."""
    if claimed.unit and held.unit and claimed.unit != held.unit:
        return False
    if claimed.measure and held.measure and claimed.measure != held.measure:
        return False
    both = bool(claimed.measure and held.measure)  # a word that only one has may be understood
    one, other = (f.amount * (f.each if both else 1.0) for f in (claimed, held))
    larger = max(abs(one), abs(other), 1e-12)
    match claimed.hedge:
        case "about":
            return abs(one - other) <= _HEDGED * larger
        case "over":
            return one <= other * (1 + _ROUNDED) and other <= one * (1 + _WIDE)
        case "under":
            return other <= one * (1 + _ROUNDED) and one <= other * (1 + _WIDE)
    alike = claimed.scale == held.scale and (not both or claimed.each == held.each)
    if alike and not claimed.in_words and _is_rounded(claimed.value, held.value):
        return True
    rounded = _ROUND if claimed.is_round or held.is_round else _ROUNDED
    return abs(one - other) <= rounded * larger


def _is_rounded(one: float, other: float) -> bool:
    """Whether *one*, of two digits or more, is *other* rounded to as many decimals."""
    text = f"{one:.10f}".rstrip("0").rstrip(".")
    decimals = len(text.partition(".")[2])
    return len(text.replace(".", "").lstrip("0")) > 1 and abs(one - other) <= 0.5 * 10**-decimals


def wrong_figures(claim: str, sentences: Sequence[str], near: Sequence[int]) -> list[Finding]:
    """What *claim* gives in numbers that *sentences* do not; *near* are those it speaks of."""
    held = [(place, one) for place, text in enumerate(sentences) for one in told(text)]
    found: list[Finding] = []
    for one in figures(claim):
        if any(same(one, o) and (o.unit == one.unit or not o.in_words) for _, o in held):
            continue
        written = [(place, o) for place, o in held if not o.in_words]
        scaled = [o for _, o in written if o.value == one.value and _of_another(one, o)]
        rivals = [
            o
            for place, o in written
            if place in near and o.unit == one.unit and o.scale == one.scale
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
    """Whether two figures differ in their scale, or have two units or measures."""
    if one.measure and other.measure and one.each != other.each:
        return True
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
