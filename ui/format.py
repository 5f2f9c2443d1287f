"""One answer, three ways to show it: Markdown, the record of the contract, and HTML for the page.

Titles, abstracts, questions and a model's words are other people's text. Whatever they hold, they
are shown as text: never as formatting, markup, a link, a formula or a terminal's control code.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from rag.types import (
    Answer,
    Cell,
    Citation,
    Evidence,
    Hit,
    Paper,
    Source,
    Statement,
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
    """Whether the statement's words stand in the evidence it cites."""
    words = plain(statement.text)
    spans = (plain(span.text) for cited in statement.citations for span in cited.evidence)
    return bool(words) and any(words in span for span in spans)


def _proof(statement: Statement) -> str:
    return VERBATIM if is_verbatim(statement) else SUPPORTED


def _shown_sources(answer: Answer) -> tuple[Source, ...]:
    """The sources a person is shown: a refusal has some only where papers are at hand."""
    return answer.sources if answer.abstention in {None, "not_stated"} else ()


def _sources_heading(answer: Answer) -> str:
    return "Papers at hand" if answer.abstained else "Sources"


def _numbers(statement: Statement) -> list[int]:
    return list(dict.fromkeys(citation.n for citation in statement.citations))


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
    text = _MARKUP.sub(r"\\\g<0>", plain(text))
    return _TAG.sub("&lt;", _ENTITY.sub("&amp;", text))


def _paragraph(text: str) -> str:
    return _OPENS_A_BLOCK.sub(r"\1\\", escaped(text))


def markdown(answer: Answer) -> str:
    """What a person is shown for *answer*, as Markdown with [n] markers and nothing internal.

    A statement in a paper's own words is a quotation, any other a paragraph; a doubt about one is
    said beside it. The titles behind the markers follow; for `not_stated`, the papers at hand.
    """
    blocks = [_paragraph(line) for line in answer.message.splitlines() if plain(line)]
    blocks += [_statement_markdown(statement) for statement in answer.statements]
    sources = _shown_sources(answer)
    if sources:
        lines = [f"- [{source.n}] {escaped(source.title)}" for source in sources]
        blocks += [f"**{_sources_heading(answer)}**", "\n".join(lines)]
    return "\n\n".join(blocks)


def _statement_markdown(statement: Statement) -> str:
    quote = "> " if is_verbatim(statement) else ""
    markers = "".join(f" [{n}]" for n in _numbers(statement))
    said = f"{quote}{_paragraph(statement.text)}{markers}"
    doubt = _doubt(statement)
    # a paragraph of its own: a mark left alone in the one finds no partner in the other
    return f"{said}\n\n({escaped(doubt)}.)" if doubt else said


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
    written (None: all); sources appear with the first statement that cites them.
    """
    statements = answer.statements[:shown]
    complete = len(statements) == len(answer.statements)
    words = [_message_html(answer), *(_statement_html(each, name) for each in statements)]
    cited = {citation.n for each in statements for citation in each.citations}
    listed = [source for source in _shown_sources(answer) if complete or source.n in cited]
    main = f'<div class="pc-words">{"".join(words)}</div>'
    return main + (_sources_html(answer, listed, name) if listed else "")


def _message_html(answer: Answer) -> str:
    said = filter(None, map(html_text, answer.message.splitlines()))
    lines = "".join(f"<p>{line}</p>" for line in said)
    if answer.abstention is not None:
        kind, words = answer.abstention, ABSTAINED[answer.abstention]
        return f'<div class="pc-abstained" data-kind="{kind}"><h3>{words}</h3>{lines}</div>'
    return f'<div class="pc-message">{lines}</div>' if lines else ""


def _statement_html(statement: Statement, name: str) -> str:
    tag = "blockquote" if is_verbatim(statement) else "p"
    markers = " ".join(_marker_html(n, name) for n in _numbers(statement))
    note = html_text(_doubt(statement) or _proof(statement))
    return (
        f'<div class="pc-statement" data-verdict="{statement.verdict}">'
        f"<{tag}>{html_text(statement.text)}&#160;{markers}</{tag}>"
        f'<p class="pc-verdict">{note}</p></div>'
    )


def _marker_html(n: int, name: str) -> str:
    target = f"{name}-source-{n}"
    return f'<a class="pc-marker" href="#{target}" aria-label="Source {n}">[{n}]</a>'


def _sources_html(answer: Answer, sources: Sequence[Source], name: str) -> str:
    papers = {hit.paper.id: hit.paper for hit in answer.retrieved}
    evidence: dict[str, list[Evidence]] = {}
    for statement in answer.statements:
        for citation in statement.citations:
            evidence.setdefault(citation.paper_id, []).extend(citation.evidence)
    items = "".join(
        _source_html(source, papers.get(source.paper_id), evidence.get(source.paper_id, []), name)
        for source in sources
    )
    heading = _sources_heading(answer)
    return f'<aside class="pc-sources" aria-label="{heading}"><h3>{heading}</h3>{items}</aside>'


def _source_html(
    source: Source, paper: Paper | None, evidence: Sequence[Evidence], name: str
) -> str:
    """One source: its number and title, and inside it the abstract with the evidence marked."""
    about = _about(paper)
    if paper is not None:
        body = f'<p class="pc-abstract">{"".join(_marked(paper.abstract, evidence))}</p>'
    else:
        body = "".join(f"<p><mark>{html_text(span.text)}</mark></p>" for span in evidence)
    # The first is open: nobody should have to look for the proof.
    opened = " open" if source.n == 1 and evidence else ""
    return (
        f'<details class="pc-source" id="{name}-source-{source.n}"{opened}>'
        f'<summary><span class="pc-number">[{source.n}]</span> '
        f'<span class="pc-title">{html_text(source.title)}</span></summary>'
        f"{about}{body}</details>"
    )


def _about(paper: Paper | None) -> str:
    """Who wrote the paper and when, as far as its file says."""
    if paper is None:
        return ""
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
