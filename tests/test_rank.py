"""Fusion of normalised scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rag.rank import FusionWeights, Signals, best_first, best_places, fuse, standardise

ANY = settings(max_examples=200, deadline=None, database=None, derandomize=True)
SCORES = arrays.arrays(
    np.float64, st.integers(0, 12), elements=st.integers(-1000, 1000).map(lambda n: n / 8)
)


def signals(n=4, **given_signals):
    """Signals of *n* papers that say nothing, but for those given."""
    nothing = dict.fromkeys(("lexical", "coverage", "whole", "sentence"), np.zeros(n))
    unnamed = dict.fromkeys(("introduced", "mentioned"), np.zeros(n, dtype=bool))
    return Signals(**{**nothing, **unnamed, **{k: np.array(v) for k, v in given_signals.items()}})


# Among four papers nobody stands out by more than two deviations, among hundreds by fifteen: a law
# is shown here by weights that are larger in the same proportion.
STRONG = FusionWeights(lexical_always=0.1, lexical_covered=1.5, introduced=5.0, mentioned=4.0)


def places(made, **options):
    """Places of papers, best first."""
    scores = fuse(made, **options)
    return best_first(scores, [str(place) for place in range(len(scores))])


@ANY
@given(SCORES)
def test_standardised_scores_have_mean_0_and_spread_1(scores):
    """Unless they do not differ: then nothing is said about any of them."""
    got = standardise(scores)

    assert got.shape == scores.shape
    assert np.isfinite(got).all()
    if np.any(got):
        assert got.mean() == pytest.approx(0, abs=1e-6)
        assert got.std() == pytest.approx(1, abs=1e-6)
        assert (np.argsort(got, kind="stable") == np.argsort(scores, kind="stable")).all()


@pytest.mark.parametrize("scores", [[], [3.0], [0.1] * 7, [0.0, 0.0], [1e9 / 3] * 3])
def test_equal_scores_say_nothing(scores):
    """An empty collection, one paper, and a draw are no signal (and no warning)."""
    assert not np.any(standardise(np.array(scores)))


def test_an_empty_collection_has_no_scores():
    """Nothing is ranked where nothing is."""
    assert fuse(signals(0)).shape == (0,)
    assert best_first(np.zeros(0), []) == []


@ANY
@given(SCORES, st.floats(0.5, 100), st.floats(-100, 100))
def test_the_scale_of_a_signal_does_not_matter(scores, factor, shift):
    """Cosines and BM25 can be added because only distances from the mean count."""
    moved = standardise(scores * factor + shift)

    np.testing.assert_allclose(moved, standardise(scores), atol=1e-6)


def test_a_paper_that_covers_the_question_is_trusted_on_words():
    """BM25 speaks for a paper that holds the question's rare words, and hardly for another."""
    words = [9.0, 1.0, 0.0, 0.0]
    meaning = [0.1, 0.1, 0.5, 0.1]

    covered = signals(lexical=words, coverage=[0.9, 0.1, 0.0, 0.0], whole=meaning)
    shared = signals(lexical=words, coverage=[0.2, 0.1, 0.0, 0.0], whole=meaning)

    assert places(covered, weights=STRONG)[0] == 0
    assert places(shared, weights=STRONG)[0] == 2


def test_a_named_paper_comes_first():
    """Naming beats closeness in meaning, and introducing a system beats mentioning it."""
    introduced = np.array([False, False, True, False])
    mentioned = np.array([False, True, True, False])
    close = signals(whole=[0.9, 0.1, 0.1, 0.1], sentence=[0.9, 0.1, 0.1, 0.1])

    assert places(close, weights=STRONG)[0] == 0
    assert places(replace(close, introduced=introduced), weights=STRONG)[0] == 2
    assert places(replace(close, mentioned=mentioned), weights=STRONG)[:2] == [1, 2]
    both = replace(close, introduced=introduced, mentioned=mentioned)
    assert places(both, weights=STRONG)[:2] == [2, 1]
    # A paper that introduces a name mentions it too, which does not count twice.
    assert fuse(both)[2] == fuse(replace(close, introduced=introduced))[2]


def test_meaning_can_be_silenced():
    """For a question in a script that the model does not read, only words and names count."""
    made = signals(lexical=[0.0, 1.0, 2.0, 3.0], coverage=[1.0] * 4, whole=[0.9, 0.1, 0.1, 0.1])

    assert places(made, meaning=0.0) == [3, 2, 1, 0]
    assert fuse(made, meaning=0.0) == pytest.approx(fuse(replace(made, whole=np.zeros(4))))


@pytest.mark.parametrize("signal", ["lexical", "whole", "sentence"])
def test_more_of_a_signal_is_never_worse(signal):
    """With all else equal, the larger score wins."""
    assert places(signals(coverage=[0.5] * 4, **{signal: [0.3, 0.1, 0.4, 0.2]})) == [2, 0, 3, 1]


def test_nothing_overflows():
    """Any coverage and weight gives finite scores, without a warning."""
    steep = FusionWeights(coverage_slope=600.0)

    assert np.isfinite(fuse(signals(coverage=[0.0, 0.4, 0.45, 1.0]), steep)).all()


def test_ties_are_broken_by_id():
    """The order of the input is never the order of the result."""
    assert best_first(np.array([1.0, 2.0, 2.0, 1.0]), ["d", "c", "b", "a"]) == [2, 1, 3, 0]


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 40))
def test_the_best_places_are_the_first_of_all(scores: list[int], most: int):
    """Leaving out what is not asked for changes neither the best nor their order, ties included."""
    given_scores = np.array(scores, dtype=float)
    ids = [f"{place:04}" for place in range(len(scores))]
    assert best_places(given_scores, most) == best_first(given_scores, ids)[:most]


def test_words_stand_out_no_more_in_a_large_collection():
    """A thousand papers that share common words are not each ten deviations from the others."""
    lexical = np.zeros(100_000)
    lexical[:1000] = np.linspace(14, 8, 1000)
    unaware = fuse(signals(100_000, lexical=lexical))
    aware = fuse(replace(signals(100_000, lexical=lexical), lexical_floor=8.0))
    assert unaware[0] > 2 * aware[0] > 0
    assert aware[0] > aware[500] > aware[5000]
