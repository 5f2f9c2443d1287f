"""What the checks, the likeness and the trained reader add up to: a verdict and a score.

A multinomial logit (McFadden, 1974) over the FEATURES of a claim beside an abstract, fitted by
`python -m eval.claims`; weights and thresholds are in `rag/calibration.json`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from rag.guard.checks import coverage, inversion, nearest
from rag.guard.findings import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import ClaimRead, Verdict

OUTCOMES: tuple[Verdict, ...] = ("supported", "contradicted", "not_supported")
FEATURES = (
    "one",  # the constant
    "reader",  # log odds of supported by the trained reader, over 4; 0 where none read
    "reader_against",  # log odds of contradicted against not supported, over 4
    "coverage",  # share of the claim's words in the abstract
    "coverage_near",  # … in the two nearest sentences
    "cosine",  # to the closest sentence
    "figure_absent",
    "figure_wrong",
    "swap",
    "name",
    "direction",
    "negation",
    "role",
    "scope",
    "inversion",  # of the order of shared words, times coverage_near
)
HARD_KINDS = frozenset({"number", "unit", "swap", "edit"})
HARD = 0.99  # a finding of these kinds, from this strength on, decides alone


@dataclass(frozen=True, slots=True)
class Fitted:
    """What `eval.claims` fitted."""

    weights: NDArray[np.float64]  # (FEATURES, OUTCOMES)
    supported_at_least: float  # share of supported from which a claim is


@cache
def fitted(*, read: bool) -> Fitted:
    """The shipped weights: for claims that the reader *read*, or for those it did not."""
    text = (files("rag") / "calibration.json").read_text(encoding="utf-8")
    raw = json.loads(text)["claims"]["read" if read else "unread"]
    weights = np.array(list(raw["weights"].values()))
    return Fitted(weights, float(raw["supported_at_least"]))


def features(
    claim: str,
    title: str,
    sentences: Sequence[str],
    cosine: float,
    found: Sequence[Finding],
    read: ClaimRead | None,
) -> NDArray[np.float64]:
    """Describe *claim* beside an abstract: (FEATURES,). *cosine* is to the closest sentence."""
    near = [sentences[place] for place in nearest(claim, sentences)]
    near_share = coverage(claim, [*near, title])

    def most(*kinds: str, speaks: str = "contradicted") -> float:
        fitting = [f.strength for f in found if f.kind in kinds and f.speaks == speaks]
        return max(fitting, default=0.0)

    return np.array(
        [
            1.0,
            0.0 if read is None else _odds(read.supported, 1 - read.supported) / 4,
            0.0 if read is None else _odds(read.contradicted, read.not_supported) / 4,
            coverage(claim, [*sentences, title]),
            near_share,
            cosine,
            most("number", speaks="absent"),
            most("number", "unit"),
            most("swap"),
            most("name", speaks="absent"),
            most("direction"),
            most("negation"),
            most("role"),
            most("scope", speaks="absent"),
            inversion(claim, near) * near_share,
        ]
    )


def _odds(share: float, other: float) -> float:
    return float(np.clip(np.log((share + 1e-6) / (other + 1e-6)), -8, 8))


def shares(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of each of OUTCOMES, by *weights* (FEATURES, OUTCOMES)."""
    odds = values @ weights
    odds = np.exp(odds - odds.max())
    return np.asarray(odds / odds.sum())


def verdict_of(
    values: NDArray[np.float64], found: Sequence[Finding], by: Fitted
) -> tuple[Verdict, float]:
    """The verdict, and how well the abstract supports the claim, 0 to 1.

    | what is known | verdict |
    | --- | --- |
    | a figure, unit or swap that surely says otherwise | contradicted, whatever the reader says |
    | a quotation with words changed, or with words added | contradicted, or not_supported |
    | the share of supported reaches its threshold | supported |
    | else the likelier of the two others | contradicted or not_supported |
    """
    chances = shares(values, by.weights)
    score = float(chances[0])
    sure = [f.speaks for f in found if f.kind in HARD_KINDS and f.strength >= HARD]
    if sure:
        verdict: Verdict = "contradicted" if "contradicted" in sure else "not_supported"
        return verdict, min(score, by.supported_at_least / 2)
    if score >= by.supported_at_least:
        return "supported", score
    return ("contradicted" if chances[1] >= chances[2] else "not_supported"), score
