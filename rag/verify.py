"""The verdict on each statement: what is shown as proved has been looked up in the store again.

An extractive statement claims to be a quotation, and that is what is checked: its evidence must be
the exact span of the abstract as the store holds it now, and its words must be that evidence. A
sentence in other words is judged by rules, likeness and the trained reader (`rag.guard`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rag.dialogue.cue import is_foreign
from rag.errors import PaperChatError
from rag.guard.checks import check, nearest
from rag.guard.edits import NEGATIONS
from rag.guard.figures import in_its_figures
from rag.guard.findings import Finding
from rag.guard.tokens import tokens
from rag.guard.weigh import features, fitted, verdict_of
from rag.sentences import split
from rag.text import fold
from rag.types import (
    Cell,
    Citation,
    ClaimReader,
    Embedder,
    Evidence,
    Judge,
    Judgement,
    Paper,
    Sentence,
    Statement,
    Table,
    Verdict,
)
from rag.words import content_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAST_LATIN, FOREIGN_SHARE = 0x24F, 0.3  # code point, and share of letters past it
MOST_REMEMBERED = 2_000  # texts, of 1.5 kB each with the embedded model
FEWEST_SAID = 2  # words of content, below which nothing is said of anything
FEWEST_QUOTED = 4  # of a part that is quoted from the middle of a sentence
MOST_EVIDENCE = 2  # sentences shown beside a judged claim
EVIDENCE_OF_BEST = 0.6  # a second sentence is shown if it is at least this near, by the first


class Remembering:
    """An `Embedder` that keeps the vectors of the texts it met last. Safe in many threads.

    An answer's sentences cite the same few abstracts, and a person waits for each check.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """The embedder's own."""
        return self._embedder.fingerprint

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """As the embedder does it, only those texts that are not known. Raises EmbeddingError."""
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        fresh = [text for text in dict.fromkeys(texts) if text not in found]
        if fresh:
            found |= zip(fresh, self._embedder(fresh, progress), strict=True)
        with self._lock:
            self._known |= found
            for text in list(self._known)[: max(0, len(self._known) - MOST_REMEMBERED)]:
                del self._known[text]
        return np.stack([found[text] for text in texts])

    def truncated(self, texts: Sequence[str]) -> int:
        """As the embedder says."""
        return self._embedder.truncated(texts)


def judge_with(embedder: Embedder, reader: ClaimReader | None) -> Judge:
    """A `Judge` that reads with these models."""
    embed = Remembering(embedder)

    def judge(claim: str, papers: Sequence[Paper]) -> Judgement:
        """Judge *claim* by *papers*; one that cites several is borne by what they say together."""
        if not papers:
            return Judgement("unverified", 0.0, ("no paper is cited",))
        try:
            each = [judge_by(claim, paper, embed, reader) for paper in papers]
            if len(papers) == 1:
                return each[0]
            best = max(each, key=lambda one: one.score)
            if best.verdict == "supported":
                return best
            return _together(claim, papers, embed, reader, each)
        except PaperChatError as error:
            return Judgement("unverified", 0.0, (f"the check could not run: {error}",))

    return judge


def _together(
    claim: str,
    papers: Sequence[Paper],
    embedder: Embedder,
    reader: ClaimReader | None,
    each: Sequence[Judgement],
) -> Judgement:
    """The verdict on a claim that no paper bears alone: their abstracts as one."""
    joined = Paper(
        "joined",
        " / ".join(paper.title for paper in papers),
        " ".join(paper.abstract for paper in papers),
        "",
    )
    whole = judge_by(claim, joined, embedder, reader)
    shown = tuple(span for one in each for span in one.evidence[:1])
    return replace(whole, evidence=shown)


def judge_by(claim: str, paper: Paper, embedder: Embedder, reader: ClaimReader | None) -> Judgement:
    """Whether the abstract of *paper* bears *claim*. Raises EmbeddingError."""
    sentences = split(paper.id, paper.abstract)
    plain = " ".join(fold(claim).split())
    if _is_quoted(plain.rstrip(". "), [" ".join(fold(s.text).split()) for s in sentences]):
        quoted = [s for s in sentences if fold(s.text).strip() in plain or plain in fold(s.text)]
        spans = tuple(_span(paper, sentence) for sentence in quoted[:MOST_EVIDENCE])
        return Judgement("supported", 1.0, ("its words are the abstract's",), spans)
    if _is_foreign(claim):
        return Judgement("unverified", 0.0, ("the check reads English only",))
    if not sentences or len(content_words(claim)) < FEWEST_SAID:
        return Judgement("not_supported", 0.0, ("it says nothing that could be checked",))
    values, found = signs(claim, paper, embedder, reader)
    verdict, score = verdict_of(values, found, fitted(read=reader is not None))
    near = _nearest(claim, sentences, embedder)
    spans = tuple(_span(paper, sentence) for sentence in near)
    return Judgement(verdict, round(score, 4), _reasons(verdict, found), spans)


def _is_quoted(plain: str, sentences: Sequence[str]) -> bool:
    """Whether *plain* is the abstract's: from a sentence's beginning on, or a longer part of one.

    A word or two, or what follows "not", are taken out of what is said.
    """
    whole = " ".join(sentences)
    at = whole.find(plain) if plain else -1
    if at < 0:
        return False
    begins = [0]
    for sentence in sentences:
        begins.append(begins[-1] + len(sentence) + 1)
    start = max(begin for begin in begins if begin <= at)
    before = [token.lower for token in tokens(whole[start:at])]
    if NEGATIONS & set(before) or any(word.endswith("n't") for word in before):
        return False
    return len(content_words(plain)) >= (FEWEST_QUOTED if before else FEWEST_SAID)


def _is_foreign(claim: str) -> bool:
    """Whether *claim* is in another language; a Greek letter or two in a formula make none."""
    letters = [char for char in fold(claim) if char.isalpha()]
    strange = [char for char in letters if ord(char) > LAST_LATIN]
    if len(strange) > FOREIGN_SHARE * len(letters):
        return True
    return is_foreign("".join(char for char in claim if char not in strange))


def signs(
    claim: str, paper: Paper, embedder: Embedder, reader: ClaimReader | None
) -> tuple[NDArray[np.float64], tuple[Finding, ...]]:
    """What speaks for and against *claim*: values of `rag.guard.weigh.FEATURES`, and findings."""
    texts = [sentence.text for sentence in split(paper.id, paper.abstract)]
    found = check(claim, paper.title, texts)
    # So that no model has to know that three quarters are 75%.
    plain = in_its_figures(claim, [texts[place] for place in nearest(claim, texts)])
    vectors = embedder([plain, *texts])
    cosine = float((vectors[1:] @ vectors[0]).max())
    read = reader(plain, paper.title, texts) if reader is not None else None
    return features(plain, paper.title, texts, cosine, found, read), found


def _nearest(claim: str, sentences: Sequence[Sentence], embedder: Embedder) -> list[Sentence]:
    """One or two sentences that speak of *claim*, the nearest first."""
    vectors = embedder([claim, *(sentence.text for sentence in sentences)])
    asked = content_words(claim)
    scores = [
        float(vectors[place + 1] @ vectors[0])
        + len(asked & content_words(sentence.text)) / max(1, len(asked))
        for place, sentence in enumerate(sentences)
    ]
    order = sorted(range(len(sentences)), key=lambda place: (-scores[place], place))
    least = EVIDENCE_OF_BEST * scores[order[0]]
    return [sentences[place] for place in order[:MOST_EVIDENCE] if scores[place] >= least]


def _reasons(verdict: Verdict, found: Sequence[Finding]) -> tuple[str, ...]:
    """Why, for a person; what speaks most against it first."""
    if verdict == "supported":
        return ("the abstract says it in other words",)
    speaks = "contradicted" if verdict == "contradicted" else ""
    ordered = sorted(found, key=lambda one: (one.speaks != speaks, -one.strength))
    reasons = tuple(dict.fromkeys(one.reason for one in ordered))[:3]
    if reasons:
        return reasons
    if verdict == "contradicted":
        return ("the abstract says otherwise",)
    return ("the abstract does not say it",)


def _span(paper: Paper, sentence: Sentence) -> Evidence:
    return Evidence(paper.id, paper.title, sentence.start, sentence.end, sentence.text)


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
