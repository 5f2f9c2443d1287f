from __future__ import annotations

from dataclasses import replace

import pytest

from rag.text import digest, paper_id
from rag.types import Citation, Evidence, Paper, Statement
from rag.verify import verify

TITLE = "BeanNet: counting beans"
ABSTRACT = "We count beans. It is quick. Nine in ten are found."
PAPER = Paper(paper_id(TITLE), TITLE, ABSTRACT, digest(TITLE, ABSTRACT))
OTHER = replace(PAPER, id="0" * 16, title="On Peas", abstract="We count peas. It is slow.")
PAPERS = {paper.id: paper for paper in (PAPER, OTHER)}


def span(text: str, paper: Paper = PAPER) -> Evidence:
    """The evidence that is *text* where it stands in *paper*."""
    start = paper.abstract.index(text)
    return Evidence(paper.id, paper.title, start, start + len(text), text)


def quoting(*spans: Evidence) -> Statement:
    """A statement that quotes *spans* of one paper."""
    cited = Citation(1, spans[0].paper_id, spans[0].title, spans)
    return Statement(" ".join(one.text for one in spans), (cited,), "unverified")


def verdict(statement: Statement) -> tuple[str, tuple[str, ...]]:
    """The verdict and reasons that *statement* gets."""
    (checked,) = verify([statement], PAPERS)
    assert (checked.text, checked.citations) == (statement.text, statement.citations)
    return checked.verdict, checked.reasons


@pytest.mark.parametrize(
    "spans",
    [
        (span("It is quick."),),
        (span("We count beans."), span("Nine in ten are found.")),
        (span(ABSTRACT),),
    ],
)
def test_an_exact_quotation_is_supported(spans: tuple[Evidence, ...]):
    """One span or several, in the order they are shown."""
    assert verdict(quoting(*spans)) == ("supported", ("quoted word for word",))


def test_a_quotation_of_two_papers_is_supported():
    """Each citation is held against its own paper."""
    beans, peas = span("We count beans."), span("We count peas.", OTHER)
    cited = (
        Citation(1, PAPER.id, PAPER.title, (beans,)),
        Citation(2, OTHER.id, OTHER.title, (peas,)),
    )
    both = Statement("We count beans. We count peas.", cited, "unverified")
    assert verdict(both)[0] == "supported"


GOOD = span("It is quick.")


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(GOOD, paper_id="f" * 16), "no longer in the collection"),
        (replace(GOOD, title="BeanNet: counting peas"), "title"),
        (replace(GOOD, text="It is slow."), "changed"),
        (replace(GOOD, start=GOOD.start + 1), "changed"),
        (replace(GOOD, end=GOOD.end - 1), "changed"),
        (replace(GOOD, end=10_000), "changed"),
        (replace(GOOD, start=-len("found."), end=len(ABSTRACT), text="found."), "changed"),
        (replace(GOOD, start=5, end=5, text=""), "changed"),
    ],
)
def test_evidence_that_is_not_in_the_store_is_unverified(evidence: Evidence, reason: str):
    """A span that is not exactly there proves nothing, and the reason says why."""
    got, reasons = verdict(quoting(evidence))
    assert got == "unverified"
    assert len(reasons) == 1
    assert reason in reasons[0]


@pytest.mark.parametrize(
    "citation",
    [
        Citation(1, PAPER.id, "A title of the model's own", (GOOD,)),
        Citation(1, OTHER.id, OTHER.title, (GOOD,)),
    ],
)
def test_the_shown_paper_must_be_the_one_quoted(citation: Citation):
    """A true quotation under another paper's name is no proof."""
    assert verdict(Statement(GOOD.text, (citation,), "unverified"))[0] == "unverified"


@pytest.mark.parametrize(
    "text", ["It is quick", "It is quick. ", "it is quick.", "It is very quick.", ""]
)
def test_other_words_than_the_evidence_are_unverified(text: str):
    """An extractive statement claims to be a quotation: near is not enough."""
    statement = replace(quoting(GOOD), text=text)
    assert verdict(statement) == (
        "unverified",
        ("the sentence is not a quotation of its evidence",),
    )


@pytest.mark.parametrize(
    "citations",
    [(), (Citation(1, PAPER.id, PAPER.title, ()),), (
        Citation(1, PAPER.id, PAPER.title, (GOOD,)), Citation(2, OTHER.id, OTHER.title, ())
    )],
)  # fmt: skip
def test_a_citation_without_evidence_is_unverified(citations: tuple[Citation, ...]):
    """A number in brackets alone is no proof."""
    got, reasons = verdict(Statement("It is quick.", citations, "unverified"))
    assert (got, reasons) == ("unverified", ("nothing is cited",))


def test_a_verdict_that_was_claimed_is_not_believed():
    """What comes in as supported is checked all the same."""
    claimed = replace(quoting(replace(GOOD, text="It is slow.")), verdict="supported")
    assert verdict(claimed)[0] == "unverified"


def test_statements_keep_their_order_and_none_is_lost():
    """One verdict a statement; without papers at hand none is supported."""
    statements = [quoting(GOOD), quoting(span("We count beans."))]
    assert [one.text for one in verify(statements, PAPERS)] == [one.text for one in statements]
    assert [one.verdict for one in verify(statements, {})] == ["unverified"] * 2
    assert verify([], PAPERS) == ()
