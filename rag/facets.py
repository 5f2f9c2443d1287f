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
    figures: bool = False  # a number speaks for it


def _cue(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})", re.IGNORECASE)


FACETS = (
    Facet(
        "problem",
        _cue(
            r"however|challeng|limit(?:ed|ation|s)|problem|lack|difficult|costly|expensive|suffer"
            r"|bottleneck|hinder|prohibitive|fail|struggl|unfortunately|remains?\b|despite|issue"
        ),
        0.2,
    ),
    Facet(
        "approach",
        _cue(
            r"we (?:\w+ )?(?:propose|introduce|present|develop|design|describe)|this (?:paper"
            r"|work|article)"
            r" (?:\w+ )?(?:propose|introduce|present|develop|describe|investigat|stud|explor)"
            r"|called\b"
            r"|named\b|dubbed\b|our (?:approach|method|framework|system|key idea)|the core of"
        ),
        0.4,
    ),
    Facet(
        "how it works",
        _cue(
            r"consists? of|compris|leverag|utiliz|by \w+ing|first\b.*\bthen|based on|employ|combin"
            r"|decompos|which (?:allow|enable)|specifically|in particular|via\b|module|stage"
            r"|component"
        ),
        0.5,
    ),
    Facet(
        "data and scale",
        _cue(
            r"dataset|corpus|corpora|benchmark|tokens?\b|parameters?\b|\d+[BM]\b|billion|trillion"
            r"|million"
            r"|GPUs?\b|TPUs?\b|samples|examples|tasks|languages|trained on|evaluated on|collected"
        ),
        0.55,
        figures=True,
    ),
    Facet(
        "results",
        _cue(
            r"outperform|achiev|state-of-the-art|improv|results (?:show|demonstrat|indicat|suggest)"
            r"|we (?:find|found|show|observe|demonstrate)|experiments?|surpass|reach|accuracy"
            r"|exceed"
        ),
        0.8,
        figures=True,
    ),
    Facet(
        "cost and speed",
        _cue(
            r"speed-?up|faster|throughput|latency|memory (?:usage|footprint|consumption|cost)"
            r"|hours|days"
            r"|cost|cheaper|GPU-hours|efficien|overhead|times (?:faster|higher|lower)"
            r"|\d[\d.]*\s?(?:x|times)\b"
        ),
        0.75,
        figures=True,
    ),
)


def facet_scores(sentences: Sequence[str]) -> list[int | None]:
    """For each of FACETS the sentence that speaks to it best, as a place; None where none does.

    A sentence speaks for one facet only: the one it scores highest for.
    """
    last = max(1, len(sentences) - 1)
    scores = [
        [_score(facet, text, i / last) for i, text in enumerate(sentences)] for facet in FACETS
    ]
    chosen: list[int | None] = [None] * len(FACETS)
    taken: set[int] = set()
    order = sorted(
        ((scores[f][i], f, i) for f in range(len(FACETS)) for i in range(len(sentences))),
        key=lambda one: (-one[0], one[1], one[2]),
    )
    for score, facet, place in order:
        if score > 0 and chosen[facet] is None and place not in taken:
            chosen[facet] = place
            taken.add(place)
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
