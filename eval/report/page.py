"""The report as one HTML file that needs nothing from outside: to be opened, sent, or kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from eval.gates import Line
from eval.reading import quotations
from eval.report.pictures import pictures, svg
from eval.report.text import Outcome, change_said, heading, missed, number, verdict, worst
from eval.report.why import expected, got, why
from eval.run import Row, passed
from rag.types import Evidence, Paper

_FIRST = ("error", "failed", "passed")  # what is to be acted on stands on top
AROUND = 160  # characters of the abstract shown on either side of evidence


@dataclass(frozen=True, slots=True)
class Quoted:
    """Evidence in its place in the abstract; `before` and `after` are cut."""

    title: str
    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A statement, or a cell of a table, with what proves it."""

    text: str
    evidence: tuple[Quoted, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A case as a row of the table, and what opens under it."""

    id: str
    type: str
    question: str
    turns: tuple[str, ...]
    state: str  # passed, failed or error
    change: str  # worse, better or ""
    expected: str
    got: str
    why: str
    shown: tuple[Shown, ...]
    scores: tuple[tuple[str, str], ...]


def page(run: Outcome) -> str:
    """The whole report as HTML."""
    changes = {one.case.id: "better" if one.better else "worse" for one in run.changed}
    entries = [_entry(row, changes.get(row.case.id, "")) for row in run.rows]
    entries.sort(key=lambda one: (one.change != "worse", _FIRST.index(one.state)))
    return _template().render(
        heading=heading(run.rows),
        verdict=verdict(run),
        passed=run.passed,
        missed=[missed(one, run).rstrip(":.") for one in run.failed],
        must_pass=[row.case.id for row in run.must_pass],
        compared=run.before is not None,
        measures=[_measure(one, run) for one in run.lines if one.n],
        # Made of numbers and of our own words.
        pictures=[(p.title, p.says, Markup(svg(p))) for p in pictures(run)],
        entries=entries,
        types=sorted({one.type for one in entries}),
    )


@cache
def _template() -> Template:
    loader = PackageLoader("eval.report", ".")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return made.get_template("page.html")


def _measure(one: Line, run: Outcome) -> dict[str, str]:
    value, low, high = (number(v, one.measure) for v in (one.value, one.low, one.high))
    state = "" if not one.gate else "failed" if one in run.failed else "passed"
    return {
        "name": one.measure,
        "types": ", ".join(one.types) or "all",
        "value": value,
        "interval": f"{low} to {high}",
        "n": str(one.n),
        "change": change_said(one),
        "gate": str(one.gate or ""),
        "state": state if one.met is not None or state == "failed" else "",
    }


def _entry(row: Row, change: str) -> Entry:
    good = passed(row)
    answer = row.answer
    papers = {hit.paper.id: hit.paper for hit in answer.retrieved} if answer else {}
    return Entry(
        id=row.case.id,
        type=row.case.type,
        question=row.case.question,
        turns=tuple(turn.question for turn in row.case.turns[:-1]),
        state="error" if row.error else "passed" if good else "failed",
        change=change,
        expected=expected(row),
        got=got(row),
        why="" if good else why(row, worst(row)[0]),
        shown=tuple(
            Shown(text, tuple(_quoted(e, papers) for c in citations for e in c.evidence))
            for text, citations in (quotations(answer) if answer else ())
        ),
        scores=tuple((name, number(score, name)) for name, score in row.scores.items()),
    )


def _quoted(evidence: Evidence, papers: dict[str, Paper]) -> Quoted:
    paper = papers.get(evidence.paper_id)
    if paper is None:
        return Quoted(evidence.title, "", evidence.text, "")
    before = paper.abstract[max(0, evidence.start - AROUND) : evidence.start]
    after = paper.abstract[evidence.end : evidence.end + AROUND]
    return Quoted(evidence.title, before, evidence.text, after)
