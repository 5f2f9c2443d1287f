"""The report in each kind of file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from eval.report.junit import junit
from eval.report.markdown import markdown
from eval.report.page import page
from eval.report.record import record
from eval.report.text import Outcome
from rag.errors import UsageError


def _json(run: Outcome) -> str:
    return json.dumps(record(run), ensure_ascii=False, indent=1) + "\n"


KINDS: Mapping[str, Callable[[Outcome], str]] = {
    "json": _json,
    "junit": junit,
    "markdown": markdown,
    "html": page,
}
"""How each kind of file is made; the name is its option on the command line."""


def check(wanted: Mapping[str, Path | None]) -> None:
    """Raise UsageError for a file that cannot be written: before an hour of asking, not after."""
    for kind, file in wanted.items():
        if file is None:
            continue
        place = file if file.exists() else file.parent
        if file.is_dir() or not place.exists() or not os.access(place, os.W_OK):
            raise _unwritten(kind, file)


def _unwritten(kind: str, file: Path) -> UsageError:
    return UsageError(f"The report cannot be written to {file}: name another file with --{kind}.")


def write(run: Outcome, wanted: Mapping[str, Path | None]) -> None:
    """Write the report of *run* to each file that is *wanted*. Raises UsageError."""
    for kind, file in wanted.items():
        if file is None:
            continue
        try:
            # A lone surrogate cannot be UTF-8; its escape is the same string to a JSON reader.
            file.write_text(KINDS[kind](run), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise _unwritten(kind, file) from error
