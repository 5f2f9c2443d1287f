"""The only door to gradio, and the few pieces of it that every tab uses."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

# Three lines of text on the accent colour.
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%238f2d20'/%3E"
    "%3Cpath d='M9 8h14v3H9zm0 6h14v4H9zm0 7h9v3H9z' fill='%23fff7ea'/%3E%3C/svg%3E"
)

SCRIPTS = "/page/script/"
"""Where the modules of the page's script are found."""

_LOOK = ("frame", "answer", "chat", "tabs", "narrow")  # later ones may overrule earlier ones

QUIET = {"show_progress": "hidden", "api_visibility": "private"}
"""How every event of the page is registered: it draws its own progress, and is no API."""


def gradio() -> Any:
    """The library, imported late (4.5 s) and told first to send nothing and to count nothing."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"  # in events; 1 would be each
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import gradio

    return gradio


def block(gr: Any, html: str, **options: Any) -> Any:
    """A piece of HTML, which the caller has escaped."""
    options = {"js_on_load": None, **options}
    return gr.HTML(html, padding=False, apply_default_css=False, **options)


def wire(gr: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Let *function* be given the request and the event data that it has parameters for."""
    kinds = {"request": gr.Request, "event": gr.EventData}
    function.__annotations__ = {
        **function.__annotations__,
        **{name: kinds[name] for name in function.__annotations__ if name in kinds},
    }
    return function


def theme(gr: Any) -> Any:
    """The plainest theme, with fonts that are on every machine."""
    sans = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"]
    mono = ["ui-monospace", "Menlo", "Consolas", "monospace"]
    return gr.themes.Base(font=sans, font_mono=mono).set(
        body_background_fill="var(--pc-paper)",
        body_background_fill_dark="var(--pc-paper)",
        body_text_color="var(--pc-ink)",
        body_text_color_dark="var(--pc-ink)",
        button_primary_background_fill="#8f2d20",  # the sign-in page knows none of our names
        button_primary_background_fill_hover="#7a2419",
    )


@cache
def look() -> str:
    """The page's own style sheet."""
    folder = files("ui.page") / "look"
    return "\n".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in _LOOK)


@cache
def script(name: str) -> str:
    """One module of the page's own script; empty if there is none of that name."""
    file = files("ui.page") / "script" / name
    known = name.removesuffix(".js").isalpha() and file.is_file()
    return file.read_text(encoding="utf-8") if known else ""


def head() -> str:
    """What stands in the page's head: its icon and its script, whose modules name each other."""
    return f'<link rel="icon" href="{_ICON}"><script type="module" src="{SCRIPTS}page.js"></script>'
