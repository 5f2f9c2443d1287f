"""A run that others are held against: the scores of every case, a line each in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.cases import Case
from eval.gates import BY_NAME, SLACK, Scores, lower_is_better
from eval.run import Row, passed
from rag.errors import UsageError

BASELINE = Path(__file__).parent / "baseline.jsonl"
"""The run of the bundled cases that is committed with PaperChat."""

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Difference:
    """A case that another run's answer scored otherwise."""

    case: Case
    better: bool
    measures: tuple[tuple[str, float, float], ...]  # name, before, now; the largest change first

    def __str__(self) -> str:
        said = [f"{name} {old:.3g} to {new:.3g}" for name, old, new in self.measures[:3]]
        return f"{self.case.id}  {', '.join(said)}"


def write(path: Path, rows: Sequence[Row], left: Collection[str] = ()) -> None:
    """Keep the scores of *rows* in *path*, whole or not at all. Raises UsageError.

    Of the cases whose ids are *left*, which were not asked, what *path* says of them stays.
    """
    said = {
        row.case.id: json.dumps({"id": row.case.id, "passed": passed(row), "scores": _kept(row)})
        for row in rows
    }
    old = _lines(path) if left and path.exists() else {}
    stays = {id: line for id, line in old.items() if id in left}
    lines = [line for _, line in sorted((stays | said).items())]
    new = path.with_name(path.name + ".new")
    try:
        new.write_text("\n".join(lines) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise _unwritten(path) from error


def check(path: Path) -> None:
    """Raise UsageError if nothing can be written to *path*: before the asking, not after."""
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise _unwritten(path)


def _unwritten(path: Path) -> UsageError:
    return UsageError(f"The baseline cannot be written to {path}: name another with --baseline.")


def _kept(row: Row) -> dict[str, float]:
    return {
        name: round(score, DIGITS)
        for name, score in row.scores.items()
        if not BY_NAME[name].unit  # times differ from run to run
    }


def read(path: Path) -> Scores:
    """The scores of each case in *path*, by its id. Raises UsageError."""
    found: dict[str, Mapping[str, float]] = {}
    for id, line in _lines(path).items():
        found[id] = {name: float(score) for name, score in json.loads(line)["scores"].items()}
    if not found:  # it would hold nothing against anything
        raise UsageError(f"The baseline {path} is empty: make one with --update-baseline.")
    return found


def _lines(path: Path) -> dict[str, str]:
    """The line of each case in *path*, by its id. Raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"The baseline {path} cannot be read: make one with --update-baseline."
        raise UsageError(problem) from error
    found: dict[str, str] = {}
    for number, line in enumerate(filter(str.strip, text.splitlines()), start=1):
        try:
            entry = json.loads(line)
            list(map(float, entry["scores"].values()))
            found[str(entry["id"])] = line
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            problem = f"{path}:{number} is no line of a baseline: make it anew: --update-baseline."
            raise UsageError(problem) from error
    return found


def differences(
    rows: Iterable[Row], before: Scores, flaky: frozenset[str] = frozenset()
) -> tuple[Difference, ...]:
    """The cases of *rows* that score otherwise than *before*, losses first, the *flaky* left out.

    A case that both wins and loses is a loss: what was right should stay so.
    """
    found = []
    for row in rows:
        old = before.get(row.case.id)
        if old is None or row.case.id in flaky:
            continue
        changed = [
            (name, old[name], new)
            for name, new in _kept(row).items()
            if name in old and abs(new - old[name]) > SLACK
        ]
        if changed:
            changed.sort(key=lambda one: -abs(one[2] - one[1]))
            lost = any((new < old) != lower_is_better(name) for name, old, new in changed)
            found.append(Difference(row.case, not lost, tuple(changed)))
    return tuple(sorted(found, key=lambda one: (one.better, one.case.id)))


def flaky(runs: Sequence[Sequence[Row]]) -> frozenset[str]:
    """The ids of the cases that did not score the same in all *runs*."""
    first = {row.case.id: _kept(row) for row in runs[0]}
    return frozenset(
        row.case.id for run in runs[1:] for row in run if _kept(row) != first[row.case.id]
    )
