from __future__ import annotations

import time

import pytest

from rag.question import (
    LONG_CHARACTERS,
    LONG_WORDS,
    MOST_FOCUS_WORDS,
    asked_kind,
    asked_quantity,
    focus,
    has_name_of,
    has_quantity,
    missing_formal_words,
    wanted,
)

PASTE = " ".join(
    f"In part {i} we describe how the method behaves, and the tables list what was found."
    for i in range(20)
)
KINDS = ("number", "result", "method", "reason", "definition", "data", "formal")


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("How many GPUs does MegaScale use?", "number"),
        ("what share of tokens is dropped?", "number"),
        ("50%?", "number"),
        ("By what factor is it faster?", "number result"),
        ("how accurate is it", "number result"),
        ("What did they find?", "result"),
        ("how does it work", "method"),
        ("why do models forget", "reason"),
        ("what problem does it solve?", "reason"),
        ("What does MegaScale do?", "definition"),
        ("is there a paper on cats", "definition"),
        ("describe ZeRO", "definition"),
        ("Which datasets were used?", "definition data"),
        ("in how many languages", "number data"),
        ("who wrote MegaScale", "definition formal"),
        ("when was LoRA published", "formal"),
        ("what learning rate did they use?", "number result formal"),
        ("LoRA", ""),
        ("", ""),
    ],
)
def test_the_kinds_of_sentence_a_question_wants(question: str, kinds: str):
    """Read from its words; several can hold, and none need."""
    found = wanted(question)
    assert [kind for kind in KINDS if getattr(found, kind)] == kinds.split()


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("How many GPUs does MegaScale use?", "gpu"),
        ("how many experts sit in each layer?", "expert"),
        ("number of experts in the model", "expert"),
        ("what share of tokens is dropped?", "token"),
        ("how much memory is saved", "memori"),
        ("What accuracy does it reach on MMLU?", "accuraci"),
        ("What does MegaScale do?", ""),
        ("how many of the", ""),
    ],
)
def test_the_noun_that_is_counted(question: str, noun: str):
    """What a number would have to stand beside to be the answer."""
    assert asked_quantity(question) == noun


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("Which datasets were used?", "dataset"),
        ("which optimizer was used", "optim"),
        ("which model families are compared?", "famili"),
        ("Which paper is about cats?", ""),
        ("What problem does it solve?", ""),
        ("What does it do?", ""),
    ],
)
def test_the_noun_whose_name_is_asked(question: str, noun: str):
    """A paper, a problem or a method is no name inside an abstract."""
    assert asked_kind(question) == noun


@pytest.mark.parametrize(
    ("sentence", "noun", "held"),
    [
        ("It has twelve experts in each layer.", "expert", True),
        ("It was trained on 12,288 GPUs.", "gpu", True),
        ("It reaches 55.2% accuracy.", "accuraci", True),
        ("It has experts in every layer.", "expert", False),
        ("It has experts in every layer, and beside them there are 5 apples.", "expert", False),
        ("", "expert", False),
    ],
)
def test_a_quantity_is_a_number_beside_its_noun(sentence: str, noun: str, held: bool):
    """In words or figures, and near by."""
    assert has_quantity(sentence, noun) is held


@pytest.mark.parametrize(
    ("sentence", "held"),
    [
        ("We evaluate on the MMLU dataset.", True),
        ("We use a large dataset.", False),
        ("We evaluate on MMLU.", False),
        ("The BeanBank dataset is large.", False),  # the question names it already
    ],
)
def test_a_name_that_answers_is_new_and_of_its_kind(sentence: str, held: bool):
    """Of the kind asked for, and not the question's own."""
    assert has_name_of(sentence, "dataset", "Which dataset besides BeanBank is used?") is held


def test_formal_words_are_looked_for_in_the_abstract():
    """A licence that is stated is not missing."""
    question = "what licence and venue?"
    assert missing_formal_words(question, ["The licence is MIT."]) == {"venu"}
    assert missing_formal_words("how does it work?", ["We count beans."]) == set()


@pytest.mark.parametrize(
    "question",
    [
        "What does MegaScale do?",
        "is x < y or y > x?",
        "two\nlines? yes",
        "",
        " ".join(["word"] * LONG_WORDS),
    ],
)
def test_an_ordinary_question_is_its_own_focus(question: str):
    """Only white space is put in order."""
    assert focus(f"  {question} \n") == " ".join(question.split())


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("<b>What</b> does MegaScale do?", "What does MegaScale do?"),
        ("<p class='x'>What does <i>ZeRO++</i>do?</p><br/>", "What does ZeRO++ do?"),
        ("<script src=//x></script>What does MegaScale do?", "What does MegaScale do?"),
        ("＜b＞What does MegaScale do?＜/b＞", "What does MegaScale do?"),
        ("<sc\u200bript>What does MegaScale do?", "What does MegaScale do?"),
    ],
)
def test_markup_is_not_part_of_the_question(question: str, asks: str):
    """Tags go, with everything inside their brackets, also those in disguise."""
    assert focus(question) == asks


@pytest.mark.parametrize(
    "text",
    [
        f"{PASTE} Now how many beans does the second method count in all of the photographs?",
        f"{PASTE}\n\nhow many beans does the second method count in all of the photographs\n",
        f"how many beans does the second method count in all of the photographs?\n{PASTE}",
    ],
)
def test_of_a_long_paste_the_part_that_asks_is_kept(text: str):
    """Wherever it stands."""
    found = focus(text)
    assert "beans does the second method count in all of the photographs" in found
    assert len(found.split()) <= 30


def test_a_short_question_keeps_the_sentence_before_it():
    """After an abstract, "What did it find?" says too little alone."""
    found = focus(f"{PASTE} BeanNet counts beans in photographs. What did it find?")
    assert found == "BeanNet counts beans in photographs. What did it find?"


def test_of_a_paste_that_asks_nothing_the_end_is_kept():
    """People put what matters last."""
    text = "beans and peas, " * 60 + "lanterns"
    assert focus(text).split() == text.split()[-MOST_FOCUS_WORDS:]


def test_a_script_without_spaces_is_cut_too():
    """A long Chinese paste has one "word": its last question is found all the same."""
    found = focus("我们提出了一种新的训练方法。" * 200 + "这个方法在多少个显卡上训练？")
    assert found.endswith("这个方法在多少个显卡上训练?")
    assert len(found) < 50


@pytest.mark.parametrize("sign", ["a", "<a", "</", "a-", "?", "什", "aB", "1.1,", "a;", "\u0301a"])
def test_focus_bounds_any_text_in_little_time(sign: str):
    """Whatever comes in, what goes on to the model is short."""
    began = time.process_time()
    found = focus(sign * (20_000 // len(sign)))
    assert len(found) <= LONG_CHARACTERS
    assert len(found.split()) <= LONG_WORDS
    assert time.process_time() - began < 1.0
