"""Patterns written as lists of words, so that what a rule knows can be read and added to."""

from __future__ import annotations

import re


def either(*wordings: str) -> str:
    r"""A pattern for any of the words in *wordings*, which white space separates.

    "_" stands for a space; everything else is a regular expression.

    >>> either("papers? works?", "how_many")
    '(?:papers?|works?|how many)'
    """
    words = " ".join(wordings).split()
    return f"(?:{'|'.join(word.replace('_', ' ') for word in words)})"


def verbs(*wordings: str) -> str:
    """A pattern for the verbs in *wordings* in all their regular forms.

    Behind "+" stand particles of which one must follow, behind "/" ones that may.

    >>> re.findall(verbs("rely+on test/on,with"), "relies on, tested, testing with")
    ['relies on', 'tested', 'testing with']
    """
    return f"(?:{'|'.join(_verb(word) for word in ' '.join(wordings).split())})"


def _verb(written: str) -> str:
    base, sign, particles = re.fullmatch(r"([\w-]+)([+/]?)(\S*)", written).groups()  # type: ignore[union-attr]
    inflected = _inflected(base.replace("_", " "))
    if not sign:
        return inflected
    after = "|".join(particle.replace("_", " ") for particle in particles.split(","))
    # an adverb may stand between: "deals seriously with"
    return rf"{inflected}(?:(?: \w+ly)? (?:{after})\b)" + ("?" if sign == "/" else "")


def _inflected(base: str) -> str:
    if base.endswith("e"):
        return f"{base[:-1]}(?:es?|ed|ing)"
    if base.endswith("y") and base[-2] not in "aeiou":
        return f"{base[:-1]}(?:y|ies|ied|ying)"
    return f"{base}(?:e?s|ed|ing)?"
