"""The web page: the tabs put together, and served.

The page asks nothing of any other host, keeps each visitor's conversations to that visitor, and
renders other people's text as text only: the HTML it shows is written, escaped, by `ui.page`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import webbrowser
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import UsageError
from rag.history import History
from ui.page import chat as chat_tab
from ui.page.answer import html_text
from ui.page.door import block, gradio, head, look, theme
from ui.page.guard import ASGI, guarded
from ui.page.turns import Chat

if TYPE_CHECKING:
    from fastapi import FastAPI

_WAITING = 64  # questions that may queue
_AT_ONCE = 8  # questions answered at the same time
_VISITORS = 1_000  # open pages kept in memory; the longest unused is forgotten first


def _masthead(chat: Chat) -> str:
    size = html_text(chat.describe().strip().rstrip("."))
    return (
        '<header class="pc-masthead"><h1>PaperChat</h1>'
        f"<p>Ask {size}: every answer quotes the sentence that proves it.</p></header>"
    )


def build(chat: Chat, history: History) -> Any:
    """The page over *chat*, not yet served; its look is given to it by `launch`."""
    gr = gradio()
    with gr.Blocks(title="PaperChat", analytics_enabled=False, fill_width=True) as page:
        block(gr, _masthead(chat))
        with gr.Tabs(elem_id="pc-tabs"), gr.Tab("Chat", id="chat"):
            chat_tab.build(gr, chat, history)
    page.state_session_capacity = _VISITORS
    return page.queue(api_open=False, max_size=_WAITING, default_concurrency_limit=_AT_ONCE)


def application(
    chat: Chat, users: Sequence[tuple[str, str]] = (), history: History | None = None
) -> ASGI:
    """The whole page as an ASGI application, for `launch` or any other server.

    *users* are (name, password) pairs; with none, everybody who reaches the page may ask. Without a
    *history*, conversations end with the process.
    """
    gr = gradio()
    from fastapi import FastAPI

    app: FastAPI = gr.mount_gradio_app(
        FastAPI(openapi_url=None),
        build(chat, history or History()),
        path="/",
        theme=theme(gr),
        css=look(),
        head=head(),
        auth=list(users) or None,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=1,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )
    return guarded(app)


def launch(
    chat: Chat,
    host: str,
    port: int,
    *,
    open_browser: bool = False,
    users: Sequence[tuple[str, str]] = (),
    history: History | None = None,
) -> None:
    """Serve the page until interrupted; the address is written to standard error.

    *port* 0 takes a free one. *users* and *history* as in `application`. Raises UsageError if the
    address cannot be used.
    """
    with _listening(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        address = _address(host, listener.getsockname()[1])
        print(f"PaperChat is at {address} (Ctrl+C stops it).", file=sys.stderr, flush=True)
        if open_browser:
            webbrowser.open(address)  # waits in the listener's queue until the page is ready
        asyncio.run(_serve(lambda: application(chat, users, history), listener))


async def _serve(make: Callable[[], ASGI], listener: socket.socket) -> None:
    app = make()  # in a running loop: gradio would else leave some open behind
    import uvicorn  # late: comes with gradio

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    errors = logging.getLogger("uvicorn.error")

    def before_the_end(_: logging.LogRecord) -> bool:
        return not server.should_exit

    errors.addFilter(before_the_end)  # that Ctrl+C cuts the open pages' streams is no error
    try:
        await server.serve(sockets=[listener])
    finally:
        errors.removeFilter(before_the_end)


def _listening(host: str, port: int) -> socket.socket:
    """A socket bound to the address, so that a second server is told before the slow imports."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) else None
        problem = f"{host}:{port} cannot be used ({os.strerror(number) if number else error})"
        raise UsageError(f"{problem}: choose another --host or --port.") from error


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/"
