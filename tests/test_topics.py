"""What makes a paper one about a topic."""

from __future__ import annotations

from dataclasses import replace

from rag.listing.closeness import stand_close, stems_in
from rag.listing.topics import (
    BIAS,
    CUT,
    CUT_BESIDE,
    FEATURES,
    NEAR,
    WEIGHTS,
    Signs,
    features,
    probability,
)
from rag.matching.about import shortened

NOTHING = Signs(False, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
PASSING = replace(NOTHING, sentences=1, abstract_share=1.0, sentence_share=1.0, whole=1.0)


def test_there_is_a_weight_for_every_feature():
    """A weight that is missing or out of order would silently be another feature's."""
    assert WEIGHTS.shape == (len(FEATURES),) == features(NOTHING).shape
    assert BIAS < 0


def test_the_cuts_are_in_order():
    """A near miss is less sure than a paper listed beside another criterion, and that than one."""
    assert 0 < NEAR < CUT_BESIDE < CUT < 1


def test_a_title_makes_a_topic_and_a_mention_in_passing_does_not():
    """What stands in the title is what the paper is about."""
    assert probability(PASSING) < CUT
    assert probability(replace(PASSING, in_title=True, title_share=1.0)) >= CUT


def test_what_comes_back_counts_more_than_what_stands_there_once():
    """Two sentences are more than one."""
    assert probability(replace(PASSING, sentences=2)) > probability(PASSING)


def test_phrases_are_looked_for_without_words_that_say_little():
    """Models and methods are what everything is about."""
    assert shortened("mixture-of-experts models") == ["mixture-of-experts"]
    assert "code generation" in shortened("code generation by LLMs")
    assert shortened("vision models") == ["vision models"]


def test_words_near_each_other_are_the_phrase_in_another_order():
    """ "evaluated by humans" is human evaluation; far apart they are not."""  # noqa: D210
    phrase = [("human",), ("evalu",)]
    assert stand_close(phrase, "The answers were evaluated by humans.")
    assert not stand_close(phrase, "Evaluated on four sets of tasks that were written by humans.")


def test_compounds_are_stems_whole_and_in_parts():
    """So that multi-modal and multimodal meet."""
    assert {"multimod", "multi", "modal"} <= stems_in("multi-modal")
    assert stems_in("multimodal") <= stems_in("multi-modal")
