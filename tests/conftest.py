"""What tests share: the seed papers indexed once, for real, in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
