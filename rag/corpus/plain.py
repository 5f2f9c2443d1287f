"""Plain text: titles over abstracts, between the furniture of the page they were copied from.

Nothing is known about the wording of furniture. What tells an abstract is its form: sentences,
and more of them than anything else has. The piece before it is its title, and whatever is left
over before the first title is furniture. Between two papers a left-over piece can also be a title
that lost its abstract; `_left_over` tells the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median
from textwrap import shorten
from typing import NamedTuple

from rag.corpus.record import Problem, Record, record
from rag.corpus.stream import Text
from rag.errors import CorpusError

LINES_LIMIT = 5_000_000
SURELY_PROSE = 400  # characters: no title has as many
PROSE = 200  # characters: no title with a full stop has as many
SHORT_ABSTRACT = 80  # characters: an abstract among long ones has as many
SHORTER = 6  # times shorter than the others: more likely a sentence of the page
SENTENCE_WORDS = 4
TITLE_WORDS = 3  # what has fewer words, and is left over, is furniture
MANY = 3  # pieces left over in one place: more likely a page than titles
SHOWN = 60  # characters of a line in a note
WRAPPED = 40  # characters that lines broken to fit a page have on average, at least
WRAPPED_TITLE = 50  # the same for all but the last line of a title
TITLE_LINES = 3

_NEWLINE = re.compile(r"\r\n|\r|\n")
_FULL_STOP = re.compile(r"[.。][\"'”\u2019»)\]}]*$")
_SENTENCE_END = re.compile(r"[^\W_][)\]%”\"]?[.!?] +[A-Z\d(“\"]|。")
_HEADING = re.compile(r"abstract\s*[:.]?", re.IGNORECASE)
_DATE = re.compile(
    r"(?:[^\W\d]+,? )?(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
    r"|[^\W\d]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?"
    r"|\d{1,2}(?:st|nd|rd|th)?\.? [^\W\d]{3,9}\.?(?:,? \d{4})?)"
)


class Piece(NamedTuple):
    """Text that belongs together: a title, an abstract, or a line of furniture."""

    line: int  # where it begins, counts from 1
    text: str


def read(text: Text) -> Iterator[Record | Problem]:
    """The records of a `.txt` file."""
    whole = text.whole()
    if whole.count("\n") + whole.count("\r") > LINES_LIMIT:
        raise CorpusError(text.path, f"has more than {LINES_LIMIT:,} lines; split it.")
    pieces = list(_pieces(whole))
    abstracts = _abstracts(pieces)
    if not any(abstracts):
        yield Problem(pieces[0].line if pieces else 1, "no title followed by an abstract")
        return
    furniture: set[str] = set()
    waiting: list[Piece] = []
    first = True
    for piece, is_abstract in zip(pieces, abstracts, strict=True):
        if not is_abstract:
            waiting.append(piece)
            continue
        title = _title(waiting, furniture)
        yield from _left_over(waiting, furniture, text, leading=first)
        if title is None:
            yield Problem(piece.line, "an abstract, or a part of one, without a title above it")
        else:
            yield record(title.line, {"title": title.text, "abstract": piece.text})
        waiting, first = [], False
    yield from _left_over(waiting, furniture, text, leading=False)


def _title(waiting: list[Piece], furniture: set[str]) -> Piece | None:
    """Take the title off the end of *waiting*, unless what stands there is of the page."""
    if not waiting:
        return None
    last = waiting[-1].text
    of_page = _DATE.fullmatch(last) or (_is_crumb(last) and last in furniture)
    return None if of_page else waiting.pop()


def _left_over(
    pieces: Sequence[Piece], furniture: set[str], text: Text, *, leading: bool
) -> Iterator[Problem]:
    """Add *pieces* to *furniture*, or report them as titles if they look like nothing else."""
    if not pieces:
        return
    new = [piece for piece in pieces if piece.text not in furniture]
    certain = len(new) < len(pieces) or any(_is_crumb(piece.text) for piece in pieces)
    if not (leading or certain or len(pieces) >= MANY):
        for piece in pieces:
            yield Problem(piece.line, "a title without an abstract below it")
        return
    furniture.update(piece.text for piece in pieces)
    doubtful = [piece for piece in new if _is_sentence(piece.text)]
    if doubtful := doubtful or ([] if certain else new):
        line, shown = doubtful[0].line, shorten(doubtful[0].text, SHOWN, placeholder="…")
        text.notes.append(f"line {line} was taken for page furniture: '{shown}'.")


def _abstracts(pieces: Sequence[Piece]) -> list[bool]:
    """Which of *pieces* are abstracts."""
    prose = [_is_prose(piece.text) for piece in pieces]
    sentence = [_is_sentence(piece.text) for piece in pieces]
    sizes = [_size(piece.text) for piece in pieces]
    like = prose if any(prose) else sentence
    if not any(like):
        return _every_second(pieces)
    least = median(size for size, alike in zip(sizes, like, strict=True) if alike) / SHORTER
    first = prose.index(True) if any(prose) else 0
    if any(prose):
        least = max(least, SHORT_ABSTRACT)
    result = prose.copy()
    for number in range(1, len(pieces)):
        enough = sizes[number] >= (SHORT_ABSTRACT if number > first > 0 else least)
        is_title = number + 1 < len(pieces) and prose[number + 1]
        sure = sizes[number] >= least and number > first
        below_title = not result[number - 1] and (sure or not _is_crumb(pieces[number - 1].text))
        result[number] |= sentence[number] and enough and below_title and not is_title
    return result


def _every_second(pieces: Sequence[Piece]) -> list[bool]:
    """Where no piece has a full stop: every second one, if each is longer than its title."""
    pairs = list(zip(pieces[::2], pieces[1::2], strict=False))
    regular = len(pieces) == 2 * len(pairs) and all(
        len(title.text) < len(abstract.text) and len(abstract.text.split()) >= SENTENCE_WORDS
        for title, abstract in pairs
    )
    return [regular and number % 2 == 1 for number in range(len(pieces))]


def _pieces(whole: str) -> Iterator[Piece]:
    """The pieces of a text, without headings that say "Abstract" and lines without a letter."""
    title_waits = False
    for block in _blocks(whole):
        for piece in _split(block, title_waits):
            if not _HEADING.fullmatch(piece.text) and any(map(str.isalpha, piece.text)):
                yield piece
                title_waits = not (_is_prose(piece.text) or _is_sentence(piece.text))


def _blocks(whole: str) -> Iterator[list[Piece]]:
    """Lines with no empty line between them."""
    block: list[Piece] = []
    for number, line in enumerate(_NEWLINE.split(whole), 1):
        stripped = line.replace("\ufeff", "").strip()
        if stripped:
            block.append(Piece(number, stripped))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _split(block: list[Piece], title_waits: bool) -> list[Piece]:
    """The pieces of one block: its lines, unless they are broken to fit a page."""
    if len(block) == 1:
        return block
    if any(_is_prose(line.text) for line in block):
        return _with_prose_joined(block)
    together = _joined(block)
    if not (_is_prose(together.text) or _is_sentence(together.text)):
        return [together] if _is_wrapped_title(block) else block
    if sum(len(line.text) for line in block[:-1]) < WRAPPED * (len(block) - 1):
        return block
    above = _title_lines(block, title_waits)
    return [_joined(part) for part in (block[:above], block[above:]) if part]


def _with_prose_joined(block: list[Piece]) -> list[Piece]:
    """Lines that are prose each, joined with prose above; so is a last line with a full stop."""
    pieces = block[:1]
    for line in block[1:]:
        goes_on = _is_prose(line.text) or (line == block[-1] and _is_sentence(line.text))
        if goes_on and _is_prose(pieces[-1].text):
            pieces[-1] = _joined([pieces[-1], line])
        else:
            pieces.append(line)
    return pieces


def _is_wrapped_title(lines: list[Piece]) -> bool:
    return len(lines) <= TITLE_LINES and all(
        len(line.text) >= WRAPPED_TITLE and line.text[-1] not in ".!?" for line in lines[:-1]
    )


def _title_lines(block: list[Piece], title_waits: bool) -> int:
    """How many lines at the top of a wrapped *block* are a title.

    A title ends where the next word would still have fitted on the line.
    """
    width = max(len(line.text) for line in block)
    for count in range(1, min(TITLE_LINES, len(block) - 1) + 1):
        last, following = block[count - 1].text, block[count].text
        if last[-1] in ".,;":
            break
        if last.endswith(":"):
            continue  # a subtitle follows
        if len(f"{last} {following.split()[0]}") <= width and not following[0].islower():
            return count
    return 0 if title_waits else 1


def _joined(lines: list[Piece]) -> Piece:
    return Piece(lines[0].line, " ".join(line.text for line in lines))


def _size(text: str) -> int:
    """Length in characters, those of Chinese, Japanese and Korean counted twice."""
    return len(text) if text.isascii() else len(text) + sum(char > "\u2e80" for char in text)


def _is_prose(text: str) -> bool:
    """Whether *text* can only be an abstract."""
    size = _size(text)
    ended = size >= PROSE and (_FULL_STOP.search(text) or _SENTENCE_END.search(text))
    return size >= SURELY_PROSE or bool(ended)


def _is_sentence(text: str) -> bool:
    """Whether *text* could be an abstract."""
    words = len(text.split()) if text.isascii() else _size(text)
    return words >= SENTENCE_WORDS and bool(_FULL_STOP.search(text))


def _is_crumb(text: str) -> bool:
    """Whether *text* is a button, a label or a date rather than a title."""
    return (_size(text) == len(text) and len(text.split()) < TITLE_WORDS) or bool(
        _DATE.fullmatch(text)
    )
