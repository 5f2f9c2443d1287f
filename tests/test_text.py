"""Folding, normalised titles and hashes."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text import digest, fold, normalised_title, paper_id, squeeze

ANY = settings(max_examples=300, deadline=None, database=None, derandomize=True)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("ＺｅＲＯ＋＋", "ZeRO++"),  # full-width
        ("ﬁne‑tuning", "fine-tuning"),  # a ligature and a non-breaking hyphen
        ("x² ½ ①", "x2 1/2 1"),
        ("Spl\u200bit\u00adwi\u2060se\ufeff", "Splitwise"),  # zero widths, soft hyphen, byte order
        ("\u202eabc\u202c\u2066", "abc"),  # directions
        ("a\u034fb\ufe0f\u3164", "ab"),  # joiner, variation selector, filler
        ("naïve Zürich e\u0301", "naive Zurich e"),  # composed and combining marks
        ("Z\u0338a\u0337l\u0336g\u0334o\u0335", "Zalgo"),
        ("“to” ‘be’ «or» `not`", "\"to\" 'be' \"or\" 'not'"),
        ("a–b—c−d", "a-b-c-d"),
        ("3×4 1⁄2", "3x4 1/2"),
        ("a\u00a0b\x00c\x1fd", "a b c d"),
        ("a\ud800b", "a b"),  # half a surrogate pair
    ],
)
def test_equal_looking_texts_become_equal(written, plain):
    """What a reader cannot tell apart, a search does not."""
    assert fold(written) == plain


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("СhatGРТ", "ChatGPT"),  # Cyrillic С, Р, Т
        ("Мodel", "Model"),
        ("GРТ-4", "GPT-4"),
        ("trаnsfοrmer", "transformer"),  # Cyrillic а, Greek ο
        ("ΗTML", "HTML"),  # Greek Η
    ],
)
def test_look_alikes_inside_a_latin_word_become_latin(disguised, plain):
    """A word that mixes alphabets is read as it looks."""
    assert disguised != plain
    assert fold(disguised) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Привет мир",
        "йод",
        "Ελλάδα",
        "数据库",
        "がぎぐ",
        "한국어",
        "हिन्दी",
        "نص",
        "π",
        "ρ-value",
        "τ-bench",
    ],
)
def test_other_scripts_stay_as_they_are(text):
    """Words of one alphabet keep their letters, and marks that carry meaning."""
    assert fold(text) == unicodedata.normalize("NFC", text)


def test_case_and_line_breaks_stay():
    """Folding is for comparing letters: it neither lowers nor joins lines."""
    assert fold("ZeRO\n\tvLLM") == "ZeRO\n\tvLLM"


@ANY
@given(st.text())
def test_folding_twice_changes_nothing(text):
    """A folded text is its own folded form, whatever it was."""
    once = fold(text)

    assert fold(once) == once
    once.encode("utf-8")  # no half pairs are left


def test_every_single_character_folds_to_a_fixed_point():
    """No character of Unicode is a special case."""
    wrong = [
        hex(point)
        for point in range(sys.maxunicode + 1)
        if not unicodedata.is_normalized("NFKC", chr(point)) or point < 0x500
        if fold(fold(chr(point))) != fold(chr(point))
    ]
    assert wrong == []


@ANY
@given(st.text(alphabet=st.characters(max_codepoint=126, min_codepoint=32, exclude_characters="`")))
def test_plain_ascii_is_left_alone(text):
    """Most texts are plain already."""
    assert fold(text) == text


def test_white_space_is_squeezed():
    """Every run of white space is one space, and none is left at the ends."""
    assert squeeze(" a\n\t b\u00a0\u2003c ") == "a b c"
    assert squeeze(" \n ") == ""


@pytest.mark.parametrize(
    "spelling",
    [
        "ZeRO++: Extremely Efficient",
        "zero++:  extremely\nefficient.",
        " ZERO++: EXTREMELY EFFICIENT",
        "ＺｅＲＯ++: Extre\u00admely Efficient. ",
    ],
)
def test_spellings_of_a_title_are_one_paper(spelling):
    """Case, spaces, full stops and disguises make no other paper."""
    assert normalised_title(spelling) == "zero++: extremely efficient"
    assert paper_id(spelling) == paper_id("ZeRO++: Extremely Efficient")


@pytest.mark.parametrize(
    ("one", "other"),
    [("GPT-3", "GPT-4"), ("ZeRO", "ZeRO++"), ("C", "C#"), ("Is it?", "Is it"), ("VAE", "β-VAE")],
)
def test_other_titles_are_other_papers(one, other):
    """Signs and digits count."""
    assert paper_id(one) != paper_id(other)


def test_an_id_never_changes():
    """Ids are stored and cited: they depend on neither machine, process nor version."""
    assert paper_id("ZeRO++: Efficient") == "5b38e4bd509ab972"
    assert digest("a title", "an abstract") == "ee8ebcdb56d84179"


@ANY
@given(
    st.lists(st.text(alphabet="ab\x1e\x1f.", max_size=4), min_size=1, max_size=4),
    st.lists(st.text(alphabet="ab\x1e\x1f.", max_size=4), min_size=1, max_size=4),
)
def test_no_two_lists_share_a_hash(one, other):
    """Where one part ends and the next begins is part of the hash."""
    assert (digest(*one) == digest(*other)) == (one == other)


def test_any_text_has_a_hash():
    """Even half a surrogate pair, in sixteen hex digits."""
    assert len(digest("a\ud800")) == 16
    assert int(digest("a\ud800"), 16) >= 0
