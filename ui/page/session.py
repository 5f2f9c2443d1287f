"""An open page belongs to whoever opened it, and is forgotten when it is closed.

Gradio knows an open page by a name that the page itself makes up: whoever learnt the name could
act in it and read what it is told. Here the name is sealed with its owner on its way to gradio, so
that the same name sent by somebody else means another page, which is empty. What gradio holds of a
page in memory goes soon after the page has gone; a page that comes back after that finds its
conversation in the history.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/gradio_api"
BEATS = f"{API}/heartbeat/"
_NAME = "session_hash"
_BODIES = {f"{API}/queue/join", f"{API}/cancel"}  # where the name stands in a body of JSON
_STREAM = f"{API}/queue/data"

GRACE = 30.0
"""Seconds after which a page that was closed is forgotten; a network may fail for a moment."""


def sealed(name: str, owner: str) -> str:
    """The name under which gradio knows the page that *owner* calls *name*.

    >>> sealed("a", "ann") == sealed("a", "bob")
    False
    """
    return hashlib.sha256(f"{owner}\0{name}".encode()).hexdigest()[:32]


class Pages:
    """The open pages. For one event loop."""

    def __init__(self, app: ASGI, forget: Callable[[str], None]) -> None:
        """*forget* drops what *app* holds of the page of a sealed name."""
        self._app, self._forget = app, forget
        self._open: Counter[str] = Counter()

    async def pass_on(self, scope: Scope, receive: Receive, send: Send, owner: str) -> None:
        """Let *owner*'s request through to the application, with the names in it sealed."""
        path = scope["path"]
        if path in _BODIES:
            scope, receive = await _in_body(scope, receive, owner)
        elif path == _STREAM:
            asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            told = [(key, sealed(said, owner) if key == _NAME else said) for key, said in asked]
            scope = {**scope, "query_string": urlencode(told).encode("latin-1")}
        elif path.startswith(BEATS):
            name = sealed(path.removeprefix(BEATS), owner)
            path = BEATS + name
            scope = {**scope, "path": path, "raw_path": path.encode()}
            await self._while_open(name, self._app(scope, receive, send))
            return
        await self._app(scope, receive, send)

    async def _while_open(self, name: str, beating: Awaitable[None]) -> None:
        """Count the page as open until its connection ends."""
        self._open[name] += 1
        try:
            await beating
        finally:
            self._open[name] -= 1
            asyncio.get_running_loop().call_later(GRACE, self._perhaps_forget, name)

    def _perhaps_forget(self, name: str) -> None:
        if self._open[name] <= 0:
            del self._open[name]
            self._forget(name)


async def _in_body(scope: Scope, receive: Receive, owner: str) -> tuple[Scope, Receive]:
    """The request with the name sealed in its body; one that is no JSON is left to gradio."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        told = json.loads(body)
        if isinstance(told, dict) and isinstance(told.get(_NAME), str):
            body = json.dumps(told | {_NAME: sealed(told[_NAME], owner)}).encode()
    except ValueError:
        pass
    length = [(b"content-length", str(len(body)).encode())]
    headers = [one for one in scope["headers"] if one[0] != b"content-length"] + length
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> MutableMapping[str, Any]:
        return parts.pop() if parts else await receive()

    return {**scope, "headers": headers}, again
