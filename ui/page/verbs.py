"""What programs may ask for, over REST or as MCP tools: the same four verbs in the same bounds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from rag.types import Answer
from ui.format import record, search_record, verify_record
from ui.page.turns import Chat

LONGEST = 20_000
"""Characters of a question."""


class Ask(BaseModel):
    """A question on its own."""

    question: Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Search(BaseModel):
    """Words or a question to rank the papers by."""

    query: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    n: Annotated[int, Field(ge=1, le=100)] = 20


class Compare(BaseModel):
    """Two to five papers by title or name, and what to compare them on."""

    papers: Annotated[list[str], Field(min_length=2, max_length=5)]
    axes: Annotated[list[str], Field(max_length=10)] = []


class Verify(BaseModel):
    """A sentence, and the paper that it cites."""

    claim: Annotated[str, Field(min_length=1, max_length=5_000)]
    title: Annotated[str, Field(min_length=1, max_length=500)]


def answer(chat: Chat, body: Ask) -> Answer:
    """The whole answer to a question. Raises PaperChatError, as all of these do."""
    *_, whole = chat.stream(body.question)
    return whole


def compared(chat: Chat, body: Compare) -> Answer:
    """The papers side by side."""
    return chat.compare(body.papers, body.axes)


def answer_record(whole: Answer) -> dict[str, Any]:
    """An answer as the record that the command line prints."""
    return record(whole, id=None, turn=0)


def found(chat: Chat, body: Search) -> dict[str, Any]:
    """The best papers for a query, as a record."""
    return search_record(chat.search(body.query, body.n), id=None)


def verified(chat: Chat, body: Verify) -> dict[str, Any]:
    """What an abstract makes of a sentence, as a record."""
    title = chat.titled(body.title).title
    return verify_record(chat.verify(body.claim, title), id=None, claim=body.claim, title=title)
