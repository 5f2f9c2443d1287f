"""The checks of a sentence against the sentences of one abstract, and what they add up to.

Each compares the claim with the one or two sentences that share most of its words; what the
whole abstract says elsewhere in the same words clears it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.guard.contrasts import Contrast, contrasts
from rag.guard.edits import NEGATIONS, edits
from rag.guard.figures import wrong_figures
from rag.guard.findings import Finding
from rag.guard.tokens import Token, tokens
from rag.names import is_name_like, key_of
from rag.words import compounds

NEAREST = 2  # sentences that a claim is compared with
_REACH = 5  # tokens on either side that tell what a word is about
_BEATS = re.compile(
    r"\b(?:outperform|beat|surpass|exceed|outdo|overtak|outpac)\w*(?P<by> by)?\b"
    r"|\b(?:better|faster|worse|slower|larger|smaller|cheaper|higher|lower|more \w+"
    r"|less \w+) than\b",
    re.IGNORECASE,
)
_SWEEPING = re.compile(
    r"\b(?:first|only|best|all|every|always|never|any|state-of-the-art|universal\w*|entirely"
    r"|complete\w*|guarantee\w*|regardless|no matter|each)\b",
    re.IGNORECASE,
)


def nearest(claim: str, sentences: Sequence[str], most: int = NEAREST) -> list[int]:
    """Places of the *most* sentences that together share most content words with *claim*."""
    left = {token.stem for token in tokens(claim) if token.content}
    held = [{token.stem for token in tokens(text) if token.content} for text in sentences]
    chosen: list[int] = []
    for _ in range(min(most, len(sentences))):
        rest = [i for i in range(len(sentences)) if i not in chosen]
        best = max(rest, key=lambda i: (len(left & held[i]), -i))
        chosen.append(best)
        left = left - held[best]
    return chosen


def coverage(claim: str, texts: Sequence[str]) -> float:
    """Share of *claim*'s content words, 0 to 1, that *texts* have."""
    asked = {token.stem for token in tokens(claim) if token.content}
    held = {token.stem for text in texts for token in tokens(text)}
    return len(asked & held) / len(asked) if asked else 1.0


def check(claim: str, title: str, sentences: Sequence[str]) -> tuple[Finding, ...]:
    """What speaks against *claim* beside an abstract of *sentences* called *title*."""
    near = nearest(claim, sentences)
    texts = [sentences[place] for place in near]
    return (
        *wrong_figures(claim, [*sentences, title], near),
        *_other_names(claim, title, sentences, texts),
        *_directions(claim, texts),
        *_negations(claim, texts),
        *_roles(claim, texts),
        *_sweeping(claim, [*texts, title]),
        *edits(claim, texts, sentences),
    )


def _other_names(
    claim: str, title: str, sentences: Sequence[str], near: Sequence[str]
) -> list[Finding]:
    """Names that the abstract does not have; another in their place makes a contradiction."""
    held = key_of(" ".join([title, *sentences]))
    missing = [w for w in compounds(claim) if is_name_like(w) and _stem_key(w) not in held]
    asked = key_of(claim)
    rivals = [
        w for text in near for w in compounds(text) if is_name_like(w) and key_of(w) not in asked
    ]
    found = []
    for word in missing:
        reason = f"“{word}” is not in the abstract"
        if rivals:
            reason += f", which speaks of “{rivals[0]}”"
        found.append(Finding("name", "absent", 1.0 if rivals else 0.6, word, reason))
    return found


def _stem_key(word: str) -> str:
    return key_of(word.removesuffix("s"))


def _directions(claim: str, near: Sequence[str]) -> list[Finding]:
    """Words of which the sentences have the opposite, about the same things."""
    own = tokens(claim)
    read = [(text, tokens(text), contrasts(tokens(text))) for text in near]
    findings = []
    for mine in contrasts(own):
        about, same, best, against = _about(own, mine), -1, 0, ""
        for text, there, found in read:
            for other in found:
                if other.axis != mine.axis:
                    continue
                shared = len(about & _about(there, other))
                if other.value == mine.value:
                    same = max(same, shared)
                elif shared > best:
                    best = shared
                    against = text[there[other.start].start : there[other.end - 1].end]
        if best > max(0, same):
            words = claim[own[mine.start].start : own[mine.end - 1].end]
            reason = f"it says “{words}” where the abstract says “{against}”"
            strength = min(1.0, (best - max(0, same)) / 3)
            findings.append(Finding("direction", "contradicted", strength, words, reason))
    return findings


def _about(read: tuple[Token, ...], one: Contrast) -> frozenset[str]:
    window = [*read[max(0, one.start - _REACH) : one.start], *read[one.end : one.end + _REACH]]
    return frozenset(token.stem for token in window if token.content)


def _negations(claim: str, near: Sequence[str]) -> list[Finding]:
    """A negation on one side only, where the first sentence has most of the claim's words."""
    if not near:
        return []
    mine, theirs = _negated(claim), _negated(near[0])
    if (mine % 2) == (theirs % 2):
        return []
    side = "denies what the abstract says" if mine > theirs else "says what the abstract denies"
    return [Finding("negation", "contradicted", coverage(claim, near[:1]), "", f"it {side}")]


def _negated(text: str) -> int:
    words = [token.lower for token in tokens(text)]
    return sum(word in NEGATIONS or word.endswith("n't") for word in words)


def _roles(claim: str, near: Sequence[str]) -> list[Finding]:
    """Sides of a comparison that have changed places."""
    mine = _sides(claim)
    for text in near:
        theirs = _sides(text)
        if not mine or not theirs:
            continue
        straight = len(mine[0] & theirs[0]) + len(mine[1] & theirs[1])
        crossed = len(mine[0] & theirs[1]) + len(mine[1] & theirs[0])
        if crossed > straight:
            strength = min(1.0, (crossed - straight) / 3)
            reason = "what is compared has changed places"
            return [Finding("role", "contradicted", strength, "", reason)]
    return []


def _sides(text: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """Content stems before and behind a verb that compares; a passive one changed about."""
    match = _BEATS.search(text)
    if match is None:
        return None
    before = frozenset(t.stem for t in tokens(text[: match.start()]) if t.content)
    behind = frozenset(t.stem for t in tokens(text[match.end() :]) if t.content)
    return (behind, before) if match["by"] else (before, behind)


def _sweeping(claim: str, near: Sequence[str]) -> list[Finding]:
    """Words that widen a claim and that the sentences do not have."""
    held = " ".join(near).casefold()
    words = [m[0] for m in _SWEEPING.finditer(claim) if m[0].casefold() not in held]
    return [
        Finding("scope", "absent", 0.5, word, f"the abstract does not say “{word}”")
        for word in dict.fromkeys(words)
    ]


def inversion(claim: str, near: Sequence[str]) -> float:
    """Share, 0 to 1, of pairs of shared words that stand the other way round in the first sentence.

    A pair of things that changed roles changes the order of its words, and little else does.
    """
    if not near:
        return 0.0
    places: dict[str, int] = {}
    for place, token in enumerate(tokens(near[0])):
        places.setdefault(token.stem, place)
    seen = [places[t.stem] for t in tokens(claim) if t.content and t.stem in places]
    pairs = [(a, b) for i, a in enumerate(seen) for b in seen[i + 1 :] if a != b]
    return sum(a > b for a, b in pairs) / len(pairs) if pairs else 0.0
