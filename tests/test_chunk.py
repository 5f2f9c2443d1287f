"""Windows of sentences under a token budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import corpus
from rag.chunk import BUDGET, chunks, count_tokens
from rag.sentences import split
from rag.text import digest, paper_id
from rag.types import Paper, Sentence

ANY = settings(max_examples=300, deadline=None, database=None, derandomize=True)
ROOT = Path(__file__).parent.parent
SIZES = st.lists(st.integers(1, 12), max_size=30)


def made(title, abstract):
    """A paper."""
    return Paper(paper_id(title), title, abstract, digest(title, abstract))


def sized(sizes, title="a title"):
    """A paper whose sentences have *sizes* words, and those sentences."""
    texts = [" ".join(["w"] * size) for size in sizes]
    paper = made(title, " ".join(texts))
    sentences, start = [], 0
    for number, text in enumerate(texts):
        sentences.append(Sentence(paper.id, number, start, start + len(text), text))
        start += len(text) + 1
    return paper, tuple(sentences)


def words(text):
    """Words of *text*, as a measure that can be checked by hand."""
    return len(text.split())


def inside(sentences, window):
    """Numbers of the sentences in *window*."""
    return [s.number for s in sentences if window.start <= s.start and s.end <= window.end]


@pytest.fixture(scope="module")
def seed_papers():
    """The papers of the seed documents."""
    return corpus.read([ROOT / "seeds"]).papers


@ANY
@given(SIZES, st.integers(3, 40))
def test_windows_are_whole_runs_of_sentences(sizes, budget):
    """Every sentence is in a window; spans are exact; numbers count from 0."""
    paper, sentences = sized(sizes)

    windows = chunks(paper, sentences, budget, words)

    assert [window.number for window in windows] == list(range(len(windows)))
    for window in windows:
        numbers = inside(sentences, window)
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert window.start == sentences[numbers[0]].start
        assert window.end == sentences[numbers[-1]].end
        assert paper.abstract[window.start : window.end] == window.text
        assert (window.paper_id, window.title) == (paper.id, paper.title)
    covered = {number for window in windows for number in inside(sentences, window)}
    assert covered == set(range(len(sentences)))


@ANY
@given(SIZES, st.integers(3, 40))
def test_the_budget_is_kept(sizes, budget):
    """Title and text stay within it, unless one sentence alone is too long."""
    paper, sentences = sized(sizes)

    for window in chunks(paper, sentences, budget, words):
        alone = len(inside(sentences, window)) == 1
        assert words(window.embedded_text) <= budget or alone


@ANY
@given(SIZES, st.integers(3, 40))
def test_no_window_is_wasted(sizes, budget):
    """A window begins and ends after the one before, and shares at most one sentence with it."""
    paper, sentences = sized(sizes)

    windows = [inside(sentences, window) for window in chunks(paper, sentences, budget, words)]

    for before, after in pairwise(windows):
        assert before[0] < after[0]
        assert before[-1] < after[-1]
        assert len(set(before) & set(after)) <= 1


def test_neighbours_share_a_sentence():
    """What two sentences say together is read together in some window."""
    paper, sentences = sized([3, 3, 3, 3, 3])

    windows = chunks(paper, sentences, 2 + 9, words)

    assert [inside(sentences, window) for window in windows] == [[0, 1, 2], [2, 3, 4]]


def test_a_shared_sentence_that_leaves_no_room_is_not_repeated_alone():
    """A long sentence after short ones begins its own window."""
    paper, sentences = sized([3, 3, 9, 3])

    windows = chunks(paper, sentences, 2 + 10, words)

    assert [inside(sentences, window) for window in windows] == [[0, 1], [2], [3]]


def test_a_title_longer_than_the_budget_loses_nothing():
    """Then every sentence is a window alone."""
    paper, sentences = sized([2, 2], title="t " * 50)

    assert len(chunks(paper, sentences, 10, words)) == 2


def test_no_sentences_are_no_windows():
    """An abstract without sentences has nothing to embed."""
    assert chunks(made("a title", ""), ()) == ()


def test_the_title_goes_first():
    """What is embedded is the title, and the text below it."""
    paper, sentences = sized([2, 2])

    assert chunks(paper, sentences)[0].embedded_text == "a title\nw w w w"


@pytest.mark.parametrize("budget", [BUDGET, 100])
def test_seed_papers_stay_within_real_tokens(seed_papers, budget):
    """With the real tokenizer on real abstracts, windows of several sentences keep the budget."""
    windows = 0
    for paper in seed_papers[::5]:
        sentences = split(paper.id, paper.abstract)
        for window in chunks(paper, sentences, budget):
            windows += 1
            if len(inside(sentences, window)) > 1:
                assert count_tokens(window.embedded_text) <= budget
            assert paper.abstract[window.start : window.end] == window.text
    assert windows >= len(seed_papers[::5])


def test_most_abstracts_are_one_window(seed_papers):
    """The budget was chosen so that an abstract is read as a whole."""
    alone = [len(chunks(paper, split(paper.id, paper.abstract))) == 1 for paper in seed_papers[::5]]
    assert sum(alone) > 0.9 * len(alone)


def test_special_tokens_are_plain_text():
    """A paper on tokenizers may name one."""
    assert count_tokens("<|endoftext|>") > 1


OFFLINE = """
import json, os, socket, sys
def refuse(*args, **more):
    raise OSError("no network in this test")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
before = os.environ.get("TIKTOKEN_CACHE_DIR")
from rag.chunk import count_tokens
tokens = count_tokens("Hello, world")
print(json.dumps([tokens, os.environ.get("TIKTOKEN_CACHE_DIR") == before,
                  "llama_index.core" in sys.modules]))
"""


@pytest.mark.parametrize("given_folder", [False, True], ids=["unset", "an empty folder"])
def test_tokens_are_counted_offline(tmp_path, given_folder):
    """The bundled tables are found without network or llama-index, wherever the environment points.

    And the environment is left as it was.
    """
    environment = {k: v for k, v in os.environ.items() if k != "TIKTOKEN_CACHE_DIR"}
    environment |= {"TMPDIR": str(tmp_path)}  # where tiktoken would keep what it downloaded
    if given_folder:
        environment["TIKTOKEN_CACHE_DIR"] = str(tmp_path / "empty")
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stderr[-2000:]
    assert json.loads(ran.stdout) == [3, True, False]
