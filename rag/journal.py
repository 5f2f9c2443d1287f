"""A second copy of the papers, as lines of JSON: from it a lost catalog can be made again.

Every commit appends its papers and what it removes, and ends in a line that counts and hashes them.
The catalog keeps how far the file is valid, so that what a killed run appended is cut off by the
next one; without the catalog, the blocks that are whole are taken. A file is written anew, under
a higher number, where it is missing or has grown far beyond what is live.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import StoreError
from rag.text import digest
from rag.types import Paper

_NAME = re.compile(r"papers-(\d+)\.jsonl")
GROWN = 4  # times its first size, and a megabyte: then a file is written anew


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a journal is valid; what the catalog keeps of it."""

    file: str = ""
    end: int = 0  # bytes
    first: int = 0  # bytes of the whole collection with which the file began

    def as_text(self) -> str:
        """For the catalog."""
        return json.dumps([self.file, self.end, self.first])


def mark_of(text: str) -> Mark:
    """The mark that `as_text` wrote; an empty one for anything else."""
    try:
        file, end, first = json.loads(text)
        return Mark(str(file), int(end), int(first))
    except (ValueError, TypeError):
        return Mark()


def is_whole(folder: Path, mark: Mark) -> bool:
    """Whether the file of *mark* is there and as long as it should be."""
    try:
        return bool(mark.file) and (folder / mark.file).stat().st_size >= mark.end
    except OSError:
        return False


def append(
    folder: Path,
    mark: Mark,
    generation: int,
    put: Sequence[Paper],
    drop: Sequence[str],
    everything: Callable[[], Sequence[Paper]],
) -> Mark:
    """Note that *generation* puts and drops papers; the new mark. Raises StoreError.

    *everything* gives what is live afterwards, asked only where the file has to be written anew.
    """
    with _our_errors(folder):
        if not is_whole(folder, mark) or mark.end > GROWN * mark.first + 1_000_000:
            # Never over one that is there: it may be all that is left of a lost catalog.
            mark = Mark(f"papers-{max(generation, _newest(folder) + 1)}.jsonl")
            end = _write(folder / mark.file, 0, generation, everything(), ())
            return Mark(mark.file, end, end)
        end = _write(folder / mark.file, mark.end, generation, put, drop)
        return Mark(mark.file, end, mark.first)


def _write(
    path: Path, start: int, generation: int, put: Sequence[Paper], drop: Sequence[str]
) -> int:
    lines = [json.dumps({"put": asdict(paper)}, ensure_ascii=True) for paper in put]
    lines += [json.dumps({"drop": paper_id}) for paper_id in drop]
    lines.append(json.dumps({"commit": generation, "lines": len(lines), "hash": digest(*lines)}))
    with path.open("r+b" if start else "wb") as file:
        file.truncate(start)
        file.seek(start)
        file.write("".join(f"{line}\n" for line in lines).encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def sweep(folder: Path, mark: Mark) -> None:
    """Delete the files that *mark* has left behind."""
    for path in _files(folder):
        if path.name != mark.file:
            path.unlink(missing_ok=True)


def recover(folder: Path) -> tuple[Paper, ...]:
    """The papers of the newest journal in *folder* that is whole at least in part, by id.

    Raises StoreError if there is none.
    """
    for path in reversed(_files(folder)):
        papers: dict[str, Paper] | None = None
        for put, drop in _blocks(path):
            papers = papers or {}
            papers.update({paper.id: paper for paper in put})
            for paper_id in drop:
                papers.pop(paper_id, None)
        if papers is not None:
            return tuple(papers[paper_id] for paper_id in sorted(papers))
    raise StoreError(
        f"the catalog in {folder} is damaged and there is no second copy of its papers; run"
        " `paperchat index` with your files into another folder (--store)"
    )


def left(folder: Path) -> tuple[Paper, ...]:
    """What `recover` gives; nothing where it has nothing to give."""
    try:
        return recover(folder)
    except StoreError:
        return ()


def check(folder: Path, mark: Mark, live: Sequence[Paper]) -> bool:
    """Whether the journal of *mark* gives exactly the papers that are *live*, which are by id."""
    if not is_whole(folder, mark):
        return False
    try:
        return recover(folder) == tuple(live)
    except StoreError:
        return False


def any_in(folder: Path) -> bool:
    """Whether *folder* holds a journal."""
    return bool(_files(folder))


def _files(folder: Path) -> list[Path]:
    """The journals in *folder*, oldest first."""
    found = [(int(named[1]), path) for path in folder.glob("papers-*.jsonl")
             if (named := _NAME.fullmatch(path.name))]  # fmt: skip
    return [path for _, path in sorted(found)]


def _newest(folder: Path) -> int:
    """The number of the newest journal in *folder*, 0 if there is none."""
    files = _files(folder)
    return int(files[-1].stem.partition("-")[2]) if files else 0


def _blocks(path: Path) -> Iterator[tuple[list[Paper], list[str]]]:
    """What each whole block puts and drops; nothing from the first damaged one on."""
    lines: list[str] = []
    put: list[Paper] = []
    drop: list[str] = []
    try:
        with path.open(encoding="ascii") as file:
            for line in file:
                row = json.loads(line)
                if "commit" in row:
                    if (row["lines"], row["hash"]) != (len(lines), digest(*lines)):
                        return
                    yield put, drop
                    lines, put, drop = [], [], []
                    continue
                lines.append(line.rstrip("\n"))
                if "put" in row:
                    put.append(_paper(row["put"]))
                else:
                    drop.append(row["drop"])
    except (OSError, ValueError, KeyError, TypeError):
        return


def _paper(row: dict[str, Any]) -> Paper:
    return Paper(**{**row, "sources": tuple(row["sources"]), "authors": tuple(row["authors"])})


@contextmanager
def _our_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the copy of the papers in {folder} cannot be written ({error.strerror}); check the"
            " disk, or choose another folder with --store"
        ) from error
