"""A reading of a question by what it names, where its grammar is not one that clauses are cut by.

Names and quotations, amounts and kinds of paper are taken out; words that only ask are dropped; and
what is left is one topic, or one phrase where a question asks what is mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.listing.asking import ASK
from rag.listing.bounds import amount_asked
from rag.listing.criteria import Clause, Criteria, IsKind, Topic, Words
from rag.listing.joints import BRACKETS, QUOTED
from rag.listing.kinds import kind_asked
from rag.listing.mentions import form_of
from rag.listing.predicates import EMPTY, NEGATIVE
from rag.listing.wording import either
from rag.names import is_name_like
from rag.text import squeeze
from rag.words import STOPWORDS

_MOST_WORDS = 6  # content words of a name; a topic may have as many again
_NEVER = frozenset(  # no name and no topic holds these
    """
    i you me we us they them it he she their its his whose who whom which what when where how why
    whether if also only please list them those these this that there here somebody someone
    anybody anyone everybody everyone mention mentions mentioned mentioning papers paper abstract
    abstracts articles is are was were be been do does did don't doesn't can could would should may
    might has have had got get give name names named cite cites cited refer refers themselves
    """.split()
)
# What a topic may hold all the same: "models that can see", "how people use them".
_IN_TOPICS = frozenset(
    "that is are be been can when where how why whether if has have their its this there".split()
)
_LITERAL = re.compile(
    r"\b(?:mention|nam(?:e|es|ed|ing)\b|cit(?:e|es|ed|ing)\b|refer|invok|namedrop|word|term\b|terms\b"
    r"|phrase|expression|say|spell|contain|appear|occur|(?:turn|pop|crop|show)s? up"
    r"|(?:bring|brought)s? .{0,12}up)",
    re.IGNORECASE,
)
_JOINS = frozenset("of for in on with to by from via without under and or as than at the a".split())
_WORD = re.compile(r"[^\s,;:?!()\[\]\"]+")
_EITHER = re.compile(r"\bany of\b|\beither\b|\bor\b|\bone of\b", re.IGNORECASE)
_KINDS_JOIN = either("and or the are is of which that")


def is_junk(criteria: Criteria) -> bool:
    """Whether some clause holds words that no criterion is made of.

    >>> bad, good = (Criteria((Clause((Topic(t, (t,)),)),)) for t in ("them deal", "pruning"))
    >>> is_junk(bad), is_junk(good)
    (True, False)
    """
    return any(
        any(map(_junk_name, one.alternatives))
        if isinstance(one, Words)
        else isinstance(one, Topic) and _junk_topic(one.text)
        for clause in criteria.clauses
        for one in clause.any_of
        if not (isinstance(one, Words) and one.exact)
    )


def _junk_name(spellings: tuple[str, ...]) -> bool:
    words = spellings[-1].lower().split()
    content = [word for word in words if word not in STOPWORDS]
    return (
        not _NEVER.isdisjoint(words)
        or len(content) > _MOST_WORDS
        or _unbalanced(spellings[0])
        or (len(words) > 1 and words[-1] in _JOINS)
    )


def _junk_topic(text: str) -> bool:
    words = [word.strip(",.;:?!()\"'") for word in text.lower().split()]
    if words and (words[0] in _NO_FIRST or any(map(_SHORTENED.fullmatch, words))):
        return True
    content = [word for word in words if word and word not in STOPWORDS | ASK]
    return (
        not (_NEVER - _IN_TOPICS).isdisjoint(words)
        or not content
        or len(content) > 2 * _MOST_WORDS
        or _unbalanced(text)
    )


_NO_FIRST = frozenset(  # no topic begins with these
    """
    literature stuff dealing around been written phrase namedropping namedrop mentioning citing
    naming among whoever whatever whichever material touching discussing talking speaking somehow
    about on regarding tested evaluated anything everything something
    """.split()
)
_SHORTENED = re.compile(r"(?:i|you|we|they|it|he|she|who|there)'\w+")
# Verbs and askings that are nouns in front of another word: question answering, state space.
_NOUNS_TOO = frozenset(
    """
    question answer state text test type word library set result call run report experiment form
    name list version point subject title study hand group team work line direction
    """.split()
)


def _unbalanced(text: str) -> bool:
    return text.count("(") != text.count(")")


def bag_criteria(text: str) -> Criteria | None:
    """The criteria that the names and content words of folded *text* make, if there are any.

    >>> [c.any_of[0].alternatives for c in bag_criteria("where does GPT-4o turn up?").clauses]
    [(('GPT-4o',),)]
    """
    positive, *negative = NEGATIVE.split(text)
    found = [*_bagged(positive, beside=False)]
    for part in negative:
        found += [Clause(c.any_of, negated=True) for c in _bagged(part, beside=True)]
    return Criteria(tuple(found)) if any(not clause.negated for clause in found) else None


def _bagged(text: str, *, beside: bool) -> Iterator[Clause]:
    """Clauses of one part; with *beside* a part that is ruled out, and holds one thing."""
    quoted = [double or single for double, single in QUOTED.findall(text)]
    text = BRACKETS.sub(" ", QUOTED.sub(" ", text))
    if quoted:
        yield from _joined([(phrase,) for phrase in quoted], text, exact=True)
    if amount := amount_asked(text, text):
        yield Clause((amount[0],))
        text = amount[1]
    if kind := kind_asked(text):
        yield Clause((IsKind(kind[0].name),))
        text = squeeze(f"{text[: kind[1][0]]} {text[kind[1][1] :]}")
        text = re.sub(rf"^\W*(?:{_KINDS_JOIN}\b\W*)+", "", text)
    names, rest = _names(text)
    if names:
        yield from _joined([(name,) for name in names], text, exact=False)
    left = _content(rest)
    if not left or ((names or quoted) and _LITERAL.search(text)):
        return
    if _LITERAL.search(text) and not amount and not kind:
        yield Clause((Words(((left,),)),))
    else:
        yield Clause((Topic(left, tuple(_topic_parts(left))),))


def _joined(names: list[tuple[str, ...]], text: str, *, exact: bool) -> Iterator[Clause]:
    """*names* as alternatives where "or" joins them, else as so many clauses."""
    if len(names) > 1 and _EITHER.search(text):
        yield Clause((Words(tuple(names), exact=exact),))
        return
    yield from (Clause((Words((name,), exact=exact),)) for name in names)


def _names(text: str) -> tuple[list[str], str]:
    """Runs of words written as names, and *text* with "|" in their place."""
    runs: list[list[str]] = []
    rest: list[str] = []
    before_is_name = False
    for number, word in enumerate(text.split()):
        bare = word.strip(",.;:?!()\"'").removesuffix("'s")
        capital = number > 0 and re.fullmatch(r"[A-Z][\w.+#-]*", bare) is not None
        digits = before_is_name and re.fullmatch(r"v?\d[\d.]*[a-zA-Z]?", bare) is not None
        named = bool(bare) and (is_name_like(bare) or capital or digits)
        if named and bare.lower() in STOPWORDS | ASK | {"llm", "llms"}:
            named = False
        if named and before_is_name:
            runs[-1].append(bare)
        elif named:
            runs.append([bare])
        rest.append("|" if named else word)
        before_is_name = named and word[-1] not in ",;:?!)"
    forms = (form_of(" ".join(run)) for run in runs)
    return list(dict.fromkeys(filter(None, forms))), " ".join(rest)


def _content(text: str) -> str:
    """*text* without words that only ask, small words kept between two that say something."""
    kept: list[str] = []
    waiting: list[str] = []
    words = _WORD.findall(text)
    for word, following in zip(words, [*words[1:], "|"], strict=False):
        lower = word.lower().strip(".'")
        if lower in _JOINS and kept:
            waiting.append(lower)
        elif lower in _NOUNS_TOO and following.lower() not in ASK | STOPWORDS | _JOINS | {"|"}:
            kept += [*waiting, word]
            waiting = []
        elif lower == "|" or lower in ASK | STOPWORDS or _SHORTENED.fullmatch(lower):
            waiting = []
        elif lower:
            kept += [*waiting, word.strip(".'")]
            waiting = []
    said = [word for word in kept if word.lower() not in _JOINS]
    return " ".join(kept) if any(word.lower() not in EMPTY for word in said) else ""


def _topic_parts(text: str) -> list[str]:
    parts = [part.strip() for part in re.split(r"\s+or\s+", text) if part.strip()]
    return list(dict.fromkeys(parts))
