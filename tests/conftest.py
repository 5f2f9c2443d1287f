"""What tests share: the seed papers indexed once, for real, in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.app import PaperChat, index, open_chat
from rag.settings import Settings


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
