"""A real Chromium and the real page, served on a free port of this machine."""

from __future__ import annotations

import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Pages
from ui.page.turns import Chat

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = (1280, 800)
PATIENCE = 30_000  # milliseconds; a busy machine is slow, never wrong


@dataclass
class Visit:
    """One visitor: a browser context of its own, and what happened in it."""

    page: Any
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def ask(self, question: str) -> Any:
        """Type *question*, press Enter, and wait for the finished turn."""
        turns = self.page.locator(".pc-turn").count()
        self.page.fill("#pc-question textarea", question)
        self.page.press("#pc-question textarea", "Enter")
        return self.finished(turns + 1)

    def finished(self, turns: int) -> Any:
        """Wait until the page shows *turns* finished turns; the last of them."""
        done = self.page.locator(".pc-turn[data-state=finished]")
        done.nth(turns - 1).wait_for(timeout=PATIENCE)
        return done.nth(turns - 1)

    def tab(self, name: str) -> None:
        """Go to the tab called *name*."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def pictured(self, name: str) -> None:
        """Keep a picture of the page where PICTURES says, as CI does."""
        folder = os.environ.get("PICTURES")
        if folder:
            self.page.screenshot(path=f"{folder}/{name}.png")

    def evidence(self, marker: Any) -> Any:
        """Click *marker*; the panel that opens."""
        marker.click()
        panel = self.page.locator("#pc-evidence")
        panel.wait_for(state="visible")
        return panel

    def hosts(self) -> set[str | None]:
        """Every host that was asked for anything."""
        return {urlsplit(url).hostname for url in self.requests if url.startswith("http")}


def _missing(what: str) -> None:
    """Skip for a developer without a browser; in CI a browser test that does not run is a lie."""
    reason = f"{what} is not installed, so the page is not tried in a browser"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


# Of the module, not the session: while Playwright runs, no other test can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        _missing("Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("Playwright")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


def _status(url: str) -> int:
    """The HTTP status of a GET to *url*, whatever proxy the environment names."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def status() -> Callable[[str], int]:
    """The HTTP status of a GET to an address."""
    return _status


@pytest.fixture(scope="module")
def serve_all(browser: Any) -> Iterator[Callable[..., str]]:  # no browser: skip before indexing
    """As `serve`, for all tests of a file."""
    with Pages() as pages:
        yield lambda chat, **options: f"{pages.start(chat, **options)}/"


@pytest.fixture
def serve(browser: Any) -> Iterator[Callable[..., str]]:
    """Serve the page over a chat, with the options of `launch`, and give its address."""
    with Pages() as pages:
        yield lambda chat, **options: f"{pages.start(chat, **options)}/"


@pytest.fixture(scope="module")
def address(serve_all: Callable[..., str], seed_chat: Chat) -> str:
    """Where the page over the bundled papers is."""
    return serve_all(seed_chat)


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Open the page as a new visitor; `visit(address, size=(width, height))`."""
    contexts = []

    def come(address: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Visit:
        window = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=window, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        visitor = Visit(page)
        page.on("request", lambda request: visitor.requests.append(request.url))
        page.on("pageerror", lambda error: visitor.errors.append(str(error)))
        page.on("dialog", lambda box: (visitor.dialogs.append(box.message), box.dismiss()))
        page.goto(address)
        page.wait_for_selector("#pc-question textarea")
        return visitor

    def signed(address: str, name: str, password: str) -> Visit:
        """Open the page as somebody who signs in."""
        context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
        contexts.append(context)
        page = context.new_page()
        page.goto(address)
        page.fill("#username", name)
        page.fill("#password", password)
        page.click("button")
        page.wait_for_selector("#pc-question textarea")
        return Visit(page)

    come.signed = signed  # type: ignore[attr-defined]
    yield come
    for context in contexts:
        context.close()
