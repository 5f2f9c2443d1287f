from __future__ import annotations

from dataclasses import replace

import pytest

from eval.cases import Case, Side, Silence, Turn
from eval.report.why import expected, got, why
from eval.run import Product, run
from rag.text import digest, paper_id
from rag.types import (
    Answer,
    Cell,
    Citation,
    Coverage,
    Evidence,
    Paper,
    Source,
    Statement,
    Subject,
    Table,
)

ALPHA = "Alpha: a system. It has 7B parameters. It runs on 12,288 GPUs."
BETA = "Beta is another system. It has 9B parameters."


def paper(title, abstract):
    """A paper as reading a file gives it."""
    return Paper(paper_id(title), title, abstract, digest(title, abstract))


PAPERS = (paper("Alpha paper", ALPHA), paper("Beta paper", BETA), paper("Gamma paper", "Short."))
BY_TITLE = {p.title: p for p in PAPERS}


def cite(title, text):
    """A citation of the exact span *text* of a paper."""
    found = BY_TITLE[title]
    start = found.abstract.index(text)
    span = Evidence(found.id, title, start, start + len(text), text)
    return Citation(1, found.id, title, (span,))


def cell(title, text):
    """A cell that quotes *text*, or says that nothing is stated where there is none."""
    return Cell(text, (cite(title, text),)) if text else Cell()


def subject(name, title=None):
    """A row's head: of a paper here, or missing."""
    return Subject(name, BY_TITLE[title].id if title else None, title)


def table(axes, *rows):
    """A comparison of rows of (name, title or None, text of each cell or "")."""
    subjects = tuple(subject(name, title) for name, title, *_ in rows)
    cells = tuple(tuple(cell(title, text) for text in texts) for _, title, *texts in rows)
    made = Table(subjects, tuple(axes), cells)
    return Answer("q", "q", "comparison", "extractive", table=made)


def listed(*titles, matched=None):
    """A list of papers, and how many it says there are."""
    sources = tuple(Source(n, paper_id(t), t) for n, t in enumerate(titles, 1))
    coverage = None if matched is None else Coverage(3, 3, matched)
    return Answer("q", "q", "list", "extractive", sources=sources, coverage=coverage)


def abstained(kind, *titles):
    """A refusal of a kind, with papers at hand."""
    answer = listed(*titles)
    return replace(answer, shape="answer", abstention=kind, message="Sorry.")


def comparison(**changes):
    """A case about the sizes and the hardware of Alpha, Beta and a missing one."""
    sides = (
        Side(name="Alpha", papers=("Alpha paper",), evidence=("It has 7B parameters.",)),
        Side(name="Beta", papers=("Beta paper",), evidence=("It has 9B parameters.",)),
        Side(name="the Zeta system"),
    )
    case = Case(
        id="cmp",
        type="comparison",
        question="cmp",
        answerable=True,
        gold_papers=("Alpha paper", "Beta paper"),
        evidence=("It has 7B parameters.", "It has 9B parameters."),
        sides=sides,
        axes=("model size", "hardware"),
        missing=("the Zeta system",),
        not_stated=(Silence(side="Beta", axis="hardware"),),
    )
    return replace(case, **changes)


def aggregation(*gold, **changes):
    """A case about the papers of these titles."""
    case = Case(
        id="list", type="aggregation", question="list", answerable=True, gold_papers=gold,
        count=len(gold), criterion="literal",
    )  # fmt: skip
    return replace(case, **changes)


def conversation(**changes):
    """A case whose last turn is about Alpha."""
    turns = (Turn(question="What is Alpha?"), Turn(question="conv"))
    case = Case(
        id="conv", type="conversation", question="conv", answerable=True, turns=turns,
        gold_papers=("Alpha paper",), standalone="How big is Alpha?",
    )  # fmt: skip
    return replace(case, **changes)


def row(case, answer):
    """What comes of *case* where every question is given *answer*."""
    (made,) = run([case], Product(lambda question, conversation: answer, PAPERS))
    assert not made.error, made.error
    return made


def one(case, answer):
    """The scores of one case and its answer."""
    return row(case, answer).scores


WHOLE = table(
    ["size", "hardware"],
    ("Alpha", "Alpha paper", "It has 7B parameters.", "It runs on 12,288 GPUs."),
    ("Beta", "Beta paper", "It has 9B parameters.", ""),
    ("Zeta system", None, "", ""),
)


# Comparisons


def test_a_whole_table_is_at_its_best():
    """Cells count as statements do: their papers are cited, their spans shown and exact."""
    scores = one(comparison(), WHOLE)

    for name in ("sides_cited", "axis_coverage", "missing_flagged", "not_stated_honest"):
        assert scores[name] == 1.0
    assert (scores["citation_recall"], scores["evidence_recall"]) == (1.0, 1.0)
    assert (scores["evidence_exact"], scores["titles_real"]) == (1.0, 1.0)
    assert scores["evidence_precision"] == pytest.approx(2 / 3)
    assert scores["route_right"] == 1.0


def test_an_answer_without_a_table_can_cite_and_no_more():
    """Statements cite both sides; no axis is shown, nothing is called missing or silent."""
    statements = tuple(
        Statement(text, (cite(title, text),), "supported")
        for title, text in (("Alpha paper", "Alpha: a system."), ("Beta paper", BETA[:23]))
    )
    answer = Answer("q", "q", "answer", "extractive", statements)

    scores = one(comparison(), answer)

    assert (scores["sides_cited"], scores["route_right"]) == (1.0, 0.0)
    for name in ("axis_coverage", "missing_flagged", "not_stated_honest"):
        assert scores[name] == 0.0


def test_a_side_crowded_out_is_not_cited():
    """One side of two is none; a side that has no papers is not waited for."""
    lonely = table(["size"], ("Alpha", "Alpha paper", "It has 7B parameters."))

    assert one(comparison(), lonely)["sides_cited"] == 0.0
    assert one(comparison(), lonely)["evidence_recall"] == 0.5


def test_cells_are_held_against_the_store():
    """A cell that is not the abstract's words is not exact, and its row's title must be real."""
    bad = replace(cite("Alpha paper", "It has 7B parameters."), title="Alpha papers")
    bad = replace(bad, evidence=(replace(bad.evidence[0], start=0, end=21),))
    made = Table(
        (Subject("A", paper_id("Alpha paper"), "Alpha papers"), Subject("Z")),
        ("size",),
        ((Cell("It has 7B parameters.", (bad,)),), (Cell(),)),
    )

    scores = one(comparison(), replace(WHOLE, table=made, near=(Source(1, "none", "Made up"),)))

    assert scores["evidence_exact"] == 0.0
    assert scores["titles_real"] == pytest.approx(1 / 4)  # of citation, evidence, row, near


def test_a_column_under_another_label_covers_an_axis_by_its_evidence():
    """Scale is not size in words, but shows the gold of both sides; nothing covers hardware."""
    shown = table(
        ["scale", "task"],
        ("Alpha", "Alpha paper", "It has 7B parameters.", "Alpha: a system."),
        ("Beta", "Beta paper", "It has 9B parameters.", ""),
    )

    assert one(comparison(), shown)["axis_coverage"] == 0.5
    alone = replace(WHOLE.table, axes=("scale", "task"), cells=(WHOLE.table.cells[0],) * 3)
    assert one(comparison(), replace(WHOLE, table=alone))["axis_coverage"] == 0.0


@pytest.mark.parametrize(
    ("name", "found", "message", "flagged"),
    [
        ("Zeta", False, "", 1.0),
        ("the zeta system", False, "", 1.0),
        ("Zeta", True, "No paper here is about the Zeta system.", 0.0),
        ("Omega", False, "", 0.0),
        ("Omega", False, "No paper here is about the Zeta system.", 1.0),
        ("Omega", False, "No paper here is about that system.", 0.0),
    ],
)
def test_a_missing_side_is_named(name, found, message, flagged):
    """By a row without a paper, or in words where there is no such row."""
    title = "Gamma paper" if found else None
    answer = replace(table(["size"], (name, title, "")), message=message)

    assert one(comparison(), answer)["missing_flagged"] == flagged


@pytest.mark.parametrize(
    ("axes", "cells", "honest"),
    [
        (["hardware"], [""], 1.0),
        (["hardware used"], [""], 1.0),
        (["hardware"], ["Beta is another system."], 0.0),
        (["size"], [""], 0.0),
        (["size", "hardware"], ["", "Beta is another system."], 0.0),
    ],
)
def test_silence_has_to_be_said_on_its_axis(axes, cells, honest):
    """A quotation about something else is no silence, nor is a table without the axis."""
    answer = table(axes, ("Beta", "Beta paper", *cells))

    assert one(comparison(), answer)["not_stated_honest"] == honest


def test_a_cell_that_could_not_be_proved_is_no_silence():
    """Only the abstract's silence is "not stated"."""
    doubtful = table(["hardware"], ("Beta", "Beta paper", ""))
    cells = ((Cell("unverified: the abstract has changed since"),),)
    answer = replace(doubtful, table=replace(doubtful.table, cells=cells))

    assert one(comparison(), answer)["not_stated_honest"] == 0.0


def test_only_what_a_comparison_asks_is_measured():
    """Without axes, missing sides and silences there is nothing to hold an answer to."""
    sides = comparison().sides[:2]
    bare = comparison(sides=sides, axes=(), missing=(), not_stated=())

    measured = set(one(bare, WHOLE))

    assert "sides_cited" in measured
    assert not measured & {"axis_coverage", "missing_flagged", "not_stated_honest"}


# Lists


def test_a_list_is_its_sources():
    """Two of three listed are gold, of two gold papers both are listed; borderline ones are not."""
    case = aggregation("Alpha paper", borderline=("Gamma paper",))

    scores = one(case, listed("Alpha paper", "Beta paper", "Gamma paper"))

    assert (scores["list_precision"], scores["list_recall"]) == (0.5, 1.0)
    assert scores["list_f1"] == scores["list_f1_literal"] == pytest.approx(2 / 3)
    assert scores["route_right"] == 1.0


def test_sources_of_another_shape_are_no_list():
    """A look-up that happens to cite the right papers has not decided for all of them."""
    answer = replace(listed("Alpha paper"), shape="answer")

    scores = one(aggregation("Alpha paper"), answer)

    assert (scores["list_f1"], scores["count_exact"], scores["route_right"]) == (0.0, 0.0, 0.0)


def test_only_literal_lists_are_held_to_be_literal():
    """The other criteria have no value there."""
    scores = one(aggregation("Alpha paper", criterion="topic"), listed("Alpha paper"))

    assert "list_f1_literal" not in scores
    assert scores["list_f1"] == 1.0


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (abstained("no_paper"), 1.0),
        (abstained("off_topic"), 0.0),
        (listed("Gamma paper"), 0.0),
        (listed(), 0.0),
    ],
)
def test_an_empty_list_is_an_abstention(answer, value):
    """Where no paper belongs on the list, only to say so is right."""
    case = aggregation(
        answerable=False, abstention="no_paper", borderline=("Gamma paper",), count=0
    )

    scores = one(case, answer)

    measures = ("list_precision", "list_recall", "list_f1", "list_f1_literal")
    assert [scores[name] for name in measures] == [value] * 4


@pytest.mark.parametrize(
    ("answer", "exact"),
    [
        (listed("Alpha paper", "Beta paper"), 1.0),
        (listed("Alpha paper", "Beta paper", matched=2), 1.0),
        (listed("Alpha paper", matched=2), 1.0),  # what it says counts, not what it shows
        (listed("Alpha paper", "Beta paper", matched=3), 0.0),
        (listed("Alpha paper", "Beta paper", "Gamma paper", matched=3), 1.0),  # one borderline
        (listed("Alpha paper", "Gamma paper"), 1.0),
        (listed("Alpha paper"), 0.0),
        (abstained("no_paper"), 0.0),
        (abstained("off_topic"), 0.0),
    ],
)
def test_a_count_is_what_the_answer_says(answer, exact):
    """The number matched, else the number listed; borderline papers may be among them."""
    case = aggregation("Alpha paper", "Beta paper", borderline=("Gamma paper",))

    assert one(case, answer)["count_exact"] == exact


def test_no_such_paper_is_a_count_of_none():
    """And a refusal of another kind counts nothing."""
    case = aggregation(answerable=False, abstention="no_paper", count=0)

    assert one(case, abstained("no_paper"))["count_exact"] == 1.0
    assert one(case, abstained("off_topic"))["count_exact"] == 0.0


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (listed("Alpha paper", matched=1), 1.0),
        (listed(matched=0), 1.0),
        (listed("Alpha paper"), 0.0),
        (listed("Alpha paper", matched=2), 0.0),
        (replace(listed("Alpha paper", matched=2), message="1 of the 2 that match."), 1.0),
        (replace(listed("Alpha paper", matched=2), message="2 papers match."), 0.0),
        (replace(listed("Alpha paper"), coverage=Coverage(3, 2, 1)), 0.0),
    ],
)
def test_a_list_is_whole_or_says_what_it_leaves_out(answer, value):
    """Every paper read, and as many shown as counted, or both numbers said."""
    assert one(aggregation("Alpha paper"), answer)["list_whole"] == value
    other = replace(answer, shape="answer")
    assert "list_whole" not in one(aggregation("Alpha paper"), other)


def test_a_count_in_words_is_a_key_fact():
    """What the product says in its own words is found; what it says in refusing is not."""
    case = aggregation("Alpha paper", key_facts=(("1 paper",),))
    said = replace(listed("Alpha paper"), message="1 paper of 3.")

    assert one(case, said)["key_facts"] == 1.0
    assert one(case, replace(said, abstention="no_paper"))["key_facts"] == 0.0


# Conversations and routes


def test_the_last_turn_cites_its_paper():
    """One gold paper is enough, in a statement or in a cell."""
    wrong = table(["size"], ("Beta", "Beta paper", "It has 9B parameters."))

    assert one(conversation(), WHOLE)["last_turn_cited"] == 1.0
    assert one(conversation(), wrong)["last_turn_cited"] == 0.0
    assert one(conversation(), listed("Alpha paper"))["last_turn_cited"] == 0.0


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (abstained("not_stated", "Beta paper", "Alpha paper"), 1.0),
        (abstained("not_stated", "Beta paper"), 0.0),
        (abstained("no_paper"), 0.0),
        (listed("Alpha paper"), 0.0),
    ],
)
def test_a_last_turn_without_an_answer_names_the_paper_at_hand(answer, value):
    """To fall silent is right only about the paper that is silent."""
    case = conversation(
        answerable=False, abstention="not_stated", gold_papers=(), near_papers=("Alpha paper",)
    )

    assert one(case, answer)["last_turn_cited"] == value


@pytest.mark.parametrize(
    ("case", "shape"),
    [
        (comparison(), "comparison"),
        (aggregation("Alpha paper"), "list"),
        (Case(id="c", type="chat", question="hi", answerable=True), "chat"),
        (conversation(shape="list"), "list"),
        (aggregation("Alpha paper", shape="comparison"), "comparison"),
        (
            Case(
                id="o",
                type="out_of_domain",
                question="?",
                answerable=False,
                abstention="off_topic",
            ),
            "answer",
        ),
    ],
)
def test_a_route_is_right_by_the_type_unless_the_case_says(case, shape):
    """A conversation that does not say may take any shape."""
    for given in ("answer", "comparison", "list", "chat"):
        answer = Answer("q", "q", given, "extractive")
        assert one(case, answer)["route_right"] == float(given == shape)
    assert "route_right" not in one(conversation(), WHOLE)


# What a person reads of a failure


@pytest.mark.parametrize(
    ("measure", "case", "answer", "said"),
    [
        ("sides_cited", comparison(), listed(), 'does not cite "Alpha", "Beta"'),
        (
            "axis_coverage",
            comparison(),
            table(["task"], ("Alpha", "Alpha paper", "")),
            'does not speak to "model size", "hardware"; speaks to "task"',
        ),
        (
            "missing_flagged",
            comparison(),
            replace(listed(), message="Sorry."),
            'does not call missing "the Zeta system"; says "Sorry.", in no table',
        ),
        (
            "not_stated_honest",
            comparison(),
            table(["size"], ("Beta", "Beta paper", "")),
            'does not say that it is not stated "Beta: hardware"',
        ),
        (
            "list_f1",
            aggregation("Alpha paper"),
            listed("Beta paper"),
            'lists wrongly "Beta paper"; does not list "Alpha paper"',
        ),
        ("list_f1", aggregation("Alpha paper"), WHOLE, "the shape is comparison"),
        (
            "count_exact",
            aggregation("Alpha paper", borderline=("Beta paper",)),
            listed("Beta paper", "Alpha paper", matched=5),
            "counts 5, with 1 borderline, and there are 1",
        ),
        ("count_exact", aggregation("Alpha paper"), abstained("not_stated"), "counts none"),
        (
            "list_whole",
            aggregation("Alpha paper"),
            listed("Alpha paper", matched=2),
            "read 3 of 3 papers, counts 2, shows 1",
        ),
        ("list_whole", aggregation("Alpha paper"), listed("Alpha paper"), "says nothing of how"),
        (
            "last_turn_cited",
            conversation(),
            replace(listed(), standalone_question="How big is Beta?"),
            'read as "How big is Beta?"; wanted "How big is Alpha?"; does not cite "Alpha paper"',
        ),
        (
            "last_turn_cited",
            conversation(answerable=False, abstention="not_stated", gold_papers=(), standalone=""),
            WHOLE,
            'read as "q"; papers at hand none',
        ),
        (
            "route_right",
            comparison(),
            replace(listed(), trace={"route": "a plural"}),
            "list instead of comparison: route a plural",
        ),
    ],
)
def test_every_failure_says_why(measure, case, answer, said):
    """In the terms of the measure: what was wanted of which side, axis, paper or count."""
    assert said in why(row(case, answer), measure)


def test_a_table_and_what_it_should_hold_take_a_line_each():
    """Rows with their cells, the missing one by its name alone; what was wanted beside them."""
    made = row(comparison(), WHOLE)

    assert got(made).startswith(
        'row "Alpha" | size: "It has 7B parameters." | hardware: "It runs on 12,288 GPUs."; '
        'row "Beta" | size: "It has 9B parameters." | hardware: not stated in the abstract; '
        'row "Zeta system" missing; citing "Alpha paper", "Beta paper"'
    )
    assert expected(made).startswith(
        'papers "Alpha paper", "Beta paper"; missing "the Zeta system"; '
        'axes "model size", "hardware"; not stated "Beta: hardware"; evidence'
    )
    assert "a count of 1" in expected(row(aggregation("Alpha paper"), listed()))
    assert "a count of 4" in got(row(aggregation("Alpha paper"), listed(matched=4)))
