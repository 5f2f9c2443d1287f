from __future__ import annotations

import pytest

from rag.app import PaperChat
from rag.listing import manner
from rag.route import by_rules, route

SEVERAL = """
hardware accelerators, whatever there is
my thesis chapter is about distillation; whom must i cite
need 4 refs on long contexts
who tried reinforcement learning for tool use
everything that mentions speculative decoding, titles please
surveys only please
""".strip().splitlines()

ONE = """
How long did the training take?
why does pruning the middle layers hurt less than pruning the last ones?
that trick where the small model guesses ahead and the big one checks
on which chip was it measured and how fast does it go
what does the reward model look at
""".strip().splitlines()


@pytest.mark.parametrize("question", SEVERAL)
def test_what_asks_for_several_papers_is_a_list_whether_a_rule_knows_it_or_not(question: str):
    """People find other words for it every day; a few are known, and the manner tells the rest."""
    assert route(question).shape == "list"


@pytest.mark.parametrize("question", ONE)
def test_what_asks_one_paper_is_none(question: str):
    """Plurals and small words alone make no list."""
    assert route(question).shape != "list"


def test_the_trace_tells_what_spoke_for_a_list():
    """A route that no rule found says by which small words it was found."""
    asked = next(q for q in SEVERAL if by_rules(q).shape != "list")
    found = route(asked)
    assert found.otherwise == by_rules(asked).shape
    assert all(f"\u201c{phrase}\u201d" in found.reason for phrase in manner.telling(
        asked, found.otherwise))  # fmt: skip


def test_what_only_reads_like_a_list_is_one_if_several_papers_match(seed_chat: PaperChat):
    """A few words that a single paper fits are looked up in it."""
    assert seed_chat.ask("neural architecture search, whatever there is").shape == "list"
    alone = seed_chat.ask("HSTU training speed")
    assert alone.shape == "answer"
