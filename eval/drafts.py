"""A case made of an answer, which does not count before a person has corrected it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.reading import cited_titles, listed_sources, shown_evidence
from rag.errors import UsageError
from rag.text import digest
from rag.types import Answer
from rag.words import numbers

_ABSTAINED = {
    "off_topic": "out_of_domain",
    "no_paper": "unanswerable_far",
    "not_stated": "unanswerable_near",
}
_OF_SHAPE = {"comparison": "comparison", "list": "aggregation", "chat": "chat"}


def drafted(answer: Answer, turns: tuple[str, ...] = ()) -> dict[str, Any]:
    """The case in which *answer* would be right, as its record, marked as a draft.

    *turns* are the questions asked before it in its conversation. What a person should look at
    most, key facts, are the figures that the answer shows.
    """
    kind = _ABSTAINED.get(answer.abstention or "") or _OF_SHAPE.get(answer.shape, "single")
    case: dict[str, Any] = {
        "id": f"{kind}-{digest(answer.question, *turns)[:8]}",
        "type": "conversation" if turns else kind,
        "question": answer.question,
        "answerable": answer.abstention is None,
    }
    case |= _held(answer, case["answerable"])
    if turns:
        gold = case.get("gold_papers", [])
        last = {"question": answer.question, "gold_papers": gold}
        case["turns"] = [*({"question": turn} for turn in turns), last]
        case["standalone"] = answer.standalone_question
    elif answer.table:
        case |= _sides(answer)
    return {**case, "draft": True, "why": ""}


def _held(answer: Answer, answerable: bool) -> dict[str, Any]:
    """What a right answer holds, as this one does."""
    if not answerable:
        near = [source.title for source in answer.sources]
        shape = {} if answer.shape == "answer" else {"shape": answer.shape}
        return {"abstention": answer.abstention, **shape, **({"near_papers": near} if near else {})}
    if answer.shape == "list":
        titles = [source.title for source in listed_sources(answer)]
        return {"gold_papers": titles, "count": len(titles)}
    if answer.shape == "chat":
        return {}
    said = list(dict.fromkeys(e.text for e in shown_evidence(answer)))
    figures = list(dict.fromkeys(n for s in answer.statements for n in numbers(s.text)))
    return {
        "gold_papers": cited_titles(answer),
        "evidence": said,
        **({"key_facts": figures} if figures and not answer.table else {}),
    }


def _sides(answer: Answer) -> dict[str, Any]:
    table = answer.table
    if table is None:
        return {}
    sides = []
    for subject, cells in zip(table.subjects, table.cells, strict=True):
        said = [e.text for cell in cells for c in cell.citations for e in c.evidence]
        owners = [subject.title] if subject.title else []
        sides.append(
            {"name": subject.name, "papers": owners, "evidence": list(dict.fromkeys(said))}
        )
    gold = list(dict.fromkeys(title for side in sides for title in side["papers"]))
    said = list(dict.fromkeys(text for side in sides for text in side["evidence"]))
    return {"sides": sides, "axes": list(table.axes), "gold_papers": gold, "evidence": said}


def written(case: Mapping[str, Any]) -> str:
    """*case* as a line of a case file."""
    return json.dumps(case, ensure_ascii=False)


def append(file: Path, case: Mapping[str, Any]) -> None:
    """Put *case* at the end of *file*, made if it is not there.

    Raises UsageError if it cannot be written, and for a case that is there: twice the same id would
    make the file unreadable.
    """
    try:
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        if f'"id": {json.dumps(case["id"])}' in old:
            raise UsageError(f"{file} has this question already, as the case {case['id']}.")
        gap = "" if not old or old.endswith("\n") else "\n"
        with file.open("a", encoding="utf-8", errors="backslashreplace") as out:
            out.write(f"{gap}{written(case)}\n")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"The case cannot be written to {file}: name another file."
        raise UsageError(problem) from error
