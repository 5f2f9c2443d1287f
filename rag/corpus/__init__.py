"""From files and folders to papers, each once, with a reason for every record left out.

`files` finds what there is to read, `stream` opens, expands and decodes it, one module per family
of formats turns it into records, and `record` turns a record into a paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.corpus import objects, plain, references, tables
from rag.corpus.files import Found, find
from rag.corpus.record import Problem, Record, to_paper
from rag.corpus.stream import Text, opened
from rag.errors import CorpusError
from rag.text import digest
from rag.types import Corpus, Paper, Rejected

__all__ = ["read"]

REJECTED_LIMIT = 1_000_000  # of one file: archives hold many records without an abstract
_NOT_PAPERS = f"has more than {REJECTED_LIMIT:,} records that are not papers; check what it holds."

_READERS: dict[str, Callable[[Text], Iterator[Record | Problem]]] = {
    ".txt": plain.read,
    ".jsonl": objects.read_lines,
    ".json": objects.read_document,
    ".csv": tables.read_commas,
    ".tsv": tables.read_tabs,
    ".bib": references.read_bibtex,
    ".ris": references.read_ris,
}


@dataclass(slots=True)
class _Shelf:
    """Papers in reading order, each once, and what is to be said of the rest."""

    rejected: list[Rejected]
    notes: list[str]
    papers: dict[str, Paper] = field(default_factory=dict)  # by id
    records: int = 0
    line: int = 1  # where reading has come to in the present file

    def add(self, paper: Paper) -> None:
        """Put *paper* on the shelf, or together with the one of the same title."""
        self.records += 1
        known = self.papers.setdefault(paper.id, paper)
        if known is paper:
            return
        if paper.abstract != known.abstract:
            longer = "this one" if len(paper.abstract) > len(known.abstract) else "the one before"
            self.notes.append(
                f"{paper.sources[0]}:{self.line}: a second abstract under the title "
                f"'{paper.title}'; {longer} was kept."
            )
        self.papers[paper.id] = _merged(known, paper)


def read(paths: Sequence[Path], on_file: Callable[[str, int, int], None] | None = None) -> Corpus:
    """Read the papers in *paths*, files or folders, in the order given; folders sorted by name.

    *on_file* is told of each file as it is begun: its name, its number from 1, how many there are.
    A record that cannot be a paper is rejected and the rest goes in; so is a file, found in a
    folder, that cannot be read. Raises CorpusError for a path that cannot be read itself, and
    for a folder with nothing in it that can.
    """
    search = find(paths)
    shelf = _Shelf(rejected=search.rejected, notes=search.notes)
    failures: list[CorpusError] = []
    for number, file in enumerate(search.files, 1):
        if on_file:
            on_file(file.source, number, len(search.files))
        try:
            _read_file(file, shelf)
        except CorpusError as error:
            if file.named:
                raise
            failures.append(error)
            shelf.rejected.append(Rejected(file.source, shelf.line, error.problem))
    if failures and len(failures) == len(search.files) and not shelf.records:
        raise failures[0]
    return Corpus(
        tuple(shelf.papers.values()), tuple(shelf.rejected), shelf.records, tuple(shelf.notes)
    )


def _read_file(file: Found, shelf: _Shelf) -> None:
    """Put what *file* holds on *shelf*, as far as it can be read."""
    shelf.line = 1
    records, rejected = shelf.records, len(shelf.rejected)
    with opened(file.path) as text:
        for item in _READERS[file.kind](text):
            shelf.line = item.line
            found = to_paper(item, file.source) if isinstance(item, Record) else item
            if isinstance(found, Paper):
                shelf.add(found)
            else:
                shelf.rejected.append(Rejected(file.source, found.line, found.reason))
            if len(shelf.rejected) - rejected > REJECTED_LIMIT:
                raise CorpusError(file.path, _NOT_PAPERS)
        shelf.notes += [f"{file.source}: {note}" for note in text.notes]
    if (shelf.records, len(shelf.rejected)) == (records, rejected):
        shelf.rejected.append(Rejected(file.source, 1, "no paper in the file"))


def _merged(known: Paper, new: Paper) -> Paper:
    """One paper of two under the same title: the longer abstract, and what either knows."""
    abstract = new.abstract if len(new.abstract) > len(known.abstract) else known.abstract
    return replace(
        known,
        abstract=abstract,
        content_hash=digest(known.title, abstract),
        sources=tuple(sorted({*known.sources, *new.sources})),
        external_id=known.external_id or new.external_id,
        year=known.year or new.year,
        authors=known.authors or new.authors,
        url=known.url or new.url,
    )
