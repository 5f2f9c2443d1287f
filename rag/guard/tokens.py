"""Words of a sentence with their places, as the checks compare them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.text import fold
from rag.words import STOPWORDS, stem

_WORD = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+"  # a number, its unit apart
    r"|[^\W\d_](?:[^\W_]|['’](?=[^\W_])|\.(?=\d))*(?:\+\+|#)?"  # a word, a name with digits
)
_BREAK = re.compile(r"[;:()—]|,|\b(?:and|but|while|whereas|yet|although|though)\b", re.IGNORECASE)
# What carries no content beside the stop words, in the prose of abstracts.
_EMPTY = frozenset(
    stem(word)
    for word in """
    approach based called method methods model models new novel propose proposed present presented
    introduce introduced results result task tasks system systems turn turns found find finds also
    respectively well even still already yet around roughly about nearly almost which thus thereby
    """.split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word; `start` and `end` are its place in the text that was read."""

    lower: str
    stem: str
    start: int
    end: int
    clause: int  # counts from 0; clauses are cut at commas, brackets and conjunctions
    content: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence that was read, and where it stands in its abstract (None: it is the title)."""

    text: str
    tokens: tuple[Token, ...]
    offset: int | None

    def place_of(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of the abstract for tokens from *start* to before *end*."""
        if self.offset is None:
            return None
        return self.offset + self.tokens[start].start, self.offset + self.tokens[end - 1].end

    def words(self, start: int, end: int) -> str:
        """The text of tokens from *start* to before *end*."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end]


@lru_cache(maxsize=8192)
def tokens(text: str) -> tuple[Token, ...]:
    """The words of *text* in order; hyphenated ones fall apart, so that spellings agree.

    >>> [token.stem for token in tokens("It cuts 12,288 GPUs' cost; fine-tuning in C++.")]
    ['it', 'cut', '12288', 'gpu', 'cost', 'fine', 'tune', 'in', 'c++']
    """
    breaks = [found.start() for found in _BREAK.finditer(text)]
    found: list[Token] = []
    clause = 0
    for match in _WORD.finditer(text):
        while clause < len(breaks) and breaks[clause] < match.start():
            clause += 1
        lower = fold(match[0]).lower().replace("’", "'").replace(",", "").removesuffix("'s")
        root = stem(lower)
        content = lower not in STOPWORDS and root not in _EMPTY
        found.append(Token(lower, root, match.start(), match.end(), clause, content))
    return tuple(found)


def passages(title: str, sentences: Sequence[tuple[int, str]]) -> tuple[Passage, ...]:
    """The *sentences* of an abstract, (start, text) each, and its *title* last."""
    read = [Passage(text, tokens(text), start) for start, text in sentences]
    return (*read, Passage(title, tokens(title), None))
