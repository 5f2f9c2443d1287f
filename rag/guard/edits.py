"""A sentence of the abstract told again with something changed: what the change makes of it.

Only a sentence that keeps the words of another in their order is looked at here; in one that is
put freely, other words say nothing. Who tells it makes no difference ("we", "the authors"), and
what is left out is let pass.

| what was changed | how much of it has to be the abstract's |
| --- | --- |
| any word that carries content | NEARLY |
| a name, a figure or a unit; a word for its opposite; "some" for "all"; a negation; two things |  |
| in one another's place | MOSTLY |
| the two sides of a verb that has a direction | the sides alone |
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.guard.contrasts import contrasts
from rag.guard.findings import Finding
from rag.guard.tokens import Token, tokens
from rag.names import is_name_like, key_of
from rag.words import compounds, stem

# A claim is a sentence with a few words changed if it shares this many words in their order, and
# this share of its own or of the sentence's.
FEWEST_SHARED, OF_CLAIM, OF_SENTENCE = 12, 0.9, 0.95  # NEARLY
FEWEST_MOSTLY, MOSTLY = 5, 0.75  # words that carry content
OF_EXCHANGED = 0.9  # of the claim's words of content, in whatever order
LONGEST_CHANGE = 6  # words, past which a sentence is put freely
LONGEST_OPPOSED = 2  # words of a change of direction
FEWEST_WIDENING = 3  # words
SIDE = 8  # words on either side of a verb

NEGATIONS = frozenset(
    "not no never cannot without neither nor hardly barely fail lack none unable".split()
)
_DENIALS = frozenset("not no never cannot neither nor".split())  # and what ends in "n't"
_EVERYTHING = frozenset("all any every everything always whatever".split())
_HEDGES = frozenset(
    "often sometimes usually typically frequently commonly may might can could".split()
)
_PERSONS = frozenset("we us our ours they them their theirs it its author authors this".split())
_PERSON = "(person)"
_JOINS = frozenset("and or the a an as well both nor (person)".split())
# Verbs that say something else when their sides change places; those that compare are among them.
_DIRECTED = frozenset(
    stem(word)
    for word in """
    outperform surpass exceed beat replace extend teach guide enable require precede follow
    """.split()
)
_BEING = frozenset("is are was were be been being".split())


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of the abstract's sentence, perhaps empty, and what the claim has in its place."""

    lost: tuple[Token, ...]
    fresh: tuple[Token, ...]
    was: str
    words: str


def edits(claim: str, near: Sequence[str], sentences: Sequence[str]) -> list[Finding]:
    """What speaks against *claim* where it is one of the sentences *near* but for a few words."""
    own = tokens(claim)
    everything = {token.stem for text in sentences for token in tokens(text)}
    for text in near:
        there = tokens(text)
        matcher = difflib.SequenceMatcher(None, _keys(there), _keys(own), autojunk=False)
        blocks = matcher.get_matching_blocks()
        matched = sum(block.size for block in blocks)
        content = sum(_content(own[b.b + i]) for b in blocks for i in range(b.size))
        asked = sum(map(_content, own))
        changes = [
            Change(there[a:b], own[c:d], _words(text, there[a:b]), _words(claim, own[c:d]))
            for tag, a, b, c, d in matcher.get_opcodes()
            if tag != "equal"
        ]
        nearly = matched >= OF_CLAIM * len(own) or matched >= OF_SENTENCE * len(there)
        found: list[Finding] = []
        if matched >= FEWEST_SHARED and nearly:
            found += _words_changed(changes, everything)
        if content >= FEWEST_MOSTLY and content >= MOSTLY * asked:
            found += [
                *_names_changed(changes, text),
                *_opposed(changes),
                *_widened(changes, text),
                *_denied(changes),
            ]
        stems = _stems(there)
        if content >= FEWEST_MOSTLY and sum(t.stem in stems for t in own) >= OF_EXCHANGED * asked:
            found += _exchanged(changes, text)
        if found:
            return list({one.reason: one for one in found}.values())
        if found := _turned_about(own, there):
            return found
    return []


def _keys(read: Sequence[Token]) -> list[str]:
    """What makes two words the same here: their stem, or that they say who tells."""
    return [_PERSON if token.lower in _PERSONS else token.stem for token in read]


def _content(token: Token) -> bool:
    return token.content and token.lower not in _PERSONS


def _words(text: str, read: Sequence[Token]) -> str:
    return text[read[0].start : read[-1].end] if read else ""


def _words_changed(changes: Sequence[Change], everything: set[str]) -> Iterator[Finding]:
    """Any word that carries content and that the sentence does not have there."""
    for one in changes:
        fresh = [token for token in one.fresh if _content(token)]
        if not fresh or _alike(one):
            continue
        lost = any(map(_content, one.lost))
        if lost or all(token.stem in everything for token in fresh):
            was = f"“{one.was}”" if lost else "other words there"
            reason = f"it says “{one.words}” where the abstract has {was}"
            yield Finding("edit", "contradicted", 1.0, one.words, reason)
        else:
            reason = f"the abstract does not say “{one.words}”"
            yield Finding("edit", "absent", 1.0, one.words, reason)


def _names_changed(changes: Sequence[Change], text: str) -> Iterator[Finding]:
    """Another name, or another figure, where the sentence has its own."""
    held = key_of(text)
    for one in changes:
        if not one.lost or max(len(one.lost), len(one.fresh)) > LONGEST_CHANGE:
            continue
        mine, theirs = _proper(one.words), _proper(one.was)
        fresh = [word for word in mine if key_of(word).rstrip("s") not in held]
        if fresh and theirs and not _initials(fresh[0], one.was):
            reason = f"it says “{one.words}” where the abstract has “{one.was}”"
            yield Finding("edit", "contradicted", 1.0, one.words, reason)


def _proper(words: str) -> list[str]:
    return [one for one in compounds(words) if is_name_like(one)]


def _initials(name: str, words: str) -> bool:
    """Whether *name* may be short for *words*."""
    first = "".join(word[0] for word in re.findall(r"[A-Za-z]+", words)).casefold()
    return key_of(name).rstrip("s") in first


def _alike(one: Change) -> bool:
    """Whether a word stands for another that points the same way: "lowers" for "reduces"."""
    theirs = {(two.axis, two.value) for two in contrasts(one.lost)}
    short = max(len(one.lost), len(one.fresh)) <= LONGEST_OPPOSED
    return short and any((mine.axis, mine.value) in theirs for mine in contrasts(one.fresh))


def _opposed(changes: Sequence[Change]) -> Iterator[Finding]:
    """A word for the opposite in a word's place; "always" for "often"."""
    for one in changes:
        if max(len(one.lost), len(one.fresh)) > LONGEST_OPPOSED or any(
            token.lower in NEGATIONS for token in (*one.lost, *one.fresh)
        ):
            continue
        theirs = [(two.axis, two.value) for two in contrasts(one.lost)]
        other = any(a == m.axis and v != m.value for m in contrasts(one.fresh) for a, v in theirs)
        hedged = any(token.lower in _HEDGES for token in one.lost)
        if other or (hedged and any(token.lower == "always" for token in one.fresh)):
            reason = f"it says “{one.words}” where the abstract has “{one.was}”"
            yield Finding("edit", "contradicted", 1.0, one.words, reason)


def _widened(changes: Sequence[Change], text: str) -> Iterator[Finding]:
    """Words put to the end that make it hold for everything."""
    last = changes[-1] if changes else None
    if last is None or len(last.fresh) < FEWEST_WIDENING or text.endswith(last.was or "\0"):
        return
    wide = next((token.lower for token in last.fresh if token.lower in _EVERYTHING), "")
    if wide and wide not in text.casefold():
        reason = f"the abstract does not say “{last.words}”"
        yield Finding("edit", "absent", 1.0, last.words, reason)


def _denied(changes: Sequence[Change]) -> Iterator[Finding]:
    """A negation put in or left out, with no word of content beside it, and made up for nowhere."""
    bare = [
        token
        for one in changes
        if not any(_content(t) and not _denies(t) for t in (*one.lost, *one.fresh))
        for token in (*one.lost, *one.fresh)
        if _denies(token)
    ]
    mine = sum(_negative(token) for one in changes for token in one.fresh)
    theirs = sum(_negative(token) for one in changes for token in one.lost)
    if bare and mine % 2 != theirs % 2:
        side = "denies what the abstract says" if mine > theirs else "says what the abstract denies"
        yield Finding("edit", "contradicted", 1.0, "", f"it {side}")


def _negative(token: Token) -> bool:
    return token.lower in NEGATIONS or _denies(token)


def _denies(token: Token) -> bool:
    return token.lower in _DENIALS or token.lower.endswith("n't")


def _exchanged(changes: Sequence[Change], text: str) -> Iterator[Finding]:
    """Two things of the sentence, each where the other was; the items of a list may change about.

    With a "by" that came or went the sentence is in the passive, which changes nothing.
    """
    if any(token.lower == "by" for one in changes for token in (*one.lost, *one.fresh)):
        return
    swaps = [one for one in changes if one.lost and len(one.lost) + len(one.fresh) <= SIDE]
    for place, one in enumerate(swaps):
        for other in swaps[place + 1 :]:
            between = text[one.lost[-1].end : other.lost[0].start]
            crossed = _stems(one.fresh) & _stems(other.lost), _stems(other.fresh) & _stems(one.lost)
            if all(crossed) and _relates(between):
                reason = f"“{one.words}” and “{other.words}” have changed places"
                yield Finding("edit", "contradicted", 1.0, one.words, reason)


def _relates(between: str) -> bool:
    """Whether words say more than that what is on either side of them stands in one list."""
    return any(t.lower not in _JOINS and between[t.start].islower() for t in tokens(between))


def _stems(read: Sequence[Token]) -> set[str]:
    return {token.stem for token in read if _content(token)}


def _turned_about(own: Sequence[Token], there: Sequence[Token]) -> list[Finding]:
    """A verb with a direction whose two sides have changed places."""
    for mine in _directed(own):
        for theirs in _directed(there):
            if own[mine].stem != there[theirs].stem:
                continue
            before, behind = _sides(own, mine)
            had_before, had_behind = _sides(there, theirs)
            both = had_before & had_behind  # tell the sides apart no more
            before, had_before = before - both, had_before - both
            crossed = before <= had_behind and had_before <= behind
            if before and had_before and crossed and not before & had_before:
                words = own[mine].lower
                reason = f"what stands on either side of “{words}” has changed places"
                return [Finding("edit", "contradicted", 1.0, words, reason)]
    return []


def _directed(read: Sequence[Token]) -> Iterator[int]:
    """Places of verbs with a direction that are not in the passive."""
    for place, token in enumerate(read):
        around = [*read[max(0, place - 2) : place], *read[place + 1 : place + 3]]
        passive = any(one.lower == "by" or one.lower in _BEING for one in around)
        if token.stem in _DIRECTED and not passive:
            yield place


def _sides(read: Sequence[Token], place: int) -> tuple[set[str], set[str]]:
    """Content stems of the clause before a verb, and of some words behind it."""
    clause = read[place].clause
    before = [token for token in read[max(0, place - SIDE) : place] if token.clause == clause]
    behind = read[place + 1 : place + 1 + SIDE]
    adverbs = {token.stem for token in read if token.lower.endswith("ly")}
    return _stems(before) - adverbs, _stems(behind) - adverbs
