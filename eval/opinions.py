"""What a language model, asked as a judge, makes of the statements that were shown.

It bounds nothing: it costs money, it differs from run to run, and judges call most of anything
grounded. It is there to find cases for a person to look at.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.report.why import clean
from eval.run import Row
from rag.types import Chat, Judgement, Paper
from rag.write.opinion import with_opinion

LISTED = 10


def asked_of(model: Chat, rows: Sequence[Row]) -> str:
    """How often *model* calls a shown statement supported, and those of which it does not."""
    judge = with_opinion(_no_verdict, model)
    counts: dict[str, int] = {}
    doubted = []
    for row, text, papers in _shown(rows):
        said = judge(text, papers)
        counts[said.verdict] = counts.get(said.verdict, 0) + 1
        if said.verdict in {"contradicted", "not_supported"}:
            doubted.append(f"  {row.case.id}  {clean(text, 160)}: {clean(said.reasons[0], 160)}")
    if not counts:
        return f"{model.name} as judge: no statement to judge."
    total = sum(counts.values())
    shares = ", ".join(f"{name} {count / total:.3f}" for name, count in sorted(counts.items()))
    head = f"{model.name} as judge of {total} statements (bounds nothing): {shares}."
    return "\n".join([head, *doubted[:LISTED]])


def _no_verdict(claim: str, papers: Sequence[Paper]) -> Judgement:
    return Judgement("unverified", 0.0)


def _shown(rows: Sequence[Row]) -> list[tuple[Row, str, list[Paper]]]:
    """Each statement of an answer with the papers it cites."""
    found = []
    for row in rows:
        if row.answer is None or row.case.is_statement:
            continue
        papers = {hit.paper.id: hit.paper for hit in row.answer.retrieved}
        for statement in row.answer.statements:
            cited = [papers[c.paper_id] for c in statement.citations if c.paper_id in papers]
            if cited:
                found.append((row, statement.text, cited))
    return found
