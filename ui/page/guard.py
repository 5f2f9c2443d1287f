"""What of the server can be reached, and with which headers its responses are sealed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ui.page.people import cookie_in, new_cookie

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]

_BODY = 200_000  # bytes of a request; the longest allowed question is far shorter

# What the page itself asks for. The rest of gradio's server (proxying, files, runs, API calls,
# recordings) is closed.
_FILES = ("/assets/", "/static/")
_API = "/gradio_api"
_PATHS = {
    "/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json", "/login",
    "/login_check", "/logout", f"{_API}/theme.css", f"{_API}/queue/join", f"{_API}/queue/data",
    f"{_API}/cancel", f"{_API}/login_check",
}  # fmt: skip
_BEATS = f"{_API}/heartbeat/"

# The browser itself refuses to fetch from, send to, or be framed by another host. gradio's own
# start-up scripts are inline, and its HTML component compiles its (constant) template.
_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


def guarded(app: ASGI) -> ASGI:
    """Let only the page's own requests through to *app*, and seal its responses."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await (app(scope, receive, send) if scope["type"] == "lifespan" else _closed(send))
            return

        come = _cookies(scope)

        async def seal(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS, *come]
            await send(message)

        refusal = _refusal(scope)
        await (_say(refusal, seal) if refusal else app(scope, receive, seal))

    return guard


def _refusal(scope: Scope) -> int:
    """The HTTP status with which to refuse a request; 0 to let it through."""
    path, headers = scope["path"], dict(scope["headers"])
    if not (path in _PATHS or path.startswith((*_FILES, _BEATS))):
        return 404
    if scope["method"] == "POST":
        length = headers.get(b"content-length", b"")
        if not length.isdigit():
            return 411
        return 413 if int(length) > _BODY else 0
    return 0 if scope["method"] in {"GET", "HEAD"} else 405


def _cookies(scope: Scope) -> list[tuple[bytes, bytes]]:
    """A cookie for a visitor who opens the page without one."""
    known = cookie_in(dict(scope["headers"]).get(b"cookie", b""))
    return [] if scope["path"] != "/" or known else [(b"set-cookie", new_cookie())]


async def _say(status: int, send: Send) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _closed(send: Send) -> None:
    await send({"type": "websocket.close", "code": 1000})
