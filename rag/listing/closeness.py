"""Words of a phrase that stand near each other, in whatever order and form."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from rag.listing.terms import canonical
from rag.words import compounds

REACH = 3  # words between those of a phrase that may stand apart


def stand_close(words: Sequence[Collection[str]], text: str) -> bool:
    """Whether of each of two *words* or more one stem stands within a few words, in any order.

    >>> stand_close([("human",), ("evalu",)], "It was evaluated by humans.")
    True
    """
    stems = stems_in(text)
    if len(words) < 2 or not all(any(stem in stems for stem in word) for word in words):
        return False
    order = _stem_order(text)
    width = len(words) + REACH
    return any(
        all(any(stem in window for stem in word) for word in words)
        for start in range(max(1, len(order) - width + 1))
        if (window := set(order[start : start + width]))
    )


@lru_cache(maxsize=16384)
def _stem_order(text: str) -> tuple[str, ...]:
    return tuple(stem for word in compounds(text) for stem in stems_of(word))


@lru_cache(maxsize=65536)
def stems_of(compound: str) -> tuple[str, ...]:
    """The stems of a word; of a hyphenated one those of its parts and of all of it joined."""
    parts = [part for part in re.split("[-/]", compound) if part]
    stems = [canonical(_CLIPPED.get(part.lower(), part)) for part in parts]
    return (*stems, canonical("".join(parts))) if len(parts) > 1 else tuple(stems)


# Words that are clipped as often as not, and the words of their kin.
_CLIPPED = {
    "math": "mathematics",
    "maths": "mathematics",
    "mathematical": "mathematics",
    "telecom": "telecommunications",
    "repo": "repository",
    "repos": "repositories",
    "param": "parameter",
    "params": "parameters",
    "hyperparams": "hyperparameters",
    "apps": "applications",
    "eval": "evaluation",
    "stats": "statistics",
    "statistical": "statistics",
    "docs": "documents",
    "configs": "configurations",
    "recsys": "recommender",
    "financial": "finance",
    "medical": "medicine",
}


@lru_cache(maxsize=16384)
def stems_in(text: str) -> frozenset[str]:
    """The stems of folded *text*, hyphenated words whole and in parts."""
    return frozenset(_stem_order(text))
