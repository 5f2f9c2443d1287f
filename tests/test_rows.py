"""Rows that stay on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag import embeddings, retrieve, rows
from rag.app import PaperChat, open_chat
from rag.errors import StoreError
from rag.matching import about
from rag.rows import Stored
from rag.settings import Settings

MATRIX = np.arange(120, dtype=np.float32).reshape(40, 3)
PLACES = np.array([7, 8, 9, 3, 0, 1, 39, 38], dtype=np.uint32)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stored:
    """Eight rows of a file, the first two of them in memory."""
    monkeypatch.setattr(rows, "HEAD", 2)
    path = tmp_path / "rows"
    path.write_bytes(MATRIX.astype("<f4").tobytes())
    return Stored.opened(path, PLACES, 3)


@pytest.mark.parametrize(
    "which",
    [
        slice(None),
        slice(0, 2),
        slice(1, 5),
        slice(3, 3),
        np.array([0]),
        np.array([7, 0, 0, 2, 3]),
        np.array([], dtype=np.intp),
    ],
)
def test_rows_on_the_disk_are_indexed_as_an_array_is(stored: Stored, which):
    """Whoever asks need not know where the rows lie."""
    assert len(stored) == len(PLACES)
    found = stored[which]
    assert found.dtype == np.float32
    assert found.tolist() == MATRIX[PLACES][which].tolist()


def test_rows_are_of_the_file_that_was_opened(stored: Stored):
    """A file that takes the name, as after a repair, does not mix its rows with the old ones."""
    path = Path(stored.file.name)
    path.unlink()
    path.write_bytes(bytes(480))
    assert stored[2:].tolist() == MATRIX[PLACES[2:]].tolist()


def test_a_file_that_is_cut_off_is_one_sentence(stored: Stored):
    """No crash, as of a mapped file, and no zeros."""
    with Path(stored.file.name).open("r+b") as file:
        file.truncate(12)
    with pytest.raises(StoreError, match="cut off; run `paperchat doctor --repair`"):
        stored[:]


def test_many_papers_are_found_as_few_are(
    seed_settings: Settings, seed_chat: PaperChat, monkeypatch: pytest.MonkeyPatch
):
    """Sentences of the likeliest papers, read from the disk, find what those of all papers find."""
    some = list(seed_chat.papers())[::20]
    asked = [f"What is found in {paper.title}?" for paper in some]
    asked += [paper.abstract.split(". ")[0] for paper in some]
    there = [[hit.paper.id for hit in seed_chat.search(question, 5)] for question in asked]
    listed = seed_chat.ask("Which papers are about quantization?")
    for module in (embeddings, retrieve, about):
        monkeypatch.setattr(module, "ALL_IN_MEMORY", 100)
    monkeypatch.setattr(rows, "HEAD", 500)
    monkeypatch.setattr(retrieve, "LIKELIEST", 60)
    monkeypatch.setattr(retrieve, "SAMPLED", 80)
    large = open_chat(seed_settings)
    here = [[hit.paper.id for hit in large.search(question, 5)] for question in asked]
    assert [found[0] for found in here] == [found[0] for found in there]
    alike = [len({*one} & {*other}) for one, other in zip(here, there, strict=True)]
    assert min(alike) >= 3
    assert sum(alike) >= 4.7 * len(alike)
    again = {source.title for source in large.ask("Which papers are about quantization?").sources}
    assert len(again ^ {source.title for source in listed.sources}) <= 0.1 * len(again)
