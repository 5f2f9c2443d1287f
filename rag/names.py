"""Names of systems, models and data sets: found in abstracts, recognised in questions.

A name is a word that writing conventions mark: an inner capital (MegaScale), all capitals (MATES),
letters with digits (M6, GPT-4), a sign (ZeRO++), or whatever stands before the colon of a title.
A paper *introduces* the names of its title and of the sentences in which it says what it proposes;
every other name in its abstract is only *mentioned*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.text import fold
from rag.words import STOPWORDS, compounds

LONGEST_PREFIX = 5  # words before a title's colon that may be a name as a whole

_INTRODUCES = re.compile(
    r"\b(?:propos|present|introduc|develop|design|releas|construct|creat|build|built|unveil"
    r"|call|nam(?:e|ed|ely)\b|dub|term|coin|describ|devis|contribut|curat|offer|open-sourc)",
    re.IGNORECASE,
)
_NAME_LIKE = re.compile(
    r"""
      .*[a-z].*[A-Z].*        # an inner capital: MegaScale, vLLM, iRangeGraph
    | .*[A-Z].*[A-Z].*        # two capitals or more: MATES, IC-IFD, LoRA
    | (?=.*[^\W\d_]).*\d.*    # letters with digits: M6, o1, GPT-4
    | .*(?:\+\+|\#)           # C++, ZeRO++
    """,
    re.VERBOSE,
)
# Quantities: 7B, 3.5x, 40GB, 10s, 4-bit, 5-shot, 175-billion-parameter.
_UNIT = re.compile(
    r"\d[\d.]*(?:(?i:[kmbtxds]|st|nd|rd|th|[kmgt]b|[kmg]?bps|[kmg]?hz|ms|fps|bit|times)s?(?:-.*)?"
    r"|-[a-z].*)"
)
_KEY = re.compile(r"[^\w+#]|_")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Name:
    """A name as one paper writes it."""

    key: str  # how names are compared: no case, no hyphens, no spaces
    surface: str
    introduced: bool


def key_of(surface: str) -> str:
    """The form under which two spellings are the same name.

    >>> key_of("IC-IFD"), key_of("ZeRO++"), key_of("VideoMAE V2")
    ('icifd', 'zero++', 'videomaev2')
    """
    return _KEY.sub("", fold(surface)).casefold()


def is_name_like(word: str) -> bool:
    """Whether writing conventions mark *word* as a name; quantities ("7B", "3.5x") are not.

    >>> [is_name_like(w) for w in ("MegaScale", "GPT-4", "o1", "7B", "Transformer", "3.5x")]
    [True, True, True, False, False, False]
    """
    return bool(_NAME_LIKE.fullmatch(word)) and not _UNIT.fullmatch(word)


@lru_cache(maxsize=4096)
def names_in(title: str, abstract: str) -> tuple[Name, ...]:
    """The names a paper introduces or mentions, each key once, introduced before mentioned."""
    found: dict[str, Name] = {}
    for surface in (*_title_names(title), *_introduced_in(abstract)):
        _keep(found, surface, introduced=True)
    for surface in _surfaces(abstract):
        _keep(found, surface, introduced=False)
    return tuple(found.values())


def is_owned(name: str, title: str, abstract: str) -> bool:
    """Whether the paper says that *name* is its own: in its title, or where it says "we propose".

    Stricter than `names_in`, which takes every name near such words for introduced: a paper that
    presents "a method on top of LoRA" does not own LoRA.

    >>> is_owned("S4", "Long Sequences", "We propose the state space model (S4), unlike LSSL.")
    True
    >>> is_owned("LSSL", "Long Sequences", "We propose the state space model (S4), unlike LSSL.")
    False
    """
    key = key_of(name)
    if any(key_of(own) == key for own in _title_names(title)):
        return True
    text = fold(abstract)
    written = {found[0] for found in _anywhere(name).finditer(text)}
    return any(
        _claims(surface).search(text) for surface in sorted(written) if surface.lower() != surface
    )


@lru_cache(maxsize=4096)
def _anywhere(name: str) -> re.Pattern[str]:
    words = r"[\s-]*".join(re.escape(word) for word in re.split(r"[\s-]+", name))
    return re.compile(rf"(?<![\w-]){words}(?![\w+#])(?!-\w)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def _claims(surface: str) -> re.Pattern[str]:
    """How a paper says that *surface* is what it brings."""
    name = rf"(?<![\w-]){re.escape(surface)}(?![\w+#])(?!-\w)"
    verb = (
        r"(?:(?:propos|introduc|releas|describ|creat|construct|curat|produc|provid|nam)(?:e|es|ed)"
        r"|(?:present|develop|contribut|design|unveil|offer|call|term|coin)(?:e?s|e?d|e)?"
        r"|buil[dt]s?|dub(?:s|bed)?|termed|referred to as)"
    )
    # Up to nine words, none of which leads over to somebody else's thing.
    between = (
        r"(?:\W+(?!(?:on|with|using|over|than|against|by|like|unlike|from|to|via|under"
        r"|outperform\w*)\b)"
        r"[\w+#.'-]+){0,9}?"
    )
    return re.compile(
        rf"\b{verb}{between}\W+{name}"
        rf"|\b[Oo]ur\s+(?:[\w-]+\s+){{0,3}}{name}"
        rf"|(?:^|[.!?]\s+){name}\s+(?:is|are|was|an?|the|consists?|comprises?|contains?)\b"
        rf"|(?<!\bthan )(?<!\bover )(?<!\blike )(?<!\bwith ){name},\s+(?:an?|the first|our|which)\b"
    )


def asked_names(question: str) -> tuple[tuple[str, str], ...]:
    """What could be a name in *question*: (key, surface) of runs of one to five words.

    Ordinary words are among them: only a collection knows whether "calm" is a paper's system.
    """
    words = compounds(question)
    found: dict[str, str] = {}
    for length in range(1, LONGEST_PREFIX + 1):
        for start in range(len(words) - length + 1):
            run = words[start : start + length]
            edged = run[0].lower() in STOPWORDS or run[-1].lower() in STOPWORDS
            if edged and not any(is_name_like(word) for word in run):
                continue
            surface = " ".join(run)
            found.setdefault(key_of(surface), surface)
    return tuple((key, surface) for key, surface in found.items() if len(key) > 1)


def marked_names(question: str) -> tuple[str, ...]:
    """The words of *question* that are written as names, as written, each once.

    A question typed all in capitals marks nothing.
    """
    words = compounds(question)
    letters = [word for word in words if word.isalpha()]
    if (
        letters
        and sum(word.isupper() for word in letters) > 0.6 * len(letters)
        and len(letters) > 3
    ):
        return ()
    # Shouted words of a short question, and "IT" and "US", name nothing that could be missed.
    marked = (w for w in words if is_name_like(w) and w.lower() not in STOPWORDS)
    return tuple(dict.fromkeys(marked))


def _title_names(title: str) -> Iterator[str]:
    prefix, colon, _ = fold(title).partition(":")
    if colon and len(prefix.split()) <= LONGEST_PREFIX:
        yield " ".join(compounds(prefix))
    # Titles capitalise every word, so that "Multi-Step" in one is no sign of a name.
    yield from (name for name in _surfaces(title) if not _TITLE_CASE.fullmatch(name))


def _introduced_in(abstract: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(abstract):
        found = _INTRODUCES.search(sentence)
        if found:
            yield from _surfaces(sentence[max(0, found.start() - 60) :])


def _surfaces(text: str) -> Iterator[str]:
    """Name-like words of *text*, and with the number that follows them ("Llama 2")."""
    words = [part for word in compounds(text) for part in _SLASH.split(word)]
    for place, word in enumerate(words):
        if is_name_like(word):
            yield word
        if word[:1].isupper() and place + 1 < len(words) and _VERSION.fullmatch(words[place + 1]):
            yield f"{word} {words[place + 1]}"


def _keep(found: dict[str, Name], surface: str, *, introduced: bool) -> None:
    key = key_of(surface)
    if len(key) > 1 and key not in found:
        found[key] = Name(key, surface, introduced)


_SLASH = re.compile("/")
_TITLE_CASE = re.compile(r"[A-Z][a-z]+(?:-[A-Z]?[a-z]+)+")
_VERSION = re.compile(r"[vV]?\d(?:\.\d+)?")
