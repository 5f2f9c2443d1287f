"""Which rows of the training questions are learned from, and which are kept for calibration."""

from __future__ import annotations

from rag.text import digest


def is_learned(identifier: str) -> bool:
    """Whether the reader learns from the row of this id; `eval.calibrate` uses the others."""
    return int(digest(identifier), 16) % 4 != 0
