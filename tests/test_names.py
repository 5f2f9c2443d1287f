"""Names of systems: found in abstracts, recognised in questions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.names import Name, asked_names, is_name_like, key_of, marked_names, names_in

TITLE = "ZeRO++: Extremely Efficient Multi-Step Training"
ABSTRACT = (
    "Models such as GPT-3 and Llama 2 are slow on A100 GPUs. We propose QuickComm, called QC, which"
    " beats DeepSpeed in 8-bit training. It is written in C++ and reaches 55% of peak on WikiText."
)


def test_a_paper_introduces_what_it_proposes():
    """Names of the title, and of sentences that propose, are the paper's own."""
    introduced = {name.key for name in names_in(TITLE, ABSTRACT) if name.introduced}

    assert {"zero++", "quickcomm", "qc"} <= introduced
    assert not {"gpt3", "llama2", "wikitext", "c++"} & introduced


def test_a_paper_mentions_the_rest():
    """Every other name of the abstract is there, once, and marked as mentioned."""
    names = names_in(TITLE, ABSTRACT)
    mentioned = {name.key for name in names if not name.introduced}

    assert {"gpt3", "llama2", "a100", "c++", "wikitext"} <= mentioned
    assert len({name.key for name in names}) == len(names)
    assert Name("llama2", "Llama 2", introduced=False) in names


def test_introduced_comes_before_mentioned():
    """A name that is both counts as the paper's own."""
    names = names_in("Caching", "FastMap is known. We present FastMap for disks.")

    assert names == (Name("fastmap", "FastMap", introduced=True),)


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("MegaScale: Scaling Training", {"megascale"}),
        ("CALM: Curiosity", {"calm"}),
        ("calm: curiosity", {"calm"}),  # no sign of a name but the colon
        ("Video MAE V2: Dual Masking", {"videomaev2"}),
        ("A Long Prefix That Is No Name: Really", set()),
        ("Multi-Step Reasoning with Chain-of-Thought", set()),  # titles capitalise every word
        ("ＺｅＲＯ++: Full Width", {"zero++"}),
    ],
)
def test_a_titles_name_stands_before_the_colon(title, keys):
    """Up to five words before the colon are a name; capitals alone make none in a title."""
    found = {name.key for name in names_in(title, "") if name.introduced}

    assert keys <= found
    assert keys or not found


@pytest.mark.parametrize(
    "word",
    ["MegaScale", "vLLM", "MATES", "LoRA", "GPT-4", "M6", "o1", "F1", "H100", "C++", "C#", "ZeRO++",
     "IC-IFD", "8x7B", "5G", "k-NN"],
)  # fmt: skip
def test_writing_conventions_mark_names(word):
    """An inner capital, two capitals, letters with digits, or a sign."""
    assert is_name_like(word)


@pytest.mark.parametrize(
    "word",
    ["Transformer", "fast", "7B", "3.5x", "175B", "10k", "40GB", "100ms", "10s", "2020s", "3D",
     "800Gbps", "30fps", "8-bit", "2-hop", "5-shot", "175-billion-parameter", "1st", "2019"],
)  # fmt: skip
def test_quantities_and_plain_words_are_no_names(word):
    """A number with its unit is a quantity, hyphen or not."""
    assert not is_name_like(word)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("VideoMAE V2", "videomae-v2"),
        ("GPT-4", "gpt 4"),
        ("IC-IFD", "ICIFD"),
        ("ＺｅＲＯ++", "zero++"),
    ],
)
def test_spellings_of_a_name_share_a_key(one, other):
    """Case, hyphens, spaces and disguises do not matter."""
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(("one", "other"), [("C", "C++"), ("C#", "C"), ("GPT-3", "GPT-4")])
def test_signs_and_digits_make_another_key(one, other):
    """The sign is the name."""
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("what does calm do?", "calm"),
        ("How does Video MAE V2 differ?", "videomaev2"),
        ("Is zero ++ fast, or ZeRO++?", "zero++"),
        ("Does it use C++?", "c++"),
        ("what is gpt 4", "gpt4"),
        ("Is OR a data set?", "or"),
    ],
)
def test_any_run_of_words_could_be_a_name(question, key):
    """Only a collection knows which words are a system: all that could be one are asked for."""
    assert key in dict(asked_names(question))


def test_function_words_begin_no_name():
    """Runs that start or end with one are left out, unless something in them is marked."""
    assert dict(asked_names("what of the caches")) == {"caches": "caches"}


@pytest.mark.parametrize(
    ("question", "marked"),
    [
        ("What does MegaScale do on A100s?", ("MegaScale", "A100s")),
        ("what is a transformer?", ()),
        ("GPT-4 or GPT-4?", ("GPT-4",)),
        ("HOW DOES ATTENTION SCALE WITH LENGTH", ()),  # typed in capitals
        ("WHAT IS GPT-4?", ("GPT-4",)),
        ("WHAT DOES ZERO++ DO", ("ZERO++",)),
        ("4-bit or 8-bit?", ()),
        ("", ()),
    ],
)
def test_marked_names_are_what_the_writer_marked(question, marked):
    """Shouting marks nothing, and neither do function words and quantities."""
    assert marked_names(question) == marked


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.text(), st.text())
def test_any_text_has_names_in_order(title, abstract):
    """Whatever is read: keys are folded, at least two characters, each once, introduced first."""
    names = names_in(title, abstract)

    assert all(name.key == key_of(name.surface) and len(name.key) > 1 for name in names)
    assert len({name.key for name in names}) == len(names)
    introduced = [name.introduced for name in names]
    assert introduced == sorted(introduced, reverse=True)
    assert {key_of(word) for word in marked_names(title)} <= {
        key_of(title),
        *dict(asked_names(title)),
    }
