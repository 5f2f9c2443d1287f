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
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import UsageError
from rag.history import History
from rag.prompts import render
from ui.page import add, check, papers
from ui.page import chat as chat_tab
from ui.page.answer import html_text
from ui.page.door import block, gradio, head, look, theme
from ui.page.guard import guarded
from ui.page.people import People
from ui.page.session import ASGI
from ui.page.turns import Chat

if TYPE_CHECKING:
    from ui.page.api import House

_WAITING = 128  # questions that may queue
_AT_ONCE = 8  # questions answered at the same time
_LOOKS_EVERY = 0.02  # seconds
_VISITORS = 200  # open pages kept in memory; the longest unused is forgotten first


def _masthead(chat: Chat) -> str:
    size = html_text(chat.describe().strip().rstrip("."))
    return (
        '<header class="pc-masthead"><h1>PaperChat</h1>'
        f"<p>Ask {size}: every answer quotes the sentence that proves it.</p></header>"
    )


def build(house: House) -> Any:
    """The page over *house*, not yet served; its look is given to it by `application`."""
    gr = gradio()
    with gr.Blocks(title="PaperChat", analytics_enabled=False, fill_width=True) as page:
        block(gr, _masthead(house.chat))
        with gr.Tabs(elem_id="pc-tabs"):
            with gr.Tab("Chat", id="chat"):
                chat_tab.build(gr, house.chat, house.history, house.people)
            with gr.Tab("Papers", id="papers"):
                papers.build(gr, house.shelf)
            with gr.Tab("Check a text", id="check"):
                check.build(gr)
            if house.desk.open:
                with gr.Tab("Add papers", id="add"):
                    add.build(gr)
            with gr.Tab("About", id="about"):
                block(gr, _about(house))
    page.state_session_capacity = _VISITORS
    page.queue(api_open=False, max_size=_WAITING, default_concurrency_limit=_AT_ONCE)
    # gradio looks for work a thousand times a second and for progress a hundred times: an idle
    # page took 3 to 15% of a core. A question waits up to this long instead.
    page._queue.sleep_when_free = _LOOKS_EVERY
    page._queue.progress_update_sleep_when_free = 10 * _LOOKS_EVERY
    return page


def _about(house: House) -> str:
    """What answers here, to be read and not to be changed."""
    rows = "".join(
        f"<tr><th scope='row'>{html_text(name)}</th><td>{html_text(said)}</td></tr>"
        for name, said in house.about.items()
    )
    out = '<p><a href="/logout">Sign out</a></p>' if house.people.closed else ""
    told = render("about", count=house.chat.describe())
    lines = "".join(f"<p>{html_text(line)}</p>" for line in told.splitlines() if line)
    return (
        f'<section class="pc-form pc-about-page"><h2>About</h2>{lines}'
        f"<table><tbody>{rows}</tbody></table>{out}</section>"
    )


def application(
    chat: Chat,
    users: Sequence[tuple[str, str]] = (),
    history: History | None = None,
    indexer: add.Indexer | None = None,
    about: Mapping[str, str] | None = None,
) -> ASGI:
    """The whole page as an ASGI application, for `launch` or any other server.

    *users* are (name, password) pairs; with none, everybody who reaches the page may ask. Without a
    *history*, conversations end with the process; without an *indexer*, no papers can be added.
    *about* are settings that everybody may read.
    """
    gr = gradio()
    from ui.page.api import House, routes

    people = People(users)
    house = House(
        chat, history or History(), people, papers.Shelf(chat), add.Desk(indexer), about or {}
    )
    page = build(house)
    app = gr.mount_gradio_app(
        routes(house),
        page,
        path="/",
        theme=theme(gr),
        css=look(),
        head=head(),
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=1,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )

    def forget(name: str) -> None:
        holder = page.state_holder
        with holder.lock:
            holder.session_data.pop(name, None)
            holder.time_last_used.pop(name, None)

    return guarded(app, people, forget)


def launch(
    chat: Chat,
    host: str,
    port: int,
    began: Callable[[Callable[[], None]], None] | None = None,
    **options: Any,
) -> None:
    """Serve the page until interrupted; the address is written to standard error.

    *port* 0 takes a free one. *began*, if given, is told once how to end the serving from another
    thread. *options* as in `application`. Raises UsageError if the address cannot be used.
    """
    with _listening(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        address = _address(host, listener.getsockname()[1])
        print(f"PaperChat is at {address} (Ctrl+C stops it).", file=sys.stderr, flush=True)
        asyncio.run(_serve(lambda: application(chat, **options), listener, began))


async def _serve(
    make: Callable[[], ASGI],
    listener: socket.socket,
    began: Callable[[Callable[[], None]], None] | None,
) -> None:
    app = make()  # in a running loop: gradio would else leave some open behind
    import uvicorn  # late: comes with gradio

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    if began is not None:
        began(lambda: setattr(server, "should_exit", True))
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
