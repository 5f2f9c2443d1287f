"""An answer as JSON and back, so that a conversation outlives the process that held it.

Papers are kept apart, by the hash of what they said when the answer was made: a hundred answers
about one paper keep it once, and a paper that changes later leaves them as they were.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from rag.errors import StoreError
from rag.text import digest
from rag.types import Answer, Paper

_T = TypeVar("_T")
Papers = dict[str, Paper]


def key_of(paper: Paper) -> str:
    """The name under which *paper* is kept, exactly as it is."""
    return digest(paper.id, paper.content_hash, *paper.authors, str(paper.year))


def pack(answer: Answer) -> tuple[str, Papers]:
    """The answer as JSON, and the papers that it mentions by `key_of`."""
    papers: Papers = {}
    return json.dumps(_packed(answer, papers), ensure_ascii=False), papers


def unpack(text: str, papers: Mapping[str, Paper]) -> Answer:
    """The answer that `pack` wrote. Raises StoreError for what it did not write."""
    try:
        answer: Answer = _unpacked(json.loads(text), Answer, papers)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError("a kept answer cannot be read; ask the question again") from error
    return answer


def pack_paper(paper: Paper) -> str:
    """One paper as JSON."""
    return json.dumps(
        {field.name: _packed(getattr(paper, field.name), None) for field in fields(paper)},
        ensure_ascii=False,
    )


def unpack_paper(text: str) -> Paper:
    """The paper that `pack_paper` wrote."""
    told = json.loads(text)
    hints = _hints(Paper)
    return Paper(**{name: _unpacked(value, hints[name], {}) for name, value in told.items()})


def _packed(value: object, papers: Papers | None) -> object:
    """*value* in the types of JSON; with *papers* given, each paper is put there by its key."""
    if isinstance(value, Paper) and papers is not None:
        key = key_of(value)
        papers[key] = value
        return key
    if is_dataclass(value):
        told = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: _packed(one, papers) for name, one in told}
    if isinstance(value, Mapping):
        return {str(name): _packed(one, papers) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_packed(one, papers) for one in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return float(value)  # type: ignore[arg-type]  # a number of NumPy is none that JSON knows


def _unpacked(value: Any, kind: Any, papers: Mapping[str, Paper]) -> Any:
    """*value* as what the annotation *kind* says."""
    if kind is Paper and isinstance(value, str):
        return papers[value]
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        known = {name: one for name, one in value.items() if name in hints}
        return kind(**{name: _unpacked(one, hints[name], papers) for name, one in known.items()})
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        wanted = next(one for one in inner if one is not type(None))
        return None if value is None else _unpacked(value, wanted, papers)
    if origin is tuple:
        each = inner[:1] * len(value) if inner[1:] == (...,) else inner
        return tuple(_unpacked(*pair, papers) for pair in zip(value, each, strict=True))
    if origin is not None and issubclass(origin if origin is not Literal else str, Mapping):
        return {name: _unpacked(one, inner[1], papers) for name, one in value.items()}
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
