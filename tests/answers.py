"""A product that answers as it is told, and cases about its three papers."""

from __future__ import annotations

from dataclasses import replace

from eval.cases import Case
from rag.text import digest, paper_id
from rag.types import Answer, Citation, Evidence, Hit, Paper, Statement

ALPHA = "Alpha: a system. It reaches 61.82% on the test. It runs on 12,288 GPUs."
BETA = "Beta is another system. It reaches nothing."


def paper(title, abstract):
    """A paper as reading a file gives it."""
    return Paper(paper_id(title), title, abstract, digest(title, abstract))


PAPERS = (paper("Alpha paper", ALPHA), paper("Beta paper", BETA), paper("Gamma paper", "Short."))
BY_TITLE = {p.title: p for p in PAPERS}


def cite(title, text):
    """A citation of the exact span *text* of a paper."""
    found = BY_TITLE[title]
    start = found.abstract.index(text)
    return Citation(
        1, found.id, title, (Evidence(found.id, title, start, start + len(text), text),)
    )


def answered(*cited, retrieved=("Alpha paper", "Beta paper")):
    """An answer of one statement for each (title, exact text) cited."""
    statements = tuple(Statement(text, (cite(title, text),), "supported") for title, text in cited)
    hits = tuple(Hit(BY_TITLE[title], rank, 1 / rank) for rank, title in enumerate(retrieved, 1))
    return Answer("q", "q", "answer", "extractive", statements, retrieved=hits)


def abstained(kind):
    """A refusal of a kind."""
    return Answer("q", "q", "answer", "extractive", abstention=kind, message="Sorry.")


RIGHT = answered(("Alpha paper", "It reaches 61.82% on the test."))
WRONG = answered(("Beta paper", "It reaches nothing."), retrieved=("Beta paper", "Gamma paper"))


def scripted(script):
    """A product that gives the answer, or raises the error, that *script* has for a question."""

    def ask(question, conversation=()):
        said = script[question]
        if isinstance(said, Exception):
            raise said
        return said

    return ask


def single(id="single-1", **changes):
    """An answerable case about the Alpha paper."""
    case = Case(
        id=id,
        type="single",
        question=id,
        answerable=True,
        gold_papers=("Alpha paper",),
        evidence=("It reaches 61.82% on the test.",),
        key_facts=(("61.82%",), ("Alpha",)),
    )
    return replace(case, **changes)


def refusable(id="far-1", type="unanswerable_far", abstention="no_paper"):
    """A case that should be abstained from."""
    return Case(id=id, type=type, question=id, answerable=False, abstention=abstention)
