"""What tests share: the seed papers indexed once, for real, in a folder of their own."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.app import PaperChat, index, open_chat
from rag.llm.gate import Gate
from rag.settings import Settings
from tests.scripted import Scripted


@pytest.fixture(scope="session")
def seed_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the 385 seed papers. Tests read it and never write to it."""
    folder = tmp_path_factory.mktemp("seed-store")
    index(Settings.from_environment(store=folder, environment={}))
    return folder


@pytest.fixture(scope="session")
def seed_settings(seed_store: Path) -> Settings:
    """Settings that point at the seed papers, whatever the environment says."""
    return Settings.from_environment(store=seed_store, environment={})


@pytest.fixture(scope="session")
def seed_chat(seed_settings: Settings) -> Iterator[PaperChat]:
    """The product on the seed papers."""
    yield open_chat(seed_settings)


@pytest.fixture(scope="session")
def page_server(seed_chat: PaperChat) -> Callable[..., str]:
    """Serve the page over the seed papers, with the options of `launch`; its address, without /."""

    def start(**options: Any) -> str:
        from ui.app import launch  # late: gradio takes seconds that few tests need

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        arguments = (seed_chat, "127.0.0.1", port)
        threading.Thread(target=launch, args=arguments, kwargs=options, daemon=True).start()
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                direct.open(f"http://127.0.0.1:{port}/health", timeout=10).close()
                return f"http://127.0.0.1:{port}"
            except OSError:
                time.sleep(0.1)
        pytest.fail("the page does not begin to answer")

    return start


@pytest.fixture
def scripted_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """An OpenAI-compatible server that answers "Yes." until `server.script` says otherwise.

    What the environment says of keys, addresses and proxies is out of the way, as are the limits
    and refusals that another test's server has told.
    """
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    gate = Gate()  # a port may be that of an earlier server
    monkeypatch.setattr("rag.llm.server.GATE", gate)
    monkeypatch.setattr("rag.llm.chat.GATE", gate)
    monkeypatch.setattr("rag.llm.chat._refused", {})
    with Scripted() as server:
        yield server
    assert server.counts.problems == []


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process, for its fixtures, and all browser tests in another.

    Where the tests run in several processes (`pytest -n 2 --dist loadgroup`), that is.
    """
    for item in items:
        browser = item.path.parent.name == "browser"
        item.add_marker(pytest.mark.xdist_group("browser" if browser else item.path.name))
