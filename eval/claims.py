"""Fit and measure the check of claims: does an abstract bear a sentence?

    python -m eval.claims            # fits, prints, writes `rag/calibration.json`
    python -m eval.claims --check    # fits and prints, writes nothing

It learns from the claims of `questions-and-claims` on papers that the trained reader did not learn
from, and is measured on those of the split "dev" and on `eval/cases/claims.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.logit import multinomial
from eval.metrics import ClaimResult, claim_measures
from rag import verify
from rag.claims import load_claim_checker
from rag.embed import has_learned, load_embedded
from rag.guard.findings import Finding
from rag.guard.weigh import FEATURES, OUTCOMES, Fitted, shares, verdict_of
from rag.text import digest, paper_id
from rag.types import Paper, Verdict

HERE = Path(__file__).parent
TARGET = Path(verify.__file__).parent / "calibration.json"
ROWS = HERE / "calibration" / "questions-and-claims.jsonl.xz"
RIDGE = 1.0
CLASS_SHARE = (0.45, 0.35, 0.20)  # what a check of a model's sentences meets, about
ACCEPTED = 0.815  # share of true claims to be accepted; the rest follows


@dataclass(frozen=True, slots=True)
class Example:
    """A claim as the logit sees it."""

    values: NDArray[np.float64]
    found: tuple[Finding, ...]
    label: Verdict
    kind: str
    pair: str  # what the two claims of a minimal pair share
    held: bool


def main() -> None:
    """Fit with and without the reader, print what it reaches, write unless --check is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    record: dict[str, Any] = {}
    for name in ("unread", "read"):
        examples = list(_examples(read=name == "read"))
        by = fit([one for one in examples if not one.held])
        print(f"\n# {name}: supported from {by.supported_at_least:.3f}")
        for held in (False, True):
            group = [one for one in examples if one.held == held]
            print(f"\n{'held back' if held else 'fitted'}: {len(group)} claims")
            for measure, value in claim_measures(results(group, by)).items():
                print(f"  {measure:34}{value:7.3f}")
        print("\nleft out: balanced accuracy held back")
        for place, feature in enumerate(FEATURES[1:], 1):
            print(f"  {feature:20}{_without(examples, place):7.3f}")
        weights = dict(zip(FEATURES, np.round(by.weights, 4).tolist(), strict=True))
        record[name] = {"supported_at_least": by.supported_at_least, "weights": weights}
    if not arguments.check:
        fitted = json.loads(TARGET.read_text(encoding="utf-8"))
        fitted["claims"] = record
        TARGET.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


def _examples(*, read: bool) -> Iterator[Example]:
    reader = load_claim_checker() if read else None
    embedder = load_embedded()
    with lzma.open(ROWS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        held = row["split"] == "dev"
        if not held and has_learned(row["id"]):
            continue
        title, abstract = row["title"], row["abstract"]
        paper = Paper(paper_id(title), title, abstract, digest(title, abstract))
        for label in OUTCOMES:
            values, found = verify.signs(row[label], paper, embedder, reader)
            kind = row["contradicted_kind"] if label == "contradicted" else label
            yield Example(values, found, label, kind, row["id"], held)


def fit(examples: Sequence[Example]) -> Fitted:
    """The logit, and the threshold at which ACCEPTED of the true claims are accepted."""
    values = np.stack([one.values for one in examples])
    target = np.array([OUTCOMES.index(one.label) for one in examples])
    weights = np.array([CLASS_SHARE[t] / (target == t).sum() for t in target])
    matrix = np.round(multinomial(values, target, weights, len(OUTCOMES), RIDGE), 4)
    true = [float(shares(one.values, matrix)[0]) for one in examples if one.label == "supported"]
    return Fitted(matrix, round(float(np.quantile(true, 1 - ACCEPTED)), 3))


def results(examples: Sequence[Example], by: Fitted) -> list[ClaimResult]:
    """What *by* makes of *examples*."""
    return [
        ClaimResult(one.label, *verdict_of(one.values, one.found, by), one.kind, one.pair)
        for one in examples
    ]


def _without(examples: Sequence[Example], place: int) -> float:
    """Balanced accuracy held back with the feature at *place* taken away."""
    bare = [
        Example(np.where(np.arange(len(FEATURES)) == place, 0.0, one.values), one.found,
                one.label, one.kind, one.pair, one.held)
        for one in examples
    ]  # fmt: skip
    by = fit([one for one in bare if not one.held])
    measured = claim_measures(results([one for one in bare if one.held], by))
    return measured["balanced_accuracy"]


if __name__ == "__main__":
    main()
