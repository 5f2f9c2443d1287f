"""What a question names before it asks: "Bayesian optimization - where does that term show up?"."""

from __future__ import annotations

import re

from rag.listing.frames import ONLY_ASKS, unframed
from rag.listing.normal import ONLY_AGAIN
from rag.listing.plural import asks_for_list
from rag.listing.wording import either
from rag.text import squeeze

_CUT = re.compile(r"\s*(?:[:;,?!]+|\.+(?=\s)|\s-+)\s+")
_ASKS = re.compile(
    r"^(?:(?:and|so|please) )*(?:who|whose|which|what|where|how (?:many|often)|in (?:which|how many"
    r"|what)|any\w*|list|name|count|show|give|find|is (?:it|that|this|there)|are (?:they|there))\b",
    re.IGNORECASE,
)
_WHAT_IT_IS = either(
    "phrase expression term word name acronym abbreviation model method system data_?set topic",
    "subject thing technique idea benchmark many much tool language library string",
)
_STANDS_FOR = re.compile(
    rf"\b(?:(?:that|this|these|those|the)(?: (?:exact|very|literal|same|one))? {_WHAT_IT_IS}s?"
    r"|it|them|both(?! [a-z])|(?:this|these|those)(?=\W*$| [a-z]+s?\b)"
    r"|that(?=\W*$| (?:in|at|by|here|there|for|is|gets|appears?|occurs?|shows?|turns?|comes?"
    r"|pops?|crops?)\b))\b",
    re.IGNORECASE,
)
_ANY_HERE = re.compile(  # "Any X in here? I want every paper that mentions them."
    r"^\W*any (?P<what>[^?.!]{2,60}?)(?: (?:in here|here|in there|at all))?\? (?P<asks>[^?.!]*?\b)"
    r"(?:them|it|those|these)\b(?P<rest>[^?.!]*[?.!]?)\W*$",
    re.IGNORECASE,
)
_SAID_AGAIN = re.compile(r"(?:,? (?:and|or))+$")


def resolved(text: str) -> str:
    """Folded *text* with what it names first in the place that stands for it where it asks.

    >>> resolved("Bayesian optimization - list the papers where that term shows up")
    'list the papers where Bayesian optimization shows up'
    >>> resolved("compilers and linkers: which papers?")
    'compilers and linkers'
    >>> resolved("Any linkers in here? I want every paper that names them.")
    'I want every paper that names linkers.'
    """
    if found := _ANY_HERE.match(text):
        return squeeze(f"{found['asks']}{found['what']}{found['rest']}")
    for cut in _CUT.finditer(text):
        head, asks = _SAID_AGAIN.sub("", text[: cut.start()]), text[cut.end() :]
        if head.count("(") > head.count(")") or head.count('"') % 2:
            continue
        if ONLY_ASKS.match(head) or asks_for_list(head) or _ASKS.match(head):
            return text
        if not _ASKS.match(asks):
            continue
        if said := _STANDS_FOR.search(asks):
            return squeeze(f"{asks[: said.start()]}{head}{asks[said.end() :]}")
        if not unframed(asks) or ONLY_ASKS.match(asks) or ONLY_AGAIN.match(asks):
            return head
    return text
