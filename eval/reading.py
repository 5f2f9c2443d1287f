"""An answer beside its case, in the terms of the measures: papers are ids of their titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval import metrics
from eval.cases import Case, Side
from eval.metrics import Amount, Fact, Span
from rag.errors import UsageError
from rag.guard.checks import check
from rag.guard.weigh import HARD, HARD_KINDS
from rag.text import fold, normalised_title, paper_id, squeeze
from rag.types import (
    NOT_STATED,
    Answer,
    Cell,
    Citation,
    Evidence,
    Mode,
    Paper,
    Source,
    Statement,
    Subject,
)
from rag.words import compounds, document_terms, numbers, stem


@dataclass(frozen=True, slots=True)
class SideReading:
    """One side of a comparison, and the row of the table that is about it."""

    papers: frozenset[str]  # empty where the collection has no paper about it
    gold_spans: tuple[Span, ...]
    cells: tuple[tuple[Span, ...], ...]  # evidence for each axis of the table; none without a row
    silent: tuple[bool, ...]  # for each cell, whether it says that the abstract does not state it
    said_missing: bool  # the answer says that no paper here is about it


@dataclass(frozen=True, slots=True)
class Reading:
    """What the measures need to know of an answer."""

    ranking: tuple[str, ...]  # retrieved, best first, without borderline papers
    gold: frozenset[str]
    cited: frozenset[str]  # by statements and cells, without borderline papers
    only_borderline: bool  # something was cited, and all of it counts neither way
    quotations: tuple[tuple[Span, ...], ...]  # without those that rest on borderline papers only
    gold_spans: tuple[Span, ...]
    exact: tuple[bool, ...]  # for each shown evidence
    real: tuple[bool, ...]  # for each shown title
    texts: tuple[str, ...]  # all that is claimed, and the titles cited, folded
    facts: tuple[Fact, ...]  # folded
    borne: tuple[bool, ...]  # for each statement shown as supported, whether its evidence says it
    backed: tuple[bool, ...]  # for each statement and stated cell, whether it cites evidence
    forbidden: frozenset[str]  # papers cited that must not be
    sides: tuple[SideReading, ...]  # in the order of the case
    labels: tuple[frozenset[str], ...]  # the content words of each axis of the table
    listed: frozenset[str]  # papers of a list, without borderline ones
    listed_borderline: int
    count: int | None  # the number of papers that the answer states; None if it states none
    whole: bool | None  # nothing of a list was left unread or unshown unsaid; None if it is no list


class Collection:
    """The papers that answers are held against, read from the store and not from answers."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self.by_id = {paper.id: paper for paper in papers}
        self.by_title = {normalised_title(paper.title): paper for paper in papers}

    def titled(self, title: str) -> Paper | None:
        """The paper with this title in any spelling, or None."""
        return self.by_title.get(normalised_title(title))

    def locate(self, case: Case) -> tuple[Span, ...]:
        """The spans of the case's evidence. Raises UsageError for one that is nowhere."""
        return self.spans(case.id, case.evidence, case.gold_papers, "its gold papers")

    def locate_side(self, case: Case, side: Side) -> tuple[Span, ...]:
        """The spans of one side's evidence. Raises UsageError for one that is nowhere."""
        return self.spans(case.id, side.evidence, side.papers, f"the papers of {side.name!r}")

    def spans(
        self, id: str, evidence: Sequence[str], titles: Sequence[str], where: str
    ) -> tuple[Span, ...]:
        """Where each of *evidence* stands in the papers of these *titles*. Raises UsageError."""
        return tuple(self._span(id, text, titles, where) for text in evidence)

    def lost(self, id: str, text: str, titles: Sequence[str], where: str) -> str:
        """A sentence saying that the evidence *text* is in none of *titles*; "" if it is in one."""
        if self._found(text, titles):
            return ""
        return (
            f"Case {id}: the evidence {text[:60]!r} stands in none of {where}: "
            "copy it from the abstract."
        )

    def _span(self, id: str, text: str, titles: Sequence[str], where: str) -> Span:
        if span := self._found(text, titles):
            return span
        raise UsageError(self.lost(id, text, titles, where))

    def _found(self, text: str, titles: Sequence[str]) -> Span | None:
        for title in titles:
            paper = self.titled(title)
            start = paper.abstract.find(text) if paper else -1
            if start >= 0:
                return Span(paper_id(title), start, start + len(text))
        return None


def read(case: Case, answer: Answer, collection: Collection) -> Reading:
    """Put *answer* beside *case* in the terms of the measures."""
    ignored = frozenset(map(paper_id, case.borderline))
    cited = frozenset(map(paper_id, cited_titles(answer)))
    listed = frozenset(paper_id(source.title) for source in listed_sources(answer))
    shown = [_spans(citations) for _, citations in quotations(answer)]
    ranking = (paper_id(hit.paper.title) for hit in answer.retrieved)
    return Reading(
        ranking=tuple(id for id in ranking if id not in ignored),
        gold=frozenset(map(paper_id, case.gold_papers)),
        cited=cited - ignored,
        only_borderline=bool(cited) and cited <= ignored,
        quotations=tuple(s for s in shown if not s or any(e.paper not in ignored for e in s)),
        gold_spans=collection.locate(case),
        exact=tuple(_is_exact(e, collection) for e in shown_evidence(answer)),
        real=tuple(_is_real(*pair, collection) for pair in shown_titles(answer)),
        texts=tuple(map(fold, claims(answer))),
        facts=tuple(tuple(map(folded, alternatives)) for alternatives in case.key_facts),
        borne=tuple(_is_borne(s, answer.mode) for s in answer.statements if _is_proof(s)),
        backed=tuple(any(c.evidence for c in citations) for _, citations in quotations(answer)),
        forbidden=cited & frozenset(map(paper_id, case.must_not_cite)),
        sides=tuple(_read_side(case, side, answer, collection) for side in case.sides),
        labels=tuple(map(words, answer.table.axes)) if answer.table else (),
        listed=listed - ignored,
        listed_borderline=len(listed & ignored),
        count=stated_count(answer),
        whole=is_whole(answer),
    )


def folded(fact: str | Amount) -> str | Amount:
    """*fact* with its letters folded as those of an answer are."""
    return fold(fact) if isinstance(fact, str) else fact


def _is_proof(statement: Statement) -> bool:
    return statement.verdict == "supported" and bool(statement.citations)


def _is_borne(statement: Statement, mode: Mode) -> bool:
    """Whether the evidence under *statement* says it, looked at without the product's verdict.

    A quotation must be the evidence, word for word. Of a sentence in a model's words, no figure,
    unit or quoted word may differ (the rules of `rag.guard` that decide alone).
    """
    texts = [squeeze(e.text) for citation in statement.citations for e in citation.evidence]
    left = said = squeeze(statement.text)
    for text in sorted(texts, key=len, reverse=True):
        left = left.replace(text, "")
    if not left.strip() or any(said in text for text in texts):
        return True
    return mode == "llm" and not any(
        found.kind in HARD_KINDS and found.strength >= HARD
        for found in check(statement.text, "", texts)
    )


# What an answer shows


def quotations(answer: Answer) -> list[tuple[str, tuple[Citation, ...]]]:
    """The text and the citations of every statement, then of every cell that states something."""
    cells = [(cell.text, cell.citations) for row in _rows(answer) for cell in row if cell.stated]
    return [*((said.text, said.citations) for said in answer.statements), *cells]


def _rows(answer: Answer) -> tuple[tuple[Cell, ...], ...]:
    return answer.table.cells if answer.table else ()


def _citations(answer: Answer) -> list[Citation]:
    return [citation for _, citations in quotations(answer) for citation in citations]


def shown_evidence(answer: Answer) -> list[Evidence]:
    """Every evidence that a statement or a cell of *answer* cites, in order, with repeats."""
    return [evidence for citation in _citations(answer) for evidence in citation.evidence]


def cited_titles(answer: Answer) -> list[str]:
    """The titles that statements and cells of *answer* cite, in order, each once."""
    return list(dict.fromkeys(citation.title for citation in _citations(answer)))


def shown_titles(answer: Answer) -> list[tuple[str, str]]:
    """(paper id, title) wherever *answer* shows a title, evidence, lists and tables included."""
    places: tuple[Citation | Evidence | Source, ...] = (
        *_citations(answer),
        *shown_evidence(answer),
        *answer.sources,
        *answer.near,
    )
    subjects = answer.table.subjects if answer.table else ()
    rows = [(subject.paper_id or "", subject.title or "") for subject in subjects if subject.found]
    return [*((place.paper_id, place.title) for place in places), *rows]


def claims(answer: Answer) -> list[str]:
    """All that *answer* claims, in its own words (a count) and in those of papers."""
    said = [] if answer.abstained else [answer.message]
    return [*said, *(text for text, _ in quotations(answer)), *cited_titles(answer)]


def listed_sources(answer: Answer) -> tuple[Source, ...]:
    """The papers of a list; none of an answer of another shape, or of one that refuses."""
    return answer.sources if answer.shape == "list" and not answer.abstained else ()


def stated_count(answer: Answer) -> int | None:
    """How many papers *answer* says there are: what it matched, else what it lists.

    To say that there is no such paper is to count 0; None where nothing was counted.
    """
    if answer.abstained:
        return 0 if answer.abstention == "no_paper" else None
    if answer.shape != "list":
        return None
    return answer.coverage.matched if answer.coverage else len(answer.sources)


def is_whole(answer: Answer) -> bool | None:
    """Whether a list was decided for every paper and shows all that it counts, or says how many.

    None for an answer of another shape. A list that does not say how much it read is not whole.
    """
    if answer.shape != "list":
        return None
    read = answer.coverage
    if read is None or read.papers_read < read.papers_in_corpus:
        return False
    shown = len(answer.sources)
    return shown == read.matched or {str(shown), str(read.matched)} <= set(numbers(answer.message))


def _spans(citations: Sequence[Citation]) -> tuple[Span, ...]:
    return tuple(
        Span(paper_id(evidence.title), evidence.start, evidence.end)
        for citation in citations
        for evidence in citation.evidence
    )


def _is_exact(evidence: Evidence, collection: Collection) -> bool:
    paper = collection.by_id.get(evidence.paper_id)
    return paper is not None and metrics.is_exact(
        evidence.text, evidence.start, evidence.end, paper.abstract
    )


def _is_real(id: str, title: str, collection: Collection) -> bool:
    paper = collection.by_id.get(id)
    return paper is not None and paper.title == title


# Comparisons


# Words with which an axis is asked for, and which name none: "number of GPUs" is not "of tokens".
_ASKING = frozenset(map(stem, "number amount count kind type reported claimed stated said".split()))


def words(label: str) -> frozenset[str]:
    """The content words of an axis or of a name; all of its words if it has no others.

    >>> sorted(words("reported speed-up")), sorted(words("what it does"))
    (['speed', 'speedup'], ['does', 'it', 'what'])
    """
    content = frozenset(document_terms(label)) - _ASKING
    return content or frozenset(map(str.lower, compounds(label)))


def _read_side(case: Case, side: Side, answer: Answer, collection: Collection) -> SideReading:
    papers = frozenset(map(paper_id, side.papers))
    row = _row_about(papers, answer)
    return SideReading(
        papers=papers,
        gold_spans=collection.locate_side(case, side),
        cells=tuple(_spans(cell.citations) for cell in row),
        silent=tuple(cell.text == NOT_STATED for cell in row),
        said_missing=_says_missing(side.name, answer),
    )


def _row_about(papers: frozenset[str], answer: Answer) -> tuple[Cell, ...]:
    """The cells of the first row about one of *papers*; none if there is no such row."""
    subjects = answer.table.subjects if answer.table else ()
    rows = zip(subjects, _rows(answer), strict=True)
    return next((row for subject, row in rows if _is_about(subject, papers)), ())


def _is_about(subject: Subject, papers: frozenset[str]) -> bool:
    return subject.title is not None and paper_id(subject.title) in papers


def _says_missing(name: str, answer: Answer) -> bool:
    """Whether *answer* names the side as missing: in its table, else in its own words."""
    asked = words(name)
    subjects = answer.table.subjects if answer.table else ()
    rows = [row for row in subjects if metrics.overlap(asked, words(row.name)) > metrics.HALF]
    if rows:
        return any(not row.found for row in rows)
    return asked <= words(answer.message)
