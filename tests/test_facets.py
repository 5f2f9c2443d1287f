"""Which sentence of an abstract speaks to what, and which figures may stand side by side."""

from __future__ import annotations

import pytest

from rag.facets import FACETS, facet_sentences, incomparable

ABSTRACT = (
    "Large models are used everywhere.",
    "However, serving them is costly and limited by memory.",
    "In this paper, we propose Swift, a cache for keys.",
    "Specifically, it consists of two modules that leverage sparsity.",
    "We test on 12 datasets with 3B parameters.",
    "Experiments show that Swift outperforms the best system by 12%.",
)


def test_each_sentence_speaks_to_the_facet_it_sounds_like():
    """Problem, approach, how it works, data and results are found where they stand."""
    found = dict(zip([facet.label for facet in FACETS], facet_sentences(ABSTRACT), strict=True))

    assert found["problem"] == (1,)
    assert found["approach"] == (2,)
    assert found["how it works"] == (3,)
    assert found["data and scale"] == (4,)
    assert found["results"] == (5,)


def test_no_sentence_speaks_twice():
    """A table does not show one sentence in two rows."""
    places = [place for chosen in facet_sentences(ABSTRACT) for place in chosen]

    assert len(places) == len(set(places))


def test_an_abstract_of_another_field_still_says_what_it_is_about_and_what_came_of_it():
    """Where nothing sounds like an approach or a result, the first and the last sentence stand."""
    sentences = ("Steklov eigenvalues of balls.", "Weights are even.", "The bounds are sharp.")
    found = dict(zip([facet.label for facet in FACETS], facet_sentences(sentences), strict=True))

    assert (found["approach"], found["results"]) == ((0,), (2,))


def test_an_abstract_without_sentences_speaks_to_nothing():
    """Silence is no error."""
    assert all(chosen == () for chosen in facet_sentences(()))


@pytest.mark.parametrize(
    ("quotes", "comparable"),
    [
        (["accuracy of 81% on ImageNet-1K", "an accuracy of 79% on ImageNet-1K"], True),
        (["accuracy of 81% on ImageNet-1K", "an accuracy of 79% on CIFAR-10"], False),
        (["throughput is 2.1x that of vLLM", "throughput 1.3x over vLLM"], True),
        (["2.1x faster than DeepSpeed", "1.9x the throughput of Megatron"], False),
        (["trained on 12,288 GPUs", "trained on 512 GPUs"], True),
        (["accuracy of 81% on ImageNet-1K"], True),
        ([], True),
    ],
)
def test_figures_are_compared_only_on_common_ground(quotes, comparable):
    """Shares and factors need one measure on one data set or against one baseline."""
    assert (incomparable(quotes) == "") == comparable
