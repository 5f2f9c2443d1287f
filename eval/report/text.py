"""The report as text, so that one can act from the log of a CI system alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval import metrics
from eval.baseline import Difference
from eval.cases import ABSTENTIONS, TYPES
from eval.gates import BY_NAME, Line, Scores, failed, lower_is_better, scored
from eval.metrics import ClaimResult
from eval.report.why import clean, expected, got, why
from eval.run import ANSWERED, CORE, ERROR, Row, passed, verdict_shown

GOLD = ("answerable", *ABSTENTIONS)
GOT = (ANSWERED, *ABSTENTIONS, ERROR)
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
class Outcome:
    """A run of the evals, and all that it is held against."""

    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    whole: bool  # all cases were asked, so that a gate without cases is not met
    before: Scores | None = None  # the baseline's scores
    changed: tuple[Difference, ...] = ()  # against the baseline
    flaky: frozenset[str] = frozenset()  # ids of cases that differed between repeats
    drafts: int = 0  # cases left out because nobody has read them yet
    opinions: str = ""  # what a model as judge made of it; never part of a gate

    @property
    def failed(self) -> list[Line]:
        """The lines whose gate is not met."""
        return failed(self.lines, self.whole)

    @property
    def must_pass(self) -> list[Row]:
        """The rows whose case must pass, and does not."""
        return [row for row in self.rows if row.case.must_pass and not passed(row)]

    @property
    def passed(self) -> bool:
        """Whether every gate is met, and every case that must pass does."""
        return not self.failed and not self.must_pass

    @property
    def questions(self) -> list[Row]:
        """The rows of questions, statements left out."""
        return [row for row in self.rows if not row.case.is_statement]


def confusion(rows: Sequence[Row]) -> tuple[tuple[int, ...], ...]:
    """Counts of questions: a row for each right behaviour, a column for each actual one."""
    pairs = ((row.case.expected, row.got) for row in rows if not row.case.is_statement)
    return metrics.confusion(pairs, GOLD, GOT)


def claims(rows: Sequence[Row]) -> list[ClaimResult]:
    """What was made of the statements among *rows*; one that crashed is unverified, without."""
    return [
        ClaimResult(row.case.verdict, verdict_shown(row), support(row), row.case.kind, _pair(row))
        for row in rows
        if row.case.is_statement
    ]


def support(row: Row) -> float:
    """How well the abstract supports the statement of *row*, 0 to 1."""
    return float(row.answer.trace.get("support", 0.0)) if row.answer else 0.0


def _pair(row: Row) -> str:
    return "/".join(sorted((row.case.id, row.case.pair))) if row.case.pair else ""


def text(run: Outcome, failures: int) -> str:
    """The report: tables, then errors and the cases of failed gates, *failures* of each."""
    rows, whole = run.rows, run.whole
    parts = [heading(rows), _measures_table(run.lines, whole), _types_table(rows)]
    parts += [_kinds_table(rows)] if run.questions else []
    parts += filter(None, [_claims_table(rows), run.opinions])
    parts += _errors(rows, failures)
    parts += _changes(run, failures)
    parts += [_failure(one, run, failures) for one in run.failed]
    parts += _must_pass(run.must_pass, failures)
    parts.append(verdict(run))
    return "\n\n".join(parts)


def verdict(run: Outcome) -> str:
    """How many gates are met, in a sentence."""
    gated = [one for one in run.lines if one.gate and (one.met is not None or _is_empty(one, run))]
    said = f"{len(gated) - len(run.failed)} of {len(gated)} gates met."
    if run.must_pass:
        said += f" {cases(len(run.must_pass))} that must pass did not."
    if run.drafts:
        said += f" {cases(run.drafts)} still to be read by a person did not count."
    return said


def _is_empty(one: Line, run: Outcome) -> bool:
    return run.whole and one.value is None


def _changes(run: Outcome, limit: int) -> list[str]:
    """What differs from the baseline, losses first."""
    if run.before is None:
        return []
    worse = [one for one in run.changed if not one.better]
    better = [one for one in run.changed if one.better]
    parts = []
    for name, some in (("Worse", worse), ("Better", better)):
        if some:
            said = [f"  {one}" for one in some[:limit]]
            head = f"{name} than the baseline: {cases(len(some))}."
            parts.append("\n".join([head, *said, *_more(some, limit)]))
    if run.flaky:
        parts.append(f"Not the same in every repeat: {', '.join(sorted(run.flaky))}.")
    return parts or ["The same as the baseline, case by case."]


def _must_pass(rows: Sequence[Row], limit: int) -> list[str]:
    if not rows:
        return []
    said = [_case(row, *worst(row)) for row in rows[:limit]]
    return ["\n".join(["CASES THAT MUST PASS DID NOT:", *said, *_more(rows, limit)])]


def worst(row: Row) -> tuple[str, float]:
    """The first measure at which *row* does not pass, and its score."""
    return next(
        (name, row.scores[name])
        for name in CORE
        if name in row.scores and row.scores[name] != 1 - BY_NAME[name].failed
    )


def heading(rows: Sequence[Row]) -> str:
    """What was measured: cases, papers, mode, model and index as the answers name them."""
    asked = [row for row in rows if not row.case.is_statement] or rows
    answers = [row.answer for row in asked if row.answer]
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


def number(value: float | None, measure: str) -> str:
    """*value* as it is written of this *measure*: shares with three digits, times with one."""
    if value is None:
        return "-"
    return f"{value:.1f}" if BY_NAME[measure].unit else f"{value:.3f}"


def _measures_table(lines: Sequence[Line], whole: bool) -> str:
    rows = [("measure", "types", "value", "95% interval", "n", "change", "gate", "ok")]
    for one in lines:
        unit = BY_NAME[one.measure].unit
        low, high = number(one.low, one.measure), number(one.high, one.measure)
        rows.append(
            (
                f"{one.measure} {unit}".rstrip(),
                " ".join(one.types) or "all",
                number(one.value, one.measure),
                f"{low} to {high}" if one.n else "-",
                str(one.n),
                change_said(one),
                str(one.gate or ""),
                _verdict(one, whole),
            )
        )
    if not any(one.change for one in lines):  # there is no baseline: one column less
        return _table([(*row[:5], *row[6:]) for row in rows], left=2)
    return _table(rows, left=2)


def change_said(one: Line) -> str:
    """How far the measure is from the baseline's, in three digits; nothing without a baseline."""
    return "" if one.change is None else f"{round(one.change.difference, 3) + 0.0:+.3f}"


def _verdict(one: Line, whole: bool) -> str:
    if not one.gate:
        return ""
    if one.value is None:
        return "NO CASES" if whole else "no cases"
    if one.met is None:
        return "no baseline"
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
    value = float(BY_NAME[name].statistic(np.asarray(values))) if values else None
    return number(value, name)


def _kinds_table(rows: Sequence[Row]) -> str:
    counts = confusion(rows)
    table = [("should / did", *GOT, "precision", "recall")]
    for place, (name, row) in enumerate(zip(GOLD, counts, strict=True)):
        right, did = row[place], sum(other[place] for other in counts)
        shares = (_share(right, did), _share(right, sum(row)))
        table.append((name, *map(str, row), *shares))
    return _table(table, left=1)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


def _errors(rows: Sequence[Row], limit: int) -> list[str]:
    crashed = [row for row in rows if row.error]
    if not crashed:
        return []
    said = [f"  {row.case.id}: {clean(row.error, 200)}" for row in crashed[:limit]]
    return ["\n".join([f"{cases(len(crashed))} crashed:", *said, *_more(crashed, limit)])]


def _claims_table(rows: Sequence[Row]) -> str:
    found = claims(rows)
    if not found:
        return ""
    table = [("statements", "value")]
    table += [(name, f"{value:.3f}") for name, value in metrics.claim_measures(found).items()]
    right = [one.label == "supported" for one in found]
    error = metrics.calibration_error([one.score for one in found], right)
    return _table([*table, ("calibration error of the score", f"{error:.3f}")], left=1)


def _failure(one: Line, run: Outcome, limit: int) -> str:
    """Why a gate is not met: its cases beyond the bound, the worst first."""
    found = beyond(one, run)
    said = [f"GATE NOT MET: {missed(one, run)}"]
    said += [_case(row, one.measure, score) for row, score in found[:limit]]
    return "\n".join(said + _more(found, limit))


def missed(one: Line, run: Outcome) -> str:
    """By how much the gate of *one* is not met, and in how many cases."""
    types = " ".join(one.types) or "all"
    if one.gate is None or one.value is None:
        return f"{one.measure} ({types}) has no cases."
    said = f"{one.measure} ({types}) is {number(one.value, one.measure)}"
    count = len(beyond(one, run))
    if one.gate.no_worse is not None and one.change is not None:
        low, high = one.change.low, one.change.high
        change = f"{change_said(one)} from the baseline ({low:+.3f} to {high:+.3f})"
        return f"{said}, {change}. {cases(count)} worse:"
    return f"{said}, wanted {one.gate}. {count} of {cases(one.n)} beyond it:"


def beyond(one: Line, run: Outcome) -> list[tuple[Row, float]]:
    """The cases that keep the gate of *one* from being met, with their scores, worst first."""
    pairs = scored(one.measure, one.types, run.rows)
    if one.gate is None:
        return []
    if one.gate.no_worse is not None and one.change is not None:
        found = [pair for pair in pairs if _is_worse(pair[0], one.measure, run)]
    else:
        found = [pair for pair in pairs if not one.gate.met_by(pair[1])]
    return sorted(found, key=lambda pair: pair[1], reverse=lower_is_better(one.measure))


def _is_worse(row: Row, measure: str, run: Outcome) -> bool:
    old = (run.before or {}).get(row.case.id, {}).get(measure)
    lost = old is not None and row.scores[measure] != old
    return lost and (row.scores[measure] < (old or 0.0)) != lower_is_better(measure)


def _more(found: Sequence[object], limit: int) -> list[str]:
    left = len(found) - limit
    return [f"  ... and {left} more: show them with --failures {len(found)}."] if left > 0 else []


def _case(row: Row, measure: str, score: float) -> str:
    asked = " / ".join([*(turn.question for turn in row.case.turns[:-1]), row.case.question])
    return "\n".join(
        [
            f"  {row.case.id}  {number(score, measure)}",
            f"    question  {clean(asked, 300)}",
            f"    expected  {expected(row)}",
            f"    got       {got(row)}",
            f"    why       {why(row, measure)}",
        ]
    )
