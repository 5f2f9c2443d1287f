"""Whether a question reads like one for a list, by its manner: a logit over its small words.

The rules of `plural` know the frames that somebody thought of, and people find others: "the lot",
"whom must I cite", "used where?". Of a question only the words stay that many questions have; what
it is about becomes a sign for its form ("Xs", "Xing", "NAME", "NUM"). Runs of up to three of these,
and the shape that the rules see, are weighed (`manner.json`, fitted by `python -m eval.manner`).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from rag.text import fold, squeeze

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rag.types import Shape

ENOUGH = 0.5  # share from which a question is one for a list, if several papers match it
LONGEST = 3  # signs in a phrase
_SIGN = re.compile(r"[A-Za-z][\w+-]*(?:'[a-z]+)?|\d[\w.,%+-]*|[?,:;.!()\"/&<>=…-]")
_LENGTHS, _SIGNS_OF_A_LENGTH = 8, 4


@dataclass(frozen=True, slots=True)
class Weights:
    """What was fitted."""

    bias: float
    words: tuple[str, ...]  # that stay as they are
    phrases: Mapping[str, float]


@cache
def shipped() -> Weights:
    """The shipped weights."""
    raw = json.loads((files("rag") / "listing" / "manner.json").read_text(encoding="utf-8"))
    return Weights(float(raw["bias"]), tuple(raw["words"]), raw["phrases"])


@cache
def _kept(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(words)


def list_share(question: str, ruled: Shape, weights: Weights | None = None) -> float:
    """How much *question*, of the shape *ruled* by rules, reads like one for a list, 0 to 1."""
    known = weights or shipped()
    found = phrases(question, _kept(known.words), ruled)
    odds = known.bias + sum(known.phrases.get(phrase, 0.0) for phrase in found)
    return 1.0 / (1.0 + math.exp(-odds))


def telling(question: str, ruled: Shape, most: int = 3) -> list[str]:
    """The phrases of *question* that speak most for a list, for the trace."""
    known = shipped()
    found = phrases(question, _kept(known.words), ruled)
    weighed = sorted((-known.phrases.get(phrase, 0.0), phrase) for phrase in found)
    return [phrase for value, phrase in weighed[:most] if value < 0]


def spelled(question: str) -> list[str]:
    """The words of *question*, in lower case."""
    return [sign.lower() for sign in _SIGN.findall(squeeze(fold(question))) if sign[0].isalpha()]


def phrases(question: str, words: frozenset[str], ruled: Shape) -> frozenset[str]:
    """Runs of signs, how long the question is, how it begins, and the shape by rules.

    >>> found = phrases("who uses BERT?", frozenset({"who"}), "answer")
    >>> sorted(phrase for phrase in found if phrase.startswith("who"))
    ['who', 'who Xs', 'who Xs NAME']
    """
    signs = _signs(question, words)
    runs = {
        " ".join(signs[start : start + length])
        for length in range(1, LONGEST + 1)
        for start in range(len(signs) - length + 1)
    }
    size = min(_LENGTHS, len(signs) // _SIGNS_OF_A_LENGTH)
    return frozenset(runs) | {
        f"#length {size}", f"#begins {' '.join(signs[1:3])}", f"#ruled {ruled}"
    }  # fmt: skip


def _signs(question: str, words: frozenset[str]) -> list[str]:
    signs = ["^"]
    for said in _SIGN.findall(squeeze(fold(question))):
        sign = _sign(said, words, first=len(signs) == 1)
        if sign != "X" or signs[-1] != "X":  # however many words a thing has
            signs.append(sign)
    return [*signs, "$"]


def _sign(said: str, words: frozenset[str], *, first: bool) -> str:
    lower = said.lower()
    if not said[0].isalnum() or lower in words:
        return lower
    if said[0].isdigit():
        return "NUM"
    if any(char.isupper() for char in said[1:]) or (said[0].isupper() and not first):
        return "NAME"
    for ending in ("ing", "ed", "ly"):
        if lower.endswith(ending):
            return f"X{ending}"
    return "Xs" if lower.endswith("s") and not lower.endswith("ss") else "X"
