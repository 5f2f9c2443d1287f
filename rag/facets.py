"""What abstracts commonly speak to (problem, approach, data, …), and which sentence does.

Used for comparisons that name no axes. Also judges whether figures quoted side by side may be
compared. Pure rules over sentences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.names import is_name_like, key_of
from rag.words import compounds, numbers


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing that abstracts speak to: how its sentences sound, and where they stand."""

    label: str
    cues: re.Pattern[str]
    at: float  # where in an abstract it is mostly said, 0 start to 1 end
    turn: int  # which facet takes its sentences first
    most: int = 1  # sentences that speak to it
    figures: bool = False  # a number speaks for it
    follows: bool = False  # only sentences after the first that proposes something


def _cue(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})", re.IGNORECASE)


FACETS = (
    Facet(
        "problem",
        _cue(
            r"however|challeng|limit(?:ed|ation|s)|problem|lack|difficult|costly|expensive|suffer"
            r"|bottleneck|hinder|prohibitive|fail|struggl|unfortunately|remains?\b|despite|issue"
        ),
        at=0.2,
        turn=3,
    ),
    Facet(
        "approach",
        _cue(
            r"we (?:\w+ ){0,2}(?:propose|introduce|present|develop|design|describe|create|release)"
            r"|this (?:paper|work|article|study|survey) (?:\w+ )?(?:propos|introduc|present|develop"
            r"|describ|investigat|stud|explor|examin|review)|(?:is|are|a) (?:called|named|dubbed)\b"
            r"|our (?:approach|method|framework|system|key idea|model)\b|the core of"
        ),
        at=0.35,
        turn=0,
    ),
    Facet(
        "how it works",
        _cue(
            r"consists? of|compris|leverag|utiliz|by \w+ing|first\b.*\bthen|based on|employ"
            r"|decompos|which (?:allow|enable)|specifically|in particular|via\b|module|stage"
            r"|component"
            r"|two-|three-|disentangl|combin|enabl|allow"
        ),
        at=0.5,
        turn=2,
        most=2,
        follows=True,
    ),
    Facet(
        "data and scale",
        _cue(
            r"dataset|corpus|corpora|benchmark|tokens?\b|parameters?\b|\d+[BM]\b|billion|trillion"
            r"|million|GPUs?\b|TPUs?\b|samples|examples|tasks|languages|trained on|evaluated on"
            r"|collected"
        ),
        at=0.55,
        turn=4,
        figures=True,
    ),
    Facet(
        "results",
        _cue(
            r"outperform|achiev|state-of-the-art|improv|results (?:show|demonstrat|indicat|suggest)"
            r"|we (?:find|found|show|observe|demonstrate)|experiments?|surpass|reach|accuracy"
            r"|exceed"
            r"|reduc|reveal|gain"
        ),
        at=0.8,
        turn=1,
        most=2,
        figures=True,
    ),
    Facet(
        "cost and speed",
        _cue(
            r"speed-?up|faster|throughput|latency|memory (?:usage|footprint|consumption|cost)|hours"
            r"|days|cost|cheaper|GPU-hours|efficien|overhead|times (?:faster|higher|lower)"
            r"|\d[\d.]*\s?(?:x|times)\b"
        ),
        at=0.75,
        turn=5,
        figures=True,
    ),
)


def facet_sentences(sentences: Sequence[str]) -> list[tuple[int, ...]]:
    """For each of FACETS the places of the sentences that speak to it best, in reading order.

    A sentence speaks to one facet only, to the one whose turn comes first: what an abstract
    proposes and finds comes before what else it touches on.
    """
    chosen: list[tuple[int, ...]] = [()] * len(FACETS)
    taken: set[int] = set()
    proposed = 0
    for number in sorted(range(len(FACETS)), key=lambda number: FACETS[number].turn):
        facet, last = FACETS[number], max(1, len(sentences) - 1)
        scores = {
            place: _score(facet, text, place / last)
            for place, text in enumerate(sentences)
            if place not in taken and not (facet.follows and place < proposed)
        }
        order = sorted((p for p in scores if scores[p] > 0), key=lambda p: (-scores[p], p))
        chosen[number] = tuple(sorted(order[: facet.most]))
        taken.update(chosen[number])
        if facet.turn == 0 and chosen[number]:
            proposed = chosen[number][0]
    return _with_what_stands_there(chosen, len(sentences), taken)


def _with_what_stands_there(
    chosen: list[tuple[int, ...]], count: int, taken: set[int]
) -> list[tuple[int, ...]]:
    """*chosen*, and where no sentence sounds like an approach or a result, the first and the last.

    Every field writes differently, and every abstract begins with its subject and ends with what
    came of it.
    """
    free = [place for place in range(count) if place not in taken]
    for number, facet in enumerate(FACETS):
        if facet.label in {"approach", "results"} and not chosen[number] and free:
            chosen[number] = (free.pop(0 if facet.label == "approach" else -1),)
    return chosen


def _score(facet: Facet, text: str, at: float) -> float:
    """How well *text*, standing *at* (0 to 1), speaks to *facet*: 0 if not at all."""
    cues = {found.lower() for found in facet.cues.findall(text)}
    if not cues:
        return 0.0
    figured = 0.5 if facet.figures and numbers(text) else 0.0
    return min(2, len(cues)) * 0.5 + 1.0 - abs(at - facet.at) + figured


# --- Figures side by side -------------------------------------------------------------------------

_RELATIVE = re.compile(r"\d[\d.,]*\s*(?:%|\\%|percent|points?\b|x\b|times\b|×)", re.IGNORECASE)
_METRICS = re.compile(
    r"\b(accuracy|f1|bleu|rouge\w*|pass@\d+|perplexity|auc|mfu|utilization|throughput|latency"
    r"|speed-?up"
    r"|memory|cost|recall|precision|win rate|map|miou|fid|score|error|tokens?|parameters?|gpus?"
    r"|tflops"
    r"|petaflops|efficiency|hours|days)\b",
    re.IGNORECASE,
)
_BASELINE = re.compile(
    r"\b(?:than|over|compared (?:to|with)|against|relative to|versus|vs\.?)\s+([^,.;]{3,60})", re.I
)


def incomparable(quotes: Sequence[str]) -> str:
    """Why the figures in *quotes*, one of each side, cannot be set side by side; "" if they can.

    Scores, shares and factors are comparable only on one data set, in one metric and setting;
    counts (GPUs, parameters, tokens) always are.
    """
    figured = [quote for quote in quotes if _RELATIVE.search(quote)]
    if len(figured) < 2:
        return ""
    metrics = [{m.lower() for m in _METRICS.findall(quote)} for quote in figured]
    if not set.intersection(*metrics):
        return "the figures are of different measures"
    names = [{key_of(w) for w in compounds(quote) if is_name_like(w)} for quote in figured]
    baselines = [{b.strip().lower() for b in _BASELINE.findall(quote)} for quote in figured]
    if not set.intersection(*names) and not set.intersection(*baselines):
        return "the figures are from different data or against different baselines"
    return ""
