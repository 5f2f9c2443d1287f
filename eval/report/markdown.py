"""The report as Markdown, for the summary of a pull request."""

from __future__ import annotations

import html
from collections.abc import Sequence

from eval.baseline import Difference
from eval.gates import Line
from eval.report.text import Outcome, beyond, change_said, heading, missed, number, verdict
from eval.report.why import clean, expected, got, why
from eval.run import Row

SHOWN = 10  # cases of each kind


def markdown(run: Outcome) -> str:
    """A verdict, the gates in a table, and under folds what changed and what must be looked at."""
    sign = "✅" if run.passed else "❌"
    parts = [f"## {sign} PaperChat evals", f"{verdict(run)} {heading(run.rows)}.", _gates(run)]
    parts += [_failure(one, run) for one in run.failed]
    parts += [_cases("Cases that must pass and do not", run.must_pass)] if run.must_pass else []
    parts += _differences(run)
    return "\n\n".join(parts) + "\n"


def _gates(run: Outcome) -> str:
    rows = [
        "| | measure | types | value | 95% interval | change | gate |",
        "| --- | --- | --- | ---: | --- | ---: | --- |",
    ]
    rows += [_line(one, run) for one in run.lines if one.gate]
    return "\n".join(rows)


def _line(one: Line, run: Outcome) -> str:
    sign = "❌" if one in run.failed else "–" if one.met is None else "✅"
    value, low, high = (number(v, one.measure) for v in (one.value, one.low, one.high))
    types = ", ".join(one.types) or "all"
    cells = (sign, one.measure, types, value, f"{low} to {high}", change_said(one), str(one.gate))
    return "| " + " | ".join(cells) + " |"


def _differences(run: Outcome) -> list[str]:
    if run.before is None:
        return []
    if not run.changed:
        return ["The same as the baseline, case by case."]
    worse = [one for one in run.changed if not one.better]
    better = [one for one in run.changed if one.better]
    named = (("worse", worse), ("better", better))
    return [_changed(f"{len(some)} {name} than the baseline", some) for name, some in named if some]


def _changed(title: str, some: Sequence[Difference]) -> str:
    lines = [f"- {literal(str(one))}: {literal(clean(one.case.question, 120))}" for one in some]
    return _fold(title, lines)


def _failure(one: Line, run: Outcome) -> str:
    """The cases that keep a gate from being met."""
    rows = [
        f"{_case(row)}\n  - why {literal(why(row, one.measure))}" for row, _ in beyond(one, run)
    ]
    return _fold(html.escape(f"Not met: {missed(one, run)}".rstrip(":.")), rows)


def _cases(title: str, rows: Sequence[Row]) -> str:
    return _fold(title, list(map(_case, rows)))


def _case(row: Row) -> str:
    return (
        f"- **{literal(row.case.id)}** {literal(clean(row.case.question, 200))}\n"
        f"  - expected {literal(expected(row))}\n  - got {literal(got(row))}"
    )


def _fold(title: str, lines: Sequence[str]) -> str:
    more = len(lines) - SHOWN
    shown = [*lines[:SHOWN], *([f"- … and {more} more"] if more > 0 else [])]
    body = "\n".join(shown)
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def literal(text: str) -> str:
    """*text* so that it shows as it is: no markup of a question or an answer takes effect."""
    escaped = html.escape(text, quote=False)
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+!|~@" else c for c in escaped)
