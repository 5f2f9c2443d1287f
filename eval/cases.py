"""Eval cases: what a question must be answered with, read from files of one JSON object a line.

A misspelt key is an error rather than a case that silently asks for less.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from pathlib import Path
from typing import Any, get_args

from eval.metrics import Amount, Fact
from rag.errors import UsageError
from rag.text import fold, normalised_title
from rag.types import Abstention, Shape

TYPES = (
    "single",
    "single_paraphrase",
    "numeric",
    "false_premise",
    "adversarial",
    "comparison",
    "aggregation",
    "conversation",
    "chat",
    "unanswerable_near",
    "unanswerable_far",
    "out_of_domain",
    "statement",
)
"""Every type of case, in the order of reports."""

CRITERIA = ("literal", "number", "kind", "topic", "combined")
"""What decides whether a paper belongs on a list: a word, a figure, its kind, its subject."""

VERDICTS = ("supported", "contradicted", "not_supported")
"""What the abstract that a statement cites makes of it."""

ABSTENTIONS: tuple[Abstention, ...] = get_args(Abstention)
SHAPES: tuple[Shape, ...] = get_args(Shape)
_EXPECTED: Mapping[str, Abstention] = {
    "unanswerable_near": "not_stated",
    "unanswerable_far": "no_paper",
    "out_of_domain": "off_topic",
}
BASELINE_NAME = "baseline.jsonl"
"""What a baseline is called that lies beside its cases."""

BUNDLED = Path(__file__).parent / "cases"
"""The folder of the cases that come with PaperChat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question of a conversation and what its answer must hold."""

    question: str
    gold_papers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    key_facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One subject of a comparison."""

    name: str
    papers: tuple[str, ...] = ()  # none where the collection has no paper about it
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """An axis on which the abstract of one side of a comparison says nothing."""

    side: str  # its name
    axis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question and what a right answer must hold; papers are named by their titles.

    A case of the type statement asks nothing: its question is a sentence, cited to its gold paper.
    """

    id: str
    type: str  # one of TYPES
    question: str  # the last one of a conversation
    answerable: bool
    abstention: Abstention | None = None  # the right kind; None exactly where answerable
    gold_papers: tuple[str, ...] = ()
    near_papers: tuple[str, ...] = ()  # on the topic, and silent about what is asked
    borderline: tuple[str, ...] = ()  # count neither way
    evidence: tuple[str, ...] = ()  # sentences of the gold papers' abstracts, verbatim
    must_not_cite: tuple[str, ...] = ()  # papers that a right answer rests nothing on
    key_facts: tuple[Fact, ...] = ()  # each a list of alternatives
    turns: tuple[Turn, ...] = ()  # of a conversation, the last one being the question
    sides: tuple[Side, ...] = ()  # of a comparison
    axes: tuple[str, ...] = ()  # what it asks to compare on, if it says
    missing: tuple[str, ...] = ()  # its sides without papers, which must be named as missing
    not_stated: tuple[Silence, ...] = ()
    count: int | None = None  # how many papers an aggregation has
    criterion: str = ""  # of an aggregation, one of CRITERIA
    standalone: str = ""  # a conversation's question as one would ask it alone, for people to read
    shape: Shape | None = None  # of a right answer, where the type does not imply it
    verdict: str = ""  # of a statement, one of VERDICTS
    kind: str = ""  # of a statement: how it relates to its abstract, or what is wrong with it
    pair: str = ""  # of a statement: the id of the one that differs from it by a word
    must_pass: bool = False  # its failing is a gate not met, whatever the averages say
    draft: bool = False  # made by a command and not yet read by a person: it does not count
    tags: tuple[str, ...] = ()  # as --only takes them, beside types and ids
    must_not: tuple[str, ...] = ()  # strings and behaviours, for people to read
    answer: str = ""  # a right answer, for people to read
    why: str = ""  # why the case is there
    note: str = ""

    @property
    def is_statement(self) -> bool:
        """Whether a sentence is to be judged, and no question to be answered."""
        return self.type == "statement"

    @property
    def expected(self) -> str:
        """The row of the confusion table: "answerable" or the right kind of abstention."""
        return self.abstention or "answerable"


def read_cases(paths: Sequence[Path] = (BUNDLED,)) -> tuple[Case, ...]:
    """Read all cases of *paths*, files or folders of `*.jsonl`, in order of path and line.

    Raises UsageError, naming file and line, for an unreadable file, a line that is no case, an id
    used twice, and for no case at all.
    """
    cases: dict[str, Case] = {}
    for file in files_of(paths):
        for number, line in lines_of(file):
            try:
                case = parse_case(line)
                if case.id in cases:
                    raise ValueError(f"the id {case.id!r} is used twice: give this case another")
            except ValueError as error:
                raise UsageError(f"{file}:{number}: {said_of(error)}") from error
            cases[case.id] = case
    if not cases:
        raise UsageError(f"{_named(paths)} holds no cases: name a case file with --cases.")
    return tuple(cases.values())


def said_of(problem: ValueError) -> str:
    """The clause of *problem* as the end of a sentence, be it a question or not."""
    said = str(problem)
    return said if said.endswith("?") else f"{said}."


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files of *paths*, each once; of a folder those of cases, and not its baseline."""
    found: list[Path] = []
    for path in paths:
        inside = [file for file in path.glob("*.jsonl") if file.name != BASELINE_NAME]
        found.extend(sorted(inside) if path.is_dir() else [path])
    return list({file.resolve(): file for file in found}.values())


def lines_of(file: Path) -> list[tuple[int, str]]:
    """The lines of *file* that are not empty, with their numbers. Raises UsageError."""
    lines = enumerate(_text(file).split("\n"), start=1)
    return [(number, line) for number, line in lines if line.strip()]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # Windows editors put a byte-order mark
    except (OSError, UnicodeDecodeError) as error:
        problem = f"The case file {file} cannot be read as UTF-8 text: check its name."
        if not file.exists():
            problem = f"There is no case file {file}: check its name."
        raise UsageError(problem) from error


def _named(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths)) or "An empty list"


def parse_case(line: str) -> Case:
    """Read one case from one JSON object. Raises ValueError, one clause that says what is wrong."""
    try:
        record = json.loads(line, object_pairs_hook=_once)
    except _TwiceError:
        raise
    except (ValueError, RecursionError) as error:
        raise ValueError("this line is not JSON: mend or remove it") from error
    if isinstance(record, dict) and "review" in record:  # as `paperchat eval add` leaves it
        raise ValueError(
            "nobody has reviewed this draft: write down what a right answer holds, "
            "and remove the key 'review'"
        )
    values = _values(record, _CASE_KEYS, ("id", "type", "question", "answerable"), "case")
    if values["type"] not in TYPES:
        wanted = nearest(values["type"], TYPES)
        raise ValueError(f"unknown type {values['type']!r}: did you mean {wanted!r}?")
    if not values["answerable"]:
        values["abstention"] = values.get("abstention") or _EXPECTED.get(values["type"])
    sides = values.get("sides", ())
    values.setdefault("missing", tuple(side.name for side in sides if not side.papers))
    values["not_stated"] = tuple(
        replace(one, side=_side_named(one.side, sides)) for one in values.get("not_stated", ())
    )
    case = Case(**values)
    for problem, wrong in _RULES.items():
        if wrong(case):
            raise ValueError(f"case {case.id!r} {problem}")
    return case


class _TwiceError(ValueError):
    """A key that is said twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of *pairs*; a reader of JSON would quietly take the last of two alike."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise _TwiceError(f"the key {key!r} is said twice: remove one")
    return dict(pairs)


def _side_named(name: str, sides: Sequence[Side]) -> str:
    """The name of the side that *name* is: its name already, or the title of its paper."""
    title = normalised_title(name)
    owners = [s.name for s in sides if title in map(normalised_title, s.papers)]
    return name if any(side.name == name for side in sides) or not owners else owners[0]


def nearest(word: str, known: Sequence[str]) -> str:
    """The one of *known* that is spelt most like *word*."""
    return difflib.get_close_matches(word, known, n=1, cutoff=0.0)[0]


def _values(
    record: object, keys: Mapping[str, Callable[[Any], Any]], needed: Sequence[str], noun: str
) -> dict[str, Any]:
    """The values of *record*, checked."""
    if not isinstance(record, dict):
        raise ValueError(f"a {noun} must be a JSON object with the keys {', '.join(needed)}")
    for key in record:
        if key not in keys:
            wanted = nearest(key, tuple(keys))
            raise ValueError(f"unknown key {key!r} in a {noun}: did you mean {wanted!r}?")
    for key in needed:
        if key not in record:
            raise ValueError(f"a {noun} lacks the key {key!r}: add it")
    values = {}
    for key, value in record.items():
        try:
            values[key] = keys[key](value)
        except TypeError as error:
            raise ValueError(f"the key {key!r} of a {noun} must be {error}") from error
    return values


# Readers of a key's value: each raises TypeError saying what the value must be.


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a string")
    return value


def _words(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("a string with something in it")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _whole(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError("a whole number or null")
    return value


def _kind(value: object) -> Abstention | None:
    for kind in ABSTENTIONS:
        if value == kind:
            return kind
    if value is not None:
        raise TypeError(f"null or one of {', '.join(ABSTENTIONS)}")
    return None


def _criterion(value: object) -> str:
    if value not in CRITERIA:
        raise TypeError(f"one of {', '.join(CRITERIA)}")
    return str(value)


def _shape(value: object) -> Shape:
    for shape in SHAPES:
        if value == shape:
            return shape
    raise TypeError(f"one of {', '.join(SHAPES)}")


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list")
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise TypeError("a list of strings with something in each")
    return tuple(value)


_SOLID = re.compile(r"[^\s-]")


def _facts(value: object) -> tuple[Fact, ...]:
    return tuple(
        tuple(map(_alternative, fact if isinstance(fact, list) and fact else [fact]))
        for fact in _list(value)
    )


def _alternative(value: object) -> str | Amount:
    """A wording of a fact, or an amount with its tolerance."""
    if isinstance(value, str) and _SOLID.search(fold(value)):
        return value
    if isinstance(value, dict):
        values = _values(value, _AMOUNT_KEYS, ("number",), "number")
        return Amount(values["number"], values.get("tolerance", 0.0), values.get("unit", ""))
    raise TypeError(
        "a list of strings with a word in each, of numbers with a tolerance, or of lists of these"
    )


def _amount(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("a number")
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not isfinite(number):
        raise TypeError("a number")
    return number


def _tolerance(value: object) -> float:
    number = _amount(value)
    if number < 0:  # which nothing could be within
        raise TypeError("a number from 0")
    return number


def _verdict(value: object) -> str:
    if value not in VERDICTS:
        raise TypeError(f"one of {', '.join(VERDICTS)}")
    return str(value)


def _turns(value: object) -> tuple[Turn, ...]:
    return tuple(Turn(**_values(v, _TURN_KEYS, ("question",), "turn")) for v in _list(value))


def _sides(value: object) -> tuple[Side, ...]:
    return tuple(Side(**_values(v, _SIDE_KEYS, ("name",), "side")) for v in _list(value))


def _silences(value: object) -> tuple[Silence, ...]:
    return tuple(map(_silence, _list(value)))


def _silence(value: object) -> Silence:
    """A pair [side, axis], or an object that names the side by its paper's title."""
    if isinstance(value, dict):
        values = _values(value, _SILENCE_KEYS, ("paper", "axis"), "silence")
        return Silence(side=values["paper"], axis=values["axis"])
    pair = _strings(value)
    if len(pair) != 2:
        raise TypeError("a list of pairs [side, axis], or of objects with paper and axis")
    return Silence(side=pair[0], axis=pair[1])


_TURN_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "question": _words,
    "gold_papers": _strings,
    "evidence": _strings,
    "key_facts": _facts,
}
_SIDE_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "name": _words,
    "papers": _strings,
    "evidence": _strings,
}
_SILENCE_KEYS: Mapping[str, Callable[[Any], Any]] = {"paper": _words, "axis": _words}
_AMOUNT_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "number": _amount,
    "tolerance": _tolerance,
    "unit": _string,
}
_CASE_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "id": _words,
    "type": _words,
    "question": _words,
    "answerable": _flag,
    "abstention": _kind,
    "gold_papers": _strings,
    "near_papers": _strings,
    "borderline": _strings,
    "evidence": _strings,
    "key_facts": _facts,
    "turns": _turns,
    "sides": _sides,
    "axes": _strings,
    "missing": _strings,
    "not_stated": _silences,
    "count": _whole,
    "criterion": _criterion,
    "standalone": _string,
    "shape": _shape,
    "must_not_cite": _strings,
    "verdict": _verdict,
    "kind": _words,
    "pair": _words,
    "must_pass": _flag,
    "draft": _flag,
    "tags": _strings,
    "must_not": _strings,
    "answer": _string,
    "why": _string,
    "note": _string,
}
_RULES: Mapping[str, Callable[[Case], bool]] = {
    "is answerable and names an abstention: set one of the two": lambda case: (
        case.answerable and case.abstention is not None
    ),
    "is not answerable: say which abstention is right": lambda case: (
        not case.answerable and case.abstention is None
    ),
    "is not answerable and has gold papers or evidence: remove them": lambda case: (
        not case.answerable and bool(case.gold_papers or case.evidence)
    ),
    "is answerable without gold papers: name them": lambda case: (
        case.answerable and case.type != "chat" and not case.gold_papers
    ),
    "has a paper that is both gold and borderline: keep one": lambda case: bool(
        set(case.gold_papers) & set(case.borderline)
    ),
    "counts another number of papers than it names: correct one": lambda case: (
        case.count is not None and case.count != len(case.gold_papers)
    ),
    "is a conversation without turns, or has turns and is none: correct one": lambda case: (
        bool(case.turns) != (case.type == "conversation")
    ),
    "asks another question than its last turn: make them equal": lambda case: (
        bool(case.turns) and case.turns[-1].question != case.question
    ),
    "is a comparison of fewer than two sides: name them": lambda case: (
        case.type == "comparison" and len(case.sides) < 2
    ),
    "compares sides of one name: tell them apart": lambda case: (
        len({side.name for side in case.sides}) < len(case.sides)
    ),
    "has other gold papers than its sides: make them equal": lambda case: (
        case.type == "comparison" and set(case.gold_papers) != _of_sides(case, "papers")
    ),
    "has other evidence than its sides: make them equal": lambda case: (
        case.type == "comparison" and set(case.evidence) != _of_sides(case, "evidence")
    ),
    "calls other sides missing than those without papers: correct one": lambda case: (
        set(case.missing) != {side.name for side in case.sides if not side.papers}
    ),
    "says that something is not stated by what is no side with papers: name one": lambda case: any(
        one.side not in {side.name for side in case.sides if side.papers} for one in case.not_stated
    ),
    "has a criterion and is no aggregation: remove it": lambda case: (
        bool(case.criterion) and case.type != "aggregation"
    ),
    "cites a paper that it must not cite: remove one": lambda case: bool(
        set(case.gold_papers) & set(case.must_not_cite)
    ),
    "is a statement without a verdict, or has one and is none: correct one": lambda case: (
        bool(case.verdict) != case.is_statement
    ),
    "is a statement that does not cite one paper: name it in gold_papers": lambda case: (
        case.is_statement and len(case.gold_papers) != 1
    ),
    "is a statement that nothing supports, with evidence: remove it": lambda case: (
        case.verdict == "not_supported" and bool(case.evidence)
    ),
    "has a standalone question and is no conversation: remove it": lambda case: (
        bool(case.standalone) and case.type != "conversation"
    ),
}


def _of_sides(case: Case, part: str) -> set[str]:
    return {value for side in case.sides for value in getattr(side, part)}
