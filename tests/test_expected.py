from __future__ import annotations

import pytest

from rag.expected import HARDLY, PARTLY, WHOLLY, expected, figures, holds, names, own_words


@pytest.mark.parametrize(
    ("question", "form", "kind"),
    [
        ("How many languages does the treebank cover?", "count", ""),
        ("number of annotated tweets?", "count", ""),
        ("how many hours did the annotation take", "unit", "time"),
        ("How long does it take to build the index?", "unit", "time"),
        ("What share of the questions needs context?", "unit", "percent"),
        ("In which year was the corpus collected? In what year?", "unit", "year"),
        ("how much memory does the adapter need", "unit", "bytes"),
        ("what GPU memory does it want for training", "unit", "bytes"),
        ("By how much does pruning lower the perplexity?", "measure", ""),
        ("beanrank F1 on pulses", "measure", ""),
        ("How large is the bean corpus?", "size", ""),
        ("sizes of BeanBot", "size", ""),
        ("parameter counts of BeanBot", "size", ""),
        ("the longest context BeanBot reports handling", "size", ""),
        ("How much does it gain over the baseline?", "measure", ""),
        ("Which large language model writes the questions?", "model", "model"),
        ("beanbot backbone model?", "model", "model"),
        ("What datasets was BeanBot tested on?", "name", "data"),
        ("Which two languages were annotated?", "name", "language"),
        ("Why does the model forget?", "", ""),
        ("How does BeanBot choose its beans?", "", ""),
        ("Which components does the pipeline have?", "", ""),
    ],
)
def test_what_is_wanted_is_read_from_the_question(question, form, kind):
    """Counts, measures, units and kinds of name are told apart; other questions want no thing."""
    wanted = expected(question)

    assert (wanted.form, wanted.kind) == (form, kind)


@pytest.mark.parametrize(
    ("question", "sentence", "fit"),
    [
        ("How many languages?", "It covers 16 datasets in seventy languages.", WHOLLY),
        ("How many languages?", "Of 16 datasets none is in more than a few languages.", HARDLY),
        ("How many languages?", "Accuracy rises by 12% in 2019.", 0.0),
        ("How many languages?", "It covers many languages.", 0.0),
        ("how many people took the survey", "We asked 151 participants.", WHOLLY),
        ("what GPU memory does it want?", "It fits a 24G GPU.", WHOLLY),
        ("What share of questions is hard?", "A third of all questions is hard.", WHOLLY),
        ("What share of questions is hard?", "We ask 300 questions.", 0.0),
        ("How long does it take to index?", "Indexing takes 5 minutes.", WHOLLY),
        ("How long does it take to index?", "Indexing is 5x faster.", PARTLY),
        ("what accuracy does it reach", "It reaches an accuracy of 91.5%.", WHOLLY),
        ("what accuracy does it reach", "Errors fall by 3.5%.", PARTLY),
        ("how many watts does it draw", "It draws 13W on the board.", WHOLLY),
        ("what accuracy does it reach", "We train 3 models.", HARDLY),
        ("Which language model is tuned?", "We tune Mistral-7B with adapters.", WHOLLY),
        ("Which language model is tuned?", "We tune a small language model.", 0.0),
        ("Which languages?", "We annotate German and Urdu.", WHOLLY),
        ("Is it tested on German? Which languages?", "We annotate German.", 0.0),
        ("Which benchmarks?", "On the PulseQA benchmark it is best.", WHOLLY),
        ("Which benchmarks?", "It is best on four benchmarks.", 0.0),
        ("Why does it fail?", "It fails since 91.5% of Mistral is frozen.", 0.0),
    ],
)
def test_a_sentence_holds_what_is_wanted_or_does_not(question, sentence, fit):
    """A number fits by its unit and what it counts, a name by its kind."""
    assert holds(sentence, expected(question), question, ()) == fit


def test_the_own_name_is_no_answer():
    """Asked for the model behind a system, the system's own name does not answer."""
    question, sentence = "Which model does it build on?", "We present BeanBERT, a model of beans."
    own = own_words(["BeanBERT"])

    assert holds(sentence, expected(question), question, ()) == WHOLLY
    assert holds(sentence, expected(question), question, own) == 0.0


def test_a_number_of_a_name_is_no_number():
    """Neither "GPT-4" nor "Llama 3" tells how many there are."""
    assert figures("GPT-4 and Llama 3 answer.") == ()


def test_names_of_the_question_are_left_out():
    """What was asked with is no answer, whole or in parts."""
    sentence = "On PulseQA, Bean-Bot beats Mistral and other LLMs."

    assert list(names(sentence, "What beats Bean-Bot on PulseQA?", ())) == ["Mistral"]


@pytest.mark.parametrize("text", ["", "?", "?" * 5000, "how many " * 2000, "８ ９", "%%%$$$"])
def test_any_text_can_be_read(text):
    """No question and no sentence is an error."""
    assert 0.0 <= holds(text, expected(text), text, ()) <= 1.0
