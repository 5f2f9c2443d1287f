"""Vectors kept by text and model: made once, found again, and never taken for another model's."""

from __future__ import annotations

import numpy as np
import pytest

from rag import embeddings, indexing, store
from rag.embed import load_embedded
from rag.embeddings import Embeddings
from rag.errors import StoreError
from rag.types import Corpus
from rag.warm import FILE, warmed
from tests.test_store import OLD, Watched, about, corpus


def units(count, seed=0, dimension=8):
    """Unit vectors."""
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_what_is_kept_is_found_to_the_last_bit(tmp_path):
    """By its text and its model, in this process and the next."""
    made = units(1200)
    texts = [f"text {n}" for n in range(1200)]
    with Embeddings(tmp_path) as kept:
        assert kept.known("model", texts).tolist() == [-1] * 1200
        kept.add("model", texts[:700], made[:700])
        kept.add("model", texts[700:], made[700:])
    with Embeddings(tmp_path) as kept:
        rows = kept.known("model", [*reversed(texts), "another"])
        assert rows[-1] == -1
        assert np.array_equal(kept.take("model", rows[:-1]), made[::-1])
        assert kept.known("another model", texts[:3]).tolist() == [-1] * 3
        assert kept.damage() == ""


def test_what_a_killed_run_left_is_written_over(tmp_path):
    """Bytes that the table does not know of are nobody's."""
    with Embeddings(tmp_path) as kept:
        kept.add("model", ["a"], units(1))
        (file,) = tmp_path.glob("embeddings-*.f32")
        with file.open("ab") as out:
            out.write(b"half a vector")
        kept.add("model", ["b"], units(1, seed=1))

        assert np.array_equal(kept.take("model", kept.known("model", ["b"])), units(1, seed=1))
        assert file.stat().st_size == 2 * 8 * 4


def test_another_dimension_is_refused(tmp_path):
    """A model that changed under its name is noticed before anything is written."""
    with Embeddings(tmp_path) as kept:
        kept.add("model", ["a"], units(1))
        with pytest.raises(StoreError, match="PAPERCHAT_EMBEDDING_MODEL"):
            kept.add("model", ["b"], units(1, dimension=4))


def test_a_folder_that_cannot_hold_them_is_one_sentence(tmp_path):
    """No error of SQLite comes out."""
    (tmp_path / embeddings.FILE).write_bytes(b"junk" * 1000)
    with pytest.raises(StoreError, match="doctor --repair"):
        Embeddings(tmp_path)


def test_identical_content_is_never_embedded_twice(tmp_path):
    """Not after a paper was removed and came back, a rebuild, or a change of model and back."""
    asked = []
    for papers, how in (
        (OLD, {}),
        ((), {"prune": True}),
        (OLD, {}),
        ((), {"rebuild": True}),
    ):
        embedder = Watched()
        indexing.update(tmp_path, corpus(*papers), embedder, **how)
        asked.append(len(embedder.asked))
    assert asked == [6 * 4, 0, 0, 0]

    indexing.update(tmp_path, Corpus((), (), 0), Watched("another"), rebuild=True)
    back = Watched()
    indexing.update(tmp_path, corpus(about("sundials")), back, rebuild=True)
    assert len(back.asked) == 4


def test_kept_vectors_are_those_that_chroma_has(tmp_path):
    """A generation is the same, read from either."""
    indexing.update(tmp_path, corpus(*OLD), load_embedded())
    stamp = store.fingerprint(load_embedded())
    fast = store.load(tmp_path, stamp)
    embeddings.destroy(tmp_path)
    slow = store.load(tmp_path, stamp)

    for name in ("chunks", "chunk_starts", "sentences", "sentence_starts"):
        # Chroma makes them unit length once more, in its own rounding.
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), atol=1e-6)


def test_the_bundled_papers_come_with_their_vectors(tmp_path):
    """A first start embeds nothing: the shipped file is of the shipped model and cutting.

    If this fails after a change of the model, of chunks or of sentences: `python -m rag.warm`.
    """
    watched = Watched()
    report = indexing.update(tmp_path, corpus(*bundled()), warmed(watched))

    assert report.new == 385
    assert watched.asked == []


def test_shipped_vectors_are_what_the_model_gives():
    """Half floats lose nothing that a score would show, and processors differ by little.

    Where a processor rounds otherwise in the last place, activations fall to the next of 256 steps:
    0.997 was seen between one with AVX-512 and one without, 0.991 is int8 against the fp32 model.
    """
    texts = [f"{paper.title}\n{paper.abstract}" for paper in bundled()[:30]]
    kept, made = warmed(load_embedded())(texts), load_embedded()(texts)
    half = made.astype(np.float16).astype(np.float32)
    half /= np.linalg.norm(half, axis=1, keepdims=True)

    assert float((half * made).sum(axis=1).min()) > 0.999999
    assert float((kept * made).sum(axis=1).min()) > 0.991
    assert FILE.stat().st_size < 4_000_000


def bundled():
    """The papers that come with PaperChat."""
    from rag import corpus as reading
    from rag.app import bundled_seeds

    return reading.read([bundled_seeds()]).papers


def test_vectors_of_another_model_are_not_used():
    """Under another fingerprint the embedder is left as it is."""
    other = Watched("another")
    assert warmed(other) is other
