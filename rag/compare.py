"""Comparisons: the things compared, the axes, and a table in which every cell is a quotation."""

from __future__ import annotations

from collections.abc import Sequence

from rag.retrieve import Library
from rag.types import Draft


def compare(
    library: Library, question: str, subjects: Sequence[str] = (), axes: Sequence[str] = ()
) -> Draft | None:
    """Set the things that *question* compares side by side.

    *subjects* and *axes*, if given, are taken instead of those that *question* names. None where
    the question compares nothing after all: fewer than two subjects, or all of one paper.
    """
    return None
