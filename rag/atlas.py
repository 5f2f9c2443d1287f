"""A picture of the collection: every paper a point, near the papers that it is like.

The points are laid out once for each index, by t-SNE (van der Maaten and Hinton, 2008) over the
first principal components of the papers' vectors, and kept beside the index. Groups of points are
named by the words that are more theirs than anybody else's.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.types import Paper

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "map.json"
MOST = 1_500
"""Papers that t-SNE, whose time grows with their square, lays out; more are shown by PCA."""

_COMPONENTS, _PERPLEXITY, _STEPS = 30, 20.0, 350
_SAMPLE = 5_000  # papers whose words are counted
_A_GROUP, _FEWEST, _MOST = 35, 3, 12  # papers in a group, and how many groups there may be
_WORD = re.compile(r"[A-Za-z][A-Za-z-]{2,}[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Topic:
    """A group of papers: where its name stands, and the words that name it."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Atlas:
    """Where each paper stands, -1 to 1, in the order of *ids*; each belongs to one topic."""

    index: str  # hash of the index generation
    ids: tuple[str, ...]
    points: tuple[tuple[float, float], ...]
    groups: tuple[int, ...]  # the place of each paper's topic
    topics: tuple[Topic, ...]


def atlas(
    folder: Path, index: str, papers: Sequence[Paper], vectors: NDArray[np.float32] | None
) -> Atlas:
    """The map of *papers*, whose *vectors* are (papers, dim): as kept in *folder*, or made anew."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = _read(json.loads((folder / FILE).read_text(encoding="utf-8")))
        if kept.index == index:
            return kept
    made = _made(index, papers, vectors)
    with suppress(OSError):  # a folder that only can be read: it is made again next time
        (folder / FILE).write_text(json.dumps(_told(made)), encoding="utf-8")
    return made


def _read(told: dict[str, list[list[float]]]) -> Atlas:
    points = tuple((float(x), float(y)) for x, y in told["points"])
    topics = tuple(Topic(float(x), float(y), str(words)) for x, y, words in told["topics"])
    groups = tuple(int(group) for group in told["groups"])  # type: ignore[call-overload]
    return Atlas(str(told["index"]), tuple(map(str, told["ids"])), points, groups, topics)


def _told(made: Atlas) -> dict[str, object]:
    return {
        "index": made.index,
        "ids": made.ids,
        "points": made.points,
        "groups": made.groups,
        "topics": [(one.x, one.y, one.words) for one in made.topics],
    }


def _made(index: str, papers: Sequence[Paper], vectors: NDArray[np.float32] | None) -> Atlas:
    if not papers or vectors is None:
        return Atlas(index, (), (), (), ())
    points = laid_out(np.asarray(vectors, dtype=np.float64))
    groups = grouped(points)
    topics = tuple(
        Topic(float(x), float(y), words)
        for (x, y), words in zip(_middles(points, groups), named(papers, groups), strict=True)
    )
    return Atlas(
        index,
        tuple(paper.id for paper in papers),
        tuple((round(float(x), 4), round(float(y), 4)) for x, y in points),
        tuple(int(group) for group in groups),
        topics,
    )


def laid_out(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) points from -1 to 1, near each other where the (n, dim) *vectors* are alike."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)  # far less than a singular value decomposition
    components = centred @ axes[:, ::-1][:, :_COMPONENTS]
    first = np.zeros((len(vectors), 2))
    first[:, : components.shape[1]] = components[:, :2]
    points = _tsne(components, first) if 8 <= len(vectors) <= MOST else first
    points = points - points.mean(axis=0)
    size = np.abs(points).max()
    made: NDArray[np.float64] = points / size if size else points
    return made


def _tsne(data: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gradient descent from *first* on the divergence between likeness there and here."""
    wanted = _likeness(data)
    points = first / max(float(first.std()), 1e-12) * 1e-2
    moved, gains = np.zeros_like(points), np.ones_like(points)
    for step in range(_STEPS):
        near = 1 / (1 + _distances(points))
        np.fill_diagonal(near, 0)
        pull = ((12 if step < 100 else 1) * wanted - near / near.sum()) * near
        slope = 4 * (pull.sum(axis=1)[:, None] * points - pull @ points)
        gains = np.where(np.sign(slope) == np.sign(moved), gains * 0.8, gains + 0.2).clip(0.01)
        moved = (0.5 if step < 100 else 0.8) * moved - max(len(points) / 12, 50) * gains * slope
        points = points + moved
    return points


def _likeness(data: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, n) probabilities that two are neighbours, with the same perplexity for each."""
    apart = _distances(data)
    np.fill_diagonal(apart, np.inf)
    low, high = np.full(len(data), 1e-6), np.full(len(data), 1e6)
    wanted = np.log(min(_PERPLEXITY, (len(data) - 1) / 3))
    nearest = apart.min(axis=1, keepdims=True)
    for _ in range(50):
        narrow = np.sqrt(low * high)
        weights = np.exp(-(apart - nearest) * narrow[:, None])
        chances = weights / weights.sum(axis=1, keepdims=True)
        spread = -(chances * np.log(chances.clip(1e-300))).sum(axis=1)
        low, high = np.where(spread > wanted, narrow, low), np.where(spread > wanted, high, narrow)
    both: NDArray[np.float64] = (chances + chances.T) / (2 * len(data))
    return both


def _distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, n) squares of the distances between rows."""
    sizes = (points**2).sum(axis=1)
    apart: NDArray[np.float64] = (sizes[:, None] + sizes - 2 * points @ points.T).clip(0)
    return apart


def grouped(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each point its group: k-means, begun with points far from one another."""
    wanted = min(len(points), max(_FEWEST, min(_MOST, len(points) // _A_GROUP)))
    middles = points[[int((points**2).sum(axis=1).argmax())]]
    while len(middles) < wanted:
        apart = ((points[:, None] - middles) ** 2).sum(axis=2).min(axis=1)
        middles = np.vstack([middles, points[int(apart.argmax())]])
    for _ in range(30):
        groups: NDArray[np.intp] = ((points[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)
        middles = np.array(
            [
                points[groups == group].mean(axis=0) if (groups == group).any() else middle
                for group, middle in enumerate(middles)
            ]
        )
    _, groups = np.unique(groups, return_inverse=True)
    return groups


def _middles(points: NDArray[np.float64], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.array([np.median(points[groups == one], axis=0) for one in range(groups.max() + 1)])


def named(papers: Sequence[Paper], groups: NDArray[np.intp]) -> list[str]:
    """For each group the two words that most of its papers have and few of the others."""
    wanted = int(groups.max()) + 1
    step = max(1, len(papers) // _SAMPLE)
    papers, groups = papers[::step], groups[::step]
    held = [set(map(str.lower, _WORD.findall(f"{one.title} {one.abstract}"))) for one in papers]
    everywhere = Counter(word for words in held for word in words)
    names, taken = [], set[str]()
    for group in range(wanted):
        own = [words for words, its in zip(held, groups, strict=True) if its == group]
        count = Counter(word for words in own for word in words)
        best = sorted(
            (word for word in count if count[word] > 1 or len(own) == 1),
            key=lambda word: (
                word in taken,
                -count[word]
                * np.log(count[word] * len(held) / max(1, len(own)) / everywhere[word]),
                word,
            ),
        )
        chosen = _apart(best)
        taken |= set(chosen)
        names.append(", ".join(chosen))
    return names


def _apart(words: Sequence[str]) -> list[str]:
    """The first two words that do not begin alike."""
    chosen: list[str] = []
    for word in words:
        if all(word[:5] != other[:5] for other in chosen):
            chosen.append(word)
        if len(chosen) == 2:
            break
    return chosen
