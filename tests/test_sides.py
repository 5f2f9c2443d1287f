"""Reading from a question what it compares and on what."""

from __future__ import annotations

import pytest

from rag.sides import (
    MARK,
    asked_of,
    asks_to_compare,
    axes_in,
    compares_outright,
    cut,
    label_of,
    marked,
    set_beside,
    several_in,
    trimmed,
)


def pieces(question: str) -> list[str]:
    """The trimmed pieces of *question* that are not empty."""
    return [piece.text for piece in map(trimmed, cut(question)) if piece.text]


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("Alpha vs Beta", ["Alpha", "Beta"]),
        ("Compare Alpha, Beta and Gamma", ["Alpha", "Beta", "Gamma"]),
        ("how does Alpha compare with Beta?", ["Alpha", "Beta"]),
        ("what's the difference between the Alpha law and Beta", ["the Alpha law", "Beta"]),
        ("Alpha against the paper on moving states", ["Alpha", "the paper on moving states"]),
        ("from 'Alpha and Omega' to 'Beta'", ["Alpha and Omega", "Beta"]),
        ("Alpha和Beta", ["Alpha", "Beta"]),
    ],
)
def test_sides_stand_between_the_words_that_join_them(question, sides):
    """Question words before a side and what goes on after it are no part of it."""
    assert pieces(question) == sides


def test_with_and_to_join_only_where_a_word_calls_for_them():
    """A side may hold "with" and "to" of its own."""
    assert pieces("the model that learns to plan with tools") == [
        "the model that learns to plan with tools"
    ]


def test_a_piece_knows_where_it_stands():
    """What is cut out of a question is that span of it."""
    question = "How do Alpha, and the other one, differ?"

    for piece in (*cut(question), *map(trimmed, cut(question))):
        assert question[piece.start : piece.end].strip() == piece.text


@pytest.mark.parametrize(
    ("question", "axes"),
    [
        ("{} vs {}", ()),
        ("how do {} and {} differ?", ()),
        ("what do {} and {} have in common?", ()),
        ("Compare {} and {} on cost, scale and speed-up", ("cost", "scale", "speed-up")),
        ("{} and {}: how many APIs does each cover, and where did they get them?",
         ("how many APIs does each cover", "where did they get them")),
        ("{} vs {} for small devices: size, tokens per second", ("size", "tokens per second")),
        ("Rank by number of parameters, biggest first: {}, {}, {}", ("number of parameters",)),
        ("{} and {} both vote. What gain do they report?", ("What gain do they report",)),
        ("Is there a difference in GPU count between {} and {}?", ("GPU count",)),
        ("whats the diffrence betwen {} and {}, especially sizes and what they release",
         ("sizes", "what they release")),
        ("for a slide: {} / {} -> number of APIs, their source, which llama was tuned",
         ("number of APIs", "their source", "which llama was tuned")),
        ("Two papers use Frontier. Compare scale (params, GPUs) and techniques.",
         ("scale (params, GPUs)", "techniques")),
    ],
)  # fmt: skip
def test_axes_are_what_is_asked_and_not_what_is_told(question, axes):
    """Lists give an axis an item, questions one a clause; a clause that only tells gives none."""
    text = question.replace("{}", MARK)

    assert tuple(label_of(axis) for axis in axes_in(text)) == axes


def test_a_side_is_asked_an_axis_by_its_name():
    """The name stands where the question said "each", or else behind the axis."""
    assert asked_of("how many APIs does each cover", "Alpha") == "how many APIs does Alpha cover"
    assert asked_of("tokens per second", "Alpha") == "tokens per second of Alpha"
    assert asked_of("how fast is each", r"$\alpha$Net") == r"how fast is $\alpha$Net"
    assert asked_of("what speed-up is claimed", "Alpha") == "what speed-up is claimed for Alpha"
    assert asked_of(f"what is {MARK}'s advance", "Alpha") == "what is Alpha's advance"


def test_marks_stand_for_the_sides():
    """Each span becomes one mark, and the rest of the question stays."""
    assert marked("A1 vs B2: cost", [(0, 2), (6, 8)]) == f"{MARK} vs {MARK}: cost"


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("the two systems that move optimizer state off the GPU", 2),
        ("I know three papers on saving state cheaply. Which is best?", 3),
        ("both of them", None),
        ("two papers", None),
    ],
)
def test_things_described_together_come_with_their_number(question, count):
    """A number and a kind alone describe nothing."""
    found = several_in(question)

    assert (found.count if found else None) == count


@pytest.mark.parametrize(
    ("question", "outright"),
    [
        ("Alpha versus Beta", True),
        ("what changed from Alpha to Beta", True),
        ("Which is larger, Alpha or Beta?", True),
        ("¿En qué se diferencian Alpha y Beta?", True),
        ("how much faster than Beta is Alpha?", False),
        ("Is Alpha better than Beta?", False),
    ],
)
def test_a_yardstick_is_no_comparison_outright(question, outright):
    """One thing measured against another is what one abstract may say by itself."""
    assert asks_to_compare(question)
    assert compares_outright(question) == outright


def test_sides_that_open_a_clause_are_set_beside_each_other():
    """Nothing but a join stands between them, and nothing of weight before."""
    assert set_beside("Alpha or Beta: throughput?", [(0, 5), (9, 13)])
    assert not set_beside("Alpha runs on Beta: throughput?", [(0, 5), (14, 18)])
    assert not set_beside("Was Postgres used in Alpha or Beta?", [(21, 26), (30, 34)])
