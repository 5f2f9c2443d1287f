"""What a server streams: bytes to events, events to pieces of text.

The client's own reader keeps comments to itself, so that a server that sends nothing else never
ends; it reads lines of any length, and meets what is no JSON with errors of many classes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.llm.meter import Tally

MOST_LINE = 1_000_000  # bytes; a piece of an answer takes a few hundred
MOST_BODY = 8_000_000  # bytes of an answer that comes whole
DONE = "[DONE]"
_FIELDS = {b"data", b"event", b"id", b"retry", b""}  # comments have an empty name


class Malformed(Exception):
    """What the server sends is no chat answer; the door makes a ModelError of what is wrong."""


def events(chunks: Iterable[bytes]) -> Iterator[str]:
    """The `data` of each server-sent event in *chunks*.

    Every data line is an event of its own: no server splits its JSON over several, and some leave
    out the empty line between two. Raises Malformed.
    """
    waiting = b""
    for chunk in chunks:
        *lines, waiting = (waiting + chunk).split(b"\n")
        if len(waiting) > MOST_LINE or any(len(line) > MOST_LINE for line in lines):
            raise Malformed("a line of more than a million bytes")
        yield from (data for line in lines if (data := _data(line)))
    if data := _data(waiting):
        yield data


def whole(chunks: Iterable[bytes]) -> Iterator[str]:
    """The one JSON answer of a server that does not stream. Raises Malformed."""
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_BODY:
            raise Malformed("an answer of more than eight million bytes")
    yield _text(body)
    yield DONE


def read(data: str, tally: Tally) -> tuple[str, bool]:
    """The text in an event, often empty, and whether the event shows that the model works.

    Notes in *tally* the counts and why the answer ended. Raises Malformed, and Told for an error.
    """
    event = _event(data)
    if problem := event.get("error") or (event if event.get("object") == "error" else None):
        raise Told(problem)
    tally.told(event.get("usage"))
    choices = event.get("choices")
    if not choices and (isinstance(choices, list) or event.get("usage")):
        return "", False  # the counts, or what Azure says of its filters
    if not isinstance(choices, list) or not isinstance(choices[0], dict):
        raise Malformed("an event without choices")
    choice: dict[str, Any] = choices[0]
    tally.chosen = True
    if isinstance(ended := choice.get("finish_reason"), str):
        tally.finished = ended
    said = choice.get("delta") or choice.get("message") or {}
    if not isinstance(said, dict):
        raise Malformed("a choice without text")
    text = _words(said.get("content")) or _words(said.get("refusal"))
    thinking = said.get("reasoning_content") or said.get("reasoning")
    return text, bool(text or thinking)


class Told(Exception):
    """The server says within its stream that something is wrong; `body` is what it says."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body if isinstance(body, dict) else {"message": str(body)}


class Thoughts:
    """Keeps back what a model thinks in its answer, where its server does not take that out."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._kept = ""
        self._thought = False  # a thought has ended
        self._said = False  # something of the answer itself has come

    def without(self, text: str) -> str:
        """What of *text*, the next piece, belongs to the answer."""
        if self._said:
            return text
        kept = self._kept + text
        start = kept.lstrip()
        if start.startswith(self._OPEN):
            _, closed, after = start.partition(self._CLOSE)
            if not closed:
                self._kept = self._OPEN + start[-len(self._CLOSE) :]
                return ""
            self._thought, start = True, after.lstrip()
        if self._thought:
            kept = start
        if self._OPEN.startswith(start):  # may yet become a thought, or is empty
            self._kept = kept
            return ""
        self._said = True
        return kept

    def rest(self) -> str:
        """What was kept back and is no thought, at the end of the answer."""
        return "" if self._said or self._kept.lstrip().startswith(self._OPEN) else self._kept


def _data(line: bytes) -> str:
    """What follows `data:` in *line*; empty for comments, other fields and empty lines."""
    name, _, value = line.partition(b":")
    if name.strip() not in _FIELDS:
        raise Malformed("a line that is no event")
    return _text(value).strip() if name.strip() == b"data" else ""


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("bytes that are no UTF-8") from None


def _event(data: str) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("broken JSON") from None
    if not isinstance(event, dict):
        raise Malformed("an event that is no object")
    return event


def _words(content: Any) -> str:
    """Text, be it a string or a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
