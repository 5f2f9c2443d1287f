"""A conversation as a file: Markdown with its quotations, or the papers cited as BibTeX and CSV.

What papers and people wrote stays data in each: Markdown shows it as text, a spreadsheet computes
nothing of it, and no brace or backslash of it acts in LaTeX.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence

from rag.history import Kept
from rag.types import Answer, Citation, Paper
from ui.format import escaped, markdown, plain

KINDS = {"md": "text/markdown", "bib": "application/x-bibtex", "csv": "text/csv"}
"""The endings of the files, with their media types."""

_FORMULA = re.compile(r"[=+\-@\t\r]")
_LATEX = {
    "\\": r"\textbackslash ", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#",
    "$": r"\$", "_": r"\_", "~": r"\textasciitilde ", "^": r"\textasciicircum ",
}  # fmt: skip


def exported(kind: str, title: str, turns: Sequence[Kept]) -> str:
    """The conversation called *title* as a file of *kind*, one of KINDS."""
    answers = [turn.answer for turn in turns if turn.answer is not None]
    match kind:
        case "bib":
            return as_bibtex(answers)
        case "csv":
            return as_csv(answers)
    return as_markdown(title, turns)


def as_markdown(title: str, turns: Sequence[Kept]) -> str:
    """Every question with what was shown for it: quotations, markers and titles."""
    blocks = [f"# {escaped(title)}"]
    for turn in turns:
        blocks.append(f"## {escaped(turn.question)}")
        blocks.append(markdown(turn.answer) if turn.answer else escaped(turn.problem))
    return "\n\n".join(filter(None, blocks)) + "\n"


def as_csv(answers: Sequence[Answer]) -> str:
    """A row for every quotation that was shown, with the paper that it is from."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\r\n")
    rows.writerow(["question", "title", "authors", "year", "url", "quotation", "paper_id"])
    for answer, paper, citation in _cited(answers):
        for span in citation.evidence:
            told = [answer.question, paper.title, "; ".join(paper.authors), str(paper.year or "")]
            rows.writerow(map(cell, [*told, paper.url or "", span.text, paper.id]))
    return file.getvalue()


def cell(text: str) -> str:
    """*text* as a cell that a spreadsheet shows and does not compute.

    >>> cell("=HYPERLINK(1)"), cell("a, b")
    ("'=HYPERLINK(1)", 'a, b')
    """
    text = plain(text)
    return f"'{text}" if _FORMULA.match(text) else text


def as_bibtex(answers: Sequence[Answer]) -> str:
    """An entry for every paper that was cited, in the order of the conversation."""
    papers = {paper.id: paper for _, paper, _ in _cited(answers)}
    taken: dict[str, int] = {}
    return "\n".join(_entry(paper, taken) for paper in papers.values())


def _entry(paper: Paper, taken: dict[str, int]) -> str:
    key = _key(paper)
    taken[key] = taken.get(key, 0) + 1
    key += "" if taken[key] == 1 else f"-{taken[key]}"
    fields = {
        "title": f"{{{latex(paper.title)}}}",
        "author": " and ".join(map(latex, paper.authors)),
        "year": str(paper.year or ""),
        "url": re.sub(r"[{}\\%\s]", "", paper.url or ""),
        "abstract": latex(paper.abstract),
    }
    told = "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items() if text)
    return f"@misc{{{key},\n{told}}}\n"


def latex(text: str) -> str:
    r"""*text* so that BibTeX and LaTeX print it as it is.

    >>> latex("50% of {A_1}")
    '50\\% of \\{A\\_1\\}'
    """
    return "".join(_LATEX.get(letter, letter) for letter in plain(text))


def _key(paper: Paper) -> str:
    """A citation key of letters and digits: who, when, and the first word of the title."""
    who = paper.authors[0].split()[-1] if paper.authors and paper.authors[0].split() else ""
    words = re.findall(r"\w+", paper.title)
    made = f"{who}{paper.year or ''}{words[0] if words else ''}"
    letters = unicodedata.normalize("NFKD", made).encode("ascii", "ignore").decode()
    return re.sub(r"\W|_", "", letters).lower() or f"paper{paper.id[:8]}"


def _cited(answers: Sequence[Answer]) -> Iterator[tuple[Answer, Paper, Citation]]:
    """Every citation of every answer, those of its table included, with its paper."""
    for answer in answers:
        papers = {hit.paper.id: hit.paper for hit in answer.retrieved}
        cells = (cell for row in (answer.table.cells if answer.table else ()) for cell in row)
        told = [one.citations for one in answer.statements] + [one.citations for one in cells]
        for citation in (one for citations in told for one in citations):
            yield answer, papers.get(citation.paper_id) or _unknown(citation), citation


def _unknown(citation: Citation) -> Paper:
    """What a citation itself says of a paper that was not kept."""
    return Paper(citation.paper_id, citation.title, "", "")
