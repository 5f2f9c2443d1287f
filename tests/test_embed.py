"""The embedded model, for real."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from rag import embed
from rag.embed import DIMENSION, MOST_TOKENS, load_embedded
from rag.errors import EmbeddingError

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def model():
    """The model that comes with PaperChat."""
    return load_embedded()


@pytest.fixture(scope="module")
def reference():
    """Texts of the seed papers, and what the unquantised model makes of them (as float16)."""
    with np.load(DATA / "fp32-vectors.npz") as stored:
        return stored["texts"].tolist(), stored["vectors"].astype(np.float32)


def test_int8_says_what_fp32_says(model, reference):
    """Quantising turned no vector by more than a few degrees."""
    texts, vectors = reference

    cosines = (model(texts) * vectors).sum(axis=1)

    assert len(texts) == 12
    assert cosines.mean() >= 0.99
    assert cosines.min() >= 0.98


def test_rows_are_unit_vectors(model, reference):
    """Float32 (n, 384), so that a product is a cosine."""
    vectors = model(reference[0])

    assert vectors.dtype == np.float32
    assert vectors.shape == (12, DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_vector_depends_on_its_text_alone(model, reference):
    """Neighbours, order and number of threads change nothing, to the last bit.

    An int8 graph scales a batch by its largest value: texts run alone for this.
    """
    texts = reference[0]

    together = model(texts)

    assert (model(texts[::-1])[::-1] == together).all()
    assert (model([*texts, "word " * 600, ""])[:12] == together).all()
    for text, vector in zip(texts, together, strict=True):
        assert (model([text])[0] == vector).all()


def test_many_threads_may_ask_at_once(model, reference):
    """Questions of many people do not get into each other's way."""
    texts = reference[0]
    got = {}
    threads = [
        threading.Thread(target=lambda text=text: got.update({text: model([text])[0]}))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (np.array([got[text] for text in texts]) == model(texts)).all()


def test_meaning_is_near_and_the_rest_is_far(model):
    """A sentence is closer to its paraphrase than to another with the same words."""
    question, paraphrase, other = model(
        ["The cat sat on the mat.", "A kitten rested on a rug.", "The stock market fell sharply."]
    )

    assert question @ paraphrase > 0.4
    assert question @ other < 0.2


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\0", "a\ud800b", "\U0001f600", "数据库", "x" * 9999]
)
def test_any_text_has_a_vector(model, text):
    """Nothing, white space, half a character and other scripts are embedded like the rest."""
    vectors = model([text, "an ordinary sentence"])

    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_no_texts_give_no_rows(model):
    """The shape stays that of vectors."""
    assert model([]).shape == (0, DIMENSION)
    assert model.truncated([]) == 0


def test_what_is_too_long_is_cut_and_counted(model):
    """Of ten thousand words the first 510 tokens count, and somebody is told."""
    kept = "word " * (MOST_TOKENS - 2)  # two tokens mark beginning and end
    long = "word " * 10_000

    vectors = model([kept, kept + "and something else", long])

    assert (vectors[0] == vectors[1]).all()
    assert (vectors[0] == vectors[2]).all()
    assert model.truncated([kept, kept + "more", long, "short", ""]) == 2


def test_progress_counts_every_text(model):
    """What progress is told adds up."""
    steps = []

    model(["one", "two", "three"], steps.append)

    assert sum(steps) == 3


def test_the_fingerprint_names_the_file(model):
    """Loading again is free, and the fingerprint is that of the shipped weights."""
    assert load_embedded() is model
    assert model.fingerprint.startswith("minilm-int8-")
    path = embed.MODELS / "minilm.onnx"
    assert model.fingerprint == f"minilm-int8-{embed._file_hash(path)}"


def test_other_weights_have_another_fingerprint(tmp_path):
    """A changed byte in the weights, or one more, is noticed."""
    data = bytes(range(256)) * 300
    seen = set()
    for number, changed in enumerate([data, data[:-1] + b"\0", data + b"\0"]):
        path = tmp_path / str(number)
        path.write_bytes(changed)
        seen.add(embed._file_hash(path))

    assert len(seen) == 3


@pytest.mark.parametrize("damaged", ["minilm.onnx", "minilm-tokenizer.json"])
def test_a_damaged_file_is_one_sentence(tmp_path, monkeypatch, damaged):
    """Whatever the libraries raise, a person reads what to do."""
    for name in ("minilm.onnx", "minilm-tokenizer.json"):
        (tmp_path / name).symlink_to(embed.MODELS / name)
    (tmp_path / damaged).unlink()
    (tmp_path / damaged).write_bytes(b"\0" * 100)
    monkeypatch.setattr(embed, "MODELS", tmp_path)

    embed.load_tokenizer.cache_clear()
    with pytest.raises(EmbeddingError, match="install PaperChat again"):
        load_embedded.__wrapped__()


def test_nothing_heavy_is_imported_before_it_is_needed():
    """Importing the module costs neither onnxruntime nor the tokenizer; using it, not torch."""
    code = (
        "import sys, rag.embed\n"
        "assert not {'onnxruntime', 'tokenizers'} & set(sys.modules)\n"
        "rag.embed.load_embedded()(['one'])\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
