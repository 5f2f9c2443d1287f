"""JSON: one object a line, an array, or an object with a list inside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from rag.corpus.record import Problem, Record, key, record
from rag.corpus.stream import LINE_LIMIT, Text

_PAPER_KEYS = {"title", "abstract", "text"}
_decode = json.JSONDecoder().raw_decode
_BETWEEN = re.compile(r"[\s,]*")
_LIST_OF_OBJECTS = re.compile(r":\s*(?=\[\s*\{)")
_PAPER_NAME = re.compile(r'"(?:title|abstract|text)"', re.IGNORECASE)
_NEXT_OBJECT = re.compile(r"[\n,\[][ \t\r]*(?=\{)")


def read_lines(text: Text) -> Iterator[Record | Problem]:
    """The records of a `.jsonl` file, an object a line; a misnamed array is read as one."""
    if text.start == "[":
        yield from read_document(text)
        return
    for number, line in text.lines():
        if line is None:
            yield Problem(number, f"the line is longer than {LINE_LIMIT:,} bytes")
        elif line.strip():
            yield from _of_line(number, line)


def read_document(text: Text) -> Iterator[Record | Problem]:
    """The records of a `.json` file: an array, an object with one inside, or objects in a row.

    They are decoded one by one, to know each one's line and to go on after a broken one.
    """
    whole = text.whole()
    position = _first_record(whole)
    line, counted = 1, 0
    while (position := _skip(whole, position)) < len(whole) and whole[position] not in "]}":
        line, counted = line + whole.count("\n", counted, position), position
        try:
            value, position = _decode(whole, position)
        except (ValueError, RecursionError) as error:
            yield Problem(line, _not_json(error))
            following = _NEXT_OBJECT.search(whole, position + 1)
            position = following.end() if following else len(whole)
        else:
            yield from _of_value(line, value)


def _of_line(number: int, line: str) -> Iterator[Record | Problem]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        yield Problem(number, _not_json(error))
    else:
        yield from _of_value(number, value)


def _of_value(line: int, value: object) -> Iterator[Record | Problem]:
    """The records in one JSON value that begins at *line*."""
    if not isinstance(value, dict):
        yield Problem(line, "not an object with a title and an abstract")
    elif name := _list_inside(value):
        for item in value[name]:
            yield from _of_value(line, item)
    else:
        yield record(line, value)


def _list_inside(value: Mapping[str, object]) -> str:
    """The name of the first list of objects in *value*; empty if it is a paper itself."""
    if _PAPER_KEYS & {key(name) for name in value}:
        return ""
    for name, inside in value.items():
        if isinstance(inside, list) and inside and isinstance(inside[0], dict):
            return name
    return ""


def _first_record(whole: str) -> int:
    """Where the first record begins: inside the array, or inside the object's list."""
    start = _skip(whole, 0)
    if whole.startswith("{", start):
        start = _start_of_list(whole, start)
    return start + whole.startswith("[", start)


def _start_of_list(whole: str, start: int) -> int:
    """Where the list of papers in the object at *start* begins; *start* if there is none."""
    try:
        value, _ = _decode(whole, start)
    except (ValueError, RecursionError):
        found = _LIST_OF_OBJECTS.search(whole, start)
        is_paper = found and _PAPER_NAME.search(whole, start, found.start())
        return found.end() if found and not is_paper else start
    name = _list_inside(value)
    found = re.compile(re.escape(json.dumps(name)) + r"\s*:\s*(?=\[)").search(whole, start)
    return found.end() if name and found else start


def _skip(whole: str, position: int) -> int:
    """The first place from *position* on that is neither white space nor a comma."""
    between = _BETWEEN.match(whole, position)
    return between.end() if between else position


def _not_json(error: ValueError | RecursionError) -> str:
    reason = error.msg if isinstance(error, json.JSONDecodeError) else "too deep, or a huge number"
    return f"not valid JSON ({reason})"
