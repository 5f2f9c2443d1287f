"""Bounds on an amount, as questions set them: "more than 1T tokens", "8 GPUs or fewer"."""

from __future__ import annotations

import re
from dataclasses import replace

from rag.listing.asking import ASK
from rag.listing.criteria import Amount
from rag.listing.predicates import EMPTY, MENTIONS
from rag.listing.quantities import Quantity, quantities
from rag.listing.terms import canonical, words_of
from rag.listing.wording import either
from rag.text import squeeze
from rag.words import STOPWORDS, stem

_ABOUT = r"\s*(?:(?:about|around|some|roughly|an?) )*$"
_MORE = re.compile(
    r"(?:(?P<open>(?:more|greater|higher|larger|longer|bigger|faster|better|other) than|over|above"
    r"|past|exceed\w*|beyond|north of|>)"
    r"|at least|no (?:less|fewer) than|(?:a )?minimum(?: of)?|not less than|>=|≥|from)" + _ABOUT,
    re.IGNORECASE,
)
_LESS = re.compile(
    r"(?:(?P<open>(?:less|fewer|smaller|lower|shorter|cheaper) than|under|below|<)"
    r"|at most|no (?:more|larger|bigger|greater) than|(?:a )?maximum(?: of)?|up to|within"
    r"|not more than|<=|≤)" + _ABOUT,
    re.IGNORECASE,
)
_LARGER = either("more above larger higher longer greater bigger over better up")
_SMALLER = either("less fewer below smaller lower under shorter")
_OR_MORE = re.compile(
    rf"^\s*(?:\+|or {_LARGER}\b|and (?:up|above|more|over|larger|beyond|higher)\b|plus\b"
    rf"|upwards\b)|\bor more\b",
    re.IGNORECASE,
)
_OR_LESS = re.compile(
    rf"^\s*(?:or {_SMALLER}\b|and (?:below|under|less|smaller)\b|max\b|tops\b)"
    r"|\bor (?:less|fewer)\b",
    re.IGNORECASE,
)
_SOME_MORE = re.compile(  # "two times faster or more"
    rf"^ (?:\w+ ){{1,2}}?or (?:{_LARGER}|higher)\b(?! than \d)", re.IGNORECASE
)
_AROUND = re.compile(
    r"(?:\b(?:around|about|roughly|approximately|circa|nearly)|~)\s*$", re.IGNORECASE
)
NEARLY = 0.15  # how far from an amount is still about that
_BETWEEN = re.compile(r"\b(?:between|from|of)\s*$", re.IGNORECASE)
_MONEY = re.compile(
    r"\b(?:(?:in )?(?:actual |real )?money|dollars?|dollar amounts?|usd|us\$|cents|euros?"
    r"|price tag|monetary)\b|(?<!\S)\$(?=\s*\d|\s|$|[?.,;)])",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\s*\([^()]*\)")
_SPEED = re.compile(r"\b(?:speed|fast|quick|latenc|throughput)", re.IGNORECASE)
_TRAINS = re.compile(r"\btrain|\btuned", re.IGNORECASE)
_MEASURED = re.compile(  # what belongs to the measure and asks for nothing else
    r"\b(?:params?|parameters?|gpus?|tpus?|accelerators?|chips?|cards?|tokens?|contexts?|lengths?"
    r"|windows?|sequences?|actually|clusters?)\b(?:\s*/\s*\w+)?",
    re.IGNORECASE,
)
_THEIR_MODEL = re.compile(
    r"\b(?:introduc|present|releas|propos|unveil|build|built|train|creat|contribut|develop)\w* "
    r"(?:[\w-]+ ){0,4}?(?:models?|llms?|networks?)\b|\b(?:models?|llms?) of their own\b",
    re.IGNORECASE,
)
# How an amount changes is said in many words; what changes must be said.
_CHANGES = frozenset(
    """
    cut cuts cutting reduce reduces reducing reduction reductions save saves saving savings lower
    lowers lowering shrink shrinks shrinking decrease decreases increase increases raise raises
    improve improves boost boosts gain gains drop drops usage claiming reporting
    """.split()
)
_PHASES = {
    "training": re.compile(r"\b(?:pre-?|re-?)?train(?:s|ing)\b|\bfine-?tuning\b", re.IGNORECASE),
    "inference": re.compile(r"\binference\b|\bserving\b|\bdecoding\b", re.IGNORECASE),
}
_OWN = frozenset({"parameters", "accelerators", "tokens", "context"})
_TOLD_BESIDE = frozenset({"percent", "factor", "speed", "time", "count", "money"})


def amount_asked(part: str, question: str) -> tuple[Amount, str] | None:
    """The bounds that *part* of *question* sets, and what else it asks; None if it sets none.

    >>> amount_asked("models with less than 4B parameters", "which models …")
    (Amount(measure='parameters', low=0.0, high=4000000000.0, above=False, below=True, about=(), \
own=True, training=False, brought=False, phase='', said=()), 'models with')
    """
    bare = squeeze(_BRACKETS.sub(" ", part))
    for quantity in quantities(bare):
        if quantity.kind == "count" and quantity.high <= 1:
            continue  # "at least one Qwen model"
        bounds = _bounds(bare, quantity)
        if bounds is not None:
            start, end, limits = bounds
            rest = squeeze(f"{bare[:start]} {bare[end:]}")
            beside = "" if limits.measure in _TOLD_BESIDE else squeeze(_MEASURED.sub(" ", rest))
            return _told(_completed(limits, quantity, rest, question), bare), beside
    return (Amount("money", own=False), "") if _MONEY.search(bare) else None


def _bounds(text: str, quantity: Quantity) -> tuple[int, int, Amount] | None:
    """Where the bound stands and what it is; None for a number that bounds nothing."""
    before, after = text[: quantity.start], text[quantity.end :]
    inside = text[quantity.start : quantity.end]
    kind, low, high = quantity.kind, quantity.low, quantity.high
    behind = [found for found in (_OR_MORE.match(after), _OR_LESS.match(after)) if found]
    end = quantity.end + max((found.end() for found in behind), default=0)
    if more := _MORE.search(before):
        return more.start(), end, Amount(kind, low=low, above=bool(more["open"]))
    if less := _LESS.search(before):
        return less.start(), end, Amount(kind, high=high, below=bool(less["open"]))
    if _OR_MORE.match(after) or _OR_MORE.search(inside) or "+" in inside or _SOME_MORE.match(after):
        return quantity.start, end, Amount(kind, low=low)
    if _OR_LESS.match(after) or _OR_LESS.search(inside):
        return quantity.start, end, Amount(kind, high=high)
    if high > low and (between := _BETWEEN.search(before)):
        return between.start(), end, Amount(kind, low=low, high=high)
    if kind in {"count", "time"} or quantity.named:
        return None  # a number that belongs to what is named
    if around := _AROUND.search(before):
        return around.start(), end, Amount(kind, low=low * (1 - NEARLY), high=high * (1 + NEARLY))
    return quantity.start, end, Amount(kind, low=low, high=high)


def _phase_asked(question: str) -> str:
    """The one phase of work that *question* speaks of, "" if of none or of both."""
    spoken = [name for name, words in _PHASES.items() if words.search(question)]
    return spoken[0] if len(spoken) == 1 else ""


def _told(limits: Amount, part: str) -> Amount:
    """*limits* with the words of *part* that its stems stand for, so that people can read them."""
    words = (word.lower() for word in words_of(part))
    said = (word for word in words if {canonical(word), stem(word)} & set(limits.about))
    return replace(limits, said=tuple(dict.fromkeys(said)))


def _completed(limits: Amount, quantity: Quantity, rest: str, question: str) -> Amount:
    """*limits* with what must stand beside the amount, and whether it must be the paper's own."""
    measure = limits.measure
    if measure == "factor" and _SPEED.search(question):
        measure = "speed"
    about: tuple[str, ...] = ()
    if measure == "time":
        about = quantity.nouns
    elif measure == "count":
        about = quantity.nouns[-1:] if len(quantity.nouns) < 2 else quantity.nouns[:1]
    elif measure in {"percent", "factor"}:
        said = (w for w in words_of(rest) if w.lower() not in EMPTY | STOPWORDS | ASK | _CHANGES)
        about = tuple(dict.fromkeys(map(canonical, said)))
    return replace(
        limits,
        measure=measure,
        about=about,
        own=measure in _OWN and not re.search(rf"\b{MENTIONS}\b", question, re.IGNORECASE),
        training=measure == "tokens" and bool(_TRAINS.search(question)),
        brought=measure == "parameters" and bool(_THEIR_MODEL.search(question)),
        phase=_phase_asked(question) if measure == "speed" else "",
    )
