"""What a question compares, and on what: read from its words alone. Pure rules."""

from __future__ import annotations

from rag.question import compares


def asks_to_compare(question: str) -> bool:
    """Whether the question sets two things or more side by side."""
    return compares(question)
