"""Whether a sentence states an amount: in the bounds, and of the paper's own work if so asked."""

from __future__ import annotations

import re

from rag.listing.criteria import Amount
from rag.listing.quantities import Quantity, quantities
from rag.listing.terms import canonical, words_of
from rag.names import is_name_like

BESIDE = 90  # characters from a percentage to what it is of
_USUAL = re.compile(
    r"\b(?:typical(?:ly)?|usual(?:ly)?|often|require[sd]?|requiring|needs?|would|future|expected "
    r"to|predict\w*|project(?:s|ed|ion)"
    r"|prohibitive\w*|can take|may take|up to thousands|current|existing|most)\b",
    re.IGNORECASE,
)
_DOES = re.compile(r"\b(?:we|our)\b", re.IGNORECASE)
_FORESEES = re.compile(
    r"\b(?:predict\w*|project(?:s|ed|ion)|extrapolat\w*|expected to|future)\b", re.IGNORECASE
)
_TRAINS = re.compile(r"\btrain|\btuned|\btuning", re.IGNORECASE)
_COMPARED = re.compile(
    r"\b(?:outperform\w*|surpass\w*|exceed(?:s|ing)|beat\w*|compar\w+ (?:to|with)|than|versus|vs"
    r"|against|such as|larger|rather than"
    r"|match(?:es|ing)?|those with)\b[^,;]*$",
    re.IGNORECASE,
)
PHASES = {
    "training": re.compile(r"\b(?:pre-?|re-?)?train|\bfine-?tun|\bconverge", re.IGNORECASE),
    "inference": re.compile(
        r"\binferenc|\bserv(?:e|es|ed|ing)\b|\bdecod|\bgenerat|\blatenc|\bthroughput|\bprefill"
        r"|\btime to first token|\bsampling\b",
        re.IGNORECASE,
    ),
}
_PRESENTS = re.compile(
    r"\b(?:we|our|this (?:paper|work|report)|is|are)\b.{0,60}\b(?:introduc|present|releas"
    r"|propos|unveil"
    r"|buil[dt]|train|creat|contribut|develop|describ|open-?sourc|scal)\w*",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:\b(?:over|more than|above|exceeding|beyond|greater than)|>)\s*(?:a |an )?$", re.IGNORECASE
)
_UNDER = re.compile(
    r"(?:\b(?:under|less than|below|fewer than|smaller than)|<)\s*(?:a |an )?$", re.IGNORECASE
)


def states(amount: Amount, text: str, title: str) -> bool:
    """Whether folded *text*, a sentence or the *title* itself, states *amount*.

    >>> states(Amount("tokens", low=1e12, above=True), "We train on over 1T tokens.", "")
    True
    >>> states(Amount("accelerators", low=1000), "This typically requires 2,000 GPUs.", "")
    False
    """
    if amount.own and _USUAL.search(text) and not _DOES.search(text):
        return False
    if amount.own and text != title and _FORESEES.search(text):
        return False
    if amount.training and not _TRAINS.search(text):
        return False
    if amount.phase and not PHASES[amount.phase].search(f"{text} {title}"):
        return False
    if amount.brought and text != title and not _PRESENTS.search(text):
        return False
    return any(
        _within(amount, quantity, text)
        and (not amount.about or _speaks_of(amount, _beside(quantity, text)))
        and not (
            amount.own and amount.measure == "parameters" and _of_others(quantity, text, title)
        )
        for quantity in quantities(text)
        if _measures(amount, quantity)
    )


def _beside(quantity: Quantity, text: str) -> str:
    """What stands near *quantity*: a percentage is of what is told right before or behind it."""
    return text[max(0, quantity.start - BESIDE) : quantity.end + BESIDE]


def _measures(amount: Amount, quantity: Quantity) -> bool:
    if amount.measure == "count":
        return quantity.kind == "count" and bool(
            set(amount.about) & {canonical(n) for n in quantity.nouns}
            or set(amount.about) & set(quantity.nouns)
        )
    if amount.measure == "time":
        return quantity.kind == "time" and set(amount.about) <= set(quantity.nouns)
    return quantity.kind == amount.measure


def _speaks_of(amount: Amount, text: str) -> bool:
    if amount.measure in {"count", "time"}:
        return True  # the noun stands at the number
    return set(amount.about) <= set(map(canonical, words_of(text)))


def _within(amount: Amount, quantity: Quantity, text: str) -> bool:
    """Whether *quantity* reaches into the bounds; "over 1T" is more than 1T."""
    before = text[max(0, quantity.start - 16) : quantity.start]
    after = text[quantity.end : quantity.end + 1] + text[quantity.start : quantity.end]
    high = quantity.high * (1.000001 if _OVER.search(before) or "+" in after else 1.0)
    low = quantity.low * (0.999999 if _UNDER.search(before) else 1.0)
    if quantity.vague and amount.high < float("inf"):
        return False  # "billion-parameter models" may have any number of billions
    enough = high > amount.low if amount.above else high >= amount.low
    small = low < amount.high if amount.below else low <= amount.high
    return enough and small


def _of_others(quantity: Quantity, text: str, title: str) -> bool:
    """Whether a model's size is that of a model which the paper only compares itself with."""
    if _COMPARED.search(text[max(0, quantity.start - 70) : quantity.start]):
        return True
    if not quantity.named:
        return False
    around = text[max(0, quantity.start - 24) : quantity.end + 16]
    names = [
        w for w in re.findall(r"[A-Za-z][\w.+-]*", around) if is_name_like(w) or w[:1].isupper()
    ]
    roots = {re.split(r"[-\d]", name)[0].lower() for name in names}
    return not any(len(root) > 2 and root in title.lower() for root in roots)
