"""The cross-encoder, for real."""

from __future__ import annotations

import numpy as np
import pytest

from rag import embed
from rag.errors import EmbeddingError
from rag.reader import MOST_TOKENS, encode, load_reader
from rag.types import PairRead

TITLE = "Swift: Caching Keys for Long Documents"
SENTENCES = (
    "Serving language models on long documents is limited by memory.",
    "We present Swift, a cache that keeps only the keys a query needs.",
    "On 8 GPUs Swift serves 3.4 times more requests than the best existing system.",
)


@pytest.fixture(scope="module")
def reader():
    """The model that comes with PaperChat."""
    return load_reader()


def test_the_sentence_that_answers_is_found(reader):
    """Evidence is largest where the answer stands."""
    (read,) = reader("How many more requests does Swift serve?", [(TITLE, SENTENCES)])

    assert read.evidence.shape == (3,)
    assert int(read.evidence.argmax()) == 2


def test_a_paper_without_the_answer_is_not_taken_for_one_with_it(reader):
    """The same question beside the abstract with and without its answer sentence."""
    question = "How many more requests does Swift serve?"
    whole, less = reader(question, [(TITLE, SENTENCES), (TITLE, SENTENCES[:2])])

    assert whole.answered > less.answered


def test_another_subject_is_not_relevant(reader):
    """The paper that is meant gets more relevance than one about something else, and answers."""
    other = ("Bird Songs at Dawn", ("We record the songs of 40 species of birds.",))
    meant, strange = reader("How does Swift save memory?", [(TITLE, SENTENCES), other])

    assert meant.relevance > strange.relevance
    assert meant.answered > strange.answered + 1


def test_what_else_is_read_changes_nothing(reader):
    """A pair's logits depend on the pair alone, to the last bit."""
    pairs = [(TITLE, SENTENCES), (TITLE, SENTENCES[:1]), ("A title", ("One sentence.",))]
    together = reader("What is Swift?", pairs)

    for pair, read in zip(pairs, together, strict=True):
        (alone,) = reader("What is Swift?", [pair])
        assert (alone.relevance, alone.answered) == (read.relevance, read.answered)
        assert (alone.evidence == read.evidence).all()


@pytest.mark.parametrize(
    ("question", "title", "sentences"),
    [
        ("", "", ()),
        ("\ud800 why", "\udfff", ("\ud800",)),
        ("why " * 5000, "title " * 3000, ("word " * 3000, "end.")),
        ("why", "A title", tuple(f"Sentence {n} of a very long abstract." for n in range(300))),
    ],
)
def test_any_text_can_be_read(reader, question, title, sentences):
    """Empty, broken and overlong texts give finite logits, one for each sentence."""
    (read,) = reader(question, [(title, sentences)])

    assert isinstance(read, PairRead)
    assert read.evidence.shape == (len(sentences),)
    assert np.isfinite([read.relevance, read.answered, *read.evidence]).all()


def test_a_damaged_file_is_one_sentence(tmp_path, monkeypatch):
    """Whatever onnxruntime raises, a person reads what to do."""
    (tmp_path / "reader.onnx").write_bytes(b"\0" * 100)
    monkeypatch.setattr(embed, "MODELS", tmp_path)

    with pytest.raises(EmbeddingError, match="install PaperChat again"):
        load_reader.__wrapped__()


def test_a_pair_fits_the_model():
    """No input is longer than the encoder has positions for, and every mean is one."""
    pair = encode("why " * 500, "title " * 600, ["word " * 600, "more"])

    assert pair.input_ids.shape == pair.token_type_ids.shape
    assert pair.input_ids.shape[1] <= MOST_TOKENS
    np.testing.assert_allclose(pair.pool.sum(axis=2), 1.0, atol=1e-5)
