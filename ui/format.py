"""One answer, two ways to show it: Markdown and the record of the contract.

Titles, abstracts, questions and a model's words are other people's text. Whatever they hold, they
are shown as text: never as formatting, markup, a link, a formula or a terminal's control code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise

from rag.types import (
    NOT_STATED,
    Answer,
    Cell,
    Citation,
    Evidence,
    Hit,
    Judgement,
    Source,
    Statement,
    Subject,
    Table,
    Verdict,
)

SUPPORTED = "Supported by the abstract"
VERBATIM = "Word for word in the abstract"
DOUBTS: Mapping[Verdict, str] = {
    "contradicted": "The abstract says otherwise",
    "not_supported": "The abstract does not say this",
    "unverified": "Not checked against the abstract",
}
ABSTAINED = {
    "off_topic": "Not a question for this collection",
    "no_paper": "No paper here is about this",
    "not_stated": "The abstracts do not say",
}

NOTHING_LISTED = "No paper here matches"
NOT_HERE = "not in this collection"
CAUTION = "not directly comparable"
CLOSE = "Close, but not counted"
REMOVED = "Removed by the check"
CUT = " […] "
"""Stands between two quoted sentences that the abstract does not hold one after the other."""

UNFOLDED = 10
"""How many papers of a list, or sources of an answer, are shown before the rest is folded."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TURNS_TEXT_AROUND = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # Unicode's bidi overrides
_HALF_A_LETTER = re.compile(r"[\ud800-\udfff]")  # cannot be written as UTF-8


def plain(text: str) -> str:
    r"""Make *text* one line that neither a terminal nor a page acts on.

    >>> plain("A\x1b[31m title\nin two lines")
    'A [31m title in two lines'
    """
    text = _HALF_A_LETTER.sub("\ufffd", _TURNS_TEXT_AROUND.sub("", text))
    return " ".join(_CONTROL.sub(" ", text).split())


def is_verbatim(statement: Statement) -> bool:
    """Whether the statement's words stand in the evidence it cites, or are all of it in order."""
    words = plain(statement.text)
    spans = [plain(span.text) for span in evidence_of(statement.citations)]
    return bool(words) and (any(words in span for span in spans) or words == " ".join(spans))


def proof(statement: Statement) -> str:
    """How a statement that is supported is proved, in words."""
    return VERBATIM if is_verbatim(statement) else SUPPORTED


def evidence_of(citations: Iterable[Citation]) -> list[Evidence]:
    """Every span that *citations* rest on, in order."""
    return [span for citation in citations for span in citation.evidence]


def parts_of(text: str, citations: Sequence[Citation]) -> list[tuple[str, list[int]]]:
    """What is said with the numbers behind it; quotations of several papers apart."""
    told = [" ".join(span.text for span in citation.evidence) for citation in citations]
    if len(told) > 1 and all(told) and text == " ".join(told):
        return [(_cut(citation.evidence), [citation.n]) for citation in citations]
    spans = evidence_of(citations)
    whole = text == " ".join(span.text for span in spans)
    return [(_cut(spans) if whole else text, numbers_of(citations))]


def _cut(spans: Sequence[Evidence]) -> str:
    """*spans* one after another, with a sign where something between two of them is left out."""
    said = "".join(span.text for span in spans[:1])
    for before, after in pairwise(spans):
        said += f"{' ' if _goes_on(before, after) else CUT}{after.text}"
    return said


def _goes_on(span: Evidence, after: Evidence) -> bool:
    """Whether nothing but a space stands between two spans of one abstract."""
    return span.paper_id == after.paper_id and 0 <= after.start - span.end <= 1


def shown_sources(answer: Answer) -> tuple[Source, ...]:
    """The sources a person is shown: a refusal has some only where papers are at hand."""
    return answer.sources if answer.abstention in {None, "not_stated"} else ()


def sources_heading(answer: Answer) -> str:
    """What the list of papers under an answer is called."""
    return "Papers at hand" if answer.abstained else "Sources"


def numbers_of(citations: Iterable[Citation]) -> list[int]:
    """The [n] of *citations*, each once."""
    return list(dict.fromkeys(citation.n for citation in citations))


def listed_in(answer: Answer) -> dict[Source, tuple[Statement, ...]]:
    """The papers of a list with what qualifies each, in order; empty for another shape."""
    if answer.shape != "list":
        return {}
    told: dict[int, list[Statement]] = {}
    for statement in answer.statements:
        for n in numbers_of(statement.citations)[:1]:
            told.setdefault(n, []).append(statement)
    return {one: tuple(told[one.n]) for one in shown_sources(answer) if one.n in told}


def unlisted_in(
    answer: Answer, listed: Mapping[Source, Sequence[Statement]]
) -> tuple[tuple[Statement, ...], tuple[Source, ...]]:
    """The statements and sources that are no part of a list."""
    numbers = {source.n for source in listed}
    first = ((one, numbers_of(one.citations)[:1]) for one in answer.statements)
    statements = (one for one, found in first if not numbers & {*found})
    return tuple(statements), tuple(one for one in shown_sources(answer) if one.n not in numbers)


def labelled(statements: Iterable[Statement]) -> Iterator[tuple[str, Statement]]:
    """Statements, each with its label where another group of them begins, else with none."""
    last = ""
    for statement in statements:
        yield ("" if statement.label == last else statement.label), statement
        last = statement.label


def number_of(subject: Subject, answer: Answer) -> int | None:
    """The number under which a compared paper stands among the sources."""
    found = (source.n for source in answer.sources if source.paper_id == subject.paper_id)
    return next(found, None)


def unsaid(subject: Subject, cell: Cell) -> str:
    """What stands in a cell without a quotation: an abstract is silent only if there is one."""
    return NOT_HERE if not subject.found and cell.text == NOT_STATED else cell.text


def caution(table: Table, axis: int) -> str:
    """Why the figures of the row *axis* cannot be compared; empty if they can."""
    reason = plain(table.cautions[axis]).rstrip(".") if axis < len(table.cautions) else ""
    if not reason or reason.casefold().startswith(CAUTION):
        return reason
    return f"{CAUTION}: {reason}"


# --- Markdown -----------------------------------------------------------------------------------

# Only what CommonMark or GitHub would act on: a person at a terminal reads the rest unharmed.
# Of the marks that act in pairs, the last one of a text may stay: it has no partner left.
_MARKUP = re.compile(
    r"""[\[\]]                            # links and images; [n] is ours alone
      | \*(?=.*\*) | `(?=.*[^`]`)        # emphasis, code
      | (?<![^\W_])_ | _(?![^\W_])       # emphasis; snake_case stays as it is
      | ~(?=.*\S~) | \$(?=.*\$)          # struck out, a formula
      | \\(?![A-Za-z0-9\s%'",])          # before a mark; LaTeX's "65.8\%" stays as it is
      | :(?=//) | (?<=[Ww]{3})\.         # bare addresses
      | (?<=\w)@(?=[\w-]+\.\w)""",
    re.VERBOSE,
)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_OPENS_A_BLOCK = re.compile(r"^(?:(\d{1,9})(?=[.)](?:\s|$))|(?=[#>+=*`~-]))")


def escaped(text: str) -> str:
    r"""Write *text* so that Markdown shows it as it is, on one line.

    One mark is left out of what Markdown shows: the backslash of LaTeX's \% \' \" \, which no
    reader misses, and which a person at a terminal would else see twice.

    >>> escaped("*A* and snake_case: ![x](http://y.z) <b> 3 < 5")
    '\\*A* and snake_case: !\\[x\\](http\\://y.z) &lt;b> 3 < 5'
    """
    text = _MARKUP.sub(r"\\\g<0>", plain(text)).replace(r" \[…\] ", CUT)  # leads nowhere
    return _TAG.sub("&lt;", _ENTITY.sub("&amp;", text))


def _paragraph(text: str) -> str:
    return _OPENS_A_BLOCK.sub(r"\1\\", escaped(text))


def _strong(text: str) -> str:
    return f"**{_closed(text)}**"


def _closed(text: str) -> str:
    """Escape *text* for a place where other marks follow, in which a lone one finds a partner."""
    return escaped(f"{plain(text)}{_PARTNERS}").removesuffix(_PARTNERS)


_PARTNERS = "*x~`$"


def _in_table(text: str) -> str:
    # a bar ends a cell, even one in a code span; what is escaped already has its backslash doubled
    return text.replace("|", "\\|")


def markdown(answer: Answer) -> str:
    """What a person is shown for *answer*, as Markdown with [n] markers and nothing internal.

    A statement in a paper's own words is a quotation, any other a paragraph; a doubt about one is
    said beside it. A comparison begins with its table; a list gives every paper with what
    qualifies it, and the near misses apart. The titles behind the markers follow, unless they have
    been given; for `not_stated`, the papers at hand.
    """
    listed = listed_in(answer)
    statements, sources = unlisted_in(answer, listed)
    blocks = [_paragraph(line) for line in answer.message.splitlines() if plain(line)]
    if answer.table is not None:
        blocks.append(_table_markdown(answer, answer.table))
    for label, statement in labelled(statements):
        blocks += [_strong(label)] if label else []
        blocks.append(_statement_markdown(statement))
    blocks += [_item_markdown(place, *item) for place, item in enumerate(listed.items(), 1)]
    if sources:
        lines = [f"- [{source.n}] {escaped(source.title)}" for source in sources]
        blocks += [f"**{sources_heading(answer)}**", "\n".join(lines)]
    if answer.near:
        blocks += [f"**{CLOSE}**", "\n".join(f"- {_paragraph(one.title)}" for one in answer.near)]
    if answer.removed:
        lines = [f"- ~~{_closed(one.text)}~~ ({_closed(doubt(one))})" for one in answer.removed]
        blocks += [f"**{REMOVED}**", "\n".join(lines)]
    if answer.notice:
        blocks.append(f"({_closed(answer.notice)})")
    return "\n\n".join(blocks)


def _statement_markdown(statement: Statement, *, numbered: bool = True) -> str:
    """The statement as a quotation or a paragraph, with its markers unless they stand above it."""
    parts = parts_of(statement.text, statement.citations)
    quote = "> " if is_verbatim(statement) else ""
    said = f"\n{quote.rstrip()}\n".join(
        f"{quote}{_paragraph(text)}{_markers(numbers) if numbered else ''}"
        for text, numbers in parts
    )
    why = doubt(statement)
    # a paragraph of its own: a mark left alone in the one finds no partner in the other
    return f"{said}\n\n({escaped(why)}.)" if why else said


def _markers(numbers: Iterable[int]) -> str:
    return "".join(f" [{n}]" for n in numbers)


def _item_markdown(place: int, source: Source, statements: Sequence[Statement]) -> str:
    """One paper of a list: its title, and what qualifies it set in under it."""
    head = f"{place}. {_strong(source.title)} [{source.n}]"
    told = "\n\n".join(_statement_markdown(one, numbered=False) for one in statements)
    indent = " " * (len(str(place)) + 2)
    return f"{head}\n\n" + "\n".join(f"{indent}{line}".rstrip() for line in told.split("\n"))


def _table_markdown(answer: Answer, table: Table) -> str:
    """The things compared as columns, what they are compared on as rows."""
    heads = ["", *(_head_markdown(subject, answer) for subject in table.subjects)]
    rows = [heads, ["---"] * len(heads)]
    for place, axis in enumerate(table.axes):
        cells = zip(table.subjects, (row[place] for row in table.cells), strict=True)
        why = caution(table, place)
        about = _strong(axis) + (f" ({_closed(why)})" if why else "")
        rows.append([about, *(_cell_markdown(*cell) for cell in cells)])
    return "\n".join(f"| {' | '.join(map(_in_table, row))} |" for row in rows)


def _head_markdown(subject: Subject, answer: Answer) -> str:
    if not subject.found:
        return f"{escaped(subject.name)} ({NOT_HERE})"
    n = number_of(subject, answer)
    return escaped(subject.name) + ("" if n is None else f" [{n}]")


def _cell_markdown(subject: Subject, cell: Cell) -> str:
    if not cell.stated:
        return escaped(unsaid(subject, cell))
    parts = parts_of(cell.text, cell.citations)
    return " ".join(f"“{_closed(text)}”{_markers(numbers)}" for text, numbers in parts)


def doubt(statement: Statement) -> str:
    """What is wrong with the statement and why, without a full stop; empty if nothing is."""
    if statement.verdict == "supported":
        return ""
    reasons = "; ".join(plain(reason).rstrip(".") for reason in statement.reasons)
    return f"{DOUBTS[statement.verdict]}: {reasons}" if reasons else DOUBTS[statement.verdict]


# --- Records ------------------------------------------------------------------------------------


def record(answer: Answer, *, id: str | None, turn: int) -> dict[str, object]:
    """The contract's Answer record, ready for `json.dumps`.

    *id* is the row's own name, shared by all turns of a conversation; *turn* counts from 0.
    """
    return {
        "id": id,
        "turn": turn,
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "mode": answer.mode,
        "model": answer.model,
        "shape": answer.shape,
        "answer": markdown(answer),
        "abstained": answer.abstained,
        "abstention": answer.abstention,
        "statements": [_statement_record(statement) for statement in answer.statements],
        "table": _table_record(answer.table) if answer.table else None,
        "sources": [
            {"n": source.n, "paper_id": source.paper_id, "title": source.title}
            for source in answer.sources
        ],
        "retrieved": [_hit_record(hit) for hit in answer.retrieved],
        "coverage": asdict(answer.coverage) if answer.coverage else None,
        "near": [{"paper_id": near.paper_id, "title": near.title} for near in answer.near],
        "timings_ms": {name: float(spent) for name, spent in answer.timings_ms.items()},
        "usage": {
            "prompt_tokens": answer.usage.prompt_tokens,
            "completion_tokens": answer.usage.completion_tokens,
            "estimated": answer.usage.estimated,
            "cost_usd": answer.usage.cost_usd,
        },
        "index": answer.index,
        "removed": [_statement_record(statement) for statement in answer.removed],
        "notice": answer.notice,
        "error": None,
    }


def search_record(hits: Sequence[Hit], *, id: str | None) -> dict[str, object]:
    """The contract's Search record for *hits*, best first, ready for `json.dumps`."""
    return {
        "id": id,
        "results": [
            {
                "paper_id": hit.paper.id,
                "external_id": hit.paper.external_id,
                "title": hit.paper.title,
                "score": float(hit.score),
            }
            for hit in hits
        ],
    }


def verify_record(
    judged: Judgement, *, id: str | None, claim: str, title: str
) -> dict[str, object]:
    """The contract's Verify record, ready for `json.dumps`."""
    return {
        "id": id,
        "claim": claim,
        "title": title,
        "verdict": judged.verdict,
        "score": float(judged.score),
        "reasons": list(judged.reasons),
        "evidence": [
            {"text": span.text, "start": span.start, "end": span.end} for span in judged.evidence
        ],
    }


def judgement_text(judged: Judgement, title: str) -> str:
    """The verdict on a claim as lines for a terminal: verdict, reasons, quotations."""
    said = judged.verdict.replace("_", " ")
    lines = [f"{said} ({judged.score:.2f}) by “{plain(title)}”"]
    lines += [f"  {plain(reason)}" for reason in judged.reasons]
    lines += [f"  > {plain(span.text)}" for span in judged.evidence]
    return "\n".join(lines)


def _table_record(table: Table) -> dict[str, object]:
    return {
        "subjects": [
            {"name": one.name, "title": one.title, "found": one.found} for one in table.subjects
        ],
        "axes": list(table.axes),
        "cells": [[_cell_record(cell) for cell in row] for row in table.cells],
        "cautions": list(table.cautions),
    }


def _cell_record(cell: Cell) -> dict[str, object]:
    return {
        "text": cell.text,
        "stated": cell.stated,
        "citations": [_citation_record(citation) for citation in cell.citations],
    }


def _hit_record(hit: Hit) -> dict[str, object]:
    # float: a NumPy number is none that `json` knows
    return {"paper_id": hit.paper.id, "title": hit.paper.title, "score": float(hit.score)}


def _statement_record(statement: Statement) -> dict[str, object]:
    return {
        "text": statement.text,
        "verdict": statement.verdict,
        "reasons": list(statement.reasons),
        "label": statement.label,
        "citations": [_citation_record(citation) for citation in statement.citations],
    }


def _citation_record(citation: Citation) -> dict[str, object]:
    return {
        "n": citation.n,
        "paper_id": citation.paper_id,
        "title": citation.title,
        "evidence": [
            {"text": span.text, "start": span.start, "end": span.end} for span in citation.evidence
        ],
    }
