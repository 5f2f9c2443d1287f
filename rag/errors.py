"""The error tree. Each message is one sentence that ends in what to do.

PaperChatError
├── SettingsError        an environment variable is unknown or has a bad value
├── UsageError           an argument cannot be used (empty question, unknown mode, …)
├── CorpusError          a file or folder cannot be read as papers at all
├── StoreError           the index cannot be opened, read or written
│   ├── NoIndex          there is no index yet
│   ├── StoreAway        the Chroma server cannot be reached
│   ├── StoreLocked      another process is writing
│   └── StoreVersion     made by another version of PaperChat
├── EmbeddingError       the embedding model cannot run or cannot be reached
├── ModelError           the language model cannot be reached, refuses, or makes no sense
└── PromptError          a prompt file and its names do not agree
"""

from __future__ import annotations

from pathlib import Path


class PaperChatError(Exception):
    """Anything PaperChat can explain in one sentence; the command line exits with 2."""


class SettingsError(PaperChatError):
    """An environment variable is unknown or has a bad value."""


class UsageError(PaperChatError):
    """An argument cannot be used."""


class CorpusError(PaperChatError):
    """A file or folder cannot be read as papers at all."""

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(path, problem)  # both: keeps pickle working
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class StoreError(PaperChatError):
    """The index cannot be opened, read or written."""


class NoIndex(StoreError):
    """There is no index yet."""


class StoreAway(StoreError):
    """The Chroma server cannot be reached."""


class StoreLocked(StoreError):
    """Another process is writing to the store."""


class StoreVersion(StoreError):
    """The store was made by another version of PaperChat."""


class EmbeddingError(PaperChatError):
    """The embedding model cannot run or cannot be reached."""


class ModelError(PaperChatError):
    """The language model cannot be reached, refuses, or makes no sense."""


class PromptError(PaperChatError):
    """A prompt file and the names it is given do not agree."""
