"""The report as plain values, for programs: the same bytes for the same answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from eval import metrics
from eval.cases import Case
from eval.gates import BY_NAME
from eval.report.text import GOLD, GOT, Outcome, claims, confusion, heading
from eval.report.why import fact_said
from eval.run import Row, passed, right_shape
from rag.types import Table


def record(run: Outcome) -> dict[str, Any]:
    """Everything as plain values: what was measured, the measures, the gates, and every case.

    Times are left out, so that two runs of the same product give the same record.
    """
    found = claims(run.rows)
    return {
        "measured": heading(run.rows),
        "passed": run.passed,
        "measures": [
            {**asdict(one), "met": one.met} for one in run.lines if not _is_time(one.measure)
        ],
        "confusion": {
            gold: dict(zip(GOT, counts, strict=True))
            for gold, counts in zip(GOLD, confusion(run.rows), strict=True)
        },
        "statements": metrics.claim_measures(found) if found else None,
        "must_pass": [row.case.id for row in run.must_pass],
        "worse": [one.case.id for one in run.changed if not one.better],
        "better": [one.case.id for one in run.changed if one.better],
        "flaky": sorted(run.flaky),
        "cases": [_case_record(row) for row in run.rows],
    }


def _is_time(measure: str) -> bool:
    return BY_NAME[measure].unit == "ms"


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
        "passed": passed(row),
        "scores": {name: score for name, score in row.scores.items() if not _is_time(name)},
        "answer": _answer_record(row),
    }


_EXPECTED = (
    *("answerable", "abstention", "gold_papers", "near_papers", "borderline", "evidence"),
    *("must_not_cite", "axes", "missing", "count", "criterion", "standalone"),
)


def _expected_record(case: Case) -> dict[str, Any]:
    return {
        **{key: getattr(case, key) for key in _EXPECTED},
        "key_facts": [fact_said(fact) for fact in case.key_facts],
        "verdict": case.verdict or None,
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
