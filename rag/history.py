"""Conversations that outlive a reload and a restart, in one SQLite file.

Whoever asks sees only what belongs to them: every call names the owner, and what belongs to
somebody else does not exist. An answer is kept whole (`rag.kept`), with the papers as they were.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rag.errors import StoreError
from rag.kept import pack, pack_paper, unpack, unpack_paper
from rag.types import Answer

FILE = "conversations.sqlite"
MOST_TITLE = 120
"""Characters of a conversation's title."""

MOST_REASON = 600
"""Characters of what a person says is wrong with an answer."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, updated REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS conversations_by_owner ON conversations (owner, updated);
CREATE TABLE IF NOT EXISTS turns (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    number INTEGER NOT NULL, question TEXT NOT NULL, answer TEXT, problem TEXT NOT NULL DEFAULT '',
    rating TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', asked REAL NOT NULL,
    PRIMARY KEY (conversation, number)
);
CREATE TABLE IF NOT EXISTS papers (key TEXT PRIMARY KEY, paper TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of a person's list of conversations."""

    id: str
    title: str
    updated: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Kept:
    """One turn as it was kept."""

    number: int  # counts from 0 within the conversation
    question: str
    answer: Answer | None
    problem: str = ""  # one sentence, if there is no answer
    rating: str = ""  # "up", "down" or nothing
    reason: str = ""  # what a person says is wrong


class Place(NamedTuple):
    """Where an answer is to be kept."""

    conversation: str
    number: int  # counts from 0 within the conversation
    asked: float  # seconds since 1970: tells a question from one that took its place


class History:
    """The conversations of everybody. Safe to use from many threads at once."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file at *path*; without one, keep all in memory. Raises StoreError."""
        self._lock = threading.Lock()  # one connection: its statements take one thread at a time
        with _our_errors():
            self._connection = sqlite3.connect(
                path or ":memory:", check_same_thread=False, isolation_level=None, timeout=10
            )
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def conversations(self, owner: str, most: int = 200) -> Sequence[Conversation]:
        """The owner's conversations, the latest first."""
        rows = self._rows(
            "SELECT id, title, updated FROM conversations WHERE owner = ?"
            " ORDER BY updated DESC, id LIMIT ?",
            (owner, most),
        )
        return tuple(Conversation(*row) for row in rows)

    def titled(self, owner: str, conversation: str) -> Conversation | None:
        """The conversation, if it is the owner's."""
        rows = self._rows(
            "SELECT id, title, updated FROM conversations WHERE owner = ? AND id = ?",
            (owner, conversation),
        )
        return Conversation(*rows[0]) if rows else None

    def turns(self, owner: str, conversation: str) -> Sequence[Kept]:
        """The turns of the owner's conversation; none if it is not theirs. Raises StoreError."""
        rows = self._rows(
            "SELECT number, question, answer, problem, rating, reason FROM turns"
            " WHERE conversation = (SELECT id FROM conversations WHERE id = ? AND owner = ?)"
            " ORDER BY number",
            (conversation, owner),
        )
        return tuple(self._kept(*row) for row in rows)

    def begin(
        self, owner: str, conversation: str, number: int, question: str, *, instead: bool = False
    ) -> Place:
        """Note that *question* is asked; the place that its answer is to be kept at.

        As turn *number*, or later if others have been kept meanwhile, as from another window. With
        *instead* it takes the place of turn *number*, and all later turns go. A *conversation*
        that is not the owner's (or "") begins a new one, whose title is the question.
        """
        now = time.time()
        with self._transaction():
            mine = "SELECT 1 FROM conversations WHERE id = ? AND owner = ?"
            if not self._connection.execute(mine, (conversation, owner)).fetchone():
                conversation = secrets.token_urlsafe(12)
                self._connection.execute(
                    "INSERT INTO conversations VALUES (?, ?, ?, ?)",
                    (conversation, owner, question[:MOST_TITLE], now),
                )
            self._connection.execute(
                "UPDATE conversations SET updated = ? WHERE id = ?", (now, conversation)
            )
            if instead:
                later = "DELETE FROM turns WHERE conversation = ? AND number >= ?"
                self._connection.execute(later, (conversation, number))
            next_one = "SELECT COALESCE(MAX(number) + 1, 0) FROM turns WHERE conversation = ?"
            (least,) = self._connection.execute(next_one, (conversation,)).fetchone()
            number = max(number, least)
            self._connection.execute(
                "INSERT INTO turns (conversation, number, question, asked) VALUES (?, ?, ?, ?)",
                (conversation, number, question, now),
            )
        return Place(conversation, number, now)

    def keep(self, place: Place, answer: Answer | None, problem: str) -> None:
        """Keep what came of a turn: an answer, or why there is none.

        Nothing is kept where another question has taken the place since.
        """
        text, papers = pack(answer) if answer else (None, {})
        with self._transaction():
            self._connection.executemany(
                "INSERT OR IGNORE INTO papers VALUES (?, ?)",
                [(key, pack_paper(paper)) for key, paper in papers.items()],
            )
            self._connection.execute(
                "UPDATE turns SET answer = ?, problem = ?"
                " WHERE conversation = ? AND number = ? AND asked = ?",
                (text, problem, *place),
            )

    def rename(self, owner: str, conversation: str, title: str) -> None:
        """Give the owner's conversation another title."""
        if title.strip():
            self._do(
                "UPDATE conversations SET title = ? WHERE id = ? AND owner = ?",
                (title.strip()[:MOST_TITLE], conversation, owner),
            )

    def delete(self, owner: str, conversation: str) -> None:
        """Forget the owner's conversation, answers and ratings with it."""
        self._do("DELETE FROM conversations WHERE id = ? AND owner = ?", (conversation, owner))

    def rate(self, owner: str, conversation: str, number: int, rating: str, reason: str) -> None:
        """Note what the owner thinks of an answer: "up", "down", or "" to take it back."""
        self._do(
            "UPDATE turns SET rating = ?, reason = ? WHERE number = ? AND conversation ="
            " (SELECT id FROM conversations WHERE id = ? AND owner = ?)",
            (rating, reason[:MOST_REASON], number, conversation, owner),
        )

    def rated(self, rating: str = "down") -> Iterator[tuple[Sequence[Kept], str]]:
        """What people rated so, oldest first: the turns up to the rated one, and who asked.

        Raises StoreError.
        """
        rows = self._rows(
            "SELECT owner, conversation, number FROM turns JOIN conversations ON id = conversation"
            " WHERE rating = ? ORDER BY asked, conversation",
            (rating,),
        )
        for owner, conversation, number in rows:
            yield [one for one in self.turns(owner, conversation) if one.number <= number], owner

    def _kept(self, number: int, question: str, answer: str | None, *rest: str) -> Kept:
        if answer is None:
            return Kept(number, question, None, *rest)
        wanted = self._rows(
            "SELECT key, paper FROM papers WHERE key IN (SELECT json_extract(value, '$.paper')"
            " FROM json_each(?, '$.retrieved'))",
            (answer,),
        )
        papers = {key: unpack_paper(paper) for key, paper in wanted}
        return Kept(number, question, unpack(answer, papers), *rest)

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock, _our_errors():
            return self._connection.execute(query, values).fetchall()

    def _do(self, command: str, values: Sequence[object]) -> None:
        with self._transaction():
            self._connection.execute(command, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, _our_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


@contextmanager
def _our_errors() -> Iterator[None]:
    """Tell of SQLite's errors in one sentence of ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(
            f"the conversations cannot be kept ({error}); free the file or the disk"
        ) from error
