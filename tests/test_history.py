"""Conversations that are kept: they come back whole, to their owner and to nobody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import StoreError
from rag.history import History
from rag.kept import key_of, pack, pack_paper, unpack, unpack_paper

QUESTIONS = [
    "What MFU does MegaScale reach?",
    "How do MegaScale and ByteScale differ in hardware?",
    "Which papers mention ImageNet?",
    "Who won the world cup in 2014?",
    "Hello",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_of_any_shape_comes_back_equal(seed_chat, question):
    """Nothing of an answer is lost or changed by keeping it."""
    answer = seed_chat.ask(question)
    text, papers = pack(answer)
    kept = {key: unpack_paper(pack_paper(paper)) for key, paper in papers.items()}

    assert unpack(text, kept) == answer


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"question": 1}', "null"])
def test_what_was_not_kept_by_us_is_one_sentence(text):
    """A damaged row is an error of ours."""
    with pytest.raises(StoreError, match="ask the question again"):
        unpack(text, {})


def test_a_paper_that_changes_is_another_paper(seed_chat):
    """What an answer quoted stays what it was."""
    paper = seed_chat.papers()[0]

    assert key_of(replace(paper, content_hash="other")) != key_of(paper)


def test_a_conversation_outlives_the_process(tmp_path: Path, seed_chat):
    """Another process finds questions, answers and problems in their order."""
    answer = seed_chat.ask(QUESTIONS[0])
    first = History(tmp_path / "kept.sqlite")
    place = first.begin("ann", "", 0, QUESTIONS[0])
    name = place.conversation
    first.keep(place, answer, "")
    later = first.begin("ann", name, 1, "why?")
    assert later[:2] == (name, 1)
    first.keep(later, None, "Stopped.")
    first.close()
    second = History(tmp_path / "kept.sqlite")

    assert [one.title for one in second.conversations("ann")] == [QUESTIONS[0]]
    turns = second.turns("ann", name)
    assert [(one.question, one.answer, one.problem) for one in turns] == [
        (QUESTIONS[0], answer, ""),
        ("why?", None, "Stopped."),
    ]


def test_what_is_somebody_elses_does_not_exist():
    """Nobody reads, renames, rates, continues or deletes another's conversation."""
    history = History()
    name = history.begin("ann", "", 0, "a").conversation
    history.rename("bob", name, "mine")
    history.rate("bob", name, 0, "down", "bad")
    history.delete("bob", name)

    assert history.turns("bob", name) == ()
    assert history.conversations("bob") == ()
    assert history.titled("bob", name) is None
    assert history.begin("bob", name, 0, "b").conversation != name
    assert [(one.question, one.rating) for one in history.turns("ann", name)] == [("a", "")]
    assert history.conversations("ann")[0].title == "a"


def test_a_question_that_is_asked_again_takes_the_place_of_what_came_after():
    """Retry and edit leave no turn of the earlier course behind."""
    history = History()
    name = history.begin("ann", "", 0, "a").conversation
    for number, question in enumerate("bcd", 1):
        history.begin("ann", name, number, question)
    history.begin("ann", name, 1, "again", instead=True)

    assert [one.question for one in history.turns("ann", name)] == ["a", "again"]


def test_two_windows_of_one_person_lose_no_turn(seed_chat):
    """Who asks where another window has asked meanwhile comes after it, whichever ends first."""
    history, answer = History(), seed_chat.ask(QUESTIONS[0])
    name = history.begin("ann", "", 0, "a").conversation
    one = history.begin("ann", name, 1, "b")
    other = history.begin("ann", name, 1, "c")
    history.keep(other, answer, "")
    history.keep(one, answer, "")

    assert [one.number, other.number] == [1, 2]
    kept = history.turns("ann", name)
    assert [turn.question for turn in kept] == ["a", "b", "c"]
    assert [turn.answer for turn in kept] == [None, answer, answer]


def test_what_ends_late_does_not_overwrite_what_took_its_place(seed_chat):
    """A question that was stopped and asked again keeps the second answer, whichever ends last."""
    history, answer = History(), seed_chat.ask(QUESTIONS[0])
    slow = history.begin("ann", "", 0, "a")
    again = history.begin("ann", slow.conversation, 0, "a", instead=True)
    history.keep(again, answer, "")
    history.keep(slow, None, "Stopped.")

    (kept,) = history.turns("ann", slow.conversation)
    assert (kept.answer, kept.problem) == (answer, "")


def test_a_conversation_is_renamed_and_deleted():
    """Its title is what its owner says, and nothing of it is left when it is deleted."""
    history = History()
    name = history.begin("ann", "", 0, "a").conversation
    history.rename("ann", name, "  GPUs  ")
    assert history.conversations("ann")[0].title == "GPUs"
    history.rename("ann", name, "   ")
    assert history.conversations("ann")[0].title == "GPUs"
    history.delete("ann", name)

    assert history.conversations("ann") == ()
    assert history.turns("ann", name) == ()


def test_a_rating_is_kept_with_its_reason_and_can_be_taken_back():
    """What people found wrong can be listed, with the turns that led there."""
    history = History()
    name = history.begin("ann", "", 0, "a").conversation
    history.begin("ann", name, 1, "b")
    history.begin("ann", name, 2, "c")
    history.rate("ann", name, 1, "down", "it lacks x")

    ((turns, owner),) = history.rated()
    assert ([one.question for one in turns], owner) == (["a", "b"], "ann")
    assert turns[-1].reason == "it lacks x"
    history.rate("ann", name, 1, "", "")
    assert list(history.rated()) == []
