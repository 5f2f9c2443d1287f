"""Questions without a predicate, and what they take the place of. Pure rules.

"and for Gopher?" asks the question before of something else. Texts are as `rag.text.fold` and
`squeeze` leave them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.dialogue.cue import has_predicate, without_opener

_PREPOSITIONS = (
    "on in at with without using for of by from to about during under after before per among"
    " through over than against vs versus"
)
_LIKE = (  # prepositions that stand before the same kind of thing
    frozenset("over than against vs versus".split()),
    frozenset(("compared to", "compared with", "relative to")),
    frozenset("for of by from".split()),
    frozenset("with using".split()),
    frozenset("in at during".split()),
)
_OF_A_SUBJECT = frozenset(
    "for of by from about in fur für von bei para de pour du chez".split()
) | {""}
_PREPOSITION = re.compile(
    rf"(?P<word>(?:compared|relative) (?:to|with)|{'|'.join(_PREPOSITIONS.split())}"
    r"|f[uü]r|von|bei|mit|auf|para|con|en|de|pour|avec|sur|dans|chez)(?: the)?(?!\w)",
    re.IGNORECASE,
)
_MOST_OF_A_FRAGMENT = 9
_EDGES = " \t,.;:?!¿¡。？！，"


@dataclass(frozen=True, slots=True)
class Fragment:
    """What is put in the place of something in an earlier question: "for Gopher?"."""

    preposition: str  # lower case; empty if there is none
    phrase: str
    opened: bool  # it goes on: "and …", "what about …"

    @property
    def of_a_subject(self) -> bool:
        """Whether the phrase can be what a question is about, by its preposition."""
        return self.preposition in _OF_A_SUBJECT


def fragment(text: str) -> Fragment | None:
    """*text* as a question without a predicate; None if it has one.

    >>> fragment("and on something-something v2?")
    Fragment(preposition='on', phrase='something-something v2', opened=True)
    >>> fragment("and what is it?") is None
    True
    """
    rest, opened = without_opener(text)
    rest = rest.strip(_EDGES).removesuffix("呢").strip(_EDGES)
    found = _PREPOSITION.match(rest)
    phrase = rest[found.end() :].strip() if found else rest
    if not phrase or len(rest.split()) > _MOST_OF_A_FRAGMENT or has_predicate(rest):
        return None
    return Fragment(found["word"].lower() if found else "", phrase, opened)


_A_PAPER = re.compile(r"^(?P<target>.+?) (?:paper|study|article|one)$", re.IGNORECASE)


def described_by(phrase: str) -> str:
    """What *phrase* says of a paper that it describes: "lentil" of "lentil paper"; else empty."""
    found = _A_PAPER.match(phrase)
    return found["target"] if found else ""


def parts_after(text: str) -> tuple[tuple[str, int, int], ...]:
    """The prepositions of *text*, each with the span of what stands after it.

    >>> text = "What does X score on Kinetics in May?"
    >>> [(word, text[start:end]) for word, start, end in parts_after(text)]
    [('on', 'Kinetics'), ('in', 'May')]
    """
    found = list(re.finditer(rf"(?<![\w-])(?:{_PREPOSITION.pattern})\s+", text, re.IGNORECASE))
    parts = []
    for place, one in enumerate(found):
        until = found[place + 1].start() if place + 1 < len(found) else len(text)
        stop = re.compile(r"\s*(?:[?!;:,(]|\.(?:\s|$)|$)").search(text, one.end(), until)
        end = stop.start() if stop else until
        parts.append((one["word"].lower(), one.end(), len(text[:end].rstrip())))
    return tuple(parts)


def alike(one: str, other: str) -> bool:
    """Whether two prepositions stand before the same kind of thing."""
    return one == other or any({one, other} <= words for words in _LIKE)


def ends_a_name(text: str) -> bool:
    """Whether *text*, which follows a name, leaves it the end of what is said, or goes on aside."""
    rest = text.strip()
    return not rest or rest[0] in ",;(?!." or bool(_PREPOSITION.match(rest))


_BEFORE_A_SUBJECT = re.compile(r"\b(?:of|in|for|by|from) (?:the )?$", re.IGNORECASE)


def is_subject(text: str, place: int) -> bool:
    """Whether a name at *place* of *text* is what is asked about: "the first stage of X"."""
    return bool(_BEFORE_A_SUBJECT.search(text[:place]))
