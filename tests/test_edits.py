"""A sentence of an abstract told again with something changed."""

from __future__ import annotations

import pytest

from rag.guard.edits import edits

HELD = "We train Kestrel-1 on the Heron corpus and often compare it to Osprey-2 for faster search."
DIRECTED = "In this study, careful pruning may require retraining with the teacher, which is slow."


def said(claim: str, held: str = HELD) -> list[str]:
    """For what the changes of *claim* speak."""
    return [one.speaks for one in edits(claim, [held], [held])]


@pytest.mark.parametrize(
    "claim",
    [
        "The authors train Sparrow-3 on the Heron corpus and often compare it to Osprey-2 for"
        " faster search.",
        "They train Osprey-2 on the Heron corpus and often compare it to Kestrel-1 for faster"
        " search.",
        "The authors train Kestrel-1 on the Heron corpus and often compare it to Osprey-2 for"
        " slower search.",
        "The authors do not train Kestrel-1 on the Heron corpus and often compare it to Osprey-2.",
        "The authors train Kestrel-1 on the Heron corpus and always compare it to Osprey-2.",
    ],
    ids=["name", "places", "direction", "negation", "hedge"],
)
def test_one_change_to_a_sentence_is_a_contradiction(claim: str) -> None:
    """Another name, changed places, the opposite, a negation and "always" are each noticed."""
    assert "contradicted" in said(claim)


@pytest.mark.parametrize(
    "claim",
    [
        HELD,
        "The authors train Kestrel-1 on the Heron corpus and often compare it to Osprey-2 for"
        " faster search.",
        "They train Kestrel-1 on the Heron corpus.",
        "Kestrel-1 is trained on the Heron corpus by the authors and compared with Osprey-2.",
    ],
)
def test_who_tells_it_and_what_is_left_out_change_nothing(claim: str) -> None:
    """A sentence in the third person, in the passive or cut short stays what it was."""
    assert said(claim) == []


def test_what_is_made_to_hold_for_everything_is_not_in_the_abstract() -> None:
    """Words at the end that widen a sentence are said to be nobody's."""
    wider = HELD.replace("faster search.", "faster search, for every task and in every language.")
    assert "absent" in said(wider)


def test_the_sides_of_a_verb_with_a_direction_keep_their_places() -> None:
    """What requires what is not turned about unnoticed, and a passive is no turn."""
    turned = "Retraining with the teacher may require careful pruning."
    passive = "Retraining with the teacher is required by careful pruning."
    assert said(turned, DIRECTED) == ["contradicted"]
    assert said(passive, DIRECTED) == []


def test_the_items_of_a_list_may_change_places() -> None:
    """What is merely listed means the same in another order."""
    held = "We evaluate the method on Alpha-1, Beta-2 and Gamma-3 with good accuracy throughout."
    other = "They evaluate the method on Gamma-3, Beta-2 and Alpha-1 with good accuracy throughout."
    assert said(other, held) == []
