"""Which of several things shown a question means by their places. Pure rules.

Texts are as `rag.text.fold` and `squeeze` leave them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.dialogue.asides import correction
from rag.dialogue.cue import COMPARATIVE, without_opener

_NUMBERS = "two three four five six seven eight nine ten".split()
_NUMBER = rf"(?:{'|'.join(_NUMBERS)}|[1-9]\d?)"
_ITEM = r"(?:one|paper|system|model|method|work|study|approach|entry|item|source|result|row|column)"
_COUNTING = (
    r"first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|zeroth"
    r"|hundredth|-?\d{1,4}(?:st|nd|rd|th)|last|latest"
)
_ORDINAL = (
    rf"(?P<ordinal>{_COUNTING}|former|latter|other|previous|earlier|erste[rnms]?|zweite[rnms]?"
    r"|dritte[rnms]?|letzte[rnms]?|primer[oa]?|segund[oa]|tercer[oa]?|ultim[oa]|premiere?"
    r"|deuxieme|troisieme|derniere?)"
)
_GOES_ON = (
    r"is|are|was|were|does|do|did|has|have|had|can|could|will|would|come|comes|use|uses|get|gets"
    r"|need|needs|one|when|than|called|differ|compare"
)
_NOT_OF = r"(?! (?:to|that|which|who|with|where|of|on|in|for)\b)"
_ENDS = r"\s*(?:[?!.,;:)]|$)"
_ORDINALS = re.compile(
    rf"\bthe (?P<pair>former|latter)\b(?: {_ITEM}s?)?"
    rf"|\b(?:the|that|die|der|das|dem|den|el|la|le)(?: very)? {_ORDINAL}"
    rf"(?:(?P<thing> {_ITEM})\b{_NOT_OF}|(?={_ENDS}|'s\b"
    rf"| (?:{_GOES_ON}|{COMPARATIVE}|(?:and|or)(?! (?:{_COUNTING})\b))\b))"
    rf"|\b(?P<kind>{_ITEM})s? (?:number |no\.? ?|#)?(?P<number>\d{{1,3}})\b(?![.,]\d)"
    rf"|(?<![\w&])(?:\[(?P<mark>\d{{1,3}})\]"
    rf"|(?:#|number )(?P<hash>\d{{1,3}})\b)"
    rf"|\bthe (?P<side>left|right)(?:most)?(?:[- ]hand)?(?: (?:one|paper|system|column|side)\b"
    rf"|(?={_ENDS}))"
    r"|第(?P<chinese>[一二三四五])(?:个|篇|种)?",
    re.IGNORECASE,
)
_PLACES = (
    ("0", "zeroth -"),
    ("11", "eleventh"),
    ("12", "twelfth"),
    ("100", "hundredth"),
    ("1", "first former erste primer premier 一"),
    ("2", "second zweite segund deuxieme 二"),
    ("3", "third dritte tercer troisieme 三"),
    ("4", "fourth 四"),
    ("5", "fifth 五"),
    ("6", "sixth"),
    ("7", "seventh"),
    ("8", "eighth"),
    ("9", "ninth"),
    ("10", "tenth"),
    ("last", "last latest latter letzte ultim dernier"),
    ("other", "other previous earlier"),
)


@dataclass(frozen=True, slots=True)
class Ordinal:
    """Where a question points at one of several: `text[start:end]` is "the second one"."""

    start: int
    end: int
    place: str  # "1" and up, "0" for none there can be, "last", "other", "left" or "right"
    sure: bool = False  # it says "one", "paper" or the like


@dataclass(frozen=True, slots=True)
class Several:
    """Where a question points at two or more: `text[start:end]` is "the second and fourth"."""

    start: int
    end: int
    places: tuple[str, ...]  # as of an Ordinal, or "-2" from the end; empty for all
    count: int = 0  # of "the two"; 0 if not said


def ordinals(text: str) -> list[Ordinal]:
    """Where *text* points at one of several things by its place, in order."""
    return [
        Ordinal(found.start(), found.end(), _place(found), _is_sure(found))
        for found in _ORDINALS.finditer(text)
    ]


def _is_sure(found: re.Match[str]) -> bool:
    counted = found["kind"] and found["kind"].lower() in {"paper", "entry", "item", "source", "row"}
    return bool(found["thing"] or found["mark"] or found["hash"] or counted)


def _place(found: re.Match[str]) -> str:
    number = found["number"] or found["mark"] or found["hash"]
    if number or found["side"]:
        return str(int(number)) if number else found["side"].lower()
    return _place_of(found["pair"] or found["ordinal"] or found["chinese"])


def _place_of(word: str) -> str:
    said = word.lower()
    if said[0].isdigit():
        return str(int(said.rstrip("stndrh")))
    return next(place for place, words in _PLACES if any(said.startswith(w) for w in words.split()))


_ON = r"on|in|by|for|regarding|with|against|to|side|across|as|about"
_AFTER = rf"(?={_ENDS}| (?:{_GOES_ON}|{_ON}|{COMPARATIVE})\b)"
_AND = r"(?:\s*(?:,\s*and|,|&|\band|\bwith|\bto|\bvs\.?|\bversus|\bor|\bagainst)\s*)"
_ONE_OF = (
    rf"(?:the )?(?:{_COUNTING}|former|latter|#\d{{1,3}}|\[\d{{1,3}}\]|{_ITEM} \d{{1,3}})"
    rf"(?: {_ITEM}s?)?"
)
_FIRST_FEW = re.compile(
    rf"\b(?:the |those |these )?(?P<which>first|top|former|last|final|latter) (?P<count>{_NUMBER})"
    rf"(?: {_ITEM}s?)?{_AFTER}",
    re.IGNORECASE,
)
_JOINED = re.compile(rf"(?<![\w#])(?:{_ONE_OF})(?:{_AND}{_ONE_OF})+{_AFTER}", re.IGNORECASE)
_COMPARE = r"(?:compar(?:e|ing|ison of)|contrast(?:ing)?|(?:differences?|comparison) between)"
_BARE_NUMBERS = re.compile(
    rf"(?:(?<![\w-]){_COMPARE} |^\W*(?=\d+ (?:vs|versus))|^\W*(?=[\d ,&]+(?:and \d+)?\W*$))"
    rf"(?P<all>(?:{_ITEM}s?|numbers?|nos?\.?)? ?"
    rf"\d{{1,2}}(?:{_AND}(?:{_ITEM} |number )?\d{{1,2}})+)"
    rf"(?={_ENDS}| (?:on|in|by|for|regarding|side)\b)",
    re.IGNORECASE,
)
_ALL = re.compile(
    rf"^(?:(?:and|so|now|then|please|can you|could you) )*(?:{_COMPARE})\b(?P<all>"
    r"(?: each of| all of| both of| all| both)? (?:them|these|those)(?: all| both)?"
    r"|(?: all(?: of)?| both(?: of)?)?(?: the| these| those| all| both)"
    rf"(?: (?P<count>{_NUMBER}))?(?: (?:papers|systems|works|studies|sources|entries|ones|list))?|)"
    rf"(?={_ENDS}| (?:on|in|by|for|regarding|side|with each other|to each other)\b)",
    re.IGNORECASE,
)
_IN_A_GROUP = re.compile(rf"{_COUNTING}|former|latter|\d{{1,3}}", re.IGNORECASE)


def several(text: str) -> Several | None:
    """Where *text* points at two things or more by their places.

    >>> several("compare the second and fourth")
    Several(start=8, end=29, places=('2', '4'), count=0)
    >>> several("how do the last two differ?").places
    ('-2', '-1')
    >>> several("the first and second stage of a rocket") is None
    True
    """
    found = _FIRST_FEW.search(text)
    if found:
        count = _number(found["count"])
        ahead = found["which"].lower() in {"first", "top", "former"}
        numbers = range(1, count + 1) if ahead else range(-count, 0)
        return Several(found.start(), found.end(), tuple(map(str, numbers)))
    named = _JOINED.search(text) or _BARE_NUMBERS.search(text)
    if named:
        start, end = named.span("all") if "all" in named.groupdict() else named.span()
        said = _IN_A_GROUP.finditer(text, start, end)
        places = dict.fromkeys(_place_of(one[0]) for one in said)
        return Several(start + (text[start] == " "), end, tuple(places))
    every = _ALL.search(text)
    if not every:
        return None
    count = 2 if "both" in every["all"] else _number(every["count"] or "0")
    return Several(*every.span("all"), (), count)


def _number(word: str) -> int:
    said = word.lower()
    return int(said) if said.isdigit() else _NUMBERS.index(said) + 2


_SHOW = re.compile(
    r"^(?:(?:only|just|please|show|give|open|tell|me|more|about|on)\b ?)+", re.IGNORECASE
)


def is_bare(text: str, found: Ordinal | Several) -> bool:
    """Whether *text* says nothing but what was *found*: "and the second?", "no, I meant [2]"."""
    asked = _SHOW.sub("", without_opener(text)[0])
    if not _rest(asked, text[found.start : found.end]):
        return True
    aside, said = correction(text), text[found.start : found.end]
    return aside is not None and not aside.rest and not _rest(aside.target, said)


def _rest(text: str, said: str) -> str:
    return text.replace(said, "", 1).strip(" ,.?!:;-") if said.strip(" ?.!") in text else text
