"""The map of the collection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.atlas import FILE, atlas, grouped, laid_out
from rag.types import Paper


def _papers(count: int) -> list[Paper]:
    words = ["telescopes galaxies", "proteins enzymes"]
    return [
        Paper(f"p{at}", f"On {words[at % 2]}", f"We study {words[at % 2]}.", str(at))
        for at in range(count)
    ]


def _two_kinds(count: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 0.1, (count, 8))
    noise[:, 0] += np.where(np.arange(count) % 2, 5, -5)
    return noise.astype(np.float32)


def test_papers_that_are_alike_stand_together():
    """The points of two kinds of papers are nearer their own kind than the other."""
    points = laid_out(_two_kinds(60).astype(float))
    one, other = points[::2], points[1::2]
    apart = np.linalg.norm(one.mean(axis=0) - other.mean(axis=0))

    assert points.shape == (60, 2)
    assert np.abs(points).max() == pytest.approx(1)
    assert apart > 2 * max(one.std(), other.std()) or apart > 0.7


@pytest.mark.parametrize("count", [0, 1, 2, 5, 9, 2000])
def test_any_number_of_papers_has_a_map(tmp_path: Path, count):
    """Every paper has a point and a topic, be there few or many."""
    made = atlas(tmp_path, "i", _papers(count), _two_kinds(count) if count else None)

    assert len(made.ids) == len(made.points) == len(made.groups) == count
    assert set(made.groups) == set(range(len(made.topics)))
    assert np.isfinite(np.array(made.points)).all()


def test_topics_are_named_by_words_of_their_own(tmp_path: Path):
    """What most papers of a group say and others do not names it."""
    made = atlas(tmp_path, "i", _papers(90), _two_kinds(90))
    told = {made.topics[group].words for at, group in enumerate(made.groups) if at % 2}

    assert any("proteins" in words or "enzymes" in words for words in told)


def test_the_map_is_kept_until_the_index_changes(tmp_path: Path):
    """It is read back as it was made, made anew for another index, and after damage."""
    papers, vectors = _papers(20), _two_kinds(20)
    made = atlas(tmp_path, "i", papers, vectors)
    assert atlas(tmp_path, "i", papers, -vectors * 3) == made
    assert atlas(tmp_path, "j", papers, vectors).index == "j"
    (tmp_path / FILE).write_text("{", encoding="utf-8")

    assert atlas(tmp_path, "i", papers, vectors) == made


def test_groups_are_the_same_each_time():
    """Nothing about the map is left to chance."""
    points = laid_out(_two_kinds(80).astype(float))

    assert (grouped(points) == grouped(points)).all()
