"""Literal words over a collection: nothing that stands there is missed."""

from __future__ import annotations

import pytest

from rag.app import PaperChat
from rag.listing.criteria import Words
from rag.matching import literal
from rag.matching.literal import holding, tells_own, term_groups


@pytest.mark.parametrize(
    "form",
    [
        "GPT-3", "LLaMA", "Llama 3.1", "SWE-bench", "MATH", "T5", "C++", "ImageNet",
        "fine-tuning", "pre-trained", "mixture of experts", "optimisation", "zero-shot",
        "emergent abilities", "state space models", "human evaluation", "LLMs", "Claude",
    ],
)  # fmt: skip
def test_the_index_leads_to_all_that_reading_finds(seed_chat: PaperChat, monkeypatch, form):
    """A large collection is not read: the papers that the index names are a superset."""
    snapshot = seed_chat._library().snapshot
    everyone = range(len(snapshot.papers))
    words = Words(((form,),))
    read = holding(snapshot, words, everyone)

    monkeypatch.setattr(literal, "FEW", 0)

    assert holding(snapshot, words, everyone) == read


def test_an_acronym_stands_for_what_the_collection_says(seed_chat: PaperChat):
    """A paper that spells it out mentions it, and the other way round."""
    snapshot = seed_chat._library().snapshot
    everyone = range(len(snapshot.papers))

    short = holding(snapshot, Words((("DPO",),)), everyone)
    long = holding(snapshot, Words((("direct preference optimization",),)), everyone)

    assert short.keys() == long.keys()
    assert len(short) > len(holding(snapshot, Words((("DPO",),), exact=True), everyone))


def test_a_first_spelling_that_nobody_has_gives_way(seed_chat: PaperChat):
    """ "The MBPP games" are MBPP where no paper plays them."""  # noqa: D210
    snapshot = seed_chat._library().snapshot
    everyone = range(len(snapshot.papers))
    assert holding(snapshot, Words((("MBPP games", "MBPP"),)), everyone)


def test_passing_mentions_are_near_misses_of_use(seed_chat: PaperChat):
    """To be named among what exists is not to be evaluated on."""
    snapshot = seed_chat._library().snapshot
    found = holding(snapshot, Words((("SWE-bench",),), used=True), range(len(snapshot.papers)))
    near = [snapshot.papers[place].title for place, match in found.items() if match.near]

    assert len(near) == 1
    assert near[0].startswith("Granite-Function Calling")


def test_own_work_is_told_from_the_state_of_the_art():
    """By who does it, or by a result."""
    assert tells_own("We train on ImageNet.")
    assert tells_own("It improves accuracy by 3.2%.")
    assert not tells_own("LLMs such as GPT-3 are popular.")


def test_term_groups_know_every_spelling():
    """Joined or apart, British or American."""
    assert term_groups("fine-tuning") == [[{"finetun"}], [{"fine"}, {"tune"}]]
    assert {"optimis", "optim"} & term_groups("optimisation")[0][0]
