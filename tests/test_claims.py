"""The claim checker, for real."""

from __future__ import annotations

import numpy as np
import pytest

from rag.claims import load_claim_checker
from rag.types import ClaimRead

TITLE = "Swift: Caching Keys for Long Documents"
SENTENCES = (
    "Serving language models on long documents is limited by memory.",
    "We present Swift, a cache that keeps only the keys a query needs.",
    "On 8 GPUs Swift serves 3.4 times more requests than the best existing system.",
)
FILLER = tuple(f"Section {n} describes how the cache is laid out in memory." for n in range(60))


@pytest.fixture(scope="module")
def check():
    """The model that comes with PaperChat."""
    return load_claim_checker()


def total(read: ClaimRead) -> float:
    """The sum of the three probabilities."""
    return read.supported + read.contradicted + read.not_supported


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_the_abstract_says_word_for_word_is_supported(check, sentence):
    """A verbatim sentence is likelier supported than not, and the three probabilities sum to 1."""
    read = check(sentence, TITLE, SENTENCES)

    assert read.supported > 0.5
    assert total(read) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("Swift serves 3.4 times more requests.", "Swift serves 9.4 times more requests."),
        ("Swift serves more requests.", "Swift serves fewer requests."),
        ("Memory limits serving on long documents.", "Memory does not limit serving on them."),
    ],
)
def test_a_claim_made_false_is_less_supported_than_the_true_one(check, true, false):
    """Another figure, another direction and a negation each cost support."""
    assert check(true, TITLE, SENTENCES).supported > check(false, TITLE, SENTENCES).supported


def test_the_sentence_that_speaks_to_the_claim_weighs_most(check):
    """Evidence is largest where the claim stands."""
    read = check("Swift serves 3.4 times more requests.", TITLE, SENTENCES)

    assert read.evidence.shape == (3,)
    assert int(read.evidence.argmax()) == 2


def test_all_of_a_long_abstract_is_read(check):
    """What the last sentence of an overlong abstract says is supported, and not without it."""
    with_it = check(SENTENCES[2], TITLE, (*FILLER, SENTENCES[2]))
    without = check(SENTENCES[2], TITLE, FILLER)

    assert with_it.supported > 0.5 > without.supported
    assert with_it.evidence.shape == (len(FILLER) + 1,)


def test_the_same_reading_gives_the_same_numbers(check):
    """Reading twice changes nothing, to the last bit."""
    once, again = (check("Swift needs 8 GPUs.", TITLE, SENTENCES) for _ in range(2))

    assert (once.supported, once.contradicted) == (again.supported, again.contradicted)
    assert (once.evidence == again.evidence).all()


@pytest.mark.parametrize(
    ("claim", "title", "sentences"),
    [
        ("", "", ()),
        ("\ud800 so", "\udfff", ("\ud800",)),
        ("so " * 5000, "title " * 3000, ("word " * 3000, "end.")),
    ],
)
def test_any_text_can_be_read(check, claim, title, sentences):
    """Empty, broken and overlong texts give finite probabilities and a weight for each sentence."""
    read = check(claim, title, sentences)

    assert total(read) == pytest.approx(1.0)
    assert read.evidence.shape == (len(sentences),)
    assert np.isfinite(read.evidence).all()
