"""What counts as the same word, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.words import (
    STOPWORDS,
    compounds,
    content_words,
    document_terms,
    numbers,
    query_terms,
    stem,
)

ANY = settings(max_examples=200, deadline=None, database=None, derandomize=True)


def weight(question, text):
    """The summed weight of the question's terms that stand in the text: 0 if none does."""
    terms = set(document_terms(text))
    return sum(w for term, w in query_terms(question).items() if term in terms)


@pytest.mark.parametrize(
    ("asked", "same", "other"),
    [
        ("GPT-4", "GPT-4 is large", "GPT-3 is large"),
        ("GPT 4", "GPT-4 is large", "GPT-3 is large"),
        ("gpt4", "GPT-4 is large", "GPT-3 is large"),
        ("GPT-3.5", "using GPT3.5", "using GPT-3"),
        ("Llama 2", "on Llama 2 chat", "on Llama 3 chat"),
        ("llama2", "on Llama-2 chat", "on Llama 3 chat"),
        ("Llama 3.1", "Llama-3.1-8B", "Llama-3.2-8B"),
        ("DeepSeek-R1", "we train DeepSeek-R1", "we train DeepSeek-V2"),
        ("VideoMAE V2", "VideoMAE V2 scales", "VideoMAE scales"),
        ("F1", "an F1 of 90", "an F2 of 90"),
        ("o1", "OpenAI o1", "OpenAI o3"),
        ("M6", "M6 is large", "M5 is large"),
        ("C++", "written in C++.", "written in C."),
        ("C#", "written in C#", "written in C++"),
        ("ZeRO++", "we present ZeRO++", "we present ZeRO"),
        ("π", "the policy π is", "the policy is"),
        ("τ-bench", "on τ-bench", "on a bench"),
        ("12,288 GPUs", "on 12288 GPUs", "on 1228 GPUs"),
        ("数据库", "一个数据库", "一个模型"),
    ],
)
def test_names_keep_their_digits_and_signs(asked, same, other):
    """A text on what was asked holds more of the question than one on its neighbour."""
    assert weight(asked, same) > weight(asked, other)


@pytest.mark.parametrize(
    ("name", "other"),
    [("C++", "C"), ("C", "C++"), ("C#", "C"), ("ZeRO++", "zero"), ("o1", "o3"), ("M6", "M5")],
)
def test_short_names_are_not_alike_at_all(name, other):
    """A sign or the one digit of a short name is all there is to it."""
    assert weight(name, other) == 0


@pytest.mark.parametrize("text", ["fine-tuning", "finetuning", "fine‑tuned", "Fine–Tunes"])
@pytest.mark.parametrize("asked", ["fine-tuning", "finetuning", "fine tuning", "ﬁne-tune"])
def test_a_hyphen_more_or_less_is_the_same_word(asked, text):
    """However a question writes a compound, a text's hyphenated or joined form is found."""
    assert weight(asked, text) > 0.5


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("model", "models"),
        ("survey", "surveys"),
        ("GPU", "GPUs"),
        ("cpu", "CPUs"),
        ("LLM", "LLMs"),
        ("RNN", "rnns"),
        ("VM", "VMs"),
        ("id", "IDs"),
        ("API", "APIs"),
        ("LoRA", "LoRAs"),
        ("GPU", "GPU's"),
        ("GPU", "GPU'S"),
        ("author", "authors'"),
        ("corpus", "corpus"),
    ],
)
def test_singular_and_plural_are_one_word(one, many):
    """Also of acronyms, in which an English stemmer finds no vowel to go by."""
    assert document_terms(one) == document_terms(many)
    assert set(query_terms(one)) == set(query_terms(many))


@pytest.mark.parametrize(
    "word", ["don't", "isn't", "can't", "I'm", "they’re", "what's", "it'd", "the"]
)
def test_function_words_say_nothing(word):
    """Short forms are function words too: no paper holds them, and none should have to."""
    assert document_terms(word) == []
    assert query_terms(word) == {}


def test_a_word_before_a_number_is_tried_with_it():
    """Together, "Llama 2" is a name, and "the 2" is none."""
    assert "llama2" in document_terms("Llama 2")
    assert query_terms("Llama 2")["llama2"] == 1.0
    assert "the2" not in document_terms("the 2")
    assert "llama12288" not in document_terms("Llama 12288")


def test_a_root_counts_less_than_the_name():
    """A paper on another version is better than nothing, and no better than that."""
    weights = query_terms("GPT-4")

    assert weights == {"gpt4": 1.0, "gpt": 0.4}


def test_chinese_is_cut_where_latin_names_begin():
    """Names inside a script without spaces are found as if they stood free."""
    assert "CUTLASS" in compounds("与NVIDIA的CUTLASS相比")
    assert {"nvidia", "cutlass", "相比"} <= set(document_terms("与NVIDIA的CUTLASS相比"))


def test_disguised_words_are_found():
    """Full-width, zero-width and look-alike letters hide nothing."""
    for disguised in ("ＧＰＴ-4", "G\u200bPT-4", "GРТ-4", "gpt–4"):
        assert document_terms(disguised) == document_terms("GPT-4")


@ANY
@given(st.text())
def test_every_word_finds_itself(text):
    """A text copied into a question matches every term of the text but the joined ones."""
    terms = set(query_terms(text))

    assert set(document_terms(text)) <= terms
    assert all(0 < weight <= 1 for weight in query_terms(text).values())
    assert all(term and not any(char.isspace() for char in term) for term in terms)


@ANY
@given(st.text(alphabet="abcs'-/. +#24é數", max_size=20))
def test_terms_do_not_depend_on_case(text):
    """A question typed in capitals is the same question."""
    assert document_terms(text) == document_terms(text.upper())


def test_stop_words_are_lower_case_and_plain():
    """The list is compared with folded, lower-cased words."""
    assert all(word.isalpha() and word.isascii() and word.islower() for word in STOPWORDS)


def test_content_words_leave_out_what_only_asks():
    """Asking for "the main idea proposed" is about nothing; the rest stays, stemmed."""
    assert content_words("What is the main idea proposed in this paper?") == set()
    assert content_words("Which results do caches reach?") == {"cach"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("55.2% MFU on 12,288 GPUs", ["55.2", "12288"]),
        ("GPT-4 and Llama2 and M6 and v2.0", []),
        ("−1.5 points, (-3), +7", ["1.5", "3", "7"]),
        ("3.5x and 4× in 10ms", ["3.5", "4", "10"]),
        ("1,000,000 of 2,5 in 2019, 2020", ["1000000", "2", "5", "2019", "2020"]),
        ("the end of 2021.", ["2021"]),
        ("none", []),
    ],
)
def test_numbers_are_read_without_signs_and_units(text, found):
    """Numbers that are part of a name are no quantities."""
    assert numbers(text) == found


def test_stemming_leaves_names_alone():
    """A word with digits or signs, and a word of two letters, has no ending."""
    for word in ("llama2", "c++", "os", "as", "zero++"):
        assert stem(word) == word
