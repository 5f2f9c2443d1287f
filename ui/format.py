"""One answer, three ways to show it: Markdown, the record of the contract, and HTML for the page.

Titles, abstracts, questions and a model's words are other people's text. Whatever they hold, they
are shown as text: never as formatting, markup, a link, a formula or a terminal's control code.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import pairwise

from rag.types import (
    NOT_STATED,
    Answer,
    Cell,
    Citation,
    Evidence,
    Hit,
    Judgement,
    Paper,
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

_WITH_ABSTRACT = 100  # papers of a list; a page with thousands of abstracts would be slow

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
    spans = [plain(span.text) for span in _evidence(statement.citations)]
    return bool(words) and (any(words in span for span in spans) or words == " ".join(spans))


def _proof(statement: Statement) -> str:
    return VERBATIM if is_verbatim(statement) else SUPPORTED


def _evidence(citations: Iterable[Citation]) -> list[Evidence]:
    return [span for citation in citations for span in citation.evidence]


def _parts(text: str, citations: Sequence[Citation]) -> list[tuple[str, list[int]]]:
    """What is said with the numbers behind it; quotations of several papers apart."""
    told = [" ".join(span.text for span in citation.evidence) for citation in citations]
    if len(told) > 1 and all(told) and text == " ".join(told):
        return [(_cut(citation.evidence), [citation.n]) for citation in citations]
    spans = _evidence(citations)
    whole = text == " ".join(span.text for span in spans)
    return [(_cut(spans) if whole else text, _numbers(citations))]


def _cut(spans: Sequence[Evidence]) -> str:
    """*spans* one after another, with a sign where something between two of them is left out."""
    said = "".join(span.text for span in spans[:1])
    for before, after in pairwise(spans):
        said += f"{' ' if _goes_on(before, after) else CUT}{after.text}"
    return said


def _goes_on(span: Evidence, after: Evidence) -> bool:
    """Whether nothing but a space stands between two spans of one abstract."""
    return span.paper_id == after.paper_id and 0 <= after.start - span.end <= 1


def _shown_sources(answer: Answer) -> tuple[Source, ...]:
    """The sources a person is shown: a refusal has some only where papers are at hand."""
    return answer.sources if answer.abstention in {None, "not_stated"} else ()


def _sources_heading(answer: Answer) -> str:
    return "Papers at hand" if answer.abstained else "Sources"


def _numbers(citations: Iterable[Citation]) -> list[int]:
    return list(dict.fromkeys(citation.n for citation in citations))


def _listed(answer: Answer) -> dict[Source, tuple[Statement, ...]]:
    """The papers of a list with what qualifies each, in order; empty for another shape."""
    if answer.shape != "list":
        return {}
    told: dict[int, list[Statement]] = {}
    for statement in answer.statements:
        for n in _numbers(statement.citations)[:1]:
            told.setdefault(n, []).append(statement)
    return {one: tuple(told[one.n]) for one in _shown_sources(answer) if one.n in told}


def _unlisted(
    answer: Answer, listed: Mapping[Source, Sequence[Statement]]
) -> tuple[tuple[Statement, ...], tuple[Source, ...]]:
    """The statements and sources that are no part of a list."""
    numbers = {source.n for source in listed}
    statements = (one for one in answer.statements if not numbers & {*_numbers(one.citations)[:1]})
    return tuple(statements), tuple(one for one in _shown_sources(answer) if one.n not in numbers)


def _labelled(statements: Iterable[Statement]) -> Iterator[tuple[str, Statement]]:
    """Statements, each with its label where another group of them begins, else with none."""
    last = ""
    for statement in statements:
        yield ("" if statement.label == last else statement.label), statement
        last = statement.label


def _number_of(subject: Subject, answer: Answer) -> int | None:
    """The number under which a compared paper stands among the sources."""
    found = (source.n for source in answer.sources if source.paper_id == subject.paper_id)
    return next(found, None)


def _unsaid(subject: Subject, cell: Cell) -> str:
    """What stands in a cell without a quotation: an abstract is silent only if there is one."""
    return NOT_HERE if not subject.found and cell.text == NOT_STATED else cell.text


def _caution(table: Table, axis: int) -> str:
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
    listed = _listed(answer)
    statements, sources = _unlisted(answer, listed)
    blocks = [_paragraph(line) for line in answer.message.splitlines() if plain(line)]
    if answer.table is not None:
        blocks.append(_table_markdown(answer, answer.table))
    for label, statement in _labelled(statements):
        blocks += [_strong(label)] if label else []
        blocks.append(_statement_markdown(statement))
    blocks += [_item_markdown(place, *item) for place, item in enumerate(listed.items(), 1)]
    if sources:
        lines = [f"- [{source.n}] {escaped(source.title)}" for source in sources]
        blocks += [f"**{_sources_heading(answer)}**", "\n".join(lines)]
    if answer.near:
        blocks += [f"**{CLOSE}**", "\n".join(f"- {_paragraph(one.title)}" for one in answer.near)]
    if answer.removed:
        lines = [f"- ~~{_closed(one.text)}~~ ({_closed(_doubt(one))})" for one in answer.removed]
        blocks += [f"**{REMOVED}**", "\n".join(lines)]
    if answer.notice:
        blocks.append(f"({_closed(answer.notice)})")
    return "\n\n".join(blocks)


def _statement_markdown(statement: Statement, *, numbered: bool = True) -> str:
    """The statement as a quotation or a paragraph, with its markers unless they stand above it."""
    parts = _parts(statement.text, statement.citations)
    quote = "> " if is_verbatim(statement) else ""
    said = f"\n{quote.rstrip()}\n".join(
        f"{quote}{_paragraph(text)}{_markers(numbers) if numbered else ''}"
        for text, numbers in parts
    )
    doubt = _doubt(statement)
    # a paragraph of its own: a mark left alone in the one finds no partner in the other
    return f"{said}\n\n({escaped(doubt)}.)" if doubt else said


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
        caution = _caution(table, place)
        about = _strong(axis) + (f" ({_closed(caution)})" if caution else "")
        rows.append([about, *(_cell_markdown(*cell) for cell in cells)])
    return "\n".join(f"| {' | '.join(map(_in_table, row))} |" for row in rows)


def _head_markdown(subject: Subject, answer: Answer) -> str:
    if not subject.found:
        return f"{escaped(subject.name)} ({NOT_HERE})"
    n = _number_of(subject, answer)
    return escaped(subject.name) + ("" if n is None else f" [{n}]")


def _cell_markdown(subject: Subject, cell: Cell) -> str:
    if not cell.stated:
        return escaped(_unsaid(subject, cell))
    parts = _parts(cell.text, cell.citations)
    return " ".join(f"“{_closed(text)}”{_markers(numbers)}" for text, numbers in parts)


def _doubt(statement: Statement) -> str:
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


# --- HTML ---------------------------------------------------------------------------------------

# Beyond what HTML needs: what a template engine between us and the page might act on.
_TEMPLATE = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;"})


def html_text(text: str) -> str:
    """Write *text* so that HTML shows it as it is, in an element or a quoted attribute.

    >>> html_text('<b title="x">${1}')
    '&lt;b title=&quot;x&quot;&gt;&#36;&#123;1&#125;'
    """
    return html.escape(plain(text), quote=True).translate(_TEMPLATE)


def html_answer(answer: Answer, name: str, shown: int | None = None) -> str:
    """The answer as HTML: statements with [n] markers, sources with their evidence marked.

    *name* prefixes the ids, so that the markers of several answers on a page lead to their own
    sources; it must be letters, digits and hyphens. *shown* limits how many statements are
    written (None: all); sources appear with the first statement that cites them. A table is
    there from the start.
    """
    so_far = replace(answer, statements=answer.statements[:shown])
    complete = len(so_far.statements) == len(answer.statements)
    listed = _listed(so_far)
    statements, sources = _unlisted(so_far, listed)
    if not complete:
        cited = {citation.n for citation in _cited(so_far)}
        sources = tuple(source for source in sources if source.n in cited)
    top = _read_as_html(answer) + _message_html(answer)
    words = "".join(_statements_html(statements, name)) + _list_html(answer, listed, name)
    near = _near_html(answer, name) if complete else ""
    words += _removed_html(answer) + _notice_html(answer) if complete else ""
    if answer.table is not None:
        table = _table_html(answer, answer.table, name)
        main = f'<div class="pc-side-by-side">{top}{table}</div>'
        main += f'<div class="pc-words">{words}</div>' if words else ""
    else:
        main = f'<div class="pc-words">{top}{words}{near}</div>'
    return main + (_sources_html(so_far, sources, name) if sources else "")


def _cited(answer: Answer) -> Iterator[Citation]:
    """Every citation of the answer, those in its table included."""
    for statement in answer.statements:
        yield from statement.citations
    for row in answer.table.cells if answer.table else ():
        for cell in row:
            yield from cell.citations


def _read_as_html(answer: Answer) -> str:
    """The question as it was understood, if that is not as it was asked."""
    read_as = plain(answer.standalone_question)
    if not read_as or read_as.casefold() == plain(answer.question).casefold():
        return ""
    return f'<p class="pc-read-as">Read as: {html_text(read_as)}</p>'


def _message_html(answer: Answer) -> str:
    said = filter(None, map(html_text, answer.message.splitlines()))
    lines = "".join(f"<p>{line}</p>" for line in said)
    if answer.abstention is not None:
        kind, words = answer.abstention, ABSTAINED[answer.abstention]
        words = NOTHING_LISTED if answer.shape == "list" and kind == "no_paper" else words
        return f'<div class="pc-abstained" data-kind="{kind}"><h3>{words}</h3>{lines}</div>'
    return f'<div class="pc-message">{lines}</div>' if lines else ""


def _statements_html(statements: Iterable[Statement], name: str) -> Iterator[str]:
    for label, statement in _labelled(statements):
        if label:
            yield f'<h3 class="pc-label">{html_text(label)}</h3>'
        yield _statement_html(statement, name)


def _statement_html(statement: Statement, name: str) -> str:
    note = html_text(_doubt(statement) or _proof(statement))
    return (
        f'<div class="pc-statement" data-verdict="{statement.verdict}">'
        f'{_quotation_html(statement, name)}<p class="pc-verdict">{note}</p></div>'
    )


def _quotation_html(statement: Statement, name: str = "") -> str:
    """The statement's words; without a *name*, its markers stand elsewhere."""
    tag = "blockquote" if is_verbatim(statement) else "p"
    return "".join(
        f"<{tag}>{html_text(text)}{_markers_html(numbers, name) if name else ''}</{tag}>"
        for text, numbers in _parts(statement.text, statement.citations)
    )


def _markers_html(numbers: Iterable[int], name: str) -> str:
    """The markers of what is cited, kept on the line of the last word before them."""
    markers = " ".join(_marker_html(n, name) for n in numbers)
    return f"&#160;{markers}" if markers else ""


def _marker_html(n: int, name: str) -> str:
    target = f"{name}-source-{n}"
    return f'<a class="pc-marker" href="#{target}" aria-label="Source {n}">[{n}]</a>'


def _table_html(answer: Answer, table: Table, name: str) -> str:
    """The comparison, in a box of its own that scrolls where the page is too narrow for it."""
    heads = "".join(_head_html(subject, answer, name) for subject in table.subjects)
    rows = "".join(_row_html(table, place, name) for place in range(len(table.axes)))
    return (
        '<div class="pc-scroll" role="region" aria-label="Comparison" tabindex="0">'
        f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _head_html(subject: Subject, answer: Answer, name: str) -> str:
    """The name of a thing compared, over the title of the paper that is about it."""
    said, under = html_text(subject.name), html_text(subject.title or "")
    if not subject.found:
        return f'<th scope="col" class="pc-missing">{said}<span>{NOT_HERE}</span></th>'
    n = _number_of(subject, answer)
    marker = "" if n is None else f"&#160;{_marker_html(n, name)}"
    title = f"<span>{under}</span>" if under.casefold() != said.casefold() else ""
    return f'<th scope="col">{said}{marker}{title}</th>'


def _row_html(table: Table, place: int, name: str) -> str:
    """What is said on one axis, and under it why the figures cannot be compared."""
    cells = zip(table.subjects, (row[place] for row in table.cells), strict=True)
    told = "".join(_cell_html(subject, cell, name) for subject, cell in cells)
    axis, caution = html_text(table.axes[place]), html_text(_caution(table, place))
    if not caution:
        return f'<tr><th scope="row">{axis}</th>{told}</tr>'
    across = f'<td colspan="{len(table.subjects)}"><span>{caution}</span></td>'
    row = f'<tr><th scope="row" rowspan="2">{axis}</th>{told}</tr>'
    return f'{row}<tr class="pc-caution">{across}</tr>'


def _cell_html(subject: Subject, cell: Cell, name: str) -> str:
    if not cell.stated:
        kind = "pc-unsaid" if subject.found else "pc-unsaid pc-missing"
        return f'<td class="{kind}">{html_text(_unsaid(subject, cell))}</td>'
    told = (
        f"“{html_text(text)}”{_markers_html(numbers, name)}"
        for text, numbers in _parts(cell.text, cell.citations)
    )
    return f"<td>{' '.join(told)}</td>"


def _removed_html(answer: Answer) -> str:
    """What the check took out of a model's words, struck through, behind a line to click."""
    items = "".join(
        f"<li><del>{html_text(one.text)}</del><p>{html_text(_doubt(one))}</p></li>"
        for one in answer.removed
    )
    if not items:
        return ""
    heading = f"{REMOVED} ({len(answer.removed):,})"
    return f'<details class="pc-removed"><summary>{heading}</summary><ul>{items}</ul></details>'


def _notice_html(answer: Answer) -> str:
    notice = html_text(answer.notice)
    return f'<p class="pc-notice" role="status">{notice}</p>' if notice else ""


def _list_html(answer: Answer, listed: Mapping[Source, Sequence[Statement]], name: str) -> str:
    """The papers of a list, each with its quotation and, behind a click, its abstract."""
    wanted = {source.paper_id for source in list(listed)[:_WITH_ABSTRACT]}
    papers = {hit.paper.id: hit.paper for hit in answer.retrieved if hit.paper.id in wanted}
    items = [
        _item_html(source, statements, papers.get(source.paper_id), name)
        for source, statements in listed.items()
    ]
    first, rest = "".join(items[:UNFOLDED]), "".join(items[UNFOLDED:])
    shown = f'<ol class="pc-list">{first}</ol>' if first else ""
    folded = f'<ol class="pc-list" start="{UNFOLDED + 1}">{rest}</ol>' if rest else ""
    return shown + _folded(folded, f"Show the other {len(items) - UNFOLDED:,}", f"{name}-list")


def _item_html(
    source: Source, statements: Sequence[Statement], paper: Paper | None, name: str
) -> str:
    """One paper of a list; the proof of its quotation opens in place, if the paper is at hand."""
    doubted = next((one for one in statements if _doubt(one)), statements[0])
    note = html_text(_doubt(doubted) or _proof(doubted))
    place = f'class="pc-source" id="{name}-source-{source.n}"'
    if paper is None:
        proof = f'<div {place}><p class="pc-verdict">{note}</p></div>'
    else:
        evidence = [span for one in statements for span in _evidence(one.citations)]
        summary = f'<summary class="pc-verdict"><span>{note}</span></summary>'
        proof = f"<details {place}>{summary}{_proof_html(paper, evidence)}</details>"
    return (
        f'<li class="pc-item" data-verdict="{doubted.verdict}">'
        f'<p class="pc-title">{html_text(source.title)}&#160;{_marker_html(source.n, name)}</p>'
        f"{''.join(map(_quotation_html, statements))}{proof}</li>"
    )


def _near_html(answer: Answer, name: str) -> str:
    """The near misses of a list, to be looked into and told apart from what was counted."""
    papers = {hit.paper.id: hit.paper for hit in answer.retrieved}
    items = "".join(
        f'<li><details class="pc-source" id="{name}-near-{place}"><summary>'
        f'<span class="pc-title">{html_text(one.title)}</span></summary>'
        f"{_proof_html(papers[one.paper_id], ())}</details></li>"
        if one.paper_id in papers
        else f'<li><span class="pc-title">{html_text(one.title)}</span></li>'
        for place, one in enumerate(answer.near, 1)
    )
    heading = f"<h3>{CLOSE}</h3>"
    return f'<div class="pc-near">{heading}<ul>{items}</ul></div>' if items else ""


def _folded(html: str, summary: str, id: str) -> str:
    """*html* behind a line to click; nothing if there is nothing to fold."""
    if not html:
        return ""
    return f'<details class="pc-more" id="{id}"><summary>{summary}</summary>{html}</details>'


def _sources_html(answer: Answer, sources: Sequence[Source], name: str) -> str:
    papers = {hit.paper.id: hit.paper for hit in answer.retrieved}
    evidence: dict[str, list[Evidence]] = {}
    for citation in _cited(answer):
        evidence.setdefault(citation.paper_id, []).extend(citation.evidence)
    # The first is open: nobody should have to look for the proof. A table prefers no side.
    opened = 0 if answer.table is not None else 1
    items = [
        _source_html(
            source,
            papers.get(source.paper_id),
            evidence.get(source.paper_id, []),
            name,
            opened=source.n == opened,
        )
        for source in sources
    ]
    shown, folded = "".join(items[:UNFOLDED]), "".join(items[UNFOLDED:])
    folded = _folded(folded, f"Show the other {len(items) - UNFOLDED:,}", f"{name}-sources")
    heading = _sources_heading(answer)
    told = f"<h3>{heading}</h3>{shown}{folded}"
    return f'<aside class="pc-sources" aria-label="{heading}">{told}</aside>'


def _source_html(
    source: Source,
    paper: Paper | None,
    evidence: Sequence[Evidence],
    name: str,
    *,
    opened: bool,
) -> str:
    """One source: its number and title, and inside it the abstract with the evidence marked."""
    state = " open" if opened and evidence else ""
    return (
        f'<details class="pc-source" id="{name}-source-{source.n}"{state}>'
        f'<summary><span class="pc-number">[{source.n}]</span> '
        f'<span class="pc-title">{html_text(source.title)}</span></summary>'
        f"{_proof_html(paper, evidence)}</details>"
    )


def _proof_html(paper: Paper | None, evidence: Sequence[Evidence]) -> str:
    """The abstract with the evidence marked; the evidence alone if the paper is not at hand."""
    if paper is None:
        return "".join(f"<p><mark>{html_text(span.text)}</mark></p>" for span in evidence)
    abstract = "".join(_marked(paper.abstract, evidence))
    return f'{_about(paper)}<p class="pc-abstract">{abstract}</p>'


def _about(paper: Paper) -> str:
    """Who wrote the paper and when, as far as its file says."""
    known = [", ".join(paper.authors), "" if paper.year is None else str(paper.year)]
    words = " · ".join(filter(None, known))
    return f'<p class="pc-about">{html_text(words)}</p>' if words else ""


def _marked(abstract: str, evidence: Iterable[Evidence]) -> Iterator[str]:
    """The abstract in pieces, the evidence highlighted; a span that does not fit is left out."""
    spans = {(e.start, e.end) for e in evidence if abstract[e.start : e.end] == e.text != ""}
    at = 0
    for start, end in sorted(spans):
        if end <= at:
            continue
        start = max(start, at)
        yield _piece(abstract[at:start])
        yield f"<mark>{_piece(abstract[start:end])}</mark>"
        at = end
    yield _piece(abstract[at:])


def _piece(text: str) -> str:
    """Like `html_text`, keeping the white space at the ends that parts it from its neighbours."""
    before = " " if text[:1].isspace() else ""
    after = " " if text.strip() and text[-1:].isspace() else ""
    return before + html_text(text) + after
