"""What a list is asked for: criteria read from a question, as values. Pure rules."""

from __future__ import annotations

from rag.question import asks_for_several


def asks_for_list(question: str) -> bool:
    """Whether papers are wanted in the plural: a list, a count, a survey of the collection."""
    return asks_for_several(question)
