"""What a language model said, kept in a JSONL file and said again with no network.

A line has `key` (of model, messages and parameters), `model`, `asked` (for a person: the start of
the last message), `pieces`, `usage`, `finished` and `error` (a sentence, or null).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.types import Chat, Message, Reply, Usage

_ASKED = 80  # characters


@dataclass(frozen=True, slots=True)
class Recording:
    """One call and what came of it."""

    key: str
    model: str
    asked: str
    pieces: tuple[str, ...]
    usage: Usage
    finished: str
    error: str | None = None


class Recorder:
    """A `Chat` that writes down what another one says. Safe to use from many threads."""

    def __init__(self, chat: Chat, path: Path) -> None:
        """Begin the file at *path* anew. Raises ModelError if it cannot be written."""
        self._chat = chat
        self._path = path
        self._lock = threading.Lock()
        try:
            path.write_text("", encoding="utf-8")
        except OSError as error:
            raise ModelError(
                f"the recording {path} cannot be written ({error.strerror}); choose another file"
            ) from error

    @property
    def name(self) -> str:
        """The model's name."""
        return self._chat.name

    def __call__(
        self, messages: Sequence[Message], most_tokens: int = 1_000, as_json: bool = False
    ) -> Reply:
        """Begin an answer, which is written down when it ends, however it ends."""
        key = call_key(self.name, messages, most_tokens, as_json)
        reply = self._chat(messages, most_tokens, as_json)
        return _Recording(reply, lambda *said: self._write(key, messages, reply, *said))

    def _write(
        self,
        key: str,
        messages: Sequence[Message],
        reply: Reply,
        pieces: Sequence[str],
        error: str | None,
    ) -> None:
        finished = reply.finished or ("error" if error else "closed")
        made = Recording(
            key, self.name, _asked(messages), tuple(pieces), reply.usage, finished, error
        )
        line = json.dumps(asdict(made), ensure_ascii=False)
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


class _Recording:
    """A `Reply` whose pieces are kept; *write* is called once, when it has ended."""

    def __init__(self, reply: Reply, write: Any) -> None:
        self._reply = reply
        self._pieces = _kept(reply, write)

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    @property
    def usage(self) -> Usage:
        """What it has cost so far."""
        return self._reply.usage

    @property
    def finished(self) -> str:
        """Why the answer ended."""
        return self._reply.finished

    def close(self) -> None:
        """Stop listening."""
        self._reply.close()
        self._pieces.close()


def _kept(reply: Reply, write: Any) -> Generator[str, None, None]:
    pieces: list[str] = []
    problem: str | None = None
    try:
        for piece in reply:
            pieces.append(piece)
            yield piece
    except ModelError as error:
        problem = str(error)
        raise
    finally:
        write(pieces, problem)


class Replay:
    """A `Chat` that says again what was recorded, and asks nobody. Safe to use from many threads.

    The same call made again gets the next of its recordings, and past the last one the last.
    """

    def __init__(self, path: Path) -> None:
        """Read the file at *path*. Raises ModelError if it is not a recording."""
        self._path = path
        self._recordings: dict[str, list[Recording]] = {}
        self._said: dict[str, int] = {}
        self._lock = threading.Lock()
        made = _read(path)
        for recording in made:
            self._recordings.setdefault(recording.key, []).append(recording)
        self._name = made[0].model if made else "recorded"

    @property
    def name(self) -> str:
        """The name of the model that was recorded."""
        return self._name

    def __call__(
        self, messages: Sequence[Message], most_tokens: int = 1_000, as_json: bool = False
    ) -> Reply:
        """The recorded answer. Raises ModelError if this call was not recorded."""
        key = call_key(self._name, messages, most_tokens, as_json)
        with self._lock:
            made = self._recordings.get(key, [])
            place = min(self._said.get(key, 0), len(made) - 1)
            self._said[key] = self._said.get(key, 0) + 1
        if not made:
            raise ModelError(
                f"{self._path} has no answer for call {key}, which asks “{_asked(messages)}”;"
                " record it again with --record"
            )
        return _Replayed(made[place])

    def unused(self) -> tuple[str, ...]:
        """What was recorded and not asked for, one line each; to be looked at when all is asked."""
        with self._lock:
            return tuple(
                f"{self._path}: call {key} was recorded and not made: “{recording.asked}”"
                for key, made in self._recordings.items()
                for recording in made[self._said.get(key, 0) :]
            )


class _Replayed:
    """A `Reply` out of a recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._pieces = _again(recording)
        self.finished = ""

    def __iter__(self) -> Iterator[str]:
        yield from self._pieces
        self.finished = self._recording.finished

    @property
    def usage(self) -> Usage:
        """What the answer cost when it was recorded."""
        return self._recording.usage

    def close(self) -> None:
        """Say no more."""
        self._pieces.close()
        self.finished = self.finished or "closed"


def _again(recording: Recording) -> Generator[str, None, None]:
    yield from recording.pieces
    if recording.error is not None:
        raise ModelError(recording.error)


def call_key(model: str, messages: Sequence[Message], most_tokens: int, as_json: bool) -> str:
    """16 hexadecimal digits that change with anything that could change the answer."""
    turns = [[message.role, message.content] for message in messages]
    call = json.dumps([model, turns, most_tokens, as_json])
    return hashlib.sha256(call.encode()).hexdigest()[:16]


def _asked(messages: Sequence[Message]) -> str:
    """The first words of the last message."""
    return " ".join(messages[-1].content.split())[:_ASKED] if messages else ""


def _read(path: Path) -> list[Recording]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not at other line ends
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the recording {path} cannot be read; make it with --record {path}"
        ) from error
    try:
        return [_recording(json.loads(line)) for line in lines if line]
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{path} is not a recording of a language model; make it again with --record {path}"
        ) from error


def _recording(row: dict[str, Any]) -> Recording:
    usage, pieces = Usage(**row.pop("usage")), tuple(row.pop("pieces"))
    return Recording(**row, usage=usage, pieces=pieces)
