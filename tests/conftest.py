"""What tests share: the seed papers indexed once, for real, in a folder of their own."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
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


class Pages:
    """Serves pages on free ports, in threads of this process, until it is left."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.ends: list[Callable[[], None]] = []

    def start(self, chat: Any, **options: Any) -> str:
        """Serve the page over *chat*, with the options of `launch`; its address, without /."""
        from ui.app import launch  # late: gradio takes seconds that few tests need

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        how = {"began": self.ends.append, **options}
        thread = threading.Thread(
            target=launch, args=(chat, "127.0.0.1", port), kwargs=how, daemon=True
        )
        self.threads.append(thread)
        thread.start()
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                direct.open(f"http://127.0.0.1:{port}/health", timeout=10).close()
                return f"http://127.0.0.1:{port}"
            except OSError:
                time.sleep(0.1)
        pytest.fail("the page does not begin to answer")

    def __enter__(self) -> Pages:
        return self

    def __exit__(self, *error: object) -> None:
        for end in self.ends:
            end()
        for thread in self.threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self.threads)


@pytest.fixture(scope="module")
def page_server(seed_chat: PaperChat) -> Iterator[Callable[..., str]]:
    """Serve the page over the seed papers, with the options of `launch`; its address, without /."""
    with Pages() as pages:
        yield partial(pages.start, seed_chat)


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


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a file's tests in one process, for its fixtures, and all browser tests in one.

    Two browsers at once would wait for each other's cores; they begin, since they take longest.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc] # it comes without types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "browser" if "/browser/" in file else file

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that no process is left alone with one."""
    longest = ("browser", "test_writers.py", "test_late.py", "test_cli.py", "test_app.py")

    def place(item: pytest.Item) -> int:
        names = (item.path.parent.name, item.path.name)
        return next((at for at, name in enumerate(longest) if name in names), len(longest))

    items.sort(key=place)
