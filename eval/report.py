"""What the rows of a run come to: tables, gates, and the cases that a failed gate is about."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval import metrics
from eval.cases import ABSTENTIONS, TYPES, Case, nearest
from eval.metrics import fact_found
from eval.reading import (
    Reading,
    cited_titles,
    listed_sources,
    shown_evidence,
    shown_titles,
    stated_count,
)
from eval.run import (
    ANSWERED,
    ERROR,
    MEASURES,
    Measure,
    Row,
    covered_axes,
    honest_silences,
    right_shape,
)
from rag.errors import UsageError
from rag.text import paper_id
from rag.types import Answer, Cell, Table

GATES = Path(__file__).parent / "gates.json"
"""The thresholds that come with PaperChat."""

SLACK = 1e-9
"""How far a mean may miss its gate by rounding."""

_BY_NAME = {measure.name: measure for measure in MEASURES}
_GOLD = ("answerable", *ABSTENTIONS)
_GOT = (ANSWERED, *ABSTENTIONS, ERROR)
_GATE_KEYS = ("measure", "types", "at_least", "at_most")
_COLUMNS = {  # of the table by type
    "recall@1": "recall@1",
    "recall@5": "recall@5",
    "mrr": "mrr",
    "citation_precision": "cite P",
    "citation_recall": "cite R",
    "evidence_precision": "evid P",
    "evidence_recall": "evid R",
    "key_facts": "facts",
    "route_right": "route",
    "errors": "errors",
    "latency_p50": "p50 ms",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """A bound on one measure over the cases of some types; exactly one bound is set."""

    measure: str
    types: tuple[str, ...] = ()  # empty for all
    at_least: float | None = None
    at_most: float | None = None

    def met_by(self, value: float) -> bool:
        """Whether *value* is within the bound, rounding errors forgiven."""
        if self.at_least is not None:
            return value >= self.at_least - SLACK
        return self.at_most is not None and value <= self.at_most + SLACK

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}"


@dataclass(frozen=True, slots=True)
class Line:
    """One measure over the cases of some types; value and interval are None without such cases."""

    measure: str
    types: tuple[str, ...]  # empty for all
    value: float | None
    low: float | None  # bootstrap interval of 95%
    high: float | None
    n: int
    gate: Gate | None = None

    @property
    def met(self) -> bool | None:
        """Whether the gate is met; None without a gate or without a value."""
        return None if self.gate is None or self.value is None else self.gate.met_by(self.value)


# Gates


def read_gates(path: Path = GATES) -> tuple[Gate, ...]:
    """Read the gates of a JSON list.

    Raises UsageError for an unreadable file, an unknown key, measure or type, and a gate without
    exactly one finite bound.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"The gates {path} cannot be read as JSON: mend the file.") from error
    if not isinstance(entries, list):
        raise UsageError(f"The gates {path} must be a JSON list of objects: mend the file.")
    gates = []
    for number, entry in enumerate(entries, start=1):
        try:
            gates.append(_gate(entry))
        except ValueError as error:
            raise UsageError(f"{path}: gate {number} {error}.") from error
    return tuple(gates)


def _gate(entry: object) -> Gate:
    """The gate that *entry* says. Raises ValueError, a clause after "gate 3"."""
    if not isinstance(entry, dict):
        raise ValueError("is not a JSON object: write {…}")
    for key in entry:
        _one_of(key, _GATE_KEYS, "key")
    measure = _one_of(entry.get("measure"), tuple(_BY_NAME), "measure")
    types = entry.get("types", [])
    if not isinstance(types, list):
        raise ValueError("has types that are no list: write a list of names")
    names = tuple(_one_of(name, TYPES, "type") for name in types)
    bounds = {key: entry[key] for key in ("at_least", "at_most") if key in entry}
    if len(bounds) != 1 or not all(map(_is_number, bounds.values())):
        raise ValueError("needs one number, either at_least or at_most")
    return Gate(measure, names, **bounds)


def _one_of(name: object, known: Sequence[str], noun: str) -> str:
    if name in known:
        return str(name)
    hint = f"did you mean {nearest(name, known)!r}?" if isinstance(name, str) else "name one"
    raise ValueError(f"has the unknown {noun} {name!r}: {hint}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# Numbers


def summarise(rows: Sequence[Row], gates: Sequence[Gate]) -> tuple[Line, ...]:
    """One line for each measure over all types, and one for each gate."""
    lines = []
    for measure in MEASURES:
        here = [gate for gate in gates if gate.measure == measure.name]
        if not any(not gate.types for gate in here):
            lines.append(line(measure, rows))
        lines.extend(line(measure, rows, gate) for gate in sorted(here, key=lambda g: g.types))
    return tuple(lines)


def line(measure: Measure, rows: Sequence[Row], gate: Gate | None = None) -> Line:
    """The value and interval of *measure* over the rows that *gate* is about."""
    types = gate.types if gate else ()
    values = [score for _, score in scored(measure.name, types, rows)]
    if not values:
        return Line(measure.name, types, None, None, None, 0, gate)
    value = float(measure.statistic(np.asarray(values)))
    low, high = metrics.interval(values, measure.statistic)
    return Line(measure.name, types, value, low, high, len(values), gate)


def scored(name: str, types: Sequence[str], rows: Sequence[Row]) -> list[tuple[Row, float]]:
    """The rows of *types* (all if empty) that take part in a measure, each with its score."""
    return [
        (row, row.scores[name])
        for row in rows
        if name in row.scores and (not types or row.case.type in types)
    ]


def failed(lines: Sequence[Line], whole: bool) -> list[Line]:
    """The lines whose gate is not met.

    Over the *whole* set of cases a gate without cases is not met either: it guards nothing.
    """
    return [one for one in lines if one.gate and (one.met is False or (whole and one.met is None))]


def confusion(rows: Sequence[Row]) -> tuple[tuple[int, ...], ...]:
    """Counts of cases: a row for each right behaviour, a column for each actual one."""
    return metrics.confusion(((row.case.expected, row.got) for row in rows), _GOLD, _GOT)


# Text


def text(rows: Sequence[Row], lines: Sequence[Line], whole: bool, failures: int) -> str:
    """The report: tables, then errors and the cases of failed gates, *failures* of each."""
    parts = [heading(rows), _measures_table(lines, whole), _types_table(rows), _kinds_table(rows)]
    parts.extend(_errors(rows, failures))
    lost = failed(lines, whole)
    parts.extend(_failure(one, rows, failures) for one in lost)
    gated = sum(1 for one in lines if one.gate and (whole or one.met is not None))
    parts.append(f"{gated - len(lost)} of {gated} gates met.")
    return "\n\n".join(parts)


def heading(rows: Sequence[Row]) -> str:
    """What was measured: cases, papers, mode, model and index as the answers name them."""
    answers = [row.answer for row in rows if row.answer]
    papers = sorted({str(answer.papers_in_corpus) for answer in answers})
    modes = sorted({" ".join(filter(None, (answer.mode, answer.model))) for answer in answers})
    indexes = sorted({answer.index for answer in answers})
    said = [
        cases(len(rows)),
        f"{'/'.join(papers) or 'no'} papers",
        f"mode {'/'.join(modes) or '-'}",
        f"index {'/'.join(indexes) or '-'}",
    ]
    return ", ".join(said)


def cases(count: int) -> str:
    """The number and its noun.

    >>> cases(1), cases(2)
    ('1 case', '2 cases')
    """
    return f"{count} case" if count == 1 else f"{count} cases"


def _table(rows: Sequence[Sequence[str]], left: int) -> str:
    """Rows of cells, aligned; the first *left* columns to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _number(value: float | None, measure: str) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if _BY_NAME[measure].unit else f"{value:.3f}"


def _measures_table(lines: Sequence[Line], whole: bool) -> str:
    rows = [("measure", "types", "value", "95% interval", "n", "gate", "ok")]
    for one in lines:
        unit = _BY_NAME[one.measure].unit
        low, high = _number(one.low, one.measure), _number(one.high, one.measure)
        rows.append(
            (
                f"{one.measure} {unit}".rstrip(),
                " ".join(one.types) or "all",
                _number(one.value, one.measure),
                f"{low} to {high}" if one.n else "-",
                str(one.n),
                str(one.gate or ""),
                _verdict(one, whole),
            )
        )
    return _table(rows, left=2)


def _verdict(one: Line, whole: bool) -> str:
    if not one.gate:
        return ""
    if one.met is None:
        return "NO CASES" if whole else "no cases"
    return "yes" if one.met else "NO"


def _types_table(rows: Sequence[Row]) -> str:
    table = [("type", "n", *_COLUMNS.values(), "abstained")]
    for name in TYPES:
        here = [row for row in rows if row.case.type == name]
        if here:
            cells = (_mean(measure, here) for measure in _COLUMNS)
            abstained = metrics.share([row.got in ABSTENTIONS for row in here])
            table.append((name, str(len(here)), *cells, f"{abstained:.3f}"))
    return _table(table, left=1)


def _mean(name: str, rows: Sequence[Row]) -> str:
    values = [score for _, score in scored(name, (), rows)]
    value = float(_BY_NAME[name].statistic(np.asarray(values))) if values else None
    return _number(value, name)


def _kinds_table(rows: Sequence[Row]) -> str:
    table = [("should / did", *_GOT)]
    for name, counts in zip(_GOLD, confusion(rows), strict=True):
        table.append((name, *map(str, counts)))
    return _table(table, left=1)


def _errors(rows: Sequence[Row], limit: int) -> list[str]:
    crashed = [row for row in rows if row.error]
    if not crashed:
        return []
    said = [f"  {row.case.id}: {clean(row.error, 200)}" for row in crashed[:limit]]
    return ["\n".join([f"{cases(len(crashed))} crashed:", *said, *_more(crashed, limit)])]


def _failure(one: Line, rows: Sequence[Row], limit: int) -> str:
    """Why a gate is not met: its cases beyond the bound, the worst first."""
    gate, types = one.gate, " ".join(one.types) or "all"
    if gate is None or one.value is None:
        return f"GATE NOT MET: {one.measure} ({types}) has no cases."
    beyond = [pair for pair in scored(one.measure, one.types, rows) if not gate.met_by(pair[1])]
    beyond.sort(key=lambda pair: pair[1], reverse=gate.at_most is not None)
    value = _number(one.value, one.measure)
    said = [
        f"GATE NOT MET: {one.measure} ({types}) is {value}, wanted {gate}. "
        f"{len(beyond)} of {cases(one.n)} beyond it:"
    ]
    said += [_case(row, one.measure, score) for row, score in beyond[:limit]]
    return "\n".join(said + _more(beyond, limit))


def _more(found: Sequence[object], limit: int) -> list[str]:
    left = len(found) - limit
    return [f"  ... and {left} more: show them with --failures {len(found)}."] if left > 0 else []


def _case(row: Row, measure: str, score: float) -> str:
    asked = " / ".join([*(turn.question for turn in row.case.turns[:-1]), row.case.question])
    return "\n".join(
        [
            f"  {row.case.id}  {_number(score, measure)}",
            f"    question  {clean(asked, 300)}",
            f"    expected  {expected(row)}",
            f"    got       {got(row)}",
            f"    why       {why(row, measure)}",
        ]
    )


def expected(row: Row) -> str:
    """One line: what a right answer to the case holds."""
    case = row.case
    if not case.answerable:
        near = f" near {_quoted(case.near_papers)}" if case.near_papers else ""
        return f"to abstain as {case.abstention}{near}"
    facts = [" or ".join(alternatives) for alternatives in case.key_facts]
    parts = {
        "papers": case.gold_papers,
        "missing": case.missing,
        "axes": case.axes,
        "not stated": [f"{one.side}: {one.axis}" for one in case.not_stated],
        "evidence": case.evidence,
        "key facts": facts,
    }
    said = [] if case.count is None else [f"a count of {case.count}"]
    said += [f"{name} {_quoted(values)}" for name, values in parts.items() if values]
    return "; ".join(said) or "a reply"


def got(row: Row) -> str:
    """One line: what the product did."""
    if row.answer is None:
        return f"error {clean(row.error, 200)}"
    parts = [f"abstained as {row.answer.abstention}"] if row.answer.abstained else []
    parts += _table_said(row.answer.table)
    if row.answer.coverage:
        parts += [f"a count of {stated_count(row.answer)}"]
    parts += [f"{_quoted([s.text])} ({s.verdict})" for s in row.answer.statements]
    if titles := cited_titles(row.answer):
        parts.append(f"citing {_quoted(titles)}")
    return "; ".join(parts) or f"message {_quoted([row.answer.message])}"


def _table_said(table: Table | None) -> list[str]:
    """A part for each row of a table: its subject, and under each axis what its cell says."""
    if table is None:
        return []
    said = []
    for subject, cells in zip(table.subjects, table.cells, strict=True):
        named = _quoted([subject.name]) if subject.found else f"{_quoted([subject.name])} missing"
        pairs = zip(table.axes, cells, strict=True)
        shown = [f"{clean(axis, 40)}: {_cell_said(cell)}" for axis, cell in pairs if subject.found]
        said.append(" | ".join([f"row {named}", *shown]))
    return said


def _cell_said(cell: Cell) -> str:
    return _quoted([cell.text]) if cell.stated else clean(cell.text, 160)


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
        said.append(f"{_quoted([title])} {where}")
    said += [f"first is {_quoted([hit.paper.title])}" for hit in answer.retrieved[:1]]
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


def _missed_facts(row: Row, _answer: Answer, seen: Reading) -> str:
    pairs = zip(row.case.key_facts, seen.facts, strict=True)
    lost = [" or ".join(fact) for fact, folded in pairs if not fact_found(folded, seen.texts)]
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
    return f"{parts}, shows {len(answer.sources)}, says {_quoted([answer.message])}"


def _wrong_turn(row: Row, answer: Answer, seen: Reading) -> str:
    parts = {"read as": [answer.standalone_question], "wanted": [row.case.standalone]}
    read_as = _lists(parts if row.case.standalone else {"read as": [answer.standalone_question]})
    if row.case.answerable:
        return "; ".join(filter(None, (read_as, _wrong_citations(row, answer, seen))))
    return f"{read_as}; papers at hand {_quoted([s.title for s in answer.sources]) or 'none'}"


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
    return "; ".join(f"{name} {_quoted(values)}" for name, values in parts.items() if values)


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(f'"{clean(value, 160)}"' for value in values)


def clean(value: str, width: int) -> str:
    """*value* on one line of at most *width* characters, everything invisible spelt out."""
    spelt = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)
    return spelt if len(spelt) <= width else f"{spelt[: width - 3]}..."


# Record


def record(rows: Sequence[Row], lines: Sequence[Line], whole: bool) -> dict[str, Any]:
    """Everything as plain values: what was measured, the measures, the gates, and every case."""
    return {
        "measured": heading(rows),
        "passed": not failed(lines, whole),
        "measures": [{**asdict(one), "met": one.met} for one in lines],
        "confusion": {
            gold: dict(zip(_GOT, counts, strict=True))
            for gold, counts in zip(_GOLD, confusion(rows), strict=True)
        },
        "cases": [_case_record(row) for row in rows],
    }


def _case_record(row: Row) -> dict[str, Any]:
    case = row.case
    return {
        "id": case.id,
        "type": case.type,
        "question": case.question,
        "turns": [turn.question for turn in case.turns],
        "expected": _expected_record(case),
        "got": row.got,
        "error": row.error or None,
        "elapsed_ms": row.elapsed_ms,
        "scores": dict(row.scores),
        "answer": _answer_record(row),
    }


_EXPECTED = (
    *("answerable", "abstention", "gold_papers", "near_papers", "borderline", "evidence"),
    *("key_facts", "axes", "missing", "count", "criterion", "standalone"),
)


def _expected_record(case: Case) -> dict[str, Any]:
    return {
        **{key: getattr(case, key) for key in _EXPECTED},
        "not_stated": [[one.side, one.axis] for one in case.not_stated],
        "shape": right_shape(case),
    }


def _answer_record(row: Row) -> dict[str, Any] | None:
    answer = row.answer
    if answer is None:
        return None
    return {
        "standalone_question": answer.standalone_question,
        "shape": answer.shape,
        "message": answer.message,
        "statements": [
            {
                "text": statement.text,
                "verdict": statement.verdict,
                "titles": [citation.title for citation in statement.citations],
                "evidence": [e.text for c in statement.citations for e in c.evidence],
            }
            for statement in answer.statements
        ],
        "table": _table_record(answer.table) if answer.table else None,
        "coverage": asdict(answer.coverage) if answer.coverage else None,
        "sources": [source.title for source in answer.sources],
        "near": [source.title for source in answer.near],
        "retrieved": [
            {"title": hit.paper.title, "score": hit.score} for hit in answer.retrieved[:20]
        ],
        "timings_ms": dict(answer.timings_ms),
        "trace": dict(answer.trace),
    }


def _table_record(table: Table) -> dict[str, Any]:
    subjects = zip(table.subjects, table.cells, strict=True)
    return {
        "axes": list(table.axes),
        "cautions": list(table.cautions),
        "rows": [
            {"name": subject.name, "title": subject.title, "cells": [cell.text for cell in cells]}
            for subject, cells in subjects
        ],
    }
