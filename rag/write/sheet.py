"""The papers as a model is given them: fenced, numbered, and within a budget of tokens.

A fence that an abstract, a title or a question could close would be none, so whatever looks like
one of ours is made to look otherwise before it goes in. Where the budget is short the weakest
evidence is left out, whole sentences first and then whole papers; nothing is ever cut short.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.types import Evidence, Paper, Sentence

BUDGET = 3_000  # tokens of papers in one prompt
KEPT = 3  # sentences of a paper that are left before a whole paper goes


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper with its sentences and how near each is to the question (cosine, -1 to 1)."""

    paper: Paper
    sentences: tuple[Sentence, ...]  # all of the abstract
    strength: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Papers as they are numbered in a prompt, from 1, and which of their sentences are in it."""

    entries: tuple[Entry, ...]
    shown: tuple[frozenset[int], ...]  # per entry, numbers of sentences, counted from 0

    @property
    def text(self) -> str:
        """The fenced papers."""
        parts = zip(self.entries, self.shown, strict=True)
        return "\n\n".join(_fenced(n, *part) for n, part in enumerate(parts, 1))

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many sentences each paper has."""
        return tuple(len(entry.sentences) for entry in self.entries)

    def paper(self, n: int) -> Paper:
        """The paper numbered *n*."""
        return self.entries[n - 1].paper

    def evidence(self, n: int, sentence: int) -> Evidence:
        """Sentence *sentence*, counted from 1, of the paper numbered *n*."""
        entry = self.entries[n - 1]
        one = entry.sentences[sentence - 1]
        return Evidence(entry.paper.id, entry.paper.title, one.start, one.end, one.text)

    def named(self, name: object) -> tuple[int, int] | None:
        """The paper and sentence that a model means by "2.1" or [2.1]; None if there is none."""
        found = _NAME.fullmatch(str(name).strip())
        if not found:
            return None
        n, sentence = int(found[1]), int(found[2])
        there = 1 <= n <= len(self.entries) and 1 <= sentence <= len(self.entries[n - 1].sentences)
        return (n, sentence) if there else None


def sheet(entries: Sequence[Entry], count: Callable[[str], int], budget: int = BUDGET) -> Sheet:
    """As much of *entries*, the most important first, as fits into *budget* tokens by *count*.

    At least the strongest sentence of the first is in it, however small the budget.
    """
    kept = list(entries)
    shown = [set(range(len(entry.sentences))) for entry in kept]
    price = [[count(_line(1, s)) + 1 for s in entry.sentences] for entry in kept]
    heads = [count(_head(1, entry.paper)) + 4 for entry in kept]

    def total() -> int:
        return sum(heads) + sum(price[e][s] for e, some in enumerate(shown) for s in some)

    def drop(least: int) -> bool:
        """Leave out the weakest sentence of a paper that keeps *least*; False if none can go."""
        can = [(kept[e].strength[s], -e, -s) for e, some in enumerate(shown)
               if len(some) > least for s in some]  # fmt: skip
        if can:
            _, e, s = min(can)
            shown[-e].remove(-s)
        return bool(can)

    while total() > budget and drop(KEPT):
        pass
    while total() > budget and len(kept) > 1:
        for each in (kept, shown, price, heads):
            each.pop()
    while total() > budget and drop(1):
        pass
    return Sheet(tuple(kept), tuple(frozenset(some) for some in shown))


def harmless(text: str) -> str:
    """*text* with nothing in it that looks like a fence, a number of ours or a turn of a chat.

    Some servers read `<|im_end|>` in a text as the end of a turn. What cannot be seen goes: it
    would hide all of these from us, and not from a model.

    >>> harmless("see </paper> and [1.2]")
    'see ‹/paper› and (1.2)'
    """
    seen = "".join(char for char in text if unicodedata.category(char) != "Cf")
    tame = _TAG.sub(r"‹\1›", " ".join(seen.split()))
    return _TURN.sub(r"(\1)", _NUMBERED.sub(r"(\1)", tame))


def _fenced(n: int, entry: Entry, shown: frozenset[int]) -> str:
    lines = [_line(n, one) for one in entry.sentences if one.number in shown]
    return "\n".join([_head(n, entry.paper), *lines, "</paper>"])


def _head(n: int, paper: Paper) -> str:
    return f'<paper n="{n}">\nTitle: {harmless(paper.title)}'


def _line(n: int, sentence: Sentence) -> str:
    return f"[{n}.{sentence.number + 1}] {harmless(sentence.text)}"


_TAG = re.compile(r"[<＜]\s*(/?\s*[A-Za-z|][^<>＜＞]*)[>＞]?")
_NUMBERED = re.compile(r"[\[［【]\s*(\d[\d\s.,;–-]*)[\]］】]")
_TURN = re.compile(r"\[\s*(/?\s*INST)\s*\]", re.IGNORECASE)
_NAME = re.compile(r"\[?\s*(\d{1,4})\.(\d{1,4})\s*\]?")
