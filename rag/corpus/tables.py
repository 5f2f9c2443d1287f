"""Tables with a header line: comma-, semicolon- or tab-separated."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress

from rag.corpus.record import Problem, Record, has_paper_names, record
from rag.corpus.stream import LINE_LIMIT, Text

FIELD_LIMIT = 2_000_000  # characters; a quote that is never closed is noticed here at the latest


class _Lines:
    """Lines for the csv reader that can be given back, to go on after a quote left open."""

    def __init__(self, text: Text) -> None:
        self.taken: list[str] = []  # since the last row
        self.line = 1  # where the row begins
        self.too_long: list[int] = []
        self._lines, self._returned = text.lines(), deque[str]()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self.taken.append(self._returned.popleft() if self._returned else self._read())
        return self.taken[-1]

    def _read(self) -> str:
        number, line = next(self._lines)
        if line is None:
            self.too_long.append(number)
        return f"{line or ''}\n"

    def next_row(self) -> None:
        """Begin a row at the line after those taken."""
        self.line += len(self.taken)
        self.taken = []

    def give_back(self) -> None:
        """Let all lines but the first of this row be read again."""
        self._returned.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def read_commas(text: Text) -> Iterator[Record | Problem]:
    """The records of a `.csv` file; spreadsheets of some countries separate by semicolons."""
    return _read(text, ",;\t")


def read_tabs(text: Text) -> Iterator[Record | Problem]:
    """The records of a `.tsv` file, with or without quotes."""
    return _read(text, "\t,;")


def _read(text: Text, separators: str) -> Iterator[Record | Problem]:
    csv.field_size_limit(FIELD_LIMIT)
    lines = _Lines(text)
    separator, names = _header(next(filter(str.strip, lines), ""), separators)
    if not names:
        yield Problem(1, "the first line does not name the columns 'title' and 'abstract'")
        return
    lines.next_row()
    for row in _rows(lines, separator, len(names)):
        if isinstance(row, str):
            yield Problem(lines.line, row)
        elif any(map(str.strip, row)):
            yield record(lines.line, dict(zip(names, row, strict=False)))
        lines.next_row()
    for number in lines.too_long:
        yield Problem(number, f"the line is longer than {LINE_LIMIT:,} bytes")


def _header(line: str, separators: str) -> tuple[str, list[str]]:
    """The separator and the column names; no names if there is no title or no abstract."""
    for separator in separators:
        with suppress(csv.Error):
            names = next(_reader([line], separator), [])
            if has_paper_names(names):
                return separator, names
    return separators[0], []


def _reader(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)


def _rows(lines: _Lines, separator: str, columns: int) -> Iterator[list[str] | str]:
    """The rows, or what is wrong with one; a row that cannot be right takes one line only."""
    while True:
        try:
            row = next(_reader(lines, separator), None)
            if row is None:
                return
            wrong = f"{len(row)} columns, but the first line names {columns}"
            wrong = wrong if any(row[columns:]) else ""
        except csv.Error as error:
            row, wrong = [], f"not a row of a table ({error})"
        if wrong:
            lines.give_back()
            row = lines.taken[0].rstrip("\n").split("\t")  # quotes may just be quotes here
            yield row if separator == "\t" and len(row) == columns else wrong
        else:
            yield row
