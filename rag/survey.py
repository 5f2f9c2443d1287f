"""Lists and counts: a criterion read from the question, decided for every paper."""

from __future__ import annotations

from rag.retrieve import Library
from rag.types import Draft


def survey(library: Library, question: str) -> Draft | None:
    """The papers that meet *question*'s criterion, each with the sentence that qualifies it.

    None where the question asks for no papers in the plural after all.
    """
    return None
