"""Measure the shipped claim checker, int8 as it runs, and fit its temperature. Needs no torch.

    python -m rag.models.train.claims_report [CLAIMS.jsonl SEEDS_FOLDER]

The temperature and the lean of `rag/claims.py` are fitted on hand-written claims that the model did
not learn from (`has_learned`), by cross-entropy; measured are the rows of the split "dev", and the
claims of a file with `claim`, `cited_paper` (a title) and `label`, if one is given. Intervals are
95% of 2,000 bootstrap samples of papers (Efron and Tibshirani, 1993).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag import corpus
from rag.claims import LEAN, TEMPERATURE, ClaimChecker, likeness, load_claim_checker
from rag.embed import has_learned, load_embedded
from rag.models.train.data import QUESTIONS, Row, read
from rag.sentences import split

LABELS = ("supported", "contradicted", "not_supported")
SAMPLES, SEED = 2_000, 0
Measure = Callable[[NDArray[np.float64], NDArray[np.intp]], float]


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims as read: logits (n, 3), a baseline's scores (n,), labels (n,), papers (n,), kinds."""

    logits: NDArray[np.float64]
    baseline: NDArray[np.float64]
    labels: NDArray[np.intp]
    papers: NDArray[np.intp]
    kinds: tuple[str, ...]


def main(own: Path | None, seeds: Path | None) -> None:
    """Print what the module's docstring says."""
    checker, rows = load_claim_checker(), read(QUESTIONS)
    held = [row for row in rows if row["split"] == "train" and not has_learned(row["id"])]
    temperature, lean = fitted(claims_of(checker, _of_rows(held)))
    print(f"fitted on {len(held)} papers held back: temperature {temperature:.2f}, lean {lean:.2f}")
    dev = claims_of(checker, _of_rows([row for row in rows if row["split"] == "dev"]))
    print(table("dev", dev, paired=True))
    if own is not None and seeds is not None:
        print(table(own.stem, claims_of(checker, _of_file(own, seeds)), paired=False))


Given = tuple[str, str, str, int, str]  # claim, title, abstract, label, kind


def _of_rows(rows: Iterable[Row]) -> list[Given]:
    return [
        (row[name], row["title"], row["abstract"], label, row["contradicted_kind"])
        for row in rows
        for label, name in enumerate(LABELS)
    ]


def _of_file(path: Path, seeds: Path) -> list[Given]:
    abstracts = {paper.title: paper.abstract for paper in corpus.read([seeds]).papers}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        (
            row["claim"],
            row["cited_paper"],
            abstracts[row["cited_paper"]],
            LABELS.index(row["label"]),
            row["kind"],
        )
        for row in lines
    ]


def claims_of(checker: ClaimChecker, given: Sequence[Given]) -> Claims:
    """Read every claim; the baseline is its best overlap plus its best cosine."""
    embed = load_embedded()
    logits, baseline = [], []
    known: dict[str, NDArray[np.float32]] = {}
    for claim, title, abstract, _, _ in given:
        texts = [sentence.text for sentence in split(title, abstract)]
        logits.append(checker.logits(claim, title, texts)[0])
        if title not in known:
            known[title] = embed(texts)
        cosine = float((known[title] @ embed([claim])[0]).max())
        baseline.append(cosine + float(likeness(claim, texts).max()))
    titles = {title: place for place, (_, title, *_) in enumerate(given)}
    return Claims(
        np.array(logits),
        np.array(baseline),
        np.array([label for *_, label, _ in given]),
        np.array([titles[title] for _, title, *_ in given]),
        tuple(kind for *_, kind in given),
    )


def fitted(claims: Claims) -> tuple[float, float]:
    """The temperature and the lean towards "supported" with the least cross-entropy."""
    tried = [(t, b) for t in np.arange(0.5, 4.0, 0.05) for b in np.arange(-2.0, 2.05, 0.1)]

    def entropy(one: tuple[float, float]) -> float:
        chances = chances_of(claims.logits, *one)
        return -float(np.log(chances[np.arange(len(chances)), claims.labels] + 1e-12).mean())

    temperature, lean = min(tried, key=entropy)
    return float(temperature), float(lean)


def chances_of(logits: NDArray[np.float64], temperature: float, lean: float) -> NDArray[np.float64]:
    """Probabilities (n, 3)."""
    scaled = logits / temperature + np.array([lean, 0.0, 0.0])
    return np.asarray(np.exp(scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)))


def table(name: str, claims: Claims, *, paired: bool) -> str:
    """Measures with intervals, and by kind of contradiction, as Markdown."""
    chances = chances_of(claims.logits, TEMPERATURE, LEAN)
    # The baseline's threshold is the one that suits these very claims best: an upper bound.
    cuts = np.unique(claims.baseline)
    cut = max(cuts, key=lambda c: of_two((claims.baseline > c).astype(float), claims.labels))
    lines = [
        f"| {name}, {len(chances)} claims | checker | overlap + cosine |",
        "| --- | --: | --: |",
    ]
    best = chances.argmax(axis=1)
    three = float(np.mean([(best[claims.labels == n] == n).mean() for n in range(3)]))
    lines.append(f"| balanced accuracy of three | {three:.3f} | |")
    measures: list[tuple[str, Measure]] = [
        ("balanced accuracy of two", of_two),
        ("supported accepted", lambda scores, labels: float((scores[labels == 0] > 0.5).mean())),
        ("contradicted caught", lambda scores, labels: float((scores[labels == 1] <= 0.5).mean())),
        (
            "not supported refused",
            lambda scores, labels: float((scores[labels == 2] <= 0.5).mean()),
        ),
    ]
    decided = (claims.baseline > cut).astype(float)
    rest: list[tuple[str, Measure]] = [
        (
            "AUROC against contradicted",
            lambda scores, labels: auroc(scores[labels == 0], scores[labels == 1]),
        ),
        (
            "AUROC against not supported",
            lambda scores, labels: auroc(scores[labels == 0], scores[labels == 2]),
        ),
    ]
    if paired:
        rest.append(("minimal pairs in order", in_order))
    for pairs, other in ((measures, decided), (rest, claims.baseline)):
        for title, measure in pairs:
            value = interval(measure, chances[:, 0], claims)
            lines.append(f"| {title} | {value} | {measure(other, claims.labels):.3f} |")
    if paired:
        lines += [_of_kind(kind, chances[:, 0], claims) for kind in sorted(set(claims.kinds))]
    return "\n".join(lines)


def of_two(supported: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """Balanced accuracy of supported against the rest, at one half."""
    right = supported > 0.5
    return float((right[labels == 0].mean() + (~right[labels != 0]).mean()) / 2)


def in_order(scores: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """Share of true claims that score above their false twin, which follows them."""
    true = np.flatnonzero(labels == 0)
    return float((scores[true] > scores[true + 1]).mean())


def auroc(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> float:
    """Share of (right, wrong) pairs in the right order."""
    return float((right[:, None] > wrong[None, :]).mean())


def interval(measure: Measure, scores: NDArray[np.float64], claims: Claims) -> str:
    """The measure and where 95% of bootstrap samples of papers lie."""
    chance = np.random.default_rng(SEED)
    places = {paper: np.flatnonzero(claims.papers == paper) for paper in set(claims.papers)}
    papers = list(places)
    found = []
    for _ in range(SAMPLES):
        drawn = np.concatenate(
            [places[papers[i]] for i in chance.integers(len(papers), size=len(papers))]
        )
        found.append(measure(scores[drawn], claims.labels[drawn]))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return f"{measure(scores, claims.labels):.3f} ({low:.3f}–{high:.3f})"


def _of_kind(kind: str, scores: NDArray[np.float64], claims: Claims) -> str:
    own = np.array([one == kind for one in claims.kinds])
    labels, chosen = claims.labels[own], scores[own]
    caught = float((chosen[labels == 1] <= 0.5).mean())
    return (
        f"| {kind} ({int((labels == 1).sum())}): caught; pairs in order | "
        f"{caught:.2f}; {in_order(chosen, labels):.2f} | "
        f"{in_order(claims.baseline[own], labels):.2f} in order |"
    )


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[1:3]]
    main(*(paths if len(paths) == 2 else (None, None)))
