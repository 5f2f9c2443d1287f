"""The verdict on each statement: what is shown as proved has been looked up in the store again.

An extractive statement claims to be a quotation, and that is what is checked: its evidence must be
the exact span of the abstract as the store holds it now, and its words must be that evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag.types import Cell, Citation, Evidence, Paper, Statement, Table


def verify(statements: Sequence[Statement], papers: Mapping[str, Paper]) -> tuple[Statement, ...]:
    """Give each statement its verdict against *papers*, by id.

    `supported` for an exact quotation; `unverified` where the paper is not at hand or the span is
    not what it was, with the reason. Never `supported` because a check could not run.
    """
    return tuple(_checked(statement, papers) for statement in statements)


def verify_table(table: Table, papers: Mapping[str, Paper]) -> Table:
    """*table* with every quotation looked up; a cell that fails says so and cites nothing."""
    return replace(
        table,
        cells=tuple(tuple(_checked_cell(cell, papers) for cell in row) for row in table.cells),
    )


def verify_written(
    statements: Sequence[Statement], papers: Mapping[str, Paper]
) -> tuple[Statement, ...]:
    """Look the evidence of judged statements up in *papers*, by id; the verdicts stay.

    A statement whose evidence is not what it was is `unverified`, with the reason.
    """
    return tuple(_looked_up(statement, papers) for statement in statements)


def _looked_up(statement: Statement, papers: Mapping[str, Paper]) -> Statement:
    problems = [
        problem
        for citation in statement.citations
        for span in citation.evidence
        if (problem := _problem(citation, span, papers))
    ]
    if not any(citation.evidence for citation in statement.citations):
        problems.append("nothing is cited")
    if not problems or statement.verdict != "supported":
        return statement
    return replace(statement, verdict="unverified", reasons=tuple(dict.fromkeys(problems)))


def _checked_cell(cell: Cell, papers: Mapping[str, Paper]) -> Cell:
    if not cell.stated:
        return cell
    checked = _checked(Statement(cell.text, cell.citations, "unverified"), papers)
    if checked.verdict == "supported":
        return cell
    return Cell(f"unverified: {'; '.join(checked.reasons)}")


def _checked(statement: Statement, papers: Mapping[str, Paper]) -> Statement:
    pairs = [(citation, span) for citation in statement.citations for span in citation.evidence]
    spans = [span for _, span in pairs]
    problems = [problem for pair in pairs if (problem := _problem(*pair, papers))]
    if not all(citation.evidence for citation in statement.citations) or not spans:
        problems.append("nothing is cited")
    elif statement.text != " ".join(span.text for span in spans):
        problems.append("the sentence is not a quotation of its evidence")
    if problems:
        return replace(statement, verdict="unverified", reasons=tuple(dict.fromkeys(problems)))
    return replace(statement, verdict="supported", reasons=("quoted word for word",))


def _problem(citation: Citation, span: Evidence, papers: Mapping[str, Paper]) -> str:
    if citation.paper_id != span.paper_id:
        return "the evidence is another paper's"
    paper = papers.get(span.paper_id)
    if paper is None:
        return "the paper is no longer in the collection"
    if not paper.title == span.title == citation.title:
        return "the title is not the store's"
    if not 0 <= span.start < span.end or paper.abstract[span.start : span.end] != span.text:
        return "the abstract has changed since"
    return ""
