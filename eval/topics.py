"""`python -m eval.topics`: fit the weights of `rag/listing/topics.py`, and what they reach.

    python -m eval.topics             # needs the extra `calibrate`; prints, writes nothing

It learns from `calibration/topics.jsonl`: topics of the bundled papers with those that a person
found to be about each, and from the questions for topics in `unseen/fitted.jsonl`; papers that
count neither way are left out. The figure is held back: F1 of a tenth of the topics under weights
fitted to the others.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from eval.cases import read_cases
from rag.app import choose_embedder, index
from rag.listing.asked import read_criteria
from rag.listing.criteria import Topic
from rag.listing.topics import BIAS, FEATURES, WEIGHTS, features
from rag.matching.about import topic_signs
from rag.question import focus
from rag.settings import Settings
from rag.store import Snapshot, fingerprint, load
from rag.types import Embedder

UNSEEN = Path(__file__).parent / "unseen" / "fitted.jsonl"
LABELS = Path(__file__).parent / "calibration" / "topics.jsonl"
RIDGE, FOLDS, CUTS = 0.5, 10, (0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One topic over the papers that count: what they show of it, and whether they are about it."""

    name: str
    rows: NDArray[np.float64]  # (papers, FEATURES)
    right: NDArray[np.bool_]  # (papers,)


def main() -> None:
    """Print the fitted weights beside those in use, and F1 per cut on held-back topics."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment(store=Path(folder), environment={})
        index(settings)
        embedder = choose_embedder(settings)
        snapshot = load(settings.store, fingerprint(embedder))
        topics = list(labelled(snapshot, embedder))
    weights = fit(topics)
    print(f"{len(topics)} topics, {sum(int(t.right.sum()) for t in topics)} papers on them\n")
    for name, fitted, used in zip((*FEATURES, "bias"), weights, (*WEIGHTS, BIAS), strict=True):
        print(f"  {name:20}{fitted:8.2f}  in use {used:6.2f}")
    print("\nF1 of held-back topics, mean, per cut")
    for cut, score in held_back(topics).items():
        print(f"  {cut:5}{score:8.3f}")


def labelled(snapshot: Snapshot, embedder: Embedder) -> Iterator[Labelled]:
    """The labelled topics that a list question about them is read as."""
    for question, right, neither in asked():
        criteria = read_criteria(focus(question))
        read = [one for clause in criteria.clauses for one in clause.any_of] if criteria else []
        topics = [one for one in read if isinstance(one, Topic)]
        if len(topics) != 1 or len(read) != 1:
            continue
        signs = topic_signs(snapshot, embedder, topics[0], range(len(snapshot.papers)))
        kept = [
            (features(seen), snapshot.papers[place].title in right)
            for place, seen, _ in signs
            if snapshot.papers[place].title not in neither
        ]
        yield Labelled(
            topics[0].text,
            np.stack([row for row, _ in kept]),
            np.array([right for _, right in kept], dtype=bool),
        )


def asked() -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Questions for topics, with the papers that are on each and those that count neither way."""
    for line in LABELS.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        yield f"papers about {record['topic']}", record["papers"], record["borderline"]
    for case in read_cases([UNSEEN]):
        if case.criterion == "topic" and case.gold_papers:
            yield case.question, case.gold_papers, case.borderline


def fit(topics: list[Labelled]) -> NDArray[np.float64]:
    """Ridge logit, a topic with many papers counting less for each: (FEATURES + bias,)."""
    rows = np.concatenate([np.c_[t.rows, np.ones(len(t.rows))] for t in topics])
    right = np.concatenate([t.right for t in topics])
    weights = np.concatenate(
        [np.full(len(t.right), max(1, int(t.right.sum())) ** -0.5) for t in topics]
    )
    ridge = np.r_[np.full(len(FEATURES), RIDGE), 0.01]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = rows @ flat
        value = float((weights * np.logaddexp(0.0, np.where(right, -odds, odds))).sum())
        slope = rows.T @ (weights * (_chance(odds) - right))
        return value + 0.5 * float(ridge @ (flat * flat)), slope + ridge * flat

    start = np.r_[np.zeros(len(FEATURES)), -4.0]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def held_back(topics: list[Labelled]) -> dict[float, float]:
    """Mean F1 per cut of the topics of each fold under the weights of the others."""
    order = np.random.default_rng(0).permutation(len(topics))
    scores: dict[float, list[float]] = {cut: [] for cut in CUTS}
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS].tolist())
        weights = fit([t for i, t in enumerate(topics) if i not in held])
        for place in sorted(held):
            chances = _chance(np.c_[topics[place].rows, np.ones(len(topics[place].rows))] @ weights)
            for cut in CUTS:
                scores[cut].append(_f1(chances >= cut, topics[place].right))
    return {cut: float(np.mean(values)) for cut, values in scores.items()}


def _chance(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -40, 40))))


def _f1(listed: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    both = int((listed & right).sum())
    return 2 * both / max(1, int(listed.sum()) + int(right.sum()))


if __name__ == "__main__":
    main()
