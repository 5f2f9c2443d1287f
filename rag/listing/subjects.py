"""Topics: the phrases that a question says papers are about, and what it names as examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.listing.asking import ASK
from rag.listing.criteria import Clause, Topic, Words
from rag.listing.frames import ONLY_ASKS
from rag.listing.joints import BRACKETS, LISTED
from rag.listing.predicates import EMPTY
from rag.listing.terms import words_of
from rag.names import is_name_like
from rag.text import squeeze
from rag.words import STOPWORDS

PREPOSITIONS = re.compile(
    r"^(?:(?:(?:that|which) (?:test|evaluate|measure|assess|probe|cover)s?|(?:the )?(?:subject"
    r"|theme|topic|issue|matter|field|area|domain) of|on|about|around|of|for|in|with"
    r"|that|which|are|is|to|from|covering|regarding|concerning"
    r"|related to|dealing with|deal with|research on|exist(?:s|ing)?(?= (?:about|on|for)\b)"
    r"|relat(?:ed|ing) to|look(?:ing)? into|having|who|a|an|the|and|or|using|aimed at|at|by"
    r"|where|as"
    r"|work on|focus(?:ed|ing)? on|specifically|specially|target(?:s|ing)?|test(?:s|ing)"
    r"|evaluating|measuring|assessing)\s+)+",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"(?:\s+(?:to (?:train|tune|use|test|evaluate|run|work|build)(?: (?:on|with|it|them))?|with"
    r"|of|for|on|in|at|to|that|which|have|has|are|is|and|or|by|from|the|a|an))+$",
    re.IGNORECASE,
)
_AREA = re.compile(
    r" (?:field|area|domain|community|literature|topic|work|works|research|stuff)$", re.IGNORECASE
)
_OTHER_THAN = re.compile(
    r"^(?P<head>.+?) (?:for|of|in|on) (?:something|anything|things|stuff|domains?|tasks?|data"
    r"|models?|settings?) (?:other than|besides|beyond|but|except|apart from|outside(?: of)?)"
    r" [^:(,]+[:(,]?\s*(?P<examples>.*?)\)?$",
    re.IGNORECASE,
)
_BOTH = re.compile(r"^both (.+?) (?:and|as well as) (.+)$", re.IGNORECASE)
_SUCH_AS = re.compile(
    r",?\s+(?:such as|like|e\.g\.,?|including|for example|for instance)\s+", re.IGNORECASE
)
_MEANING = re.compile(  # "text-to-SQL, turning questions into queries": told again, not another
    r", (?:for|in|on|with|whether|be it|i\.e\.|that is|meaning|namely|(?-i:[a-z]+ing)"
    r" (?!or\b|and\b)[\w-]+ (?:into|to|from|by|with))\b.*$"
    r"|,? (?:instead of|rather than) (?-i:[a-z]+ing)\b.*$",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?:it|them|that|this|these|those)\b", re.IGNORECASE)
_TOPIC_OR = re.compile(
    r"\s*,\s*(?:(?:and|or)\s+)?|\s+(?:or|and/or)\s+|\s+/\s+|(?<=[A-Za-z]{3})/(?=[A-Za-z]{3})",
    re.IGNORECASE,
)


_NO_SUBJECT = frozenset("none nothing nobody anything something everything".split())


def subject(rest: str) -> Iterator[Clause]:
    """A topic of what is left of a clause, if that says anything."""
    left = PREPOSITIONS.sub("", squeeze(rest).strip(" ,.;:?!-/()"))
    if any(word.lower() not in EMPTY | STOPWORDS | ASK for word in words_of(left)):
        yield from topic(left)


def topic(rest: str) -> Iterator[Clause]:
    """Topics: "X or Y" is one with alternatives, "both X and Y" are two."""
    if other := _OTHER_THAN.match(rest):  # "scaling laws for something other than text: images, …"
        yield from topic(other["head"])
        others = tuple((phrase,) for phrase in _phrases(other["examples"]))
        yield Clause((Words(others),) if others else ())
        return
    if name := spelled_out_too(rest):  # "Monte Carlo tree search (MCTS)" is a name
        yield Clause((Words(tuple((spelling,) for spelling in name)),))
        return
    if both := _BOTH.match(rest):
        yield from (clause for part in both.groups() for clause in topic(part))
        return
    inside = " , ".join(BRACKETS.findall(rest))
    plain, _, after = squeeze(BRACKETS.sub(" ", rest)).partition(":")
    plain, *more = _SUCH_AS.split(_MEANING.sub("", plain), maxsplit=1)
    listed = [inside, "" if _PRONOUN.search(after) else after, *more]
    examples = [phrase for part in listed for phrase in _phrases(LISTED.sub(" ", part))]
    alternatives = _phrases(_with_heads(plain))
    alternatives += [part for part in _joined_topics(plain) if part not in alternatives]
    if alternatives:
        text = PREPOSITIONS.sub("", _DANGLING.sub("", squeeze(plain).strip(" ,.;:?!-")))
        yield Clause((Topic(text, tuple(alternatives), tuple(examples)),))


_TWO_NAMES = re.compile(
    r"^\W*(?P<one>[\w+-]+(?: [\w+-]+){0,5}?)\s*(?:[(,/]|\bor\b|\baka\b)\s*(?:(?:or|i\.e\.|aka)\s+)?"
    r"(?P<two>[\w+-]+(?: [\w+-]+){0,5}?)\s*\)?\W*(?:(?:abbreviated|spelled|spelt|written|in full"
    r"|acronym)\b.*)?$",
    re.IGNORECASE,
)


def spelled_out_too(text: str) -> tuple[str, str] | None:
    """An acronym and what it stands for, where *text* is no more than that.

    >>> spelled_out_too("monte carlo tree search (MCTS)"), spelled_out_too("pruning (LLMs)")
    (('MCTS', 'monte carlo tree search'), None)
    """
    found = _TWO_NAMES.match(text)
    if not found:
        return None
    for short, long in (found.groups(), found.groups()[::-1]):
        letters = [part[0] for part in re.split(r"[\s-]+", long) if part]
        own = short.removesuffix("s")
        if own.isupper() and len(letters) > 1 and own.lower() == "".join(letters).lower():
            return short, long
    return None


def _joined_topics(text: str) -> list[str]:
    """The parts of two topics that "and" joins: "recommender systems and CTR prediction"."""
    parts = [PREPOSITIONS.sub("", part.strip(" ,.;:?!-")) for part in text.split(" and ")]
    if len(parts) != 2 or any(map(_TOPIC_OR.search, parts)) or not all(parts):
        return []
    sizes = [len(words_of(part)) for part in parts]
    whole = all(size > 1 or is_name_like(part) for size, part in zip(sizes, parts, strict=True))
    return parts if max(sizes) <= 3 and (whole or max(sizes) == 1) else []


def _with_heads(text: str) -> str:
    """ "parallel / HPC code in C" as "parallel code in C / HPC code in C"."""  # noqa: D210
    parts = re.split(r"\s+/\s+", text)
    phrase, tail = _apart(_DANGLING.sub("", parts[-1]))
    head = phrase.split()
    if len(parts) == 1 or len(head) < 2:
        return text
    return " / ".join((*(f"{part} {head[-1]}{tail}" for part in parts[:-1]), parts[-1]))


def _apart(phrase: str) -> tuple[str, str]:
    """*phrase* before its first preposition, and the rest."""
    end = _SAYS_WHERE.search(phrase)
    return (phrase[: end.start()], end[0]) if end else (phrase, "")


_MOST_WORDS_APART = 9


def _describes(text: str) -> bool:
    """Whether *text* is a description in which "or" joins only a few of its words."""
    return len(text.split()) > _MOST_WORDS_APART and "," not in text


_SAYS_WHERE = re.compile(r" (?:for|in|of|on|about|with|by|from) (?!the$).+$", re.IGNORECASE)


def _shared(phrases: Sequence[str]) -> list[str]:
    """*phrases* with the end of the last one on those that say nothing without it.

    >>> _shared(["LLMs", "embeddings for finance"])
    ['LLMs for finance', 'embeddings for finance']
    """
    end = _SAYS_WHERE.search(phrases[-1]) if phrases else None
    if not end:
        return list(phrases)
    empty = EMPTY | {"embeddings", "agents", "transformers"}
    return [f"{p}{end[0]}" if empty.issuperset(p.lower().split()) else p for p in phrases]


def _phrases(text: str) -> list[str]:
    """The alternatives in *text*, without leading prepositions and articles, each once."""
    said = [text] if _describes(text) else _TOPIC_OR.split(text)
    parts = (squeeze(part).strip(" ,.;:?!-()\"'") for part in said)
    bare = [_AREA.sub("", _DANGLING.sub("", PREPOSITIONS.sub("", part))) for part in parts]
    found = [
        part
        for part in bare
        if len(part) > 1 and not ONLY_ASKS.match(part) and part.lower() not in _NO_SUBJECT
    ]
    last = found[-1].split() if found else []
    if len(last) > 1 and last[0].endswith("ing"):  # "selecting or filtering data": selecting data
        tail = " ".join(last[1:])
        found = [f"{p} {tail}" if p.endswith("ing") and " " not in p else p for p in found]
    return list(dict.fromkeys(_shared(found)))
