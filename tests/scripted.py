"""An OpenAI-compatible server on the loopback that does what a script says: real HTTP.

    with Scripted(say("Two words.", tokens_a_second=50)) as server:
        OpenAIChat("model", None, server.url)

A script says, for each request, how to answer: a text, an act (`say`, `fail`, `silence`, …), or a
function of the request that gives either. `in_turn`, `one_in` and `refusing` make scripts of
scripts. The server counts what it is asked and who left early.
"""

from __future__ import annotations

import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

MODEL = "scripted-1"


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    number: int  # counts from 1
    path: str
    body: dict
    headers: dict  # names in lower case
    at: float  # monotonic seconds

    @property
    def text(self) -> str:
        """All that the model is given."""
        return "\n\n".join(str(turn.get("content")) for turn in self.body.get("messages", []))

    @property
    def asked(self) -> str:
        """The last message."""
        return str(self.body["messages"][-1]["content"]) if self.body.get("messages") else ""

    @property
    def key(self) -> str:
        """What came as the key."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class Act:
    """A way to answer."""

    play: Callable[[Wire], None]

    def __str__(self) -> str:
        """The name of its maker: tests are called by it, the same in every process."""
        return self.play.__qualname__.partition(".")[0]


class GoneError(Exception):
    """The client has left."""


class Wire:
    """The connection of one request, as an act sees it."""

    def __init__(self, handler: Handler, request: Request) -> None:
        self.request = request
        self._handler = handler
        self._chunked = False

    @property
    def streams(self) -> bool:
        """Whether pieces are wanted."""
        return bool(self.request.body.get("stream"))

    def begin(self, status=200, content_type="text/event-stream", chunked=True, **headers):
        """Send the headers; the body follows by `send`."""
        handler, self._chunked = self._handler, chunked
        handler.send_response(status)
        handler.send_header("content-type", content_type)
        if chunked:
            handler.send_header("transfer-encoding", "chunked")
        else:
            handler.close_connection = True
            handler.send_header("connection", "close")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), str(value))
        handler.end_headers()

    def send(self, data: bytes) -> None:
        """Send a part of the body, at once."""
        try:
            self._handler.wfile.write(
                b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data
            )
        except OSError:
            raise GoneError from None

    def event(self, value) -> None:
        """Send a server-sent event."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        self.send(f"data: {text}\n\n".encode())

    def end(self) -> None:
        """End the body as it should end."""
        if self._chunked:
            self._handler.wfile.write(b"0\r\n\r\n")

    def whole(self, status, body, content_type="application/json", **headers) -> None:
        """Send all of an answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.begin(status, content_type, False, content_length=len(data), **headers)
        self.send(data)

    def cut(self) -> None:
        """Break the connection, as a server does that is killed."""
        self._handler.close_connection = True
        with_reset = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, with_reset)
        self._handler.connection.close()

    def pause(self, seconds: float) -> None:
        """Wait, and notice if the client leaves or the server is stopped meanwhile."""
        ends = time.monotonic() + seconds
        line = self._handler.connection
        while (left := ends - time.monotonic()) > 0:
            if self._handler.server.stopping.is_set():
                raise GoneError
            readable, _, _ = select.select([line], [], [], min(left, 0.05))
            if readable:
                try:
                    if not line.recv(1, socket.MSG_PEEK):
                        raise GoneError
                except OSError:
                    raise GoneError from None
                time.sleep(min(left, 0.01))  # the next request on this line: it has to wait


# --- Acts ---------------------------------------------------------------------------------------


def tokens(text: str) -> list[str]:
    """*text* in pieces of about a token: words with the space before them, halves of long ones."""
    return re.findall(r"\s*\S{1,6}|\s+$", text)


def say(
    text: str | Sequence[str],
    *,
    delay: float = 0.0,
    tokens_a_second: float | None = None,
    wait: float = 0.0,
    finish: str | None = "stop",
    usage: bool | dict = True,
    done: bool = True,
    cut_after: int | None = None,
    chunked: bool = True,
    thinking: Sequence[str] = (),
) -> Act:
    """Answer with *text*, streamed if asked to; a sequence gives the pieces themselves.

    *wait* is before the headers, *delay* before each piece (or 1 / *tokens_a_second*), in seconds.
    *usage* true counts words; *cut_after* n pieces the connection breaks.
    """
    pieces = tokens(text) if isinstance(text, str) else list(text)
    delay = 1 / tokens_a_second if tokens_a_second else delay

    def play(wire: Wire) -> None:
        wire.pause(wait)
        counts = _counts(wire.request, pieces) if usage is True else usage
        if not wire.streams:
            wire.pause(delay * len(pieces))
            choice = {"message": {"role": "assistant", "content": "".join(pieces)}}
            body = _event([{"index": 0, "finish_reason": finish, **choice}], "chat.completion")
            wire.whole(200, body | ({"usage": counts} if counts else {}))
            return
        wire.begin(chunked=chunked)
        wire.event(_event([{"index": 0, "delta": {"role": "assistant", "content": ""}}]))
        for thought in thinking:
            wire.pause(delay)
            wire.event(_event([{"index": 0, "delta": {"reasoning_content": thought}}]))
        started = time.monotonic()
        for place, piece in enumerate(pieces):
            if place == cut_after:
                wire.cut()
                return
            wire.pause(started + delay * (place + 1) - time.monotonic())
            wire.event(_event([{"index": 0, "delta": {"content": piece}}]))
        if cut_after is not None:
            wire.cut()
            return
        if finish:
            wire.event(_event([{"index": 0, "delta": {}, "finish_reason": finish}]))
        if counts and wire.request.body.get("stream_options", {}).get("include_usage"):
            wire.event(_event([]) | {"usage": counts})
        if done:
            wire.event("[DONE]")
        wire.end()

    return Act(play)


def fail(
    status: int, message: str = "no", *, code=None, kind="error", param=None, **headers
) -> Act:
    """Answer with an error *status*; a header's name is written with underscores."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Act(lambda wire: wire.whole(status, {"error": error}, **headers))


def listing(*names: str) -> Act:
    """The list of models."""
    rows = [{"id": name, "object": "model"} for name in names]
    return Act(lambda wire: wire.whole(200, {"object": "list", "data": rows}))


def quota() -> Act:
    """The account is empty, in OpenAI's words."""
    words = "You exceeded your current quota, please check your plan and billing details."
    return fail(429, words, code="insufficient_quota", kind="insufficient_quota")


def limited(seconds: float | None = None) -> Act:
    """Too fast; with *seconds*, says how long to wait."""
    headers = {} if seconds is None else {"retry_after": seconds}
    words = "Rate limit reached for requests"
    return fail(429, words, code="rate_limit_exceeded", kind="requests", **headers)


def wrong_key() -> Act:
    """The key is refused, and repeated."""

    def play(wire: Wire) -> None:
        words = f"Incorrect API key provided: {wire.request.key}."
        fail(401, words, code="invalid_api_key", kind="invalid_request_error").play(wire)

    return Act(play)


def unknown_model() -> Act:
    """There is no such model, in OpenAI's words."""

    def play(wire: Wire) -> None:
        words = f"The model `{wire.request.body.get('model')}` does not exist"
        fail(404, words, code="model_not_found", kind="invalid_request_error").play(wire)

    return Act(play)


def hang_up() -> Act:
    """Break the connection without a word."""
    return Act(Wire.cut)


def silence(seconds: float = 30.0, after: Sequence[str] = (), headers: bool = True) -> Act:
    """Say nothing more *after* some pieces; without *headers* not even that the request came."""

    def play(wire: Wire) -> None:
        if headers or after:
            wire.begin()
        for piece in after:
            wire.event(_event([{"index": 0, "delta": {"content": piece}}]))
        wire.pause(seconds)
        wire.cut()

    return Act(play)


def drip(what: str = ": still here\n\n", delay: float = 0.02) -> Act:
    """Send *what* again and again, as long as somebody listens."""

    def play(wire: Wire) -> None:
        wire.begin()
        while True:
            wire.send(what.encode())
            wire.pause(delay)

    return Act(play)


def drip_pieces(piece: str = "and so on ", delay: float = 0.01) -> Act:
    """An answer that never ends."""
    return drip(
        f"data: {json.dumps(_event([{'index': 0, 'delta': {'content': piece}}]))}\n\n", delay
    )


def raw(body: bytes | Iterable[bytes], content_type="text/event-stream", status=200) -> Act:
    """Send these bytes as they are."""

    def play(wire: Wire) -> None:
        wire.begin(status, content_type)
        for part in [body] if isinstance(body, bytes) else body:
            wire.send(part)
        wire.end()

    return Act(play)


def malformed(kind: str) -> Act:
    """A stream that is wrong in one of the ways of MALFORMED."""
    return MALFORMED[kind]


def refusal() -> Act:
    """The model does not want to."""
    return say("I'm sorry, but I can't help with that request.")


def gibberish() -> Act:
    """Words that are none."""
    return say("Flurn ba quozzle drim [1] vex ipto, garn [2] blit! Ssk 77 plo wug [9][.")


def looping(times: int = 40) -> Act:
    """The same sentence without end in sight."""
    return say("The method is fast [1]. " * times)


def other_language() -> Act:
    """An answer in a language that nobody asked in."""
    return say("Die Methode senkt den Speicherbedarf und erreicht eine höhere Genauigkeit [1].")


def _event(choices: list, kind: str = "chat.completion.chunk") -> dict:
    return {"id": "chat-1", "object": kind, "created": 1, "model": MODEL, "choices": choices}


def _counts(request: Request, pieces: Sequence[str]) -> dict:
    prompt, written = len(request.text.split()) or 1, len(pieces)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
    }


def _line(value) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


_HELLO = _line(_event([{"index": 0, "delta": {"content": "Hello "}}]))

MALFORMED = {
    "not JSON": raw(b"data: {'choices': [\n\n"),
    "a page": raw(b"<html><body>log in</body></html>\n", "text/html"),
    "a page as a stream": raw(b"<html><body>log in</body></html>\n"),
    "plain words": raw(b"Hello there\n"),
    "wrong JSON type": raw(b'{"ok": true}', "application/json"),
    "a list": raw(b"data: [1, 2]\n\ndata: [DONE]\n\n"),
    "no choices": raw(_line({"object": "chat.completion.chunk"}) + b"data: [DONE]\n\n"),
    "empty choices": raw(_line(_event([])) * 3 + b"data: [DONE]\n\n"),
    "null choices": raw(_line({"choices": None})),
    "choices of text": raw(_line({"choices": ["Hello"]})),
    "nothing but the end": raw(b"data: [DONE]\n\n"),
    "a giant line": raw([b"data: " + b"x" * 500_000, b"x" * 700_000, b"\n\n"]),
    "no UTF-8": raw(b"data: \xff\xfe\n\n"),
    "deep nesting": raw(b"data: " + b"[" * 200_000 + b"\n\n"),
}
"""Streams that are wrong from the first line."""

MALFORMED_LATE = {
    "not JSON": raw([_HELLO, b"data: {broken\n\n"]),
    "a giant line": raw([_HELLO, b"data: " + b"x" * 1_100_000, b"\n\n"]),
    "an error": raw([_HELLO, _line({"error": {"message": "the card is hot", "code": 500}})]),
    "no end": raw([_HELLO]),
}
"""Streams that go wrong after `Hello `."""

REFUSALS = {
    "temperature": (
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1)"
        " value is supported.",
        "unsupported_value",
    ),
    "max_tokens": (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use"
        " 'max_completion_tokens' instead.",
        "unsupported_parameter",
    ),
    "max_completion_tokens": (
        "Unrecognized request argument supplied: max_completion_tokens",
        None,
    ),
    "stream_options": ("Unrecognized request argument supplied: stream_options", None),
    "response_format": ("'response_format.type' must be 'json_schema' or 'text'", None),
    "stream": (
        "Your organization must be verified to stream this model.",
        "unsupported_value",
    ),
}
"""What servers say to a parameter that they do not take, with the code of the error."""


def no_system() -> Callable[[Request], Act]:
    """Refuse what the system says, as models without such a role do."""

    def script(request: Request) -> Act:
        if any(turn["role"] == "system" for turn in request.body["messages"]):
            return fail(400, "System role not supported", kind="BadRequestError")
        return say(request.asked)

    return script


# --- Scripts of scripts -------------------------------------------------------------------------


def in_turn(*scripts):
    """The first request meets the first script and so on; the last stays."""
    left, lock = list(scripts), threading.Lock()

    def script(request: Request):
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


def one_in(count: int, failing, otherwise):
    """Every *count*-th request meets *failing*, the first of them at once."""
    turn, lock = cycle([failing] + [otherwise] * (count - 1)), threading.Lock()

    def script(request: Request):
        with lock:
            return next(turn)

    return script


def refusing(*names: str, otherwise, told: bool = True):
    """Refuse requests with any of these parameters, as the real servers do.

    Not *told*, the error's `param` is empty and only the sentence names it.
    """

    def script(request: Request):
        for name in names:
            if name in request.body:
                words, code = REFUSALS[name]
                param = name if told else None
                kind = "invalid_request_error"
                return fail(400, words, code=code, kind=kind, param=param)
        return otherwise

    return script


# --- The server -----------------------------------------------------------------------------------


@dataclass
class Counts:
    """What has happened; read it when the server is quiet."""

    requests: list[Request] = field(default_factory=list)  # for answers, in order of arrival
    others: list[Request] = field(default_factory=list)  # for models and vectors
    gone: int = 0  # clients that left before the end
    running: int = 0
    most_running: int = 0
    problems: list[Exception] = field(default_factory=list)  # of scripts; should stay empty


class Scripted(ThreadingHTTPServer):
    """A server that runs inside of `with`; the script may be changed while it does."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, script="Yes.", models: Sequence[str] | Act = (MODEL,)) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.models = models
        self.counts = Counts()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        """The address to give as OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def requests(self) -> list[Request]:
        """The requests for answers, in order of arrival."""
        return self.counts.requests

    def wait_until(self, holds: Callable[[], bool], seconds: float = 2.0) -> bool:
        """Whether *holds* becomes true in time."""
        ends = time.monotonic() + seconds
        while not holds() and time.monotonic() < ends:
            time.sleep(0.005)
        return holds()

    def handle_error(self, request, client_address) -> None:
        """A client that leaves is part of the play."""


class Handler(BaseHTTPRequestHandler):
    """Reads a request, notes it, and plays the script."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a piece waits 40 ms for the one before it
    server: Scripted

    def do_GET(self) -> None:
        """Answer `/v1/models`."""
        if self.path.partition("?")[0].endswith("/models"):
            models = self.server.models
            act = models if isinstance(models, Act) else listing(*models)
            self._play(act, {}, self.server.counts.others)
        else:
            self._play(fail(404, "Not Found"), {}, self.server.counts.others)

    def do_POST(self) -> None:
        """Answer chats by the script and embeddings with small vectors."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        path = self.path.partition("?")[0]
        if path.endswith("/chat/completions"):
            self._play(None, body, self.server.counts.requests)
        elif path.endswith("/embeddings"):
            self._play(Act(_vectors), body, self.server.counts.others)
        else:
            self._play(fail(404, "Not Found"), body, self.server.counts.others)

    def _play(self, script, body: dict, noted: list[Request]) -> None:
        server, counts = self.server, self.server.counts
        with server.lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(len(noted) + 1, self.path, body, headers, time.monotonic())
            noted.append(request)
            counts.running += 1
            counts.most_running = max(counts.most_running, counts.running)
        try:
            wire = Wire(self, request)
            _act(script or server.script, request).play(wire)
        except (GoneError, OSError):
            self.close_connection = True
            with server.lock:
                counts.gone += 1
        except Exception as error:
            self.close_connection = True
            counts.problems.append(error)
            raise
        finally:
            with server.lock:
                counts.running -= 1

    def log_message(self, *args) -> None:
        """Keep the test's output clean."""


def _act(script, request: Request) -> Act:
    """What *script* does with *request*."""
    if isinstance(script, str):
        return say(script)
    if isinstance(script, Act):
        return script
    return _act(script(request), request)


def _vectors(wire: Wire) -> None:
    texts = wire.request.body["input"]
    texts = [texts] if isinstance(texts, str) else texts
    rows = [{"index": n, "embedding": [1.0, len(text), 0.5]} for n, text in enumerate(texts)]
    wire.whole(200, {"object": "list", "data": rows, "model": MODEL})
