"""JSON as language models write it: in fences, with words around it, and broken off."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MOST_REPAIRS = 400  # characters taken from the end of a broken object in search of a sound one


def parsed(text: str) -> Mapping[str, Any]:
    """The object in *text*, mended where it broke off; empty where there is none.

    >>> parsed('Sure! ```json {"a": [1, 2,], "b": "c')
    {'a': [1, 2]}
    """
    begin = text.find("{")
    if begin < 0:
        return {}
    inside = _TRAILING.sub(r"\1", text[begin:])
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(inside)
    except (ValueError, RecursionError):
        found = _mended(inside)
    return found if isinstance(found, dict) else {}


def _mended(text: str) -> object:
    """The longest beginning of *text* that closing its brackets makes JSON of."""
    for end in range(len(text), max(0, len(text) - MOST_REPAIRS), -1):
        part = text[:end].rstrip().rstrip(",")
        try:
            found, _ = json.JSONDecoder(strict=False).raw_decode(part + _closing(part))
        except (ValueError, RecursionError):
            continue
        return found
    return {}


def _closing(text: str) -> str:
    """The brackets that are open at the end of *text*, closed; inside a string there are none."""
    opened = []
    for mark in _STRING.sub("", text):
        if mark in "{[":
            opened.append("}" if mark == "{" else "]")
        elif mark in "}]" and opened:
            opened.pop()
    return "".join(reversed(opened))


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_TRAILING = re.compile(r",\s*([}\]])")
