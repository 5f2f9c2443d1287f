"""An open corpus file: expanded, decoded, and never larger in memory than it may be."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from rag.errors import CorpusError

EXPANDED_LIMIT = 4 << 30  # bytes that a compressed file may become
WHOLE_LIMIT = 256 << 20  # bytes of a file that is not read line by line
LINE_LIMIT = 10_000_000  # bytes
HEAD = 8192  # bytes looked at to tell text from anything else

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b")
_NOT_TEXT = "is not text; give a text file, or save the papers in it as one."
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


class Text:
    """The text of one open file; `notes` says what was guessed on the way."""

    def __init__(self, path: Path, handle: BinaryIO, limit: int | None) -> None:
        """Read *handle*, of which at most *limit* bytes may come (None: any number)."""
        self.path = path
        self.start = _start(handle)  # the first character that is not white space
        self.notes: list[str] = []
        self.line = 0  # the last line given out
        self._handle, self._limit = handle, limit

    def lines(self) -> Iterator[tuple[int, str | None]]:
        """Number from 1 and text of each line without its end; None for one over LINE_LIMIT."""
        taken = 0
        while raw := self._handle.readline(LINE_LIMIT + 1):
            self.line += 1
            taken += len(raw)
            too_long = len(raw) > LINE_LIMIT
            while too_long and raw and not raw.endswith(b"\n"):
                self._check(taken)
                raw = self._handle.readline(LINE_LIMIT)
                taken += len(raw)
            self._check(taken)
            yield self.line, None if too_long else self._decoded(raw).rstrip("\r\n")

    def whole(self) -> str:
        """The whole text. Raises CorpusError if it has more than WHOLE_LIMIT bytes."""
        raw = self._handle.read(WHOLE_LIMIT + 1)
        if len(raw) > WHOLE_LIMIT:
            raise CorpusError(
                self.path,
                f"is larger than {WHOLE_LIMIT >> 20} MB; split it, or turn it into .jsonl.",
            )
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            return "".join(map(self._decoded, raw.splitlines(keepends=True)))

    def _check(self, taken: int) -> None:
        if self._limit is not None and taken > self._limit:
            size = f"{self._limit / (1 << 30):g} GB"
            raise CorpusError(self.path, f"expands to more than {size}; split it into parts.")

    def _decoded(self, raw: bytes) -> str:
        """Decode one line: a file put together from two can be in two encodings."""
        try:
            return raw.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError:
            note = "is not UTF-8 throughout; the other lines were read as Western European text."
            if note not in self.notes:
                self.notes.append(note)
        try:
            return raw.decode("cp1252")
        except UnicodeDecodeError:
            return raw.decode("latin-1")


@contextmanager
def opened(path: Path) -> Iterator[Text]:
    """Open *path*, expanding `.gz` and `.xz`; whatever fails is a CorpusError."""
    compressed = path.suffix.lower() in {".gz", ".xz"}
    try:
        with _expanded(path) as handle:
            text = _checked(path, handle)
            yield Text(path, text, EXPANDED_LIMIT if compressed else None)
    except _DAMAGE as error:
        problem = "is damaged or was not compressed as its name says; copy or download it again."
        raise CorpusError(path, problem) from error
    except OSError as error:
        raise CorpusError(path, why_not_opened(error)) from error


def why_not_opened(error: OSError) -> str:
    """A sentence on an error of the operating system, with the way out."""
    if isinstance(error, PermissionError):
        return "may not be read; give yourself the right to read it, or leave it out."
    if isinstance(error, FileNotFoundError):
        return "does not exist; check the spelling, or give another path."
    reason = error.strerror or type(error).__name__
    return f"cannot be read ({reason}); check the disk or the link, or leave it out."


def _expanded(path: Path) -> BinaryIO:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return cast("BinaryIO", lzma.open(path, "rb")) if suffix == ".xz" else path.open("rb")


def _checked(path: Path, handle: BinaryIO) -> BinaryIO:
    """*handle* at its start, in UTF-8 if it was UTF-16. Raises CorpusError if it is not text."""
    head = handle.read(HEAD)
    handle.seek(0)
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise CorpusError(path, "is empty; give a file that holds papers.")
    if head.startswith(_UTF16):
        return _from_utf16(path, handle)
    if _is_binary(head):
        raise CorpusError(path, _NOT_TEXT)
    return handle


def _from_utf16(path: Path, handle: BinaryIO) -> BinaryIO:
    """The same text in UTF-8: spreadsheets write UTF-16 when asked for Unicode."""
    raw = handle.read(WHOLE_LIMIT + 1)
    try:
        text = raw.decode("utf-16")
    except UnicodeDecodeError as error:
        raise CorpusError(path, _NOT_TEXT) from error
    return io.BytesIO(re.sub(r"\r\n?", "\n", text).encode())


def _start(handle: BinaryIO) -> str:
    head = handle.read(HEAD).removeprefix(codecs.BOM_UTF8).lstrip()
    handle.seek(0)
    return head[:1].decode("latin-1")


def _is_binary(head: bytes) -> bool:
    """Whether more than one byte in fifty is a control character, or it is a PDF."""
    controls = len(head) - len(head.translate(None, _CONTROL))
    return head.startswith(b"%PDF") or controls * 50 > len(head)
