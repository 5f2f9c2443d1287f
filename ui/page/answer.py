"""One answer as HTML: statements with their verdicts, and the proof that each marker opens.

Every [n] is a link to a source of the same answer. A source holds its abstract out of sight, with
the evidence marked and each mark saying which statements it is for: the page's script shows it in
the evidence panel without asking the server.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.types import Answer, Cell, Citation, Evidence, Paper, Source, Statement, Subject, Table
from ui.format import (
    ABSTAINED,
    CLOSE,
    NOT_HERE,
    NOTHING_LISTED,
    REMOVED,
    UNFOLDED,
    caution,
    doubt,
    is_verbatim,
    labelled,
    listed_in,
    number_of,
    parts_of,
    plain,
    proof,
    sources_heading,
    unlisted_in,
    unsaid,
)

NEAREST = 3
"""How many papers an abstention offers."""

WITH_ABSTRACT = 100
"""Papers of a list that carry their abstract; a page with thousands would be slow."""

CHANGED = "The source has changed since this answer; this is the abstract that it was made from."
GONE = "This paper is no longer in the collection; this is the abstract as it was."

# Beyond what HTML needs: what a template engine between us and the page might act on.
_TEMPLATE = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;"})
_OFFERED = "Nearest papers here, though none may be about it"


def html_text(text: str) -> str:
    """Write *text* so that HTML shows it as it is, in an element or a quoted attribute.

    >>> html_text('<b title="x">${1}')
    '&lt;b title=&quot;x&quot;&gt;&#36;&#123;1&#125;'
    """
    return html.escape(plain(text), quote=True).translate(_TEMPLATE)


def escaped_lines(text: str) -> str:
    """Write *text*, of which every line is plain already, so that HTML shows it line by line."""
    return html.escape(text, quote=True).translate(_TEMPLATE)


def html_answer(
    answer: Answer, name: str, shown: int | None = None, notes: Mapping[str, str] | None = None
) -> str:
    """The answer as HTML: statements with [n] markers, sources with their evidence out of sight.

    *name* prefixes the ids, so that the markers of several answers on a page lead to their own
    sources; it must be letters, digits and hyphens. *shown* limits how many statements are
    written (None: all); sources appear with the first statement that cites them. A table is
    there from the start. *notes* says of a paper id what has become of it since.
    """
    so_far = replace(answer, statements=answer.statements[:shown])
    complete = len(so_far.statements) == len(answer.statements)
    return _Page(so_far, name, notes or {}, complete).html()


PENDING = "Being written, not checked yet:"


class _Page:
    """One answer being written: what its parts share."""

    def __init__(self, answer: Answer, name: str, notes: Mapping[str, str], complete: bool) -> None:
        self.answer, self.name, self.notes, self.complete = answer, name, notes, complete
        self.listed = listed_in(answer)
        self.statements, self.sources = unlisted_in(answer, self.listed)
        self.papers = {hit.paper.id: hit.paper for hit in answer.retrieved}
        self.keys = {id(one): str(at) for at, one in enumerate(answer.statements, 1)}
        self.evidence: dict[str, list[tuple[Evidence, str]]] = {}
        for key, citation in self._cited():
            spans = ((span, key) for span in citation.evidence)
            self.evidence.setdefault(citation.paper_id, []).extend(spans)
        if not complete:
            cited = {citation.n for _, citation in self._cited()}
            self.sources = tuple(source for source in self.sources if source.n in cited)

    def _cited(self) -> Iterator[tuple[str, Citation]]:
        """Every citation of the answer, those in its table included, with the key of its place."""
        for statement in self.answer.statements:
            for citation in statement.citations:
                yield self.keys[id(statement)], citation
        for side, row in enumerate(self.answer.table.cells if self.answer.table else ()):
            for axis, cell in enumerate(row):
                for citation in cell.citations:
                    yield _cell_key(side, axis), citation

    def html(self) -> str:
        answer = self.answer
        top = _read_as(answer) + _message(answer)
        words = "".join(self._statements()) + self._list() + _pending(answer)
        if self.complete:
            words += self._near() + self._nearest() + _removed(answer) + _notice(answer)
        main = f'<div class="pc-words">{top}{words}</div>'
        if answer.table is not None:
            table = self._table(answer.table)
            main = f'<div class="pc-side-by-side">{top}{table}</div>'
            main += f'<div class="pc-words">{words}</div>' if words else ""
        return main + self._sources()

    # --- Statements -------------------------------------------------------------------------------

    def _statements(self) -> Iterator[str]:
        for label, statement in labelled(self.statements):
            if label:
                yield f'<h3 class="pc-label">{html_text(label)}</h3>'
            yield (
                f'<div class="pc-statement" data-verdict="{statement.verdict}">'
                f"{self._quotation(statement, marked=True)}{_verdict(statement)}</div>"
            )

    def _quotation(self, statement: Statement, *, marked: bool) -> str:
        """The statement's words; unless they are *marked*, its markers stand elsewhere."""
        tag = "blockquote" if is_verbatim(statement) else "p"
        key = self.keys[id(statement)]
        return "".join(
            f"<{tag}>{html_text(text)}{self._markers(numbers, key) if marked else ''}</{tag}>"
            for text, numbers in parts_of(statement.text, statement.citations)
        )

    def _markers(self, numbers: Iterable[int], key: str) -> str:
        """The markers of what is cited, kept on the line of the last word before them."""
        markers = " ".join(self._marker(n, key) for n in numbers)
        return f"&#160;{markers}" if markers else ""

    def _marker(self, n: int, key: str = "") -> str:
        return (
            f'<a class="pc-marker" href="#{self.name}-source-{n}" data-at="{key}"'
            f' aria-label="Evidence in source {n}">[{n}]</a>'
        )

    # --- Tables -----------------------------------------------------------------------------------

    def _table(self, table: Table) -> str:
        """The comparison, in a box that scrolls where the page is too narrow for it."""
        heads = "".join(map(self._head, table.subjects))
        rows = "".join(self._row(table, place) for place in range(len(table.axes)))
        return (
            '<div class="pc-scroll" role="region" aria-label="Comparison" tabindex="0">'
            f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        )

    def _head(self, subject: Subject) -> str:
        """The name of a thing compared, over the title of the paper that is about it."""
        said, under = html_text(subject.name), html_text(subject.title or "")
        if not subject.found:
            return f'<th scope="col" class="pc-missing">{said}<span>{NOT_HERE}</span></th>'
        n = number_of(subject, self.answer)
        marker = "" if n is None else f"&#160;{self._marker(n)}"
        title = f"<span>{under}</span>" if under.casefold() != said.casefold() else ""
        return f'<th scope="col">{said}{marker}{title}</th>'

    def _row(self, table: Table, place: int) -> str:
        """What is said on one axis, and under it why the figures cannot be compared."""
        cells = zip(table.subjects, (row[place] for row in table.cells), strict=True)
        told = "".join(self._cell(*cell, _cell_key(at, place)) for at, cell in enumerate(cells))
        axis, why = html_text(table.axes[place]), html_text(caution(table, place))
        if not why:
            return f'<tr><th scope="row">{axis}</th>{told}</tr>'
        across = f'<td colspan="{len(table.subjects)}"><span>{why}</span></td>'
        row = f'<tr><th scope="row" rowspan="2">{axis}</th>{told}</tr>'
        return f'{row}<tr class="pc-caution">{across}</tr>'

    def _cell(self, subject: Subject, cell: Cell, key: str) -> str:
        if not cell.stated:
            kind = "pc-unsaid" if subject.found else "pc-unsaid pc-missing"
            return f'<td class="{kind}">{html_text(unsaid(subject, cell))}</td>'
        told = (
            f"“{html_text(text)}”{self._markers(numbers, key)}"
            for text, numbers in parts_of(cell.text, cell.citations)
        )
        return f"<td>{' '.join(told)}</td>"

    # --- Lists ------------------------------------------------------------------------------------

    def _list(self) -> str:
        """The papers of a list, each with its quotation; from the eleventh on folded."""
        wanted = {source.paper_id for source in list(self.listed)[:WITH_ABSTRACT]}
        items = [
            self._item(source, statements, source.paper_id in wanted)
            for source, statements in self.listed.items()
        ]
        first, rest = "".join(items[:UNFOLDED]), "".join(items[UNFOLDED:])
        shown = f'<ol class="pc-list">{first}</ol>' if first else ""
        folded = f'<ol class="pc-list" start="{UNFOLDED + 1}">{rest}</ol>' if rest else ""
        return shown + _folded(folded, f"Show the other {len(items) - UNFOLDED:,}", self.name)

    def _item(self, source: Source, statements: Sequence[Statement], with_abstract: bool) -> str:
        """One paper of a list, with what qualifies it."""
        doubted = next((one for one in statements if doubt(one)), statements[0])
        marker = self._marker(source.n, self.keys[id(doubted)])
        quoted = "".join(self._quotation(one, marked=False) for one in statements)
        proof_of = self._proof(source, with_abstract=with_abstract)
        return (
            f'<li class="pc-item" data-verdict="{doubted.verdict}">'
            f'<div class="pc-source" id="{self.name}-source-{source.n}">'
            f'<p class="pc-title">{html_text(source.title)}&#160;{marker}</p>'
            f"{proof_of}</div>{quoted}{_verdict(doubted)}</li>"
        )

    # --- Sources ----------------------------------------------------------------------------------

    def _sources(self) -> str:
        items = [self._source(source) for source in self.sources]
        if not items:
            return ""
        shown, folded = "".join(items[:UNFOLDED]), "".join(items[UNFOLDED:])
        folded = f"<ul>{folded}</ul>" if folded else ""
        folded = _folded(folded, f"Show the other {len(items) - UNFOLDED:,}", f"{self.name}-more")
        heading = sources_heading(self.answer)
        return (
            f'<div class="pc-sources" role="group" aria-label="{heading}"><h3>{heading}</h3>'
            f"<ul>{shown}</ul>{folded}</div>"
        )

    def _source(self, source: Source) -> str:
        place = f"{self.name}-source-{source.n}"
        return (
            f'<li class="pc-source" id="{place}"><a class="pc-open" href="#{place}">'
            f'<span class="pc-number">[{source.n}]</span> '
            f'<span class="pc-title">{html_text(source.title)}</span></a>'
            f"{self._proof(source)}</li>"
        )

    def _near(self) -> str:
        """The near misses of a list, to be looked into and told apart from what was counted."""
        return self._offered(self.answer.near, CLOSE, "near")

    def _nearest(self) -> str:
        """What an abstention without papers at hand offers: the best of what was found."""
        if self.answer.abstention not in {"no_paper", "off_topic"} or self.answer.near:
            return ""
        hits = self.answer.retrieved[:NEAREST]
        nearest = [Source(at, hit.paper.id, hit.paper.title) for at, hit in enumerate(hits, 1)]
        return self._offered(nearest, _OFFERED, "near")

    def _offered(self, sources: Sequence[Source], heading: str, name: str) -> str:
        items = ""
        for at, one in enumerate(sources, 1):
            place = f"{self.name}-{name}-{at}"
            items += (
                f'<li class="pc-source" id="{place}"><a class="pc-open" href="#{place}">'
                f'<span class="pc-title">{html_text(one.title)}</span></a>{self._proof(one)}</li>'
            )
        return f'<div class="pc-near"><h3>{heading}</h3><ul>{items}</ul></div>' if items else ""

    def _proof(self, source: Source, *, with_abstract: bool = True) -> str:
        """What the evidence panel shows of a paper; the evidence alone if it is not at hand."""
        paper = self.papers.get(source.paper_id) if with_abstract else None
        evidence = self.evidence.get(source.paper_id, [])
        note = html_text(self.notes.get(source.paper_id, ""))
        said = f'<p class="pc-changed">{note}</p>' if note else ""
        return f'<div class="pc-proof" hidden>{said}{html_proof(paper, evidence)}</div>'


def html_proof(paper: Paper | None, evidence: Sequence[tuple[Evidence, str]]) -> str:
    """The abstract with the *evidence* marked, each mark with the keys of what it is for."""
    if paper is None:
        return "".join(
            f'<p><mark data-for="{key}">{html_text(span.text)}</mark></p>' for span, key in evidence
        )
    abstract = "".join(_marked(paper.abstract, evidence))
    return f'{about(paper)}<p class="pc-abstract">{abstract}</p>'


def about(paper: Paper) -> str:
    """Who wrote the paper and when, as far as its file says."""
    known = [", ".join(paper.authors), "" if paper.year is None else str(paper.year)]
    words = " · ".join(filter(None, known))
    return f'<p class="pc-about">{html_text(words)}</p>' if words else ""


def _cell_key(side: int, axis: int) -> str:
    return f"c{side}-{axis}"


def _verdict(statement: Statement) -> str:
    """The verdict as a badge with a sign and words of its own, and its reasons after it."""
    words, _, reasons = doubt(statement).partition(": ")
    said = html_text(words or proof(statement))
    why = f'<span class="pc-reasons">: {html_text(reasons)}</span>' if reasons else ""
    return f'<p class="pc-verdict"><span class="pc-badge">{said}</span>{why}</p>'


def _read_as(answer: Answer) -> str:
    """The question as it was understood, if that is not as it was asked."""
    read_as = plain(answer.standalone_question)
    if not read_as or read_as.casefold() == plain(answer.question).casefold():
        return ""
    return f'<p class="pc-read-as">Read as: {html_text(read_as)}</p>'


def _message(answer: Answer) -> str:
    said = filter(None, map(html_text, answer.message.splitlines()))
    lines = "".join(f"<p>{line}</p>" for line in said)
    if answer.abstention is not None:
        kind, words = answer.abstention, ABSTAINED[answer.abstention]
        words = NOTHING_LISTED if answer.shape == "list" and kind == "no_paper" else words
        return f'<div class="pc-abstained" data-kind="{kind}"><h3>{words}</h3>{lines}</div>'
    return f'<div class="pc-message">{lines}</div>' if lines else ""


def _removed(answer: Answer) -> str:
    """What the check took out of a model's words, struck through, behind a line to click."""
    items = "".join(
        f"<li><del>{html_text(one.text)}</del><p>{html_text(doubt(one))}</p></li>"
        for one in answer.removed
    )
    if not items:
        return ""
    heading = f"{REMOVED} ({len(answer.removed):,})"
    return f'<details class="pc-removed"><summary>{heading}</summary><ul>{items}</ul></details>'


def _pending(answer: Answer) -> str:
    """The words of the sentence that is being written, under a line that says what they are."""
    words = html_text(answer.pending)
    if not words:
        return ""
    return f'<p class="pc-pending" aria-hidden="true"><small>{PENDING}</small> <i>{words}…</i></p>'


def _notice(answer: Answer) -> str:
    notice = html_text(answer.notice)
    return f'<p class="pc-notice" role="status">{notice}</p>' if notice else ""


def _folded(html: str, summary: str, name: str) -> str:
    """*html* behind a line to click; nothing if there is nothing to fold."""
    if not html:
        return ""
    return f'<details class="pc-more" id="{name}-rest"><summary>{summary}</summary>{html}</details>'


def _marked(abstract: str, evidence: Iterable[tuple[Evidence, str]]) -> Iterator[str]:
    """The abstract in pieces, the evidence highlighted; a span that does not fit is left out."""
    spans = [
        (span.start, span.end, key)
        for span, key in evidence
        if abstract[span.start : span.end] == span.text != ""
    ]
    cuts = sorted({0, len(abstract), *(cut for start, end, _ in spans for cut in (start, end))})
    for start, end in pairwise(cuts):
        keys = dict.fromkeys(key for first, last, key in spans if first <= start and end <= last)
        piece = _piece(abstract[start:end])
        yield f'<mark data-for="{" ".join(keys)}">{piece}</mark>' if keys else piece


def _piece(text: str) -> str:
    """Like `html_text`, keeping the white space at the ends that parts it from its neighbours."""
    before = " " if text[:1].isspace() else ""
    after = " " if text.strip() and text[-1:].isspace() else ""
    return before + html_text(text) + after
