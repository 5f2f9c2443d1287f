"""Criteria as values, and in words."""

from __future__ import annotations

import pytest

from rag.listing.criteria import Amount, Brings, Clause, Criteria, IsKind, Topic, Words, described


@pytest.mark.parametrize(
    ("criterion", "told"),
    [
        (Words((("LoRA",), ("PEFT",))), "mention “LoRA” or “PEFT”"),
        (Words((("GPT-3",),), masks=("GPT-3.5",)), "mention “GPT-3” (not as GPT-3.5)"),
        (Words((("scaling",),), "title"), "mention “scaling” in the title"),
        (Words((("MMLU",),), used=True), "use “MMLU”"),
        (Amount("tokens", low=1.5e12, above=True),
         "state more than 1.5 trillion tokens for their own work"),
        (Amount("money", own=False), "state an amount in money"),
        (Amount("accelerators", high=8, own=False), "state at most 8 GPUs or other accelerators"),
        (Amount("percent", low=50, about=("memori",), own=False), "state at least 50 % (memori)"),
        (IsKind("thesis"), "are theses"),
        (IsKind("empirical study", "title"), "are empirical studies by their title"),
        (Brings("optimizer"), "introduce an optimizer"),
        (Topic("state space models", ("state space models",), ("S4",)),
         "are about “state space models” (S4)"),
    ],
)  # fmt: skip
def test_every_criterion_is_told_in_words(criterion, told):
    """As what papers do, so that a count can be said before it."""
    assert described(Criteria((Clause((criterion,)),))) == told


def test_clauses_are_joined_and_negated():
    """All must hold, and what is ruled out says so."""
    criteria = Criteria((Clause((IsKind("survey"),)), Clause((Brings("model"),), negated=True)))
    assert described(criteria) == "are surveys, and do not introduce a model"


def test_one_paper_does_what_several_do():
    """The verb agrees with the count before it."""
    clauses = (Clause((IsKind("survey"),)), Clause((Words((("BERT",),)),), negated=True))
    assert described(Criteria(clauses), single=True) == "is a survey, and does not mention “BERT”"


def test_what_is_long_is_told_in_short():
    """A page of a question is not told again, nor a number with a thousand digits."""
    long = Clause((Topic("many words " * 100, ("many words",)), Words((("x" * 500,),) * 30)))
    assert len(described(Criteria((long,)))) < 1000
    large = (Amount("parameters", low=1e75), Amount("parameters", low=float("inf")))
    told = described(Criteria(tuple(Clause((one,)) for one in large)))
    assert "at least 10^75 parameters" in told
    assert "∞ parameters" in told
