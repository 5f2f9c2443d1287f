"""BM25 in a real tantivy index."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rag.errors import StoreError
from rag.lexical import LexicalDocument, LexicalIndex, destroy, exists
from rag.words import query_terms

FILLER = [LexicalDocument(f"filler-{n}", f"Subject {n}", "lanterns harbours") for n in range(8)]


@pytest.fixture
def index(tmp_path):
    """An empty index."""
    return LexicalIndex(tmp_path / "lexical")


def document(key, title, body=""):
    """A document."""
    return LexicalDocument(key, title, body)


def found(index, question, k=10):
    """Keys of the best documents, best first."""
    return [key for key, _ in index.search(query_terms(question), k)]


def test_the_rarer_and_the_more_frequent_word_wins(index):
    """BM25: a paper that says a rare word twice is before one that says it once among others."""
    index.update(
        [
            document("twice", "Violins", "violins sound"),
            document("once", "Drums", "violins sound among drums and trumpets and bells"),
            document("never", "Drums", "drums sound"),
            *FILLER,
        ]
    )

    assert found(index, "violins") == ["twice", "once"]
    assert found(index, "violins sound")[:2] == ["twice", "once"]
    assert all(score > 0 for _, score in index.search(query_terms("violins sound"), 10))


def test_the_title_counts_more(index):
    """Of two papers with the same words, the one that is called so comes first."""
    index.update([document("b", "Violins", "drums sound"), document("a", "Drums", "violins sound")])

    assert found(index, "violins") == ["b", "a"]
    assert found(index, "drums") == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "right", "wrong"),
    [
        ("GPT-4", "GPT-4 sees", "GPT-3 sees"),
        ("Llama 2", "Llama 2 chats", "Llama 3 chats"),
        ("C++", "A C++ compiler", "A C compiler"),
        ("o1", "Asking o1", "Asking o3"),
        ("π", "The policy π", "The policy of banks"),
        ("ZeRO++", "ZeRO++ trains", "ZeRO trains"),
        ("fine tuning", "Finetuning", "Harbours"),
        ("ＧＰＴ‑4", "GPT-4 sees", "GPT-3 sees"),
    ],
)
def test_names_are_kept_apart(index, asked, right, wrong):
    """Single characters, digits and signs are part of the word."""
    index.update([document("wrong", wrong), document("right", right), *FILLER])

    assert found(index, asked)[0] == "right"


def test_nothing_that_matches_nothing_is_returned(index):
    """Results are never filled up with papers that hold no word of the question."""
    index.update(FILLER)

    assert found(index, "violins") == []
    assert found(index, "the of and?") == []
    assert index.search({}, 10) == []
    assert index.coverage({}, 10) == {}


def test_ties_are_broken_by_key(index):
    """Equal papers come in the order of their keys, whatever order they were added in."""
    index.update(document(key, "Violins", "sound") for key in ("c", "a", "d", "b"))

    assert found(index, "violins") == ["a", "b", "c", "d"]
    assert len(found(index, "violins", k=2)) == 2


def test_a_document_is_replaced_in_place(index):
    """Adding a known key replaces what it said."""
    index.update([document("a", "Violins"), *FILLER])
    index.update([document("a", "Drums")])

    assert len(index) == 1 + len(FILLER)
    assert found(index, "violins") == []
    assert found(index, "drums") == ["a"]


def test_replacing_and_removing_go_together(index):
    """One update adds, replaces and removes; an unknown key to remove is no error."""
    index.update([document("a", "Violins"), document("b", "Drums")])
    index.update([document("b", "Trumpets"), document("c", "Bells")], ["a", "unknown"])

    assert index.keys() == {"b", "c"}
    assert found(index, "violins drums") == []
    assert found(index, "trumpets bells") == ["b", "c"]


def test_an_update_is_all_or_nothing(index):
    """What is cut off in the middle changes nothing, and the next update works."""
    index.update([document("a", "Violins")])

    def broken():
        yield document("b", "Drums")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.update(broken(), ["a"])

    assert index.keys() == {"a"}
    index.update([document("b", "Drums")])
    assert index.keys() == {"a", "b"}


def test_keys_are_kept_exactly(index):
    """A key is compared whole, with its hyphens, and not by its words."""
    index.update(
        [document("aa-bb", "Violins"), document("aa-cc", "Drums"), document("AA", "Bells")]
    )
    index.update((), ["aa", "bb"])

    assert index.keys() == {"aa-bb", "aa-cc", "AA"}


def test_an_index_is_found_again(index, tmp_path):
    """Opening the folder again, here or in another process, gives the same index."""
    index.update([document("a", "Violins")])
    code = (
        "import sys; from pathlib import Path; from rag.lexical import *\n"
        "index = LexicalIndex(Path(sys.argv[1]))\n"
        "assert index.keys() == {'a'}\n"
        "index.update([LexicalDocument('b', 'Drums', '')])"
    )
    folder = tmp_path / "lexical"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, timeout=60)

    index.reload()
    assert index.keys() == LexicalIndex(folder).keys() == {"a", "b"}
    assert found(index, "drums") == ["b"]


def test_coverage_is_a_share_of_rarity(index):
    """A paper with every word has 1; a rare word weighs more than a frequent one."""
    index.update(
        [
            document("all", "Violins", "drums lanterns " + "filler " * 200),
            document("rare", "Violins"),
            document("frequent", "Lanterns"),
            *FILLER,
        ]
    )
    terms = dict.fromkeys(("violin", "drum", "lantern"), 1.0)

    got = index.coverage(terms, 20)

    assert got["all"] == pytest.approx(1.0)
    assert 0 < got["frequent"] < got["rare"] < 1
    assert got["frequent"] == pytest.approx(got["filler-0"])
    assert index.coverage({**terms, "unheardof": 1.0}, 20)["all"] < 0.8


def test_coverage_stays_a_share_after_many_replacements(index):
    """Replaced documents, which tantivy counts for a while, push no share out of (0, 1]."""
    for _ in range(6):
        index.update([document("a", "Violins"), document("b", "Violins drums")])

    got = index.coverage({"violin": 1.0, "drum": 1.0}, 10)

    assert got["b"] == pytest.approx(1.0)
    assert 0 < got["a"] < 1


def test_holding_wants_a_term_of_every_group(index):
    """All groups must be met, each by any of its terms; a star stands for a version."""
    index.update([document("a", "LLaMA2 chats"), document("b", "Llama sings"), document("c", "X")])

    assert index.holding([{"llama"}]) == {"a", "b"}
    assert index.holding([{"llama", "x"}, {"chat", "x"}]) == {"a", "c"}
    assert index.holding([{"llama*"}]) == {"a"}
    assert index.holding([{"nothing"}]) == set()


def test_document_frequency_counts_papers(index):
    """However often a paper says a word, it is one paper."""
    index.update([document("a", "Violins", "violins violins"), document("b", "Drums", "violins")])

    assert index.document_frequency("violin") == 2
    assert index.document_frequency("drum") == 1
    assert index.document_frequency("bell") == 0


def test_an_empty_index_answers(index):
    """Before the first paper there is nothing to find, and no error."""
    assert (len(index), index.keys(), found(index, "violins")) == (0, set(), [])
    assert index.coverage({"violin": 1.0}, 5) == {}


def test_any_text_can_be_indexed(index):
    """Nothing, endless words and every script go in."""
    index.update(
        [document("a", "", ""), document("b", "x" * 70_000, "数据库 \0 \ud800 a\u2028b"), *FILLER]
    )

    assert len(index) == 2 + len(FILLER)
    assert found(index, "数据库") == ["b"]


def test_destroying_leaves_nothing(index, tmp_path):
    """A folder is gone, and one that never was is no error."""
    folder = tmp_path / "lexical"
    assert exists(folder)
    destroy(folder)
    destroy(folder)

    assert not exists(folder)
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["meta.json", "folder"])
def test_a_damaged_index_is_one_sentence(index, tmp_path, damage):
    """What tantivy raises does not get out."""
    folder = tmp_path / "lexical"
    if damage == "folder":
        folder = tmp_path / "file"
        folder.write_text("in the way")
    else:
        (folder / damage).write_text("{not json")

    with pytest.raises(StoreError, match="rebuild"):
        LexicalIndex(folder)
