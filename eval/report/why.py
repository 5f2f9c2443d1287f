"""Why a case is where it is: what was expected, what came, and what the measure found wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eval import metrics
from eval.metrics import Amount, Fact, fact_found
from eval.reading import (
    Reading,
    cited_titles,
    listed_sources,
    quotations,
    shown_evidence,
    shown_titles,
    stated_count,
)
from eval.run import Row, covered_axes, honest_silences, right_shape
from rag.text import paper_id
from rag.types import Answer, Cell, Table


def expected(row: Row) -> str:
    """One line: what a right answer to the case holds."""
    case = row.case
    if not case.answerable:
        near = f" near {quoted(case.near_papers)}" if case.near_papers else ""
        return f"to abstain as {case.abstention}{near}"
    facts = [fact_said(alternatives) for alternatives in case.key_facts]
    parts = {
        "papers": case.gold_papers,
        "missing": case.missing,
        "axes": case.axes,
        "not stated": [f"{one.side}: {one.axis}" for one in case.not_stated],
        "evidence": case.evidence,
        "key facts": facts,
        "not": case.must_not_cite,
    }
    said = [] if case.count is None else [f"a count of {case.count}"]
    said += [f"the verdict {case.verdict}"] if case.verdict else []
    said += [f"{name} {quoted(values)}" for name, values in parts.items() if values]
    return "; ".join(said) or "a reply"


def fact_said(alternatives: Fact) -> str:
    """The alternatives of a key fact, for a person."""
    return " or ".join(one if isinstance(one, str) else _amount_said(one) for one in alternatives)


def _amount_said(amount: Amount) -> str:
    about = f" ± {amount.tolerance:g}" if amount.tolerance else ""
    return f"{amount.number:g}{about} {amount.unit}".strip()


def got(row: Row) -> str:
    """One line: what the product did."""
    if row.answer is None:
        return f"error {clean(row.error, 200)}"
    parts = [f"abstained as {row.answer.abstention}"] if row.answer.abstained else []
    parts += _table_said(row.answer.table)
    if row.answer.coverage:
        parts += [f"a count of {stated_count(row.answer)}"]
    parts += [f"{quoted([s.text])} ({s.verdict})" for s in row.answer.statements]
    if titles := cited_titles(row.answer):
        parts.append(f"citing {quoted(titles)}")
    return "; ".join(parts) or f"message {quoted([row.answer.message])}"


def _table_said(table: Table | None) -> list[str]:
    """A part for each row of a table: its subject, and under each axis what its cell says."""
    if table is None:
        return []
    said = []
    for subject, cells in zip(table.subjects, table.cells, strict=True):
        named = quoted([subject.name]) if subject.found else f"{quoted([subject.name])} missing"
        pairs = zip(table.axes, cells, strict=True)
        shown = [f"{clean(axis, 40)}: {_cell_said(cell)}" for axis, cell in pairs if subject.found]
        said.append(" | ".join([f"row {named}", *shown]))
    return said


def _cell_said(cell: Cell) -> str:
    return quoted([cell.text]) if cell.stated else clean(cell.text, 160)


def why(row: Row, measure: str) -> str:
    """One line: what the measure found wrong, and why the case is there."""
    parts = ["the case crashed"]
    if row.answer and row.reading:
        parts = [_FAULTS.get(measure, _route)(row, row.answer, row.reading)]
    if row.case.why:
        parts.append(f"the case is there for: {clean(row.case.why, 100)}")
    return "; ".join(filter(None, parts))


def _ranks(row: Row, answer: Answer, seen: Reading) -> str:
    places = {id: rank for rank, id in reversed(list(enumerate(seen.ranking, start=1)))}
    said = []
    for title in row.case.gold_papers:
        place = places.get(paper_id(title))
        where = f"at rank {place}" if place else f"not among the {len(seen.ranking)} retrieved"
        said.append(f"{quoted([title])} {where}")
    said += [f"first is {quoted([hit.paper.title])}" for hit in answer.retrieved[:1]]
    return ", ".join(said)


def _wrong_citations(row: Row, answer: Answer, seen: Reading) -> str:
    missing = [title for title in row.case.gold_papers if paper_id(title) not in seen.cited]
    wrong = seen.cited - seen.gold
    titles = [title for title in cited_titles(answer) if paper_id(title) in wrong]
    return _lists({"cites wrongly": titles, "does not cite": missing})


def _wrong_evidence(row: Row, _answer: Answer, seen: Reading) -> str:
    spans = [span for quotation in seen.quotations for span in quotation]
    shown = metrics.covered(spans, seen.gold_spans)
    missing = [text for text, found in zip(row.case.evidence, shown, strict=True) if not found]
    right = sum(metrics.on_gold(seen.quotations, seen.gold_spans))
    shares = f"{right} of {len(seen.quotations)} statements rest on gold evidence"
    return "; ".join(filter(None, (shares, _lists({"does not show": missing}))))


def _inexact(_row: Row, answer: Answer, seen: Reading) -> str:
    pairs = zip(shown_evidence(answer), seen.exact, strict=True)
    bad = [f"{e.title} {e.start}:{e.end} {e.text}" for e, exact in pairs if not exact]
    return _lists({"not exact": bad})


def _unreal(_row: Row, answer: Answer, seen: Reading) -> str:
    pairs = zip(shown_titles(answer), seen.real, strict=True)
    return _lists(
        {"not in the store": [f"{id} {title}" for (id, title), real in pairs if not real]}
    )


def _not_borne(_row: Row, answer: Answer, seen: Reading) -> str:
    bad = [s for s in answer.statements if s.verdict == "supported" and s.citations]
    pairs = zip(bad, seen.borne, strict=True)
    return _lists({"is not what its evidence says": [s.text for s, borne in pairs if not borne]})


def _uncited(_row: Row, answer: Answer, seen: Reading) -> str:
    pairs = zip(quotations(answer), seen.backed, strict=True)
    return _lists({"cites no evidence": [text for (text, _), backed in pairs if not backed]})


def _forbidden(row: Row, _answer: Answer, seen: Reading) -> str:
    titles = [title for title in row.case.must_not_cite if paper_id(title) in seen.forbidden]
    return _lists({"must not cite": titles})


def _wrong_kind(row: Row, _answer: Answer, _seen: Reading) -> str:
    return f"called {row.got}, and it is {row.case.abstention}"


def _wrong_verdict(row: Row, answer: Answer, _seen: Reading) -> str:
    reasons = [reason for statement in answer.statements for reason in statement.reasons]
    said = f"support {answer.trace.get('support', '-')}, of the kind {row.case.kind or '-'}"
    return "; ".join(filter(None, (said, _lists({"reasons": reasons}))))


def _missed_facts(row: Row, _answer: Answer, seen: Reading) -> str:
    pairs = zip(row.case.key_facts, seen.facts, strict=True)
    lost = [fact_said(fact) for fact, folded in pairs if not fact_found(folded, seen.texts)]
    return _lists({"misses": lost})


def _lost_sides(row: Row, _answer: Answer, seen: Reading) -> str:
    pairs = zip(row.case.sides, seen.sides, strict=True)
    lost = [side.name for side, one in pairs if one.papers and not one.papers & seen.cited]
    return _lists({"does not cite": lost})


def _lost_axes(row: Row, answer: Answer, seen: Reading) -> str:
    pairs = zip(row.case.axes, covered_axes(row.case, seen), strict=True)
    shown = answer.table.axes if answer.table else ()
    lost = [axis for axis, found in pairs if not found]
    return _lists({"does not speak to": lost, "speaks to": shown}) + _no_table(answer)


def _not_flagged(row: Row, answer: Answer, seen: Reading) -> str:
    pairs = zip(row.case.sides, seen.sides, strict=True)
    lost = [side.name for side, one in pairs if not one.papers and not one.said_missing]
    return _lists({"does not call missing": lost, "says": [answer.message]}) + _no_table(answer)


def _not_honest(row: Row, answer: Answer, seen: Reading) -> str:
    pairs = zip(row.case.not_stated, honest_silences(row.case, seen), strict=True)
    lost = [f"{one.side}: {one.axis}" for one, said in pairs if not said]
    return _lists({"does not say that it is not stated": lost}) + _no_table(answer)


def _no_table(answer: Answer) -> str:
    return "" if answer.table else f", in no table but the shape {answer.shape}"


def _wrong_list(row: Row, answer: Answer, seen: Reading) -> str:
    if answer.shape != "list":
        return f"the shape is {answer.shape} ({_route(row, answer, seen)})"
    wrong = seen.listed - seen.gold
    listed = [s.title for s in listed_sources(answer) if paper_id(s.title) in wrong]
    missing = [title for title in row.case.gold_papers if paper_id(title) not in seen.listed]
    return _lists({"lists wrongly": listed, "does not list": missing})


def _wrong_count(row: Row, answer: Answer, seen: Reading) -> str:
    said = "none" if seen.count is None else str(seen.count)
    forgiven = f", with {seen.listed_borderline} borderline" if seen.listed_borderline else ""
    counted = f"counts {said}{forgiven}, and there are {row.case.count}"
    return "; ".join(filter(None, (counted, _wrong_list(row, answer, seen))))


def _cut_list(_row: Row, answer: Answer, _seen: Reading) -> str:
    read = answer.coverage
    if read is None:
        return "says nothing of how many papers it read"
    parts = f"read {read.papers_read} of {read.papers_in_corpus} papers, counts {read.matched}"
    return f"{parts}, shows {len(answer.sources)}, says {quoted([answer.message])}"


def _wrong_turn(row: Row, answer: Answer, seen: Reading) -> str:
    parts = {"read as": [answer.standalone_question], "wanted": [row.case.standalone]}
    read_as = _lists(parts if row.case.standalone else {"read as": [answer.standalone_question]})
    if row.case.answerable:
        return "; ".join(filter(None, (read_as, _wrong_citations(row, answer, seen))))
    return f"{read_as}; papers at hand {quoted([s.title for s in answer.sources]) or 'none'}"


def _wrong_shape(row: Row, answer: Answer, seen: Reading) -> str:
    return f"{answer.shape} instead of {right_shape(row.case)}: {_route(row, answer, seen)}"


def _slow_stages(_row: Row, answer: Answer, _seen: Reading) -> str:
    return ", ".join(f"{stage} {ms:.1f} ms" for stage, ms in answer.timings_ms.items())


def _route(_row: Row, answer: Answer, _seen: Reading) -> str:
    return clean(", ".join(f"{key} {value}" for key, value in answer.trace.items()), 300)


_FAULTS: Mapping[str, Callable[[Row, Answer, Reading], str]] = {
    "recall@1": _ranks,
    "recall@5": _ranks,
    "recall@20": _ranks,
    "mrr": _ranks,
    "ndcg@10": _ranks,
    "citation_precision": _wrong_citations,
    "citation_recall": _wrong_citations,
    "evidence_precision": _wrong_evidence,
    "evidence_recall": _wrong_evidence,
    "evidence_exact": _inexact,
    "titles_real": _unreal,
    "borne_out": _not_borne,
    "cited": _uncited,
    "forbidden_not_cited": _forbidden,
    "abstention_kind": _wrong_kind,
    "true_accepted": _wrong_verdict,
    "contradicted_caught": _wrong_verdict,
    "unsupported_caught": _wrong_verdict,
    "key_facts": _missed_facts,
    "sides_cited": _lost_sides,
    "axis_coverage": _lost_axes,
    "missing_flagged": _not_flagged,
    "not_stated_honest": _not_honest,
    "list_precision": _wrong_list,
    "list_recall": _wrong_list,
    "list_f1": _wrong_list,
    "list_f1_literal": _wrong_list,
    "count_exact": _wrong_count,
    "list_whole": _cut_list,
    "last_turn_cited": _wrong_turn,
    "route_right": _wrong_shape,
    "latency_p50": _slow_stages,
    "latency_p95": _slow_stages,
}


def _lists(parts: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{name} {quoted(values)}" for name, values in parts.items() if values)


def quoted(values: Sequence[str]) -> str:
    """*values* in quotation marks, each on one line and cut."""
    return ", ".join(f'"{clean(value, 160)}"' for value in values)


def clean(value: str, width: int) -> str:
    """*value* on one line of at most *width* characters, everything invisible spelt out."""
    spelt = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)
    return spelt if len(spelt) <= width else f"{spelt[: width - 3]}..."
