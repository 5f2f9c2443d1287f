"""What a check has found: of which kind, in which words, and what it speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "unit", "swap", "name", "direction", "negation", "role", "scope", "edit"]
Speaks = Literal["contradicted", "absent"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a sentence says and its abstract does not, or says otherwise."""

    kind: Kind
    speaks: Speaks  # for a contradiction, or only for "not in the abstract"
    strength: float  # 0 to 1: how sure the check is that both speak of the same
    words: str  # of the sentence
    reason: str  # for a person
