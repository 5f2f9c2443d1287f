"""A model's text, read as it arrives: finished sentences, real markers, no markup."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cite import Pointer, Writing, Written

TITLES = ["Oaks and Their Many Small Acorns", "Elms: A Study of Tall Trees in Towns"]
TEXT = """<think>The [1] of it.</think>## What they say

Oaks grow 55.2% faster [1.2]. They use **12,288** acorns, e.g. brown ones. [1, 2] More is new [9].
- According to "Elms: A Study of Tal Trees in Towns", they are tall [2].
1. See "A Wholly Made Up Title of Elms" for <b>more</b>!
Last [they](http://x.org) rest (Oak et al., 2021) 3.5x as long [1][2]"""


def read(pieces):
    """All that is written in *pieces*."""
    writing = Writing([5, 5], TITLES)
    return [one for piece in pieces for one in writing.feed(piece)] + writing.finish()


WHOLE = read([TEXT])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(TEXT)), max_size=40))
def test_the_pieces_make_no_difference(cuts):
    """However the stream is cut, the sentences and what they cite are the same."""
    places = [0, *sorted(cuts), len(TEXT)]

    assert read([TEXT[a:b] for a, b in pairwise(places)]) == WHOLE


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='ab A.B [1].2,]?\n<>*"“”(9)', max_size=80), st.integers(0, 80))
def test_nor_do_they_for_any_text(text, cut):
    """It holds for text that no model should write, and no half of a marker is shown."""
    whole = read([text])

    assert read([text[:cut], text[cut:]]) == whole == read(list(text))
    assert all(1 <= one.paper <= 2 for each in whole for one in each.pointers)


def test_sentences_lose_what_is_not_theirs():
    """Thoughts, markup, markers that point nowhere and years of others are gone."""
    assert [(one.text, [(p.paper, p.sentence) for p in one.pointers]) for one in WHOLE] == [
        ("What they say", []),
        ("Oaks grow 55.2% faster.", [(1, 2)]),
        ("They use 12,288 acorns, e.g. brown ones.", [(1, None), (2, None)]),
        ("More is new.", []),
        (f'According to "{TITLES[1]}", they are tall.', [(2, None)]),
        ('See "A Wholly Made Up Title of Elms" for more!', []),
        ("Last they rest 3.5x as long", [(1, None), (2, None)]),
    ]
    assert WHOLE[0].heading
    assert "A Wholly Made Up Title" in WHOLE[5].problem


def test_an_asterisk_between_figures_is_no_markup():
    """A product keeps its sign, while emphasis around a figure goes."""
    (said,) = read(["We trained **16** billion and then the *8*16B* model in all. "])

    assert said.text == "We trained 16 billion and then the 8*16B model in all."


@pytest.mark.parametrize("end", ["and half of", "and half a marker [1", "and 3."])
def test_of_a_stream_that_broke_off_only_whole_sentences_stay(end):
    """What was still being written is not shown."""
    writing = Writing([5, 5], TITLES)
    made = writing.feed(f"Oaks grow [1]. Elms stand {end}"[: -1 if end.endswith(".") else None])

    assert made + writing.finish(whole=False) == [Written("Oaks grow.", (Pointer(1),))]
