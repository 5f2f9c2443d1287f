"""Who and what gets through to the server, and with which headers its responses are sealed."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

from ui.page.add import MOST_BYTES
from ui.page.people import COOKIE, SESSION, People, in_cookies, session_cookie, visitor_cookie
from ui.page.session import API, ASGI, BEATS, Pages, Receive, Scope, Send

_BODY = 200_000  # bytes of a request; the longest allowed question is far shorter

# What the page itself asks for, and what programs may. The rest of gradio's server (uploads,
# proxying, files, runs, API calls, recordings) is closed.
_FILES = ("/assets/", "/static/")
_PATHS = {
    "/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json",
    f"{API}/theme.css", f"{API}/queue/join", f"{API}/queue/data", f"{API}/cancel",
    "/health", "/mcp",
}  # fmt: skip
_OURS = ("/page/", "/export/", "/api/")
_UPLOAD = "/page/add"

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


def guarded(app: ASGI, people: People, forget: Callable[[str], None]) -> ASGI:
    """Let only what may come through to *app*, and seal its responses.

    *forget* drops what *app* holds of an open page, by the name that it was given.
    """
    pages = Pages(app, forget)

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await (app(scope, receive, send) if scope["type"] == "lifespan" else _closed(send))
            return
        headers = _headers(scope)
        come = _visitor(scope, headers, people)

        async def seal(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS, *come]
            await send(message)

        refusal = _refusal(scope, headers)
        if people.closed and scope["path"] in {"/login", "/logout"}:
            await _door(scope, headers, people, receive, seal)
        elif refusal:
            await _say(refusal, seal)
        elif people.closed and scope["path"] != "/health" and not people.name_of(headers):
            await _unknown(scope, seal)
        else:
            await pages.pass_on(scope, receive, seal, people.owner(headers))

    return guard


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _refusal(scope: Scope, headers: dict[str, str]) -> int:
    """The HTTP status with which to refuse a request; 0 to let it through."""
    path = scope["path"]
    if not (path in _PATHS or path.startswith((*_FILES, BEATS, *_OURS))):
        return 404
    if scope["method"] == "POST":
        length = headers.get("content-length", "")
        if not length.isdigit():
            return 411
        return 413 if int(length) > (MOST_BYTES if path == _UPLOAD else _BODY) else 0
    return 0 if scope["method"] in {"GET", "HEAD"} else 405


def _visitor(scope: Scope, headers: dict[str, str], people: People) -> list[tuple[bytes, bytes]]:
    """A cookie for a visitor who opens the page without one."""
    known = in_cookies(headers.get("cookie", ""), COOKIE)
    new = scope["path"] == "/" and not known and not people.closed
    return [(b"set-cookie", visitor_cookie().encode())] if new else []


async def _unknown(scope: Scope, send: Send) -> None:
    """Somebody who has not signed in: a browser is shown where to, a program is told."""
    if scope["path"] == "/":
        await _say(303, send, [(b"location", b"/login")])
    else:
        await _say(401, send, [(b"www-authenticate", b'Basic realm="PaperChat"')])


async def _door(
    scope: Scope, headers: dict[str, str], people: People, receive: Receive, send: Send
) -> None:
    """Sign a person in or out."""
    if scope["path"] == "/logout" or scope["method"] != "POST":
        if scope["path"] == "/logout":
            people.sign_out(in_cookies(headers.get("cookie", ""), SESSION))
            out = [(b"set-cookie", session_cookie("").encode()), (b"location", b"/login")]
            await _say(303, send, out)
            return
        await _page(200, "", send)
        return
    form = parse_qs((await _body(receive)).decode("utf-8", "replace"), keep_blank_values=True)
    name, password = form.get("username", [""])[0], form.get("password", [""])[0]
    from starlette.concurrency import run_in_threadpool  # late: comes with gradio

    token = await run_in_threadpool(people.sign_in, name, password)
    if not token:
        await _page(400, '<p role="alert">This name and password do not go together.</p>', send)
        return
    cookie = session_cookie(token).encode()
    await _say(303, send, [(b"set-cookie", cookie), (b"location", b"/")])


async def _body(receive: Receive) -> bytes:
    """What was sent, as far as a name and a password can be long."""
    body, more = b"", True
    while more and len(body) < 10_000:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _page(status: int, said: str, send: Send) -> None:
    page = (
        (files("ui.page") / "login.html").read_text(encoding="utf-8").replace("<!--said-->", said)
    )
    await _say(status, send, [(b"content-type", b"text/html; charset=utf-8")], page.encode())


async def _say(
    status: int, send: Send, headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b""
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers or []})
    await send({"type": "http.response.body", "body": body})


async def _closed(send: Send) -> None:
    await send({"type": "websocket.close", "code": 1000})
