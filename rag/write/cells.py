"""A comparison whose cells a model fills: it chooses sentences by number and writes none of them.

The extractive comparison finds the sides and the axes. Whatever the model chooses that is not
there is left out, and whatever goes wrong leaves the extractive table.
"""

from __future__ import annotations

from dataclasses import replace

from rag.chunk import count_tokens
from rag.cite import Writing
from rag.facets import incomparable
from rag.prompts import render
from rag.retrieve import Library
from rag.store import ById
from rag.types import Cell, Chat, Citation, Draft, Evidence, Judge, Statement, Table
from rag.verify import verify
from rag.write.answer import Progress, complete, entry_of
from rag.write.policy import Checker
from rag.write.sheet import Sheet, harmless, sheet

MOST_IN_CELL = 3
LINES = ("shared", "different")


def fill(library: Library, question: str, plain: Draft, chat: Chat, judge: Judge) -> Draft:
    """*plain*, a comparison, with cells that *chat* chose and lines that it wrote and *judge* bore.

    *plain* with a notice where the model's reply is of no use.
    """
    if plain.table is None or not plain.table.axes or not plain.sources:
        return plain
    papers = _sheet(library, question, plain)
    so_far = Progress()
    prompt = render(
        "compare_question",
        papers=papers.text,
        question=harmless(question),
        axes="\n".join(f"{n}. {harmless(axis)}" for n, axis in enumerate(plain.table.axes, 1)),
    )
    said = complete(chat, "compare", prompt, so_far)
    table = _table(plain, plain.table, papers, said.get("cells"))
    if table is None:
        notice = "The table is quoted without the model: its reply could not be used."
        return replace(plain, usage=so_far.usage, notice=notice)
    checker = Checker(library, judge, papers)
    told = [(label, checked) for label in LINES
            if (checked := _line(checker, str(said.get(label) or ""), label))]  # fmt: skip
    good = [one for _, one in told if one.verdict == "supported"]
    labels = {one.label for one in good}
    by_id = ById(library.snapshot)
    kept = verify([one for one in plain.statements if one.label not in labels], by_id)
    return replace(
        plain,
        statements=(*kept, *good),
        removed=tuple(one for _, one in told if one.verdict != "supported"),
        abstention=None,
        message="" if plain.abstention else plain.message,
        table=table,
        mode="llm",
        model=chat.name,
        usage=so_far.usage,
    )


def _sheet(library: Library, question: str, plain: Draft) -> Sheet:
    """The compared papers, numbered as the sources are."""
    by_id = ById(library.snapshot)
    vector = library.embedder([question])[0]
    entries = [entry_of(library, by_id[one.paper_id], vector) for one in plain.sources]
    return sheet(entries, count_tokens)


def _table(plain: Draft, table: Table, papers: Sheet, rows: object) -> Table | None:
    """*table* with the cells in *rows*; None where they name no sentence that is there."""
    chosen: dict[tuple[str, int], list[Evidence]] = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not isinstance(row.get("sentences"), list):
            continue
        axis, n = row.get("axis"), row.get("paper")
        if not isinstance(axis, int) or not 1 <= axis <= len(table.axes) or not isinstance(n, int):
            continue
        found = [papers.named(name) for name in row["sentences"][:MOST_IN_CELL]]
        spans = {pair: papers.evidence(*pair) for pair in found if pair and pair[0] == n}
        for span in sorted(spans.values(), key=lambda one: one.start):
            chosen.setdefault((span.paper_id, axis - 1), []).append(span)
    if not chosen:
        return None
    numbers = {source.paper_id: source.n for source in plain.sources}
    cells = tuple(
        tuple(
            _cell(chosen.get((subject.paper_id or "", axis), []), numbers)
            for axis in range(len(table.axes))
        )
        for subject in table.subjects
    )
    cautions = tuple(
        incomparable([row[axis].text for row in cells if row[axis].stated])
        for axis in range(len(table.axes))
    )
    return replace(table, cells=cells, cautions=cautions)


def _cell(spans: list[Evidence], numbers: dict[str, int]) -> Cell:
    spans = list(dict.fromkeys(spans))[:MOST_IN_CELL]
    if not spans:
        return Cell()
    first = spans[0]
    cited = Citation(numbers[first.paper_id], first.paper_id, first.title, tuple(spans))
    return Cell(" ".join(span.text for span in spans), (cited,))


def _line(checker: Checker, text: str, label: str) -> Statement | None:
    """The first sentence of *text*, checked like any other."""
    writing = Writing(checker.sheet.sizes, [e.paper.title for e in checker.sheet.entries])
    for one in [*writing.feed(text), *writing.finish()][:1]:
        checked = checker(one)
        return replace(checked, label=label.capitalize()) if checked else None
    return None
