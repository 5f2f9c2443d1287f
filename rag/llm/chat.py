"""A language model at an OpenAI-compatible server, listened to as it writes."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError
from rag.llm.gate import GATE
from rag.llm.line import Line
from rag.llm.meter import Price, Tally
from rag.llm.server import Patience, Server, Wording
from rag.llm.stream import DONE, MOST_BODY, Malformed, Thoughts, Told, events, read, whole
from rag.types import Message, Usage

if TYPE_CHECKING:
    import openai

DEFAULT_MODEL = "gpt-4.1-mini"  # OpenAI's, where only a key is given: takes temperature 0, cheap
MOST_CALLS = 8  # at once
CHARACTERS_A_TOKEN = 8  # English has 4 to 5: past this a server does not keep to most_tokens
# A person waits, and can have an answer of quotations: 9 seconds for a server that stays broken.
PATIENCE = Patience(attempts=6, calls=3, first_pause=0.3, silence=45.0, deadline=120.0)
_AFTERWARDS = 2.0  # seconds that counts may take after the last piece
_DRAIN = 0.1  # seconds for the end of an answer, so that its connection can be used again
_WORDING = Wording(ModelError, "language", "PAPERCHAT_MODEL", "a chat model")

# What some servers or models do not take, and what goes in its place.
_DOUBTFUL = (
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "stream_options",
    "response_format",
    "stream",
)
_REFUSAL = re.compile(
    r"unsupported|n(?:o|')t (?:support|permitted|allowed)|unrecogni[sz]ed|unknown|unexpected|extra"
    r"|invalid|must be|must contain",
    re.IGNORECASE,
)
_SYSTEM = re.compile(r"\bsystem\W+(?:role|message)|\brole\b.{0,40}\bsystem\b", re.IGNORECASE)
_TOO_LONG = re.compile(r"context[ _](?:length|window|size)|maximum context", re.IGNORECASE)
Pieces = Generator[str, None, None]
_refused: dict[tuple[str, str], frozenset[str]] = {}  # by host and model, for the process


class OpenAIChat:
    """A `Chat` at an OpenAI-compatible server. Safe to use from many threads."""

    def __init__(
        self,
        name: str | None,
        api_key: str | None,
        base_url: str | None,
        patience: Patience | None = None,
        price: Price | None = None,
        calls: int = MOST_CALLS,
    ) -> None:
        """Prepare to ask the model *name*; nothing is sent yet.

        Without *name* it is the first model that the server at *base_url* lists, and DEFAULT_MODEL
        at OpenAI's own. At most *calls* run at once in the process. Raises ModelError if there is
        neither a key nor an address.
        """
        if not api_key and not base_url:
            raise ModelError(
                "a language model needs a server: set OPENAI_API_KEY for OpenAI's, or"
                " OPENAI_BASE_URL for another"
            )
        self._name = name or (None if base_url else DEFAULT_MODEL)
        self._server = Server(self._name or "", api_key, base_url, patience or PATIENCE, _WORDING)
        self._price = price
        self._calls = calls
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"OpenAIChat({self._name or 'the first model'}@{self.host})"

    @property
    def host(self) -> str:
        """The server, without key, password and path."""
        return self._server.host

    @property
    def name(self) -> str:
        """The model's name; asks the server once if none was given. Raises ModelError."""
        if self._name is None:
            # Without the lock: many threads need not queue up to find a dead server dead.
            found = _first_model(self._server)
            with self._lock:
                self._name = self._server.name = self._name or found
        return self._name

    def __call__(
        self, messages: Sequence[Message], most_tokens: int = 1_000, as_json: bool = False
    ) -> OpenAIReply:
        """An answer of at most *most_tokens*; *as_json* asks for one JSON object.

        The server is asked when the first piece is.
        """
        tally, line = Tally(tuple(messages), self._price), Line()
        pieces = self._pieces(messages, most_tokens, as_json, tally, line)
        return OpenAIReply(pieces, tally, line)

    def _pieces(
        self,
        messages: Sequence[Message],
        most_tokens: int,
        as_json: bool,
        tally: Tally,
        line: Line,
    ) -> Pieces:
        """The pieces as they come, each counted in *tally*. Raises ModelError."""
        name = self.name
        request = _request(name, messages, most_tokens, as_json)
        with GATE.call(self._calls, self._server.patience.deadline) as entered:
            if not entered:
                raise ModelError(
                    f"{self._calls} answers of {name} are being written and none has ended;"
                    " try again later, or raise PAPERCHAT_CALLS"
                )
            first, rest = self._begin(request, tally, line)
            with contextlib.closing(rest):
                if first:
                    tally.add(first)
                    yield first
                for piece in self._rest(rest):
                    tally.add(piece)
                    yield piece
                    if tally.characters > most_tokens * CHARACTERS_A_TOKEN:
                        tally.finished = "length"
                        break
        tally.finished = "closed" if line.closed.is_set() else tally.finished or "stop"

    def _begin(self, request: dict[str, Any], tally: Tally, line: Line) -> tuple[str, Pieces]:
        """The first piece and what comes after it, with all patience. Raises ModelError."""

        def ask(ends: float) -> tuple[str, Pieces]:
            pieces = self._ask(request, tally, line, ends)
            return next(pieces, ""), pieces

        try:
            return self._server.patiently(ask, line.closed.wait)
        except Malformed as error:
            problem = self._malformed(error)
        raise problem

    def _malformed(self, error: Malformed) -> ModelError:
        return ModelError(
            f"the server {self.host} does not answer as OpenAI's chat does ({error}); check"
            " OPENAI_BASE_URL, which often ends in /v1"
        )

    def _rest(self, pieces: Pieces) -> Iterator[str]:
        """*pieces*, with whatever ends them early as a ModelError."""
        import openai

        try:
            yield from pieces
            return
        except Malformed as error:
            problem: Exception = self._malformed(error)
        except openai.APITimeoutError:
            problem = ModelError(
                f"the answer of {self._server.name} at {self.host} stopped half-way, and nothing"
                " more came in time; ask again"
            )
        except openai.OpenAIError as error:
            problem = ModelError(
                f"the answer of {self._server.name} at {self.host} broke off"
                f"{self._server.said(error)}; ask again"
            )
        raise problem

    def _ask(self, request: dict[str, Any], tally: Tally, line: Line, ends: float) -> Pieces:
        """One request, again without what the server turns out to refuse.

        Raises OpenAIError whatever goes wrong on the way, and Malformed.
        """
        import openai

        place = (self.host, request["model"])
        without = _refused.get(place, frozenset())
        while not line.closed.is_set():
            sent = _without(request, without)
            try:
                with contextlib.closing(self._stream(sent, tally, line, ends)) as pieces:
                    next(pieces, "")  # empty: the server has taken the request
                    if without:
                        _refused[place] = _refused.get(place, frozenset()) | without
                    yield from pieces
                    return
            except openai.APIStatusError as error:
                refused = _refusal(error, sent)
                if refused is None:
                    raise
                without |= {refused}

    def _stream(self, sent: dict[str, Any], tally: Tally, line: Line, ends: float) -> Pieces:
        """An empty piece once the server has accepted, then the pieces that are not empty."""
        import openai

        create = self._server.client().chat.completions.with_streaming_response.create
        tally.chosen, tally.finished = False, ""
        response: Any = None
        try:
            with (
                create(**sent, timeout=self._server.limits(ends)) as response,
                line.held(response.http_response, ends),
            ):
                yield ""
                yield from self._heard(response, tally, line)
        except Malformed:
            raise
        except Exception as error:
            if line.closed.is_set() or tally.finished:
                return  # the reader has gone, or all was said and only the end was untidy
            if response and line.late:
                raise openai.APITimeoutError(response.http_request) from None
            if isinstance(error, Told):
                raise openai.APIError("", response.http_request, body=error.body) from None
            if isinstance(error, openai.OpenAIError):
                raise
            # A connection lost on the way is the HTTP library's own error.
            raise openai.OpenAIError(str(error)) from error

    def _heard(self, response: Any, tally: Tally, line: Line) -> Pieces:
        """The pieces in *response*. Raises Malformed, Told, and whatever a lost line raises."""
        silence = self._server.patience.silence
        as_json = "application/json" in response.headers.get("content-type", "")
        line.expect(silence)
        chunks, thoughts = response.iter_bytes(), Thoughts()
        for data in (whole if as_json else events)(chunks):
            if data == DONE:
                break
            text, alive = read(data, tally)
            if said := thoughts.without(text):
                line.rest()
                yield said
            if alive:
                line.expect(silence)
            if tally.finished:
                line.expect(min(silence, _AFTERWARDS))  # counts may follow
        else:
            if not tally.finished:
                raise ConnectionError("the stream has no end")
        if not tally.chosen:
            raise Malformed("events without any choice")
        tally.finished = tally.finished or "stop"
        if said := thoughts.rest():
            yield said
        line.expect(_DRAIN)
        for _ in chunks:
            pass


class OpenAIReply:
    """A `Reply` of an `OpenAIChat`. One thread reads; any may look at it and close it."""

    def __init__(self, pieces: Pieces, tally: Tally, line: Line) -> None:
        self._pieces = pieces
        self._tally = tally
        self._line = line

    def __iter__(self) -> Iterator[str]:
        """The pieces, once. Raises ModelError, if need be after some of them."""
        return self._pieces

    @property
    def usage(self) -> Usage:
        """What it has cost so far; estimated until the server has told."""
        return self._tally.usage()

    @property
    def finished(self) -> str:
        """Why it ended: "stop", "length" (cut), "closed", or the server's word; empty before."""
        return self._tally.finished

    def close(self) -> None:
        """Stop listening, and free the server; does nothing the second time."""
        self._line.close()
        with contextlib.suppress(ValueError):  # another thread is reading: the line has woken it
            self._pieces.close()
        self._tally.finished = self._tally.finished or "closed"


def _request(
    name: str, messages: Sequence[Message], most_tokens: int, as_json: bool
) -> dict[str, Any]:
    """What is asked of the server, everything doubtful included."""
    request: dict[str, Any] = {
        "model": name,
        "messages": [{"role": turn.role, "content": turn.content} for turn in messages],
        "temperature": 0,
        "max_tokens": most_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return request | ({"response_format": {"type": "json_object"}} if as_json else {})


def _without(request: dict[str, Any], refused: frozenset[str]) -> dict[str, Any]:
    """*request* as a server takes it that refuses these names."""
    sent = {name: value for name, value in request.items() if name not in refused}
    if "max_tokens" in refused and "max_completion_tokens" not in refused:
        sent["max_completion_tokens"] = request["max_tokens"]
    if "stream" in refused:
        sent.pop("stream_options", None)
    if "system" in refused:
        sent["messages"] = _unruled(sent["messages"])
    return sent


def _unruled(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """*turns* with what the system says put before what the user says first."""
    rules = [turn["content"] for turn in turns if turn["role"] == "system"]
    rest = [turn for turn in turns if turn["role"] != "system"]
    if not rest or rest[0]["role"] != "user":
        rest = [{"role": "user", "content": ""}, *rest]
    first = {"role": "user", "content": "\n\n".join([*rules, rest[0]["content"]])}
    return [first, *rest[1:]]


def _refusal(error: openai.APIStatusError, sent: dict[str, Any]) -> str | None:
    """Which of the doubtful names in *sent* the server does not take, if that is what it says."""
    if error.status_code not in {400, 422}:
        return None
    words = error.body if isinstance(error.body, str) else json.dumps(error.body)
    if _TOO_LONG.search(words):
        return None
    named = str(getattr(error, "param", None) or "")
    for name in _DOUBTFUL:
        if name in sent and named.partition(".")[0] == name:
            return name
    if not _REFUSAL.search(words):
        return None
    if _SYSTEM.search(words) and any(turn["role"] == "system" for turn in sent["messages"]):
        return "system"
    found = [name for name in _DOUBTFUL if name in sent and re.search(_quoted(name), words)]
    return found[0] if found else None


def _quoted(name: str) -> str:
    """A pattern for *name* in a sentence; `stream` is a word, and counts only in quotes."""
    return rf"['\"`]{name}['\"`]" if name == "stream" else rf"\b{name}\b"


def _first_model(server: Server) -> str:
    """The first model that *server* lists and that is not one for embeddings."""
    answer = server.patiently(lambda ends: _models(server, ends))
    try:
        rows = json.loads(answer)["data"]
        names = [row["id"] for row in rows if row["id"] and isinstance(row["id"], str)]
    except (ValueError, TypeError, KeyError, RecursionError):
        names = []
    if not names:
        raise ModelError(
            f"the server {server.host} does not say which models it has; set PAPERCHAT_MODEL"
        )
    return next((name for name in names if "embed" not in name.lower()), names[0])


def _models(server: Server, ends: float) -> bytes:
    """The server's list of models. Raises OpenAIError, whatever goes wrong on the way."""
    import openai

    try:
        with server.client().models.with_streaming_response.list(
            timeout=server.limits(ends)
        ) as response:
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > ends or len(body) > MOST_BODY:
                    raise openai.APITimeoutError(response.http_request)
            return body
    except openai.OpenAIError:
        raise
    except Exception as error:
        raise openai.OpenAIError(str(error)) from error
