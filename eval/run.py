"""Ask every case and score every answer: each case gives one row, whatever happens to it.

A case that crashes is an error: it scores the worst value of every measure it takes part in, so
that no crash can raise an average. An error is neither a wrong answer nor an abstention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter

from eval import metrics
from eval.cases import Case
from eval.metrics import Statistic
from eval.reading import Collection, Reading, SideReading, quotations, read, words
from rag.errors import UsageError
from rag.text import normalised_title, paper_id, squeeze
from rag.types import Answer, Citation, Judgement, Paper, Shape, Statement, Usage

Asker = Callable[[str, Sequence[Answer]], Answer]
"""Answers a question, given the earlier answers of its conversation."""

Checker = Callable[[str, str], Judgement]
"""Judges a sentence by the paper of a title."""


@dataclass(frozen=True, slots=True)
class Product:
    """What is measured: the product's faces as the cases use them, and the papers it answers from.

    `papers` are those that a right answer would rest on, read from the store and not from answers.
    """

    ask: Asker
    papers: Sequence[Paper]
    verify: Checker | None = None  # None where sentences are not judged
    name: str = ""  # another one whenever its answers might be others; "" if that is not known
    uncached: Product | None = None  # the same, where this one may take answers from earlier runs


ANSWERED, ERROR = "answered", "error"
MILLISECONDS = "ms"
TIMED = 50
"""How many cases are asked again one at a time after many were asked at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one case; `answer` and `reading` are None exactly where `error` is set."""

    case: Case
    answer: Answer | None
    reading: Reading | None
    error: str
    elapsed_ms: float | None  # of the scored question, up to a crash; None if others ran beside it
    scores: Mapping[str, float] = field(default_factory=dict)  # only measures that apply

    @property
    def got(self) -> str:
        """The column of the confusion table: "answered", "error" or a kind of abstention."""
        if self.answer is None:
            return ERROR
        return self.answer.abstention or ANSWERED


_Of = Callable[[Row, Reading], float | None]
"""What a measure reads from an answer: None where this answer leaves nothing to measure."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One number per case, and how cases make one number."""

    name: str
    applies: Callable[[Case], bool]
    of: _Of
    failed: float = 0.0  # for a case that crashed
    statistic: Statistic = metrics.mean
    unit: str = ""  # empty for a share


def run(
    cases: Sequence[Case],
    product: Product,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
) -> tuple[Row, ...]:
    """Ask all *cases*, *workers* at once: one row each, in the order of the cases.

    More workers change no row but its time, which is not taken where others ran beside it: see
    `timed`. Raises UsageError before asking anything if a case names a paper or evidence that
    the papers do not have. Whatever the product raises becomes its case's error.
    """
    collection = Collection(product.papers)
    for case in cases:
        for problem in problems(case, collection):
            raise UsageError(problem)
    rows = []
    with _pool(workers) as spread:
        made = spread(lambda case: _row(case, product, collection), cases)
        for number, row in enumerate(made, start=1):
            is_timed = workers == 1 and product.uncached is None
            rows.append(row if is_timed else _rescored(row, None))
            if progress:
                progress(number, len(cases))
    return tuple(rows)


Spread = Callable[[Callable[[Case], Row], Sequence[Case]], Iterable[Row]]
"""As `map` over cases, whatever the order in which they are done."""


@contextmanager
def _pool(workers: int) -> Iterator[Spread]:
    """A `map` with *workers* threads; what has not begun is dropped if the caller stops."""
    if workers == 1:  # in this thread, so that it can be interrupted and debugged
        yield map
        return
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def timed(rows: Sequence[Row], product: Product) -> tuple[Row, ...]:
    """*rows* with the time of at most TIMED of them, evenly spread, each asked again alone.

    The other rows stay without a time. A case that crashes now is an error, as any other.
    """
    collection = Collection(product.papers)
    count = min(TIMED, len(rows))
    chosen = {number * len(rows) // count for number in range(count)}
    return tuple(
        _timed(row, product, collection) if place in chosen else row
        for place, row in enumerate(rows)
    )


def _timed(row: Row, product: Product, collection: Collection) -> Row:
    again = _row(row.case, product, collection)
    return again if again.error else _rescored(row, again.elapsed_ms)


def _rescored(row: Row, elapsed_ms: float | None) -> Row:
    row = replace(row, elapsed_ms=elapsed_ms, scores={})
    return replace(row, scores=scores(row))


def problems(case: Case, collection: Collection) -> list[str]:
    """Why *case* cannot be asked of *collection*, a sentence each; none if it can."""
    found = [
        f"Case {case.id} names the paper {title!r}, which is not in the store: "
        "add it, or give cases for this store with --cases."
        for title in titles_of(case)
        if not collection.titled(title)
    ]
    return found + [
        problem
        for text, titles, where in evidence_of(case)
        if (problem := collection.lost(case.id, text, titles, where))
    ]


def titles_of(case: Case) -> list[str]:
    """Every title that *case* names, each once."""
    turns = [title for turn in case.turns for title in turn.gold_papers]
    sides = [title for side in case.sides for title in side.papers]
    named = (*case.gold_papers, *case.near_papers, *case.borderline, *case.must_not_cite)
    return list(dict.fromkeys((*named, *turns, *sides)))


def evidence_of(case: Case) -> list[tuple[str, tuple[str, ...], str]]:
    """Each piece of evidence of *case*, the titles it must stand in, and what these are called."""
    owners = [(case.evidence, case.gold_papers, "its gold papers")]
    owners += [(s.evidence, s.papers, f"the papers of {s.name!r}") for s in case.sides]
    owners += [
        (turn.evidence, turn.gold_papers or case.gold_papers, f"the gold papers of turn {number}")
        for number, turn in enumerate(case.turns, start=1)
    ]
    return [(text, titles, where) for evidence, titles, where in owners for text in evidence]


def _row(case: Case, product: Product, collection: Collection) -> Row:
    answer, reading, error = None, None, ""
    started = perf_counter()
    elapsed = None
    try:
        earlier: list[Answer] = []
        for turn in case.turns[:-1]:
            earlier.append(product.ask(turn.question, tuple(earlier)))
        started = perf_counter()
        answer = _judged(case, product) if case.is_statement else None
        answer = answer or product.ask(case.question, tuple(earlier))
        elapsed = perf_counter() - started
        reading = read(case, answer, collection)
    except Exception as problem:  # whatever it is, it is this case's failure and not the run's
        answer, error = None, squeeze(f"{type(problem).__name__}: {problem}")[:500]
    elapsed = perf_counter() - started if elapsed is None else elapsed
    row = Row(case, answer, reading, error, 1000 * elapsed)
    return replace(row, scores=scores(row))


def _judged(case: Case, product: Product) -> Answer:
    """What the product makes of a statement, as an answer of that one statement."""
    if product.verify is None:
        raise UsageError("nothing here judges statements: leave them out with --only")
    title = case.gold_papers[0]
    judged = product.verify(case.question, title)
    owner = next(p for p in product.papers if normalised_title(p.title) == normalised_title(title))
    citation = Citation(1, owner.id, owner.title, judged.evidence)
    said = Statement(case.question, (citation,), judged.verdict, judged.reasons)
    score = {"support": f"{judged.score:.4f}"}
    return Answer(case.question, case.question, "answer", "extractive", (said,), trace=score)


# Which case takes part in which measure


def _every(case: Case) -> bool:
    return True


def _is_question(case: Case) -> bool:
    return not case.is_statement


def _has_gold(case: Case) -> bool:
    return _is_question(case) and bool(case.gold_papers)


def _has_evidence(case: Case) -> bool:
    return _is_question(case) and bool(case.evidence)


def _is_of(verdict: str) -> Callable[[Case], bool]:
    return lambda case: case.verdict == verdict


def _has_forbidden(case: Case) -> bool:
    return bool(case.must_not_cite)


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
    return case.answerable and case.type not in {"single_paraphrase", "statement"}


def _is_comparison(case: Case) -> bool:
    return case.type == "comparison"


def _has_axes(case: Case) -> bool:
    return _is_comparison(case) and bool(case.axes)


def _has_missing_sides(case: Case) -> bool:
    return _is_comparison(case) and bool(case.missing)


def _has_silences(case: Case) -> bool:
    return _is_comparison(case) and bool(case.not_stated)


def _is_list(case: Case) -> bool:
    return case.type == "aggregation"


def _is_literal_list(case: Case) -> bool:
    return _is_list(case) and case.criterion == "literal"


def _has_count(case: Case) -> bool:
    return _is_list(case) and case.count is not None


def _is_conversation(case: Case) -> bool:
    return case.type == "conversation"


_IMPLIED: Mapping[str, Shape] = {"comparison": "comparison", "aggregation": "list", "chat": "chat"}


def right_shape(case: Case) -> Shape | None:
    """The shape of a right answer; None for a conversation that does not say, as it may be any."""
    if case.shape or _is_conversation(case) or case.is_statement:
        return case.shape
    return _IMPLIED.get(case.type, "answer")


def _has_shape(case: Case) -> bool:
    return right_shape(case) is not None


# What a measure reads from an answer


def _citation_precision(_row: Row, seen: Reading) -> float | None:
    return None if seen.only_borderline else metrics.precision(seen.cited, seen.gold)


def _evidence_precision(row: Row, seen: Reading) -> float | None:
    shown = len(quotations(row.answer)) if row.answer else 0
    if shown and not seen.quotations:  # all of them rest on borderline papers
        return None
    return metrics.evidence_precision(seen.quotations, seen.gold_spans)


def _evidence_recall(_row: Row, seen: Reading) -> float:
    spans = [span for quotation in seen.quotations for span in quotation]
    return metrics.evidence_recall(spans, seen.gold_spans)


def _abstained(row: Row, _seen: Reading) -> float:
    return float(row.answer is not None and row.answer.abstained)


def _abstention_precision(row: Row, seen: Reading) -> float | None:
    return float(not row.case.answerable) if _abstained(row, seen) else None


def _kind_right(row: Row, seen: Reading) -> float | None:
    """Of what is rightly not answered, whether it is called by its kind."""
    if row.case.answerable or not _abstained(row, seen):
        return None
    return float(row.got == row.case.abstention)


# … of a statement


def verdict_shown(row: Row) -> str:
    """The verdict on a statement; unverified if there is none."""
    statements = row.answer.statements if row.answer else ()
    return statements[0].verdict if statements else "unverified"


def _accepted(row: Row, _seen: Reading) -> float:
    return float(verdict_shown(row) == "supported")


def _refused(row: Row, _seen: Reading) -> float:
    return float(verdict_shown(row) != "supported")


# … of a comparison


def _sides_cited(_row: Row, seen: Reading) -> float:
    return float(metrics.every_side_found(seen.cited, [side.papers for side in seen.sides]))


def covered_axes(case: Case, seen: Reading) -> list[bool]:
    """For each axis that *case* asks for, whether the table speaks to it."""
    sides = [side for side in seen.sides if side.papers]
    proved = [_is_proved(sides, place) for place in range(len(seen.labels))]
    return metrics.axes_covered([words(axis) for axis in case.axes], seen.labels, proved)


def _is_proved(sides: Sequence[SideReading], place: int) -> bool:
    if not all(side.cells for side in sides):  # a side without a row
        return False
    right = [any(metrics.on_gold([side.cells[place]], side.gold_spans)) for side in sides]
    return metrics.proved(right, [side.silent[place] for side in sides])


def _axis_coverage(row: Row, seen: Reading) -> float:
    return metrics.share(covered_axes(row.case, seen))


def _missing_flagged(_row: Row, seen: Reading) -> float:
    return float(all(side.said_missing for side in seen.sides if not side.papers))


def honest_silences(case: Case, seen: Reading) -> list[bool]:
    """For each silence of *case*, whether the row of that side says so."""
    sides = dict(zip((side.name for side in case.sides), seen.sides, strict=True))
    return [
        bool(sides[one.side].cells)
        and metrics.silence_said(words(one.axis), seen.labels, sides[one.side].silent)
        for one in case.not_stated
    ]


def _not_stated_honest(row: Row, seen: Reading) -> float:
    return metrics.share(honest_silences(row.case, seen))


# … of a list


def _of_list(measure: Callable[[frozenset[str], frozenset[str]], float]) -> _Of:
    """*measure* of the listed papers; an empty gold list asks for an abstention as no_paper."""

    def of(row: Row, seen: Reading) -> float:
        if not seen.gold:
            return float(row.got == "no_paper")
        return measure(seen.listed, seen.gold)

    return of


def _count_exact(row: Row, seen: Reading) -> float:
    if seen.count is None or row.case.count is None:
        return 0.0
    return float(metrics.count_exact(seen.count, row.case.count, seen.listed_borderline))


def _list_whole(_row: Row, seen: Reading) -> float | None:
    return None if seen.whole is None else float(seen.whole)


def _tokens(row: Row, _seen: Reading) -> float | None:
    """What a language model read and wrote; None where none was asked."""
    used = row.answer.usage if row.answer else Usage()
    return float(used.prompt_tokens + used.completion_tokens) or None


# … of a conversation and of the route


def _last_turn_cited(row: Row, seen: Reading) -> float:
    """1 if a gold paper is cited; where none answers, if it abstains and names the near paper."""
    if row.case.answerable:
        return float(bool(seen.cited & seen.gold))
    near = set(map(paper_id, row.case.near_papers))
    named = {paper_id(source.title) for source in row.answer.sources} if row.answer else set()
    return float(bool(_abstained(row, seen)) and (not near or bool(near & named)))


def _route_right(row: Row, _seen: Reading) -> float:
    return float(row.answer is not None and row.answer.shape == right_shape(row.case))


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
    Measure("borne_out", _is_question, lambda _, a: metrics.share(a.borne) if a.borne else None),
    Measure("cited", _is_question, lambda _, a: metrics.share(a.backed) if a.backed else None),
    Measure("forbidden_not_cited", _has_forbidden, lambda _, a: float(not a.forbidden)),
    Measure("titles_real", _every, lambda _, a: metrics.share(a.real) if a.real else None),
    Measure("key_facts", _has_facts, lambda _, a: metrics.key_fact_recall(a.facts, a.texts)),
    Measure("sides_cited", _is_comparison, _sides_cited),
    Measure("axis_coverage", _has_axes, _axis_coverage),
    Measure("missing_flagged", _has_missing_sides, _missing_flagged),
    Measure("not_stated_honest", _has_silences, _not_stated_honest),
    Measure("list_precision", _is_list, _of_list(metrics.precision)),
    Measure("list_recall", _is_list, _of_list(metrics.recall)),
    Measure("list_f1", _is_list, _of_list(metrics.f1)),
    Measure("list_f1_literal", _is_literal_list, _of_list(metrics.f1)),
    Measure("count_exact", _has_count, _count_exact),
    Measure("list_whole", _is_list, _list_whole),
    Measure("last_turn_cited", _is_conversation, _last_turn_cited),
    Measure("route_right", _has_shape, _route_right),
    Measure("abstention_precision", _every, _abstention_precision),
    Measure("abstention_recall", _should_abstain, _abstained),
    Measure("off_topic_abstained", _is_off_topic, _abstained),
    Measure("unanswerable_abstained", _is_unanswerable, _abstained),
    Measure("false_refusals", _is_answerable_otherwise, _abstained, failed=1.0),
    Measure("paraphrase_refusals", _is_paraphrase, _abstained, failed=1.0),
    Measure("abstention_kind", _should_abstain, _kind_right),
    Measure("true_accepted", _is_of("supported"), _accepted),
    Measure("contradicted_caught", _is_of("contradicted"), _refused),
    Measure("unsupported_caught", _is_of("not_supported"), _refused),
    Measure("tokens", _is_question, _tokens, unit="tokens"),
    Measure("errors", _every, lambda row, _: 0.0, failed=1.0),
    Measure(
        "latency_p50",
        _every,
        lambda row, _: row.elapsed_ms,
        statistic=metrics.p50,
        unit=MILLISECONDS,
    ),
    Measure(
        "latency_p95",
        _every,
        lambda row, _: row.elapsed_ms,
        statistic=metrics.p95,
        unit=MILLISECONDS,
    ),
)
"""Every measure, in the order of reports."""


CORE = (
    *("errors", "evidence_exact", "titles_real", "borne_out", "cited", "forbidden_not_cited"),
    *("key_facts", "sides_cited", "missing_flagged", "not_stated_honest", "list_f1", "count_exact"),
    *("last_turn_cited", "abstention_recall", "false_refusals", "paraphrase_refusals"),
    *("true_accepted", "contradicted_caught", "unsupported_caught"),
)
"""The measures of which a case must have the best value to pass, where they apply to it."""


def passed(row: Row) -> bool:
    """Whether *row* is all that its case asks for: every one of CORE at its best."""
    best = {measure.name: 1 - measure.failed for measure in MEASURES if measure.name in CORE}
    return all(row.scores[name] == value for name, value in best.items() if name in row.scores)


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
        return {"": measure.failed, MILLISECONDS: row.elapsed_ms}.get(measure.unit)
    return measure.of(row, row.reading)
