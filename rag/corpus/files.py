"""Which files a path stands for, in a fixed order."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.corpus.stream import why_not_opened
from rag.errors import CorpusError
from rag.types import Rejected

KINDS = (".txt", ".jsonl", ".json", ".csv", ".tsv", ".bib", ".ris")
COMPRESSED = (".gz", ".xz")
KINDS_IN_WORDS = f"{', '.join(KINDS)}, each also with {' or '.join(COMPRESSED)}"
SHOWN = 5  # names in a note


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read."""

    path: Path
    kind: str  # one of KINDS
    source: str  # how papers name it: relative to the folder given, else the file's name
    named: bool  # given by name, so that failing to read it is an error


@dataclass(slots=True)
class Search:
    """What looking for files gave."""

    files: list[Found] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def kind(path: Path) -> str:
    """The file's kind, one of KINDS, by its name; empty if it is of no kind that is read."""
    name = Path(path.name.lower())
    inner = Path(name.stem) if name.suffix in COMPRESSED else name
    return inner.suffix if inner.suffix in KINDS else ""


def find(paths: Sequence[Path]) -> Search:
    """The files that *paths* name or hold, each once.

    Raises CorpusError if there is no path, or if one does not exist, may not be read, is a file
    of unknown kind, or is a folder that holds no file of a known kind.
    """
    if not paths:
        raise CorpusError("no path", "name at least one file or folder with papers.")
    search = Search()
    for path in map(Path, paths):
        if stat.S_ISDIR(_mode(path)):
            _search_folder(path, search)
        else:
            search.files.append(_named_file(path))
    once: dict[str, Found] = {}
    for file in search.files:
        once.setdefault(os.path.realpath(file.path), file)
    search.files = list(once.values())
    return search


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise CorpusError(path, why_not_opened(error)) from error
    except ValueError as error:  # a NUL character in the name
        raise CorpusError(path, "is not a file name; check the spelling.") from error


def _named_file(path: Path) -> Found:
    if not stat.S_ISREG(_mode(path)):
        raise CorpusError(path, "is neither a file nor a folder; save its content to a file first.")
    if not kind(path):
        raise CorpusError(path, f"is of a kind that is not read; give {KINDS_IN_WORDS}.")
    return Found(path, kind(path), _shown(path.name), named=True)


def _search_folder(folder: Path, search: Search) -> None:
    """Add the files of *folder* to *search*; what is passed over leaves a note."""
    errors: list[OSError] = []
    entries = sorted(_walk(folder, errors), key=lambda path: path.parts)
    files = [path for path in entries if kind(path) and _is_file(path, errors)]
    if not files:
        problem = f"holds no file with papers; give one that holds {KINDS_IN_WORDS}."
        raise CorpusError(folder, why_not_opened(errors[0]) if errors else problem)
    search.files += [Found(path, kind(path), _source(path, folder), named=False) for path in files]
    for error in errors:
        source = _source(Path(error.filename), folder)
        search.rejected.append(Rejected(source, 1, why_not_opened(error)))
    names = [_source(path, folder) for path in entries if not kind(path)]
    if names:
        shown = ", ".join(names[:SHOWN]) + (f", … ({len(names)})" if len(names) > SHOWN else "")
        search.notes.append(f"{_shown(folder)}: skipped what is not read as papers: {shown}.")


def _is_file(path: Path, errors: list[OSError]) -> bool:
    """Whether *path* is a plain file: opening a pipe would wait for ever."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as error:  # no right to look, or a link to nothing
        errors.append(error)
        return False


def _walk(folder: Path, errors: list[OSError]) -> Iterator[Path]:
    """Everything under *folder* that is not hidden and not a folder, each real folder once."""
    entered: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, onerror=errors.append, followlinks=True):
        place = os.stat(here)  # noqa: PTH116
        if (place.st_dev, place.st_ino) in entered:  # a link back up would never end
            folders.clear()
            continue
        entered.add((place.st_dev, place.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in names if not name.startswith("."))


def _source(path: Path, folder: Path) -> str:
    return _shown(path.relative_to(folder).as_posix())


def _shown(name: str | Path) -> str:
    """A file name as text that can be written anywhere; names need not be UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")
