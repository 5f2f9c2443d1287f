"""Extractive answers and silence, on the real collection with the real models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rag.app import PaperChat
from rag.assess import OUTCOMES, SIGNALS, assess, calibration, regime
from rag.dialogue.cue import is_foreign
from rag.evidence import FEATURES, probabilities
from rag.names import key_of


@pytest.mark.parametrize("read", [True, False])
def test_the_calibration_names_every_feature_and_every_signal(read):
    """A weight that is missing or out of order would silently be another feature's."""
    fitted = calibration(read=read)

    assert fitted.sentence_weights.shape == (len(FEATURES),)
    assert fitted.outcome_weights.shape == (len(SIGNALS), len(OUTCOMES))


def test_probabilities_sum_to_one_whatever_the_scores():
    """The softmax stands scores that would overflow an exponential."""
    rows = np.zeros((3, len(FEATURES)))
    rows[1, 0] = 1e4

    shares = probabilities(rows, np.ones(len(FEATURES)))

    assert shares.sum() == pytest.approx(1.0)
    assert shares.argmax() == 1


@pytest.mark.parametrize(("least", "answers"), [(0.0, True), (1.01, False)])
def test_an_assessment_is_silent_unless_an_answer_is_likely_enough(least, answers):
    """The threshold of the question's regime alone decides between answer and silence."""
    values = np.zeros(len(SIGNALS))
    values[0] = 1.0
    fitted = replace(calibration(read=True), answer_at_least={regime(values): least})

    judged = assess(values, fitted)

    assert regime(values) == "uncovered"
    assert (judged.abstention is None) == answers
    assert sum(judged.probabilities) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("What MFU does MegaScale reach?", "55.2%"),
        ("By how much does Llumnix cut costs?", "36%"),
        ("What acceptance rate does CodeCompose have?", "22%"),
        ("On how many GPUs did ByteScale run?", "12,000 GPUs"),
    ],
)
def test_a_question_for_a_number_is_answered_with_it(seed_chat: PaperChat, question, fact):
    """The number stands in the sentences shown, and they are the paper's own words."""
    answer = seed_chat.ask(question)

    assert fact in " ".join(statement.text for statement in answer.statements)
    assert {statement.verdict for statement in answer.statements} == {"supported"}


def test_the_number_of_papers_follows_the_question(seed_chat: PaperChat):
    """A question about one paper cites one; one that compares two cites both."""
    one = seed_chat.ask("What MFU does MegaScale reach?")
    two = seed_chat.ask("How do MegaScale and ByteScale differ?")

    assert [key_of(source.title)[:9] for source in one.sources] == ["megascale"]
    assert {key_of(source.title)[:9] for source in two.sources} == {"megascale", "bytescale"}


def test_at_most_four_statements_are_shown(seed_chat: PaperChat):
    """An answer is short, whatever is asked."""
    questions = ["Why is quantization hard?", "how does MATES work", "MoE?"]

    assert all(len(seed_chat.ask(question).statements) <= 4 for question in questions)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("how do I get red wine out of a carpet?", "off_topic"),
        ("What licence is MegaScale released under?", "not_stated"),
        ("How many main contributions does MegaScale list?", "not_stated"),
    ],
)
def test_silence_has_its_kind(seed_chat: PaperChat, question, kind):
    """Nothing is claimed, and a question the papers are near to names the paper at hand."""
    answer = seed_chat.ask(question)

    assert answer.abstention == kind
    assert answer.statements == ()
    assert bool(answer.sources) == (kind == "not_stated")


@pytest.mark.parametrize("words", ["3d gaussian splatting rendering speed", "lidar odometry drift"])
def test_a_search_for_what_no_paper_has_a_word_for_is_silent(seed_chat: PaperChat, words):
    """A few words to look up are not answered by whatever shares the plain ones among them."""
    assert seed_chat.ask(words).abstention in {"no_paper", "off_topic"}


def test_a_question_in_another_language_has_no_threshold_of_english_ones(seed_chat: PaperChat):
    """Of a question that the models hardly read, the likeliest outcome counts."""
    question = "Como é que o STIV mete a condição de imagem dentro do Diffusion Transformer?"
    answer = seed_chat.ask(question)

    assert answer.abstention is None
    assert answer.sources[0].title.startswith("STIV")


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Qual é o tamanho do modelo?", True),
        ("Quali modelli sono usati nella valutazione?", True),
        ("Do transformers scale?", False),
        ("do LoRA and DoRA differ", False),
    ],
)
def test_small_words_tell_the_language(text, foreign):
    """English words that other languages have too make no question foreign."""
    assert is_foreign(text) is foreign
