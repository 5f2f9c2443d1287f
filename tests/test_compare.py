"""Comparisons on the real collection with the real models."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from rag import subjects
from rag.app import PaperChat
from rag.errors import UsageError
from rag.types import NOT_STATED, Answer, Paper


def spans(answer: Answer):
    """All evidence of the table and of the lines under it."""
    cells = [cell for row in answer.table.cells for cell in row]
    return [e for part in (*cells, *answer.statements) for c in part.citations for e in c.evidence]


def test_every_cell_is_a_quotation_or_says_not_stated(seed_chat: PaperChat):
    """No cell is blank, and what a cell says stands in the abstract at the span it cites."""
    answer = seed_chat.ask("Compare MegaScale and ByteScale on GPUs, speed-up and licence")
    abstracts = {paper.id: paper.abstract for paper in seed_chat.papers()}

    assert answer.shape == "comparison"
    assert [len(row) for row in answer.table.cells] == [3, 3]
    for cell in (cell for row in answer.table.cells for cell in row):
        quoted = " ".join(e.text for c in cell.citations for e in c.evidence)
        assert cell.text == (quoted if cell.stated else NOT_STATED)
    for evidence in spans(answer):
        assert abstracts[evidence.paper_id][evidence.start : evidence.end] == evidence.text
    assert all(statement.verdict == "supported" for statement in answer.statements)


def test_each_side_has_its_own_paper(seed_chat: PaperChat):
    """No side crowds another out: every subject is found, and cited under its own number."""
    answer = seed_chat.ask("how do CREATOR and CRAFT differ?")

    assert [subject.name for subject in answer.table.subjects] == ["CREATOR", "CRAFT"]
    assert [source.n for source in answer.sources] == [1, 2]
    for number, row in enumerate(answer.table.cells, 1):
        assert {c.n for cell in row for c in cell.citations} == {number}


def test_a_side_that_is_not_here_is_named_and_the_rest_is_answered(seed_chat: PaperChat):
    """The missing side has no title and only unstated cells."""
    answer = seed_chat.ask("Gorilla vs ToolLLM: how many APIs does each cover?")
    missing, found = answer.table.subjects

    assert (missing.name, missing.found, found.found) == ("Gorilla", False, True)
    assert "Gorilla" in answer.message
    assert not any(cell.stated for cell in answer.table.cells[0])
    assert any(cell.stated for cell in answer.table.cells[1])
    assert not answer.abstained


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        ("Put Ferret next to the 18 kilobytes paper: communication cost",
         ["Ferret: Federated Full-Parameter Tuning", "Federated Full-Parameter Tuning of Billion"]),
        ("What changed from the 'planting' SEED paper to the 'SEE and draw' one?",
         ["Planting a SEED of Vision", "Making LLaMA SEE and Draw"]),
        ("between MathScale and MathCoder2, which has more data?", ["MathScale:", "MathCoder2:"]),
        ("MegaScale和ByteScale有什么区别?", ["MegaScale:", "ByteScale:"]),
        ("stitchable neural networks vs deep model assembling",
         ["Stitchable Neural Networks", "Deep Model Assembling"]),
    ],
)  # fmt: skip
def test_sides_are_found_by_name_by_title_and_by_description(seed_chat, question, titles):
    """However a side is spoken of, its paper stands in its column."""
    found = [subject.title for subject in seed_chat.ask(question).table.subjects]

    assert len(found) == len(titles)
    assert all(title.startswith(start) for title, start in zip(found, titles, strict=True))


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        ("So what did U-PaLM do to PaLM, how big are the two?", ("Transcending", "PaLM:")),
        ("tinygpt-v / bluelm-v-3b - params, tokens per second", ("TinyGPT-V", "BlueLM-V-3B")),
        ("How far do Minitron and FoldGPT shrink a model?", ("Compact Language", "FoldGPT")),
        ("Do HFT and CoFiTune agree on what should be left frozen?", ("HFT", "Balancing")),
        ("HFT and CoFiTune are papers on forgetting. What is tuned in each?", ("HFT", "Balancing")),
        ("what scores do models get on kGym and on SURGE", ("KGym", "SURGE")),
        ("How does EnvGen differ from WebRL in how many calls it needs?", ("EnvGen", "WebRL")),
        ("Could you please set Paramanu beside CodeCompose on size?", ("Paramanu", "CodeCompose")),
    ],
)
def test_papers_that_are_named_together_are_compared(seed_chat, question, titles):
    """Whatever words set them side by side, or none: each paper has its row, in the order named."""
    table = seed_chat.ask(question).table
    assert table is not None
    found = [subject.title or "" for subject in table.subjects]
    assert [a.startswith(b) for a, b in zip(found, titles, strict=True)] == [True, True]


@pytest.mark.parametrize(
    "question",
    [
        "how much quicker than vllm is batchllm",
        "Is DB1 better than DeepMind's Gato on the shared control tasks?",
        "Which database engine was tuned in the LLMTune experiments, Postgres or MySQL?",
        "What MFU does MegaScale reach?",
    ],
)
def test_a_question_about_one_paper_is_not_made_a_comparison(seed_chat, question):
    """What one abstract says of its own thing against others is that abstract's to answer."""
    assert seed_chat.ask(question).shape == "answer"


def test_figures_on_different_ground_are_said_not_to_compare(seed_chat: PaperChat):
    """Two shares of different data stand side by side only with a caution."""
    answer = seed_chat.ask("CodeT and VideoMAE V2: what accuracy does each report?")

    assert any(answer.table.cautions)


def test_papers_can_be_compared_by_title_with_axes_of_ones_own(seed_chat: PaperChat):
    """The command's way in: subjects and axes one by one."""
    answer = seed_chat.compare(["MegaScale", "the original ZeRO paper"], ["hardware", "model size"])

    assert answer.table.axes == ("hardware", "model size")
    assert [subject.found for subject in answer.table.subjects] == [True, True]


@pytest.mark.parametrize("subjects", [["MegaScale"], ["MegaScale", "megascale"]])
def test_fewer_than_two_papers_cannot_be_compared(seed_chat: PaperChat, subjects):
    """One sentence says what to do."""
    with pytest.raises(UsageError, match="two"):
        seed_chat.compare(subjects)


def test_a_comparison_repeats_exactly(seed_chat: PaperChat):
    """The same question gives the same table."""
    question = "LongWriter and LongProc: what does each bring?"

    assert seed_chat.ask(question).table == seed_chat.ask(question).table


def test_things_that_are_not_here_are_said_not_to_be(seed_chat: PaperChat):
    """Nothing is quoted where no side has a paper."""
    answer = seed_chat.ask("Compare Xyzzy42 and Plugh-7")

    assert (answer.shape, answer.abstention) == ("comparison", "no_paper")
    assert "Xyzzy42" in answer.message
    assert answer.statements == ()


def test_the_sixth_thing_is_said_to_be_left_out(seed_chat: PaperChat):
    """At most five columns, and nothing falls away in silence."""
    names = ["MegaScale", "ByteScale", "ZeRO-Infinity", "ZeRO-Offload", "LongWriter", "LongProc"]
    answer = seed_chat.ask(f"Compare {', '.join(names)}")

    assert len(answer.table.subjects) == 5
    assert "LongProc" in answer.message


def test_a_name_spelt_almost_right_finds_its_paper(seed_chat: PaperChat):
    """A letter too few is no other system; another digit is."""
    answer = seed_chat.ask("compare BytScale and MegaScale")

    assert [subject.found for subject in answer.table.subjects] == [True, True]


def test_one_thing_twice_is_not_two(seed_chat: PaperChat):
    """Nothing is compared with itself."""
    assert seed_chat.ask("Compare MegaScale and megascale").table is None


def test_a_name_is_looked_for_in_a_long_abstract_at_once():
    """Sixty thousand letters without a space cost no more than as many with."""
    paper = Paper("x", "Zorbat: A Thing", "Z" * 60_000, "h", ("made",))
    began = time.process_time()
    assert not subjects._short_for("Zorbat", paper)
    assert time.process_time() - began < 0.5
    named = replace(paper, abstract=f"{paper.abstract}. We build Thing Zero (TZ) of it.")
    assert subjects._short_for("TZ", named)
