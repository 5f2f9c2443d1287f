"""Kinds of paper and what papers bring: benchmarks, data sets, tools, and what those are for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.listing.criteria import Brings, Clause, Field, IsKind, Words
from rag.listing.joints import BRACKETS
from rag.listing.kinds import BROUGHT, kind_asked
from rag.listing.subjects import PREPOSITIONS, subject, topic
from rag.text import squeeze

BROUGHT_NOUN = re.compile(
    r"^(?:\w+ )*?(?:benchmarks|datasets|data sets|corpora|leaderboards|optimizers|libraries"
    r"|toolkits)\b(?! (?:of|like) [A-Z])",
    re.IGNORECASE,
)
_HEAD_END = re.compile(
    r"\s(?:(?:target|cover|test|measur|assess|evaluat(?!ion)|focus|contain)\w*|has|have|are|for|of|on|to"
    r"|that|which|with|in|about|from|where|by|aimed|designed|based|using|specifically)\b",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"^(?:(?:an?|the|their|its|own|new|novel|first|original|some|any|several|two|three|public|open"
    r"|open-source|at least one|one|more|completely|brand-new)\s+)+",
    re.IGNORECASE,
)
_HOSTS = frozenset("github huggingface gitlab zenodo kaggle".split())  # where code is put
_PLAIN_METHOD = frozenset(  # nearly all papers bring one
    """
    method methods approach approaches technique techniques way ways algorithm algorithms solution
    solutions strategy strategies idea ideas paradigm scheme recipe mechanism mechanisms
    """.split()
)


def kind_clauses(part: str, where: Field) -> Iterator[Clause] | None:
    """A clause for the kind of paper that *part* asks for and one for its subject, if it does."""
    asked = kind_asked(part)
    if not asked:
        return None
    kind = asked[0]
    rest = re.sub(r"^\W*(?:/|or|and)\W", " ", squeeze(kind.asked.sub(" ", part)))
    clause = Clause((IsKind(kind.name, where),))
    place = PREPOSITIONS.sub("", squeeze(rest))
    if place.lower() in _HOSTS:
        return iter((clause, Clause((Words(((place,),)),))))
    return _with_subject(clause, rest)


_RELEASED = frozenset("repo repository code weight checkpoint".split())


def brought(rest: str) -> Iterator[Clause]:
    """What a paper brings: the noun, and what it is for or of as a topic."""
    plain = squeeze(BRACKETS.sub(" ", rest))
    cut = _HEAD_END.search(plain)
    head, tail = (plain[: cut.start()], plain[cut.start() :]) if cut else (plain, "")
    words = _NEW.sub("", head.strip()).split()
    if not words:
        return topic(rest)
    if words[-1].lower() in _PLAIN_METHOD:
        return topic(" ".join((*words[:-1], tail)).strip())
    *others, last = re.split(r" (?:or|and/or|/) ", " ".join(words))
    noun, modifiers = _noun_and_modifiers(last.split())
    if noun in _RELEASED:
        return iter((Clause((IsKind("open release"),)),))
    beside = [_noun_and_modifiers(_NEW.sub("", other).split()) for other in others]
    brought = tuple(Brings(each) for each in (*(each for each, _ in beside), noun))
    modifiers = (*(word for _, words in beside for word in words), *modifiers)
    if len(modifiers) == 1 and not tail.strip() and modifiers[0][:1].isupper():  # "a Python tool"
        return iter((Clause(brought), Clause((Words(((modifiers[0],),)),))))
    return _with_subject(Clause(brought), " ".join((*modifiers, tail)))


def _noun_and_modifiers(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The longest known noun at the end of *words*, in the singular, and the words before it."""
    for count in (2, 1):
        noun = " ".join(singular_of(word.lower()) for word in words[-count:])
        if len(words) >= count and noun in BROUGHT:
            return noun, words[:-count]
    return singular_of(words[-1].lower()), words[:-1]


def singular_of(word: str) -> str:
    """*word*, a noun in small letters, in the singular."""
    if word == "corpora":
        return "corpus"
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _with_subject(clause: Clause, rest: str) -> Iterator[Clause]:
    yield clause
    yield from subject(rest)
