"""Quantities in words: "three quarters", "twelve hundred", "twice", "two and a half times".

A share or a multiple is rounder than a figure, "three quarters" is said of 74.6%, and so are
thousands and halves; "seventeen" is not. A share is a percentage, or the factor that comes of it:
"a fortieth of the labels" is 40 times fewer, "a third faster" 1.33 times as fast.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: float(number) for number, word in enumerate(_ONES)}
_VALUES |= {word: 10.0 * number for number, word in enumerate(_TENS, 2)}
_VALUES |= {"a": 1.0, "an": 1.0, "dozen": 12.0}
_LARGE = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12, "twentieth": 20,
    "thirtieth": 30, "fortieth": 40, "fiftieth": 50, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_TIMES = {
    "twice": 2.0, "thrice": 3.0, "double": 2.0, "doubled": 2.0, "doubles": 2.0, "doubling": 2.0,
    "triple": 3.0, "tripled": 3.0, "tripling": 3.0, "quadruple": 4.0, "quadrupled": 4.0,
}  # fmt: skip
_NUMBER = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_ONES[1:10])}))?|{'|'.join(_ONES)}|dozen)"
_HALF = r"(?:[ -]and[ -]a[ -]half)"
_FLAGS = re.IGNORECASE | re.ASCII
_CARDINAL = re.compile(
    rf"\b(?P<number>{_NUMBER}|(?:half )?an?(?= (?:{'|'.join(_LARGE)}|dozen)))(?P<half>{_HALF})?"
    rf"(?P<large>(?:[ -](?:{'|'.join(_LARGE)}|dozen))*)(?P<rest> and {_NUMBER}(?![\w-]))?"
    rf"(?P<more>{_HALF})?"
    r"(?P<unit>[ -]?(?:percent|per cent|times|fold)\b)?(?![\w-])",
    _FLAGS,
)
_SHARE = re.compile(
    rf"\b(?:(?P<count>{_NUMBER}|an?)[ -])?(?P<part>{'|'.join(_PARTS)})(?P<plural>s)?(?![\w-])"
    r"(?P<more> (?:better|faster|quicker|more|higher|larger|longer|greater|cheaper|again)\b)?",
    _FLAGS,
)
_OUT_OF = re.compile(
    rf"\b(?P<some>\d+|{_NUMBER}) (?:out of|in|of)(?: every| the| all)* (?P<all>\d+|{_NUMBER})\b",
    _FLAGS,
)
_MULTIPLE = re.compile(rf"\b(?:{'|'.join(_TIMES)})(?![\w-])", _FLAGS)
_HALVED = re.compile(r"\bhalv(?:e[sd]?|ing)\b", _FLAGS)
_MIXED = re.compile(r"\band[ -]$", _FLAGS)
_LARGE_NEXT = re.compile(rf" an? (?:{'|'.join(_LARGE)}|dozen)\b", _FLAGS)
_ORDERS = re.compile(
    rf"\b(?:(?P<count>\d|{_NUMBER})|an?) orders?[- ]of[- ]magnitude\b", re.IGNORECASE
)
_NUMBERED = re.compile(r"\b(?:the|first|second|this|that|each|every) $", _FLAGS)
FEWEST = 4.0  # a smaller count in words mostly counts nothing that is measured ("in two steps")

Unit = Literal["", "percent", "factor"]


@dataclass(frozen=True, slots=True)
class Spelled:
    """One reading of a quantity in words; its place is that of the words."""

    value: float
    unit: Unit
    start: int
    end: int
    is_round: bool = True  # whether it is said of what is a little more or less, too


def spelled(text: str) -> tuple[Spelled, ...]:
    """All readings of the quantities that *text* has in words, by place.

    >>> [(one.value, one.unit) for one in spelled("It spares three quarters and is twice as fast.")]
    [(75.0, 'percent'), (1.75, 'factor'), (2.0, 'factor')]
    >>> [one.value for one in spelled("twelve hundred hours, eight and a half seconds")]
    [1200.0, 8.5]
    """
    found = [*_shares(text), *_multiples(text)]
    taken = [(one.start, one.end) for one in found]
    found += [
        one
        for one in _cardinals(text)
        if not any(start < one.end and one.start < end for start, end in taken)
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.unit != "percent")))


def _shares(text: str) -> list[Spelled]:
    found: list[Spelled] = []
    for match in _OUT_OF.finditer(text):
        some, whole = (_value(match[name]) for name in ("some", "all"))
        if 0 < some < whole:
            found.append(Spelled(100 * some / whole, "percent", *match.span()))
    for match in _SHARE.finditer(text):
        part = match["part"].lower()
        count = _value(match["count"]) if match["count"] else 1.0
        bare = not match["count"] and not part.startswith("hal")
        several = bool(match["plural"]) or part == "halves"
        if bare or several != (count > 1) or _NUMBERED.search(text[: match.start()]):
            continue  # "the third", "a fifth" of five
        share = count / _PARTS[part]
        mixed = part == "half" and _MIXED.search(text[: match.start()])
        if share >= 1 or mixed or _LARGE_NEXT.match(text[match.end() :]):
            continue  # "two and a half", "half a million"
        span = match.start(), match.end() - len(match["more"] or "")
        found.append(Spelled(100 * share, "percent", *span))
        inverse = count == 1 and _PARTS[part] > 2 and not match["more"]
        found.append(Spelled(1 / share if inverse else 1 + share, "factor", *span))
    return found


def _multiples(text: str) -> list[Spelled]:
    found = [
        Spelled(_TIMES[match[0].lower()], "factor", *match.span())
        for match in _MULTIPLE.finditer(text)
    ]
    for match in _ORDERS.finditer(text):
        orders = _value(match["count"]) if match["count"] else 1.0
        found.append(Spelled(10.0**orders, "factor", *match.span()))
    for match in _HALVED.finditer(text):
        found += [Spelled(50.0, "percent", *match.span()), Spelled(2.0, "factor", *match.span())]
    return found


def _cardinals(text: str) -> list[Spelled]:
    found: list[Spelled] = []
    for match in _CARDINAL.finditer(text):
        value = _value(match["number"]) + (0.5 if match["half"] else 0.0)
        for word in re.findall(r"[a-z]+", match["large"].lower()):
            value *= _LARGE.get(word, 12.0)
        value += _value(match["rest"][5:]) if match["rest"] else 0.0
        value += 0.5 if match["more"] else 0.0
        said = (match["unit"] or "").strip(" -").lower()
        unit: Unit = "percent" if said.startswith("per") else "factor" if said else ""
        if unit or value >= FEWEST or value % 1:
            is_round = bool(unit or value % 1) or value % 1000 == 0
            found.append(Spelled(value, unit, *match.span(), is_round))
    return found


def _value(words: str) -> float:
    if words.isdigit():
        return float(words)
    if words.lower().startswith("half "):
        return 0.5
    return sum(_VALUES[word] for word in re.split(r"[ -]", words.lower()))
