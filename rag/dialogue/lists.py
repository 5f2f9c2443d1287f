"""What a question wants of the list just shown: fewer of it, their number, the papers. Pure rules.

Texts are as `rag.text.fold` and `squeeze` leave them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.dialogue.cue import COMPARATIVE, has_predicate, subject_words, without_opener
from rag.dialogue.reference import predicate
from rag.listing.frames import unframed

_OF_THEM = (
    r"(?:(?:them|these|those|the (?:papers|ones))(?: papers| ones)?"
    r"|of (?:them|these|those)(?: papers| ones)?)"
)
_OF_THE_LIST = re.compile(
    r"^\W*(?P<count>how many|which|who|any|what)(?: ones)?(?: of)?"
    rf" {_OF_THEM}\s+(?P<rest>\w.*)$",
    re.IGNORECASE,
)
_PLURAL = (
    r"(?:are|were|have|use|mention|report|study|propose|present|train|release|discuss|evaluate"
    r"|work|deal|focus|involve|concern|apply|show|need|rely|test|consider|cover|prove"
    r"|give|offer|provide|come|contain|hold|run|build|make|say|tell|reach|beat|cost|exist"
    r"|do(?:n't| not)|did(?:n't| not)|aren't|haven't|weren't)"
)
_ABOUT = r"(?:about|on|concerning|regarding|dealing with)"
_ONLY = re.compile(
    r"^\W*(?:(?:show|give|list|keep|i want|i need)(?: me)? )?(?:only|just)"
    r"(?: (?:the )?(?:ones|papers)\b| those| these)?(?P<rest> .*?)(?: only| please)?$"
    r"|^\W*(?:only |just )?(?:the ones|those)(?P<ones> .*?)(?: only| please)?$"
    rf"|^\W*(?P<that>(?:that|which|who)(?: ones)? {_PLURAL}\b.*)$"
    rf"|^\W*(?P<about>{_ABOUT} .*) only$",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"^\W*(?:(?:show|give|list)(?: me)? )?(?:(?:but|only|just)(?: the)?(?: ones)? )?"
    r"(?:not|excluding|except(?: for| the ones)?|without|minus|no(?! (?:of|i|one|way|it|we)\b)"
    r"|nothing|leave out|leaving out|exclude|drop|remove)(?: any| the)?(?: ones| papers)?"
    rf"(?P<about> {_ABOUT})? (?P<what>[^,;:]+)$",
    re.IGNORECASE,
)
_PLEASE = r",? (?:please|pls|plz)\b"
_WHO = re.compile(r"^(?:that|which|who)(?: ones)? ", re.IGNORECASE)
_NEGATED = re.compile(r"^(?:are|do|did|have|were)(?:n't| not)\b|^(?:not|without)\b", re.IGNORECASE)
_MOST_OF_A_TOPIC = 6  # words


@dataclass(frozen=True, slots=True)
class Narrowed:
    """One more condition on the papers of a list."""

    predicate: str  # "are about vision", "use RL"
    counts: bool = False  # only their number is asked for
    excludes: bool = False

    @property
    def joint(self) -> str:
        """The word with which the condition follows another one."""
        return "but" if self.excludes else "and"


def narrowed(text: str) -> Narrowed | None:
    """What *text*, said after a list, asks of its papers; None if it asks for something else.

    >>> narrowed("only the ones about vision").predicate, narrowed("not diffusion").predicate
    ('are about vision', 'are not about diffusion')
    """
    rest = re.sub(_PLEASE, "", without_opener(text)[0].rstrip(" ?.!"), flags=re.IGNORECASE)
    return of_the_list(rest) or _excluded(rest) or _only(rest)


def of_the_list(text: str) -> Narrowed | None:
    """The same where *text* says that it is of "those" or "them"."""
    found = _OF_THE_LIST.match(without_opener(text)[0].rstrip(" ?.!"))
    if not found:
        return None
    excludes = bool(_NEGATED.match(found["rest"]))
    return Narrowed(found["rest"], found["count"].lower() == "how many", excludes)


def _excluded(text: str) -> Narrowed | None:
    found = _NOT.match(text)
    what = found["what"] if found else ""
    if not _is_topic(what):
        return None
    return Narrowed(f"are not about {what}", excludes=True)


def _only(text: str) -> Narrowed | None:
    found = _ONLY.match(text)
    if not found:
        return None
    said = found["that"] or found["rest"] or found["ones"] or found["about"] or ""
    said = _WHO.sub("", said.strip())
    excludes = bool(_NEGATED.match(said))
    if re.search(rf"\b{COMPARATIVE}\b", said) or not subject_words(said):
        return None
    if re.match(rf"{_PLURAL}\b", said, re.IGNORECASE):
        return Narrowed(said, excludes=excludes)
    about = re.match(rf"(?P<no>not )?(?:{_ABOUT}) (?P<what>.+)$", said, re.IGNORECASE)
    if about:
        no = "not " if about["no"] else ""
        return Narrowed(f"are {no}about {about['what']}", excludes=bool(no))
    verb = re.match(r"(?P<verb>with|from|in|using|by)\b (?P<what>.+)$", said, re.IGNORECASE)
    if verb:
        plural = {"with": "have", "using": "use"}.get(verb["verb"].lower())
        return Narrowed(f"{plural} {verb['what']}" if plural else f"are {said}")
    kind = re.match(r"the (?P<kind>.+) (?:ones|papers)$", said, re.IGNORECASE)
    if kind:
        return Narrowed(f"are {kind['kind']}")
    return Narrowed(f"are about {said}") if _is_topic(said) else None


def _is_topic(text: str) -> bool:
    """Whether *text* can be what papers are about."""
    few = 0 < len(text.split()) <= _MOST_OF_A_TOPIC
    return few and not has_predicate(text) and bool(subject_words(text))


_HOW_MANY = re.compile(
    r"^\W*(?:(?:and|so|ok|but) )*(?:how many(?: (?:papers|ones|of them|of those))?"
    r"(?: (?:are|is) (?:there|that|they|those))?(?: (?:in total|in all|altogether|overall))?"
    r"|count(?: them| those| the papers)?|what(?:'s| is) the (?:count|number|total)"
    r"|number of (?:papers|them)|the (?:count|number|total))\W*$",
    re.IGNORECASE,
)
_THE_PAPERS = re.compile(
    r"^\W*(?:(?:and|so|ok|but) )*(?:which(?: ones| papers| are they)?|what are they"
    r"|(?:list|show|name|give)(?: me)? (?:them|those|the list)(?: all)?)\W*$",
    re.IGNORECASE,
)
_WHICH_PAPERS = re.compile(r"^\W*(?:which|what) (?=\w)", re.IGNORECASE)
_LIST_PAPERS = re.compile(
    r"^\W*(?:(?:please|can you|could you) )*(?:(?:list|show|find|give|name)(?: me)? )?"
    r"(?:(?:all|the|any|some) )*(?=papers?\b)|^\W*are there (?:any )?(?=papers?\b)",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"^\W*how many ", re.IGNORECASE)


def wants_count(text: str) -> bool:
    """Whether *text* asks no more than how many those just listed are."""
    return bool(_HOW_MANY.match(text))


def wants_papers(text: str) -> bool:
    """Whether *text* asks no more than which those just counted are."""
    return bool(_THE_PAPERS.match(text))


def as_count(listed: str) -> str:
    """The question *listed*, asked for papers, as one for their number.

    >>> as_count("Which papers mention beans"), as_count("who cooks beans")
    ('how many papers mention beans', 'how many papers cook beans')
    """
    for opening in (_COUNTED, _WHICH_PAPERS, _LIST_PAPERS):
        found = opening.match(listed)
        if found:
            return f"how many {listed[found.end() :]}"
    return f"how many papers {predicate(listed)}"


def as_list(listed: str) -> str:
    """The question *listed*, asked for papers or their number, as one to which more can be joined.

    >>> as_list("how many papers mention beans"), as_list("list all papers on beans")
    ('which papers mention beans', 'which papers are on beans')
    """
    for opening in (_COUNTED, _LIST_PAPERS):
        found = opening.match(listed)
        if found and (found[0] or listed[:6].lower() == "papers"):
            rest = re.sub(r"^papers? that ", "papers ", listed[found.end() :], flags=re.I)
            return "which " + re.sub(r"^papers (?=(?:on|about) )", "papers are ", rest, flags=re.I)
    return listed if has_predicate(unframed(listed) or listed) else _as_a_topic(listed)


def _as_a_topic(listed: str) -> str:
    """Which papers are on what *listed* only names: "beans, what have you got"."""
    return f"which papers are about {unframed(listed) or listed}"
