"""The plainest check of a sentence: words and figures that an abstract has, or none.

It knows nothing of meaning: a new word or figure does not pass, the abstract's own words in their
order do, and the same words in another order are unverified.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import fold
from rag.types import Judgement, Paper
from rag.words import content_words, numbers

SHARE = 0.9  # of a sentence's words that the abstract must have


def strict(claim: str, papers: Sequence[Paper]) -> Judgement:
    """Judge *claim* by the words and figures of *papers* together."""
    text = fold(" ".join(f"{paper.title} {paper.abstract}" for paper in papers))
    words = content_words(claim)
    figures = [number for number in numbers(fold(claim)) if number not in numbers(text)]
    if figures:
        return Judgement("not_supported", 0.0, (f"“{figures[0]}” is not in the abstract",))
    missing = sorted(words - content_words(text))
    share = 1 - len(missing) / len(words) if words else 0.0
    if share < SHARE:
        return Judgement("not_supported", share, (f"the abstract has no “{missing[0]}”" if missing
                                                  else "it says nothing",))  # fmt: skip
    if f" {_words(claim)} " in f" {_words(text)} ":
        return Judgement("supported", 1.0, ("its words are the abstract's, in their order",))
    return Judgement("unverified", share, ("its words are there, and nothing checks their order",))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(fold(text).casefold()))


_WORD = re.compile(r"[\w.%-]*\w%?")
