"""Which papers of a collection meet a clause, and by which sentence."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.listing import topics
from rag.listing.criteria import Amount, Brings, Clause, Criterion, IsKind, Topic, Words
from rag.listing.kinds import KINDS, brings, needles
from rag.listing.states import states
from rag.listing.terms import find
from rag.matching.about import topic_signs
from rag.matching.literal import (
    Match,
    abstract_of,
    holding,
    sentences_in,
    tells_own,
    title_of,
    with_words,
)
from rag.types import Embedder
from rag.words import content_words

if TYPE_CHECKING:
    from rag.store import Snapshot


@dataclass(frozen=True, slots=True)
class Collected:
    """A collection to decide on, with what reads topics."""

    snapshot: Snapshot
    embedder: Embedder

    def places(self) -> range:
        """All places of papers."""
        return range(len(self.snapshot.papers))


def meeting(
    collected: Collected, clause: Clause, among: Collection[int], cut: float = topics.CUT
) -> dict[int, Match]:
    """The places *among* which meet any criterion of *clause* (its negation aside).

    *cut* is the probability from which a paper is about a topic.
    """
    found: dict[int, Match] = {}
    for criterion in clause.any_of:
        for place, match in _meeting(collected, criterion, among, cut).items():
            before = found.get(place)
            found[place] = match if before is None else _better(before, match)
    return found


def _better(one: Match, other: Match) -> Match:
    if one.near != other.near:
        return other if one.near else one
    sentences = dict(one.sentences)
    for number, value in other.sentences.items():
        sentences[number] = max(value, sentences.get(number, 0.0))
    return Match(max(one.strength, other.strength), sentences, one.near)


def _meeting(
    collected: Collected, criterion: Criterion, among: Collection[int], cut: float
) -> dict[int, Match]:
    match criterion:
        case Words():
            return holding(collected.snapshot, criterion, among)
        case Amount():
            return _stating(collected.snapshot, criterion, among)
        case IsKind():
            return _of_kind(collected.snapshot, criterion, among)
        case Brings():
            return _bringing(collected.snapshot, criterion, among)
        case Topic():
            return _about(collected, criterion, among, cut)


# --- amounts -------------------------------------------------------------------------------------

_NEEDED = {
    "accelerators": r"GPU|TPU|NPU|GCD|accelerator|[AHV]\d00|chip|card",
    "parameters": r"\d ?[MBT]\b|illion|param",
    "tokens": r"token",
    "money": r"\$|USD|dollar|cents?\b|euro|budget of|K budget|cost of",
    "percent": r"%|percent",
    "context": r"\d ?[KkM]\b|token|context|sequence",
    "speed": r"\d ?(?:x|times)\b|fold|magnitude|factor",
    "factor": r"\d ?(?:x|times)\b|fold|magnitude|factor",
    "time": r"hour|day|minute|second|week",
    "count": r"\d|hundred|thousand|million",
}
_NEEDED_WORDS: dict[str, tuple[str, ...]] = {  # where the measure is always said in words
    "tokens": ("token", "tokens"),
    "accelerators": (
        "gpu",
        "tpu",
        "npu",
        "accelerator",
        "chip",
        "card",
        "a100",
        "h100",
        "v100",
        "gcd",
    ),
    "time": ("hour", "day", "minute", "second", "week"),
}


def _stating(snapshot: Snapshot, amount: Amount, among: Collection[int]) -> dict[int, Match]:
    needed = re.compile(_NEEDED[amount.measure], re.IGNORECASE)
    words = _NEEDED_WORDS.get(amount.measure)
    found: dict[int, Match] = {}
    for place in with_words(snapshot, words, among) if words else among:
        title = title_of(snapshot, place)
        if not (needed.search(abstract_of(snapshot, place)) or needed.search(title)):
            continue
        shown = {
            number: 1.0 + 0.5 * tells_own(text)
            for number, text in sentences_in(snapshot, place)
            if needed.search(text) and states(amount, text, title)
        }
        titled = bool(needed.search(title)) and states(amount, title, title)
        if titled and not shown and amount.own:  # a title names what its abstract only foresees
            anyone = replace(amount, own=False, training=False)
            titled = not any(
                states(anyone, text, title) for _, text in sentences_in(snapshot, place)
            )
        if shown or titled:
            found[place] = Match(2.0 * titled + len(shown), shown)
    return found


# --- kinds ---------------------------------------------------------------------------------------


def _of_kind(snapshot: Snapshot, wanted: IsKind, among: Collection[int]) -> dict[int, Match]:
    kind = next(kind for kind in KINDS if kind.name == wanted.kind)
    found: dict[int, Match] = {}
    for place in with_words(snapshot, kind.needs, among):
        titled = bool(kind.title.search(title_of(snapshot, place)))
        shown: dict[int, float] = {}
        if wanted.where != "title" and kind.text.search(abstract_of(snapshot, place)):
            shown = {
                number: 1.0
                for number, text in sentences_in(snapshot, place)
                if kind.text.search(text)
            }
        if titled or shown:
            found[place] = Match(2.0 * titled + min(len(shown), 2), shown)
    return found


def _bringing(snapshot: Snapshot, wanted: Brings, among: Collection[int]) -> dict[int, Match]:
    found: dict[int, Match] = {}
    for place in among:
        abstract = abstract_of(snapshot, place).lower()
        if not any(needle in abstract for needle in needles(wanted.noun)):
            continue
        shown = {
            number: 1.0
            for number, text in sentences_in(snapshot, place)
            if brings(wanted.noun, text)
        }
        if shown:
            titled = bool(find(wanted.noun, title_of(snapshot, place)))
            found[place] = Match(2.0 * titled + len(shown), shown)
    return found


# --- topics --------------------------------------------------------------------------------------


def _about(
    collected: Collected, topic: Topic, among: Collection[int], cut: float
) -> dict[int, Match]:
    found: dict[int, Match] = {}
    if not topic.examples and len(content_words(topic.text)) >= topics.DESCRIBED:
        cut = min(cut, topics.CUT_BESIDE)
    for place, signs, shown in topic_signs(collected.snapshot, collected.embedder, topic, among):
        likely = topics.probability(signs)
        if likely >= topics.NEAR:
            found[place] = Match(likely, shown, near=likely < cut)
    return found
