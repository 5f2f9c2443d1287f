"""A run that others are held against: the scores of every case, a line each in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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


def write(path: Path, rows: Sequence[Row]) -> None:
    """Keep the scores of *rows* in *path*, whole or not at all. Raises UsageError."""
    lines = [
        json.dumps({"id": row.case.id, "passed": passed(row), "scores": _kept(row)})
        for row in sorted(rows, key=lambda row: row.case.id)
    ]
    new = path.with_name(path.name + ".new")
    try:
        new.write_text("\n".join(lines) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as error:
        problem = f"The baseline cannot be written to {path}: name another file with --baseline."
        raise UsageError(problem) from error


def _kept(row: Row) -> dict[str, float]:
    return {
        name: round(score, DIGITS)
        for name, score in row.scores.items()
        if not BY_NAME[name].unit  # times differ from run to run
    }


def read(path: Path) -> Scores:
    """The scores of each case in *path*, by its id. Raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"The baseline {path} cannot be read: make one with --update-baseline."
        raise UsageError(problem) from error
    found: dict[str, Mapping[str, float]] = {}
    for number, line in enumerate(filter(str.strip, text.splitlines()), start=1):
        try:
            entry = json.loads(line)
            scores = {str(name): float(score) for name, score in entry["scores"].items()}
            found[str(entry["id"])] = scores
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
