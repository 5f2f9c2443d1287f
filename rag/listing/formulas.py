"""TeX in texts: a formula as its bare signs, to be looked for and not to be taken for money.

Abstracts write "$C^*$-algebras" and "CO$_2$" where people ask for "C*-algebras" and "CO2".
"""

from __future__ import annotations

import re
from itertools import pairwise

_DOLLAR = re.compile(r"(?<!\\)\$+")  # an escaped one is money, wherever it stands
_STYLE = re.compile(
    r"\\(?:math(?:bb|cal|rm|bf|frak|scr|sf|it|tt)|text(?:bf|it|rm|sc|tt)?|operatorname|rm|bf|it"
    r"|cal|left|right|boldsymbol|bm|mbox|emph)(?![A-Za-z])\*?\s?"
)
_STAR = re.compile(r"\\(?:ast|star)(?![A-Za-z])|\u2217")
_SYMBOL = re.compile(r"(\\[A-Za-z]+)(?=_|\^|\{)")  # its name ends where what is set low begins
_MARKS = "$\\^{\u2217"


def plain_formulas(text: str) -> str:
    r"""*text* with its formulas in bare signs; the dollars that are left mean money.

    >>> plain_formulas(r"$C^{*}$-algebras, CO$_2$ and $\mathbb{R}^n$ for $20 or $30")
    'C*-algebras, CO2 and Rn for $20 or $30'
    """
    if not any(mark in text for mark in _MARKS):
        return text
    parts: list[str] = []
    end = 0
    for start, stop, width in _formulas(text):
        parts += [text[end:start], _bare(text[start + width : stop - width])]
        end = stop
    rest = "".join((*parts, text[end:]))
    return _STAR.sub("*", re.sub(r"(?<=\w)\^(?=\S)|[{}]", "", _STYLE.sub("", rest)))


def _bare(formula: str) -> str:
    named = _SYMBOL.sub(r"\1 ", _STAR.sub("*", _STYLE.sub("", formula)))
    return re.sub(r"[{}_^]", "", named)


def _formulas(text: str) -> list[tuple[int, int, int]]:
    """Where each formula begins and ends, its dollars included, and how many those are.

    A dollar closes a formula if no digit follows it and no space stands before it: one that opens
    no formula in "$20 or $30" is money.
    """
    found: list[tuple[int, int, int]] = []
    taken = -1
    for opening, closing in pairwise(_DOLLAR.finditer(text)):
        if opening.start() < taken:
            continue
        inside = text[opening.end() : closing.start()]
        spaced = inside[-1:].isspace() and not inside[:1].isspace()
        if opening[0] == closing[0] and inside.strip() and not spaced:
            if text[closing.end() : closing.end() + 1].isdigit():
                continue
            found.append((opening.start(), closing.end(), len(opening[0])))
            taken = closing.end()
    return found
