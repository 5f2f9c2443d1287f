"""Files of reference managers: BibTeX and RIS."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rag.corpus.record import ABSTRACT_LIMIT, Problem, Record, record
from rag.corpus.stream import Text

if TYPE_CHECKING:
    from bibtexparser.model import Block, Entry

_VERBATIM = {"url", "doi", "eprint", "arxivid"}
_TEX_MARKS = re.compile(r"[\\{}]")
_BARE_PERCENT = re.compile(r"(?<!\\)%")
_RIS_TAG = re.compile(r"^([A-Z][A-Z0-9]) {1,2}-(?: |$)", re.MULTILINE)
_RIS_START = re.compile(r"^TY  - ", re.MULTILINE)
_RIS_END = "\nER  - \n"


def read_bibtex(text: Text) -> Iterator[Record | Problem]:
    """The entries of a `.bib` file, with TeX's spelling of letters undone; formulas stay."""
    # late, here and below: only those who have such files wait for the parsers
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.exceptions import ParsingException
    from bibtexparser.model import Entry, ParsingFailedBlock

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # what it warns of, we reject
    try:
        library = parse_string(text.whole().replace("\r\n", "\n"), parse_stack=[])
    except (ParsingException, RecursionError):
        yield Problem(1, "not readable as BibTeX")
        return
    blocks = [_even_if_repeated(block) for block in library.blocks]
    keys = _unwrap([block for block in blocks if isinstance(block, Entry)], library.strings)
    plain = _plain_text()
    for block in blocks:
        line = (block.start_line or 0) + 1
        if isinstance(block, Entry):
            yield record(line, {"key": keys[block.key], **_fields(block, plain)})
        elif isinstance(block, ParsingFailedBlock):
            yield Problem(line, "an entry that is not valid BibTeX")


def _even_if_repeated(block: Block) -> Block:
    """The entry in a block that only fails because its key, or a field, was there before."""
    from bibtexparser.model import ParsingFailedBlock

    inner = block.ignore_error_block if isinstance(block, ParsingFailedBlock) else None
    return inner or block


def _unwrap(entries: list[Entry], strings: Sequence[Block]) -> dict[str, str]:
    """Take braces and quotes off the values, in place; gives each entry's key by its new one."""
    from bibtexparser.library import Library
    from bibtexparser.middlewares.parsestack import default_parse_stack

    keys = {str(number): entry.key for number, entry in enumerate(entries)}
    for number, entry in enumerate(entries):
        entry.key = str(number)  # a library wants different ones
    library = Library([*strings, *entries])
    for middleware in default_parse_stack(allow_inplace_modification=True):
        library = middleware.transform(library)
    return keys


def _fields(entry: Entry, plain: Callable[[str], str]) -> dict[str, object]:
    """The fields of *entry* as text, the authors as a list."""
    from bibtexparser.middlewares.names import split_multiple_persons_names

    fields: dict[str, object] = {}
    for field in entry.fields:
        name, value = field.key.lower(), str(field.value)
        if name in _VERBATIM:
            fields[name] = _TEX_MARKS.sub("", value)
        elif name == "author":
            fields[name] = [plain(person) for person in split_multiple_persons_names(value)]
        else:
            fields[name] = plain(value)
    return fields


def _plain_text() -> Callable[[str], str]:
    """From TeX to plain text; where that fails, only braces and backslashes go."""
    from pylatexenc.latex2text import LatexNodes2Text

    tex = LatexNodes2Text(math_mode="verbatim", keep_comments=True)

    def plain(text: str) -> str:
        if not _TEX_MARKS.search(text) or len(text) > ABSTRACT_LIMIT:
            return text
        try:
            # Exports often leave per cent signs bare, and TeX would drop the rest of the line.
            return str(tex.latex_to_text(_BARE_PERCENT.sub(r"\%", text)))
        except (ValueError, LookupError, RecursionError):
            return _TEX_MARKS.sub("", text)

    return plain


def read_ris(text: Text) -> Iterator[Record | Problem]:
    """The records of a `.ris` file, from `TY` to `ER` or to the next `TY`."""
    whole = _RIS_TAG.sub(r"\1  - ", text.whole().replace("\r\n", "\n"))
    starts = [match.start() for match in _RIS_START.finditer(whole)]
    if not starts:
        yield Problem(1, "no line begins with 'TY  - ', as each record of RIS does")
        return
    line, counted = 1, 0
    for start, end in zip(starts, [*starts[1:], len(whole)], strict=True):
        line, counted = line + whole.count("\n", counted, start), start
        yield _of_ris(line, whole[start:end])


def _of_ris(line: int, text: str) -> Record | Problem:
    """One record; rispy drops one that is not ended, and does not say on which line it was."""
    import rispy

    try:
        found = rispy.loads(text.rstrip() + _RIS_END, enforce_list_tags=False)
    except (ValueError, LookupError, TypeError, AttributeError):
        return Problem(line, "a record that is not valid RIS")
    return record(line, found[0]) if found else Problem(line, "a record that is not valid RIS")
