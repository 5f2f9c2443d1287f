"""What a question changes in the comparison just shown. Pure rules.

Texts are as `rag.text.fold` and `squeeze` leave them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.dialogue.cue import without_opener
from rag.dialogue.fragment import fragment

_SWAPS = re.compile(
    r"^(?:please |now )*(?:(?:swap|replace|exchange|substitute|switch|change)(?: out)?"
    r" (?P<old>.+?) (?:for|with|by|to|against) (?P<new>.+)"
    r"|(?:(?:use|take|with|put|try) )?(?P<new2>.+?)(?:,)? (?:instead of|in place of|rather than)"
    r" (?P<old2>.+))$",
    re.IGNORECASE,
)
_DROPS = re.compile(
    r"^(?:please |now )*(?:drop|remove|delete|leave out|leave|omit|exclude|skip|ignore|without"
    r"|forget(?: about)?|minus|take (?:out|away)|except(?: for)?|not) (?P<old>.+?)(?: out| away)?$",
    re.IGNORECASE,
)
_ADDS = re.compile(
    r"^(?:please |now )*(?P<said>add|include|throw in|put in|bring in|plus|with|to|against|vs\.?"
    r"|versus) (?P<new>.+)$",
    re.IGNORECASE,
)
_TOO = re.compile(r",? (?:too|as well|also|in)$", re.IGNORECASE)

_INSIDE = frozenset("in by from about".split())  # what follows is no side, but where or of what


@dataclass(frozen=True, slots=True)
class Edit:
    """Who leaves a comparison and who comes in, as the person calls them; either may be empty."""

    old: str = ""
    new: str = ""
    outright: bool = False  # it says so, and does not merely name another one


def edit(text: str) -> Edit | None:
    """What *text* changes in the sides of a comparison.

    >>> edit("swap beans for peas"), edit("and peas?")
    (Edit(old='beans', new='peas', outright=True), Edit(old='', new='peas', outright=False))
    """
    rest = re.sub(r" please$", "", without_opener(text)[0].strip(" ,.?!"), flags=re.IGNORECASE)
    swap = _SWAPS.match(rest)
    if swap:
        return Edit(swap["old"] or swap["old2"], swap["new"] or swap["new2"], True)
    drop = _DROPS.match(rest)
    if drop:
        return Edit(drop["old"], "", True)
    add = _ADDS.match(_TOO.sub("", rest))
    if add:
        return Edit("", add["new"], True)
    piece = fragment(_TOO.sub("", rest))
    names_one = piece is not None and piece.of_a_subject and piece.preposition not in _INSIDE
    return Edit("", piece.phrase) if piece and names_one else None
