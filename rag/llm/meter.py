"""What a language model's answer costs: tokens counted or estimated, a price, and a cap."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.chunk import count_tokens
from rag.errors import ModelError
from rag.types import Chat, Message, Reply, Usage

# OpenAI's chat format puts about four tokens around a message, and three before the answer.
TOKENS_A_MESSAGE = 4
TOKENS_A_REPLY = 3

Price = tuple[float, float]
"""US dollars for a million tokens: of prompts, and of what is written."""


class Tally:
    """What one answer has brought so far. One thread writes, any may read."""

    def __init__(self, messages: Sequence[Message], price: Price | None) -> None:
        self._messages = messages
        self._price = price
        self._pieces: list[str] = []
        self._told: tuple[int, int] | None = None
        self.characters = 0
        self.chosen = False  # the server has sent something of an answer, be it empty
        self.finished = ""  # why the answer ended; empty until it has

    def add(self, piece: str) -> None:
        """Count another *piece* of the answer."""
        self._pieces.append(piece)
        self.characters += len(piece)

    def told(self, usage: Any) -> None:
        """Take the server's own counts, if *usage* holds two that can be right."""
        if isinstance(usage, dict):
            pair = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
            match pair:
                case (int(prompt), int(completion)) if prompt > 0 and completion >= 0:
                    self._told = (prompt, completion)

    def usage(self) -> Usage:
        """The server's counts, or estimates that say so."""
        if self._told:
            made = Usage(*self._told)
        else:
            made = Usage(prompt_tokens(self._messages), count_tokens("".join(self._pieces)), True)
        return priced(made, self._price)


def priced(usage: Usage, price: Price | None) -> Usage:
    """*usage* with what it costs at *price*; as it is without one."""
    if price is None:
        return usage
    cost = (usage.prompt_tokens * price[0] + usage.completion_tokens * price[1]) / 1_000_000
    return replace(usage, cost_usd=cost)


def prompt_tokens(messages: Sequence[Message]) -> int:
    """About how many tokens *messages* are, by tiktoken's cl100k_base."""
    written = sum(count_tokens(message.content) + TOKENS_A_MESSAGE for message in messages)
    return written + TOKENS_A_REPLY


def capped(chat: Chat, most: int) -> Capped:
    """*chat* for one question: its prompts and answers together stay within *most* tokens.

    A call that could pass it, with the longest answer that it asks for, raises ModelError before
    anything is sent. Calls that still run count with the longest answer they may give.
    """
    return Capped(chat, most)


class Capped:
    """A `Chat` with a budget, shared by all its calls. Safe to use from many threads."""

    def __init__(self, chat: Chat, most: int) -> None:
        self._chat = chat
        self._most = most
        self._spent = 0  # tokens used, and those that running calls may yet use
        self._usage = Usage()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._chat.name

    def __call__(
        self, messages: Sequence[Message], most_tokens: int = 1_000, as_json: bool = False
    ) -> Reply:
        """Begin an answer. Raises ModelError if it could pass the cap."""
        wanted = prompt_tokens(messages) + most_tokens
        with self._lock:
            if self._spent + wanted > self._most:
                raise ModelError(
                    f"this question may use {self._most:,} tokens of the language model, and"
                    f" {self._spent:,} + {wanted:,} would pass that; ask for less, or raise"
                    " PAPERCHAT_MOST_TOKENS"
                )
            self._spent += wanted
        return _CappedReply(self._chat(messages, most_tokens, as_json), self, wanted)

    @property
    def usage(self) -> Usage:
        """What all calls that have ended have cost together."""
        with self._lock:
            return self._usage

    def settle(self, reserved: int, usage: Usage) -> None:
        """Put what was used in the place of what might have been."""
        with self._lock:
            self._spent += usage.prompt_tokens + usage.completion_tokens - reserved
            self._usage += usage


class _CappedReply:
    """A `Reply` that tells its budget what it used, when it ends."""

    def __init__(self, reply: Reply, budget: Capped, reserved: int) -> None:
        self._reply = reply
        self._budget = budget
        self._reserved = reserved
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[str]:
        try:
            yield from self._reply
        finally:
            self._settle()

    @property
    def usage(self) -> Usage:
        """What it has cost so far."""
        return self._reply.usage

    @property
    def finished(self) -> str:
        """Why the answer ended."""
        return self._reply.finished

    def close(self) -> None:
        """Stop listening."""
        self._reply.close()
        self._settle()

    def _settle(self) -> None:
        with self._lock:
            reserved, self._reserved = self._reserved, 0
        if reserved:
            self._budget.settle(reserved, self._reply.usage)
