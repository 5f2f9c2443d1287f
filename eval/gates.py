"""Bounds on measures, and the numbers that are held against them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval import metrics
from eval.cases import TYPES, Case, nearest
from eval.metrics import Change
from eval.run import MEASURES, Measure, Row
from rag.errors import UsageError

GATES = Path(__file__).parent / "gates.json"
"""The thresholds that come with PaperChat."""

SLACK = 1e-9
"""How far a mean may miss its gate by rounding."""

Scores = Mapping[str, Mapping[str, float]]
"""The value of each measure, by the id of the case and the name of the measure."""

BY_NAME = {measure.name: measure for measure in MEASURES}
LAWS = frozenset({"errors", "evidence_exact", "titles_real", "borne_out", "cited", "list_whole"})
"""Measures that hold of every single answer, whatever the collection and the cases."""

_GATE_KEYS = ("measure", "types", "at_least", "at_most", "no_worse")


@dataclass(frozen=True, slots=True)
class Gate:
    """A bound on one measure over the cases of some types; exactly one bound is set."""

    measure: str
    types: tuple[str, ...] = ()  # empty for all
    at_least: float | None = None
    at_most: float | None = None
    no_worse: float | None = None  # than the baseline: how sure a loss must be, 0 to 1

    def met_by(self, value: float) -> bool:
        """Whether *value* is within the bound, rounding errors forgiven."""
        if self.at_least is not None:
            return value >= self.at_least - SLACK
        return self.at_most is None or value <= self.at_most + SLACK

    def held_by(self, change: Change) -> bool:
        """Whether *change* from the baseline is no sure loss."""
        if lower_is_better(self.measure):
            return change.low <= SLACK
        return change.high >= -SLACK

    def __str__(self) -> str:
        if self.no_worse is not None:
            return f"no worse ({100 * self.no_worse:g}%)"
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}"


@dataclass(frozen=True, slots=True)
class Line:
    """One measure over the cases of some types; value and interval are None without such cases."""

    measure: str
    types: tuple[str, ...]  # empty for all
    value: float | None
    low: float | None  # bootstrap interval of 95%
    high: float | None
    n: int
    gate: Gate | None = None
    change: Change | None = None  # from the baseline, over the cases that both have

    @property
    def met(self) -> bool | None:
        """Whether the gate is met; None without a gate, or without what it bounds."""
        if self.gate is None or self.value is None:
            return None
        if self.gate.no_worse is not None:
            return None if self.change is None else self.gate.held_by(self.change)
        return self.gate.met_by(self.value)


def lower_is_better(measure: str) -> bool:
    """Whether a smaller value of the measure of this name is the better one."""
    return BY_NAME[measure].failed > 0 or bool(BY_NAME[measure].unit)


# Gates


def read_gates(path: Path = GATES) -> tuple[Gate, ...]:
    """Read the gates of a JSON list.

    Raises UsageError for an unreadable file, an unknown key, measure or type, and a gate without
    exactly one finite bound.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"The gates {path} cannot be read as JSON: mend the file.") from error
    if not isinstance(entries, list):
        raise UsageError(f"The gates {path} must be a JSON list of objects: mend the file.")
    gates = []
    for number, entry in enumerate(entries, start=1):
        try:
            gates.append(_gate(entry))
        except ValueError as error:
            raise UsageError(f"{path}: gate {number} {error}.") from error
    return tuple(gates)


def _gate(entry: object) -> Gate:
    """The gate that *entry* says. Raises ValueError, a clause after "gate 3"."""
    if not isinstance(entry, dict):
        raise ValueError("is not a JSON object: write {…}")
    for key in entry:
        _one_of(key, _GATE_KEYS, "key")
    measure = _one_of(entry.get("measure"), tuple(BY_NAME), "measure")
    types = entry.get("types", [])
    if not isinstance(types, list):
        raise ValueError("has types that are no list: write a list of names")
    names = tuple(_one_of(name, TYPES, "type") for name in types)
    bounds = {key: entry[key] for key in _GATE_KEYS[2:] if key in entry}
    if len(bounds) != 1 or not all(map(_is_number, bounds.values())):
        raise ValueError("needs one number, at_least, at_most or no_worse")
    if not 0 < bounds.get("no_worse", 0.5) < 1:
        raise ValueError("needs a no_worse between 0 and 1, how sure a loss must be")
    return Gate(measure, names, **bounds)


def _one_of(name: object, known: Sequence[str], noun: str) -> str:
    if name in known:
        return str(name)
    hint = f"did you mean {nearest(name, known)!r}?" if isinstance(name, str) else "name one"
    raise ValueError(f"has the unknown {noun} {name!r}: {hint}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def laws(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """Those of *gates* that hold for any collection: thresholds of one do not fit another."""
    return tuple(gate for gate in gates if gate.measure in LAWS and gate.no_worse is None)


def judged(gates: Sequence[Gate], read: Sequence[Case], asked: Sequence[Case]) -> tuple[Gate, ...]:
    """Those of *gates* that can be judged where of the cases *read* only some were *asked*.

    A threshold for a mean is not one for the mean of a part; a law, and "no worse", hold case by
    case.
    """
    left = {case.id for case in read} - {case.id for case in asked}
    missed = {case.type for case in read if case.id in left}
    return tuple(
        gate
        for gate in gates
        if gate.measure in LAWS
        or gate.no_worse is not None
        or not missed.intersection(gate.types or missed)
    )


# Numbers


def summarise(
    rows: Sequence[Row], gates: Sequence[Gate], before: Scores | None = None
) -> tuple[Line, ...]:
    """One line for each measure over all types, and one for each gate; *before* is the baseline."""
    lines = []
    for measure in MEASURES:
        here = [gate for gate in gates if gate.measure == measure.name]
        if not any(not gate.types for gate in here):
            lines.append(line(measure, rows, None, before))
        ordered = sorted(here, key=lambda gate: gate.types)
        lines.extend(line(measure, rows, gate, before) for gate in ordered)
    return tuple(lines)


def line(
    measure: Measure, rows: Sequence[Row], gate: Gate | None = None, before: Scores | None = None
) -> Line:
    """The value and interval of *measure* over the rows that *gate* is about."""
    types = gate.types if gate else ()
    found = scored(measure.name, types, rows)
    values = [score for _, score in found]
    if not values:
        return Line(measure.name, types, None, None, None, 0, gate)
    value = float(measure.statistic(np.asarray(values)))
    low, high = metrics.interval(values, measure.statistic)
    level = (gate and gate.no_worse) or metrics.LEVEL
    change = _change(measure, found, before or {}, level)
    return Line(measure.name, types, value, low, high, len(values), gate, change)


def _change(
    measure: Measure, found: Sequence[tuple[Row, float]], before: Scores, level: float
) -> Change | None:
    """What has changed over the cases that the baseline has too; None if there are none."""
    pairs = [
        (before[row.case.id][measure.name], score)
        for row, score in found
        if measure.name in before.get(row.case.id, {})
    ]
    if not pairs or measure.unit:
        return None
    return metrics.paired_change(pairs, level)


def scored(name: str, types: Sequence[str], rows: Sequence[Row]) -> list[tuple[Row, float]]:
    """The rows of *types* (all if empty) that take part in a measure, each with its score."""
    return [
        (row, row.scores[name])
        for row in rows
        if name in row.scores and (not types or row.case.type in types)
    ]


def failed(lines: Sequence[Line], whole: bool) -> list[Line]:
    """The lines whose gate is not met.

    Over the *whole* set of cases a gate without cases is not met either: it guards nothing.
    """
    return [
        one for one in lines if one.gate and (one.met is False or (whole and one.value is None))
    ]
