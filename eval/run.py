"""Ask every case and score every answer: each case gives one row, whatever happens to it.

A case that crashes is an error: it scores the worst value of every measure it takes part in, so
that no crash can raise an average. An error is neither a wrong answer nor an abstention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from eval import metrics
from eval.cases import Case
from eval.metrics import Span, Statistic
from rag.errors import UsageError
from rag.text import fold, normalised_title, paper_id, squeeze
from rag.types import Answer, Citation, Evidence, Paper, Source

Asker = Callable[[str, Sequence[Answer]], Answer]
"""Answers a question, given the earlier answers of its conversation."""

ANSWERED, ERROR = "answered", "error"


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer beside its case, in the terms of the measures: papers are ids of their titles."""

    ranking: tuple[str, ...]  # retrieved, best first, without borderline papers
    gold: frozenset[str]
    cited: frozenset[str]  # without borderline papers
    only_borderline: bool  # something was cited, and all of it counts neither way
    statements: tuple[tuple[Span, ...], ...]  # without those that rest on borderline papers only
    gold_spans: tuple[Span, ...]
    exact: tuple[bool, ...]  # for each shown evidence
    real: tuple[bool, ...]  # for each shown title
    texts: tuple[str, ...]  # statements and cited titles, folded
    facts: tuple[tuple[str, ...], ...]  # folded


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one case; `answer` and `reading` are None exactly where `error` is set."""

    case: Case
    answer: Answer | None
    reading: Reading | None
    error: str
    elapsed_ms: float  # of the scored question alone, up to the crash if it crashed
    scores: Mapping[str, float] = field(default_factory=dict)  # only measures that apply

    @property
    def got(self) -> str:
        """The column of the confusion table: "answered", "error" or a kind of abstention."""
        if self.answer is None:
            return ERROR
        return self.answer.abstention or ANSWERED


@dataclass(frozen=True, slots=True)
class Measure:
    """One number per case, and how cases make one number."""

    name: str
    applies: Callable[[Case], bool]
    of: Callable[[Row, Reading], float | None]  # None where this answer leaves nothing to measure
    failed: float = 0.0  # for a case that crashed
    statistic: Statistic = metrics.mean
    unit: str = ""  # empty for a share


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
        return tuple(self._span(case, text) for text in case.evidence)

    def _span(self, case: Case, text: str) -> Span:
        for title in case.gold_papers:
            paper = self.titled(title)
            start = paper.abstract.find(text) if paper else -1
            if start >= 0:
                return Span(paper_id(title), start, start + len(text))
        raise UsageError(
            f"Case {case.id}: the evidence {text[:60]!r} stands in none of its gold papers: "
            "copy it from the abstract."
        )


def run(
    cases: Sequence[Case],
    ask: Asker,
    papers: Sequence[Paper],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Row, ...]:
    """Ask all *cases* in order: one row each, in the same order.

    Raises UsageError before asking anything if a case names a paper or evidence that *papers* do
    not have. Whatever *ask* raises becomes its case's error.
    """
    collection = Collection(papers)
    for case in cases:
        _check(case, collection)
    rows = []
    for number, case in enumerate(cases, start=1):
        rows.append(_row(case, ask, collection))
        if progress:
            progress(number, len(cases))
    return tuple(rows)


def _check(case: Case, collection: Collection) -> None:
    turns = [title for turn in case.turns for title in turn.gold_papers]
    for title in (*case.gold_papers, *case.near_papers, *case.borderline, *turns):
        if not collection.titled(title):
            raise UsageError(
                f"Case {case.id} names the paper {title!r}, which is not in the store: "
                "add it, or give cases for this store with --cases."
            )
    collection.locate(case)


def _row(case: Case, ask: Asker, collection: Collection) -> Row:
    answer, reading, error = None, None, ""
    started = perf_counter()
    elapsed = None
    try:
        earlier: list[Answer] = []
        for turn in case.turns[:-1]:
            earlier.append(ask(turn.question, tuple(earlier)))
        started = perf_counter()
        answer = ask(case.question, tuple(earlier))
        elapsed = perf_counter() - started
        reading = read(case, answer, collection)
    except Exception as problem:  # whatever it is, it is this case's failure and not the run's
        answer, error = None, squeeze(f"{type(problem).__name__}: {problem}")[:500]
    elapsed = perf_counter() - started if elapsed is None else elapsed
    row = Row(case, answer, reading, error, 1000 * elapsed)
    return replace(row, scores=scores(row))


def read(case: Case, answer: Answer, collection: Collection) -> Reading:
    """Put *answer* beside *case* in the terms of the measures."""
    ignored = {paper_id(title) for title in case.borderline}
    evidence = shown_evidence(answer)
    cited = {paper_id(title) for title in cited_titles(answer)}
    shown = [
        tuple(_span(e) for c in statement.citations for e in c.evidence)
        for statement in answer.statements
    ]
    texts = (*(statement.text for statement in answer.statements), *cited_titles(answer))
    return Reading(
        ranking=tuple(
            id for hit in answer.retrieved if (id := paper_id(hit.paper.title)) not in ignored
        ),
        gold=frozenset(map(paper_id, case.gold_papers)),
        cited=frozenset(cited - ignored),
        only_borderline=bool(cited) and cited <= ignored,
        statements=tuple(s for s in shown if not s or any(e.paper not in ignored for e in s)),
        gold_spans=collection.locate(case),
        exact=tuple(_is_exact(e, collection) for e in evidence),
        real=tuple(_is_real(*pair, collection) for pair in shown_titles(answer)),
        texts=tuple(map(fold, texts)),
        facts=tuple(tuple(map(fold, alternatives)) for alternatives in case.key_facts),
    )


def shown_evidence(answer: Answer) -> list[Evidence]:
    """Every evidence that a statement of *answer* cites, in order, with repeats."""
    return [e for s in answer.statements for citation in s.citations for e in citation.evidence]


def cited_titles(answer: Answer) -> list[str]:
    """The titles that statements of *answer* cite, in order, each once."""
    titles = [citation.title for s in answer.statements for citation in s.citations]
    return list(dict.fromkeys(titles))


def shown_titles(answer: Answer) -> list[tuple[str, str]]:
    """(paper id, title) wherever *answer* shows a title: citations, their evidence, sources."""
    citations = [citation for s in answer.statements for citation in s.citations]
    places: tuple[Citation | Evidence | Source, ...] = (
        *citations,
        *shown_evidence(answer),
        *answer.sources,
    )
    return [(place.paper_id, place.title) for place in places]


def _span(evidence: Evidence) -> Span:
    return Span(paper_id(evidence.title), evidence.start, evidence.end)


def _is_exact(evidence: Evidence, collection: Collection) -> bool:
    paper = collection.by_id.get(evidence.paper_id)
    return paper is not None and metrics.is_exact(
        evidence.text, evidence.start, evidence.end, paper.abstract
    )


def _is_real(id: str, title: str, collection: Collection) -> bool:
    paper = collection.by_id.get(id)
    return paper is not None and paper.title == title


# Which case takes part in which measure


def _every(case: Case) -> bool:
    return True


def _has_gold(case: Case) -> bool:
    return bool(case.gold_papers)


def _has_evidence(case: Case) -> bool:
    return bool(case.evidence)


def _has_facts(case: Case) -> bool:
    return case.answerable and bool(case.key_facts)


def _should_abstain(case: Case) -> bool:
    return not case.answerable


def _is_off_topic(case: Case) -> bool:
    return case.type == "out_of_domain" and not case.answerable


def _is_unanswerable(case: Case) -> bool:
    return case.type in {"unanswerable_near", "unanswerable_far"} and not case.answerable


def _is_paraphrase(case: Case) -> bool:
    return case.answerable and case.type == "single_paraphrase"


def _is_answerable_otherwise(case: Case) -> bool:
    return case.answerable and case.type != "single_paraphrase"


# What a measure reads from an answer


def _citation_precision(_row: Row, seen: Reading) -> float | None:
    return None if seen.only_borderline else metrics.precision(seen.cited, seen.gold)


def _evidence_precision(row: Row, seen: Reading) -> float | None:
    shown = len(row.answer.statements) if row.answer else 0
    if shown and not seen.statements:  # all of them rest on borderline papers
        return None
    return metrics.evidence_precision(seen.statements, seen.gold_spans)


def _evidence_recall(_row: Row, seen: Reading) -> float:
    spans = [span for statement in seen.statements for span in statement]
    return metrics.evidence_recall(spans, seen.gold_spans)


def _abstained(row: Row, _seen: Reading) -> float:
    return float(row.answer is not None and row.answer.abstained)


def _abstention_precision(row: Row, seen: Reading) -> float | None:
    return float(not row.case.answerable) if _abstained(row, seen) else None


MEASURES = (
    Measure("recall@1", _has_gold, lambda _, a: metrics.recall_at(1, a.ranking, a.gold)),
    Measure("recall@5", _has_gold, lambda _, a: metrics.recall_at(5, a.ranking, a.gold)),
    Measure("recall@20", _has_gold, lambda _, a: metrics.recall_at(20, a.ranking, a.gold)),
    Measure("mrr", _has_gold, lambda _, a: metrics.reciprocal_rank(a.ranking, a.gold)),
    Measure("ndcg@10", _has_gold, lambda _, a: metrics.ndcg_at(10, a.ranking, a.gold)),
    Measure("citation_precision", _has_gold, _citation_precision),
    Measure("citation_recall", _has_gold, lambda _, a: metrics.recall(a.cited, a.gold)),
    Measure("evidence_precision", _has_evidence, _evidence_precision),
    Measure("evidence_recall", _has_evidence, _evidence_recall),
    Measure("evidence_exact", _every, lambda _, a: metrics.share(a.exact) if a.exact else None),
    Measure("titles_real", _every, lambda _, a: metrics.share(a.real) if a.real else None),
    Measure("key_facts", _has_facts, lambda _, a: metrics.key_fact_recall(a.facts, a.texts)),
    Measure("abstention_precision", _every, _abstention_precision),
    Measure("abstention_recall", _should_abstain, _abstained),
    Measure("off_topic_abstained", _is_off_topic, _abstained),
    Measure("unanswerable_abstained", _is_unanswerable, _abstained),
    Measure("false_refusals", _is_answerable_otherwise, _abstained, failed=1.0),
    Measure("paraphrase_refusals", _is_paraphrase, _abstained, failed=1.0),
    Measure("errors", _every, lambda row, _: 0.0, failed=1.0),
    Measure("latency_p50", _every, lambda row, _: row.elapsed_ms, statistic=metrics.p50, unit="ms"),
    Measure("latency_p95", _every, lambda row, _: row.elapsed_ms, statistic=metrics.p95, unit="ms"),
)
"""Every measure, in the order of reports."""


def scores(row: Row) -> dict[str, float]:
    """The values of the measures that apply to *row*, by name."""
    values: dict[str, float] = {}
    for measure in MEASURES:
        value = _value(measure, row) if measure.applies(row.case) else None
        if value is not None:
            values[measure.name] = float(value)
    return values


def _value(measure: Measure, row: Row) -> float | None:
    if row.reading is None:
        return row.elapsed_ms if measure.unit else measure.failed
    return measure.of(row, row.reading)
