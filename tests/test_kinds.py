"""What kind of paper it is, and what it brings."""

from __future__ import annotations

import pytest

from rag.listing.kinds import KINDS, brings, kind_asked


@pytest.mark.parametrize(
    ("noun", "sentence"),
    [
        ("benchmark", "We present UltraTool, a novel benchmark designed to evaluate LLMs."),
        ("benchmark", "This paper proposes a new benchmark - EvoCodeBench."),
        ("benchmark", "We evaluate them on two new benchmarks, MBPP and MathQA-Python."),
        ("dataset", "we have constructed a large corpus of recipes"),
        ("optimizer", "We develop a Zero Redundancy Optimizer (ZeRO)."),
        ("library", "We release our toolkit."),
        ("software tool", "We describe what is new in Normaliz, a software tool for cones."),
        ("software tool", "QManager is such a tool."),
    ],
)
def test_a_paper_brings_what_it_says_it_introduces(noun, sentence):
    """By any of the noun's other words, in the object of the verb."""
    assert brings(noun, sentence)


@pytest.mark.parametrize(
    ("noun", "sentence"),
    [
        ("benchmark", "We propose PAL and outperform baselines on this benchmark."),
        ("benchmark", "It achieves the best results on established benchmarks."),
        ("benchmark", "We propose a system for translating code generation benchmarks."),
        ("dataset", "We present a model for large datasets."),
        ("benchmark", "There is a lack of a rigorous benchmark."),
        ("software tool", "We provide analytic tools to understand dynamics."),
        ("software tool", "We propose an efficient inference software stack."),
    ],
)
def test_what_is_only_used_or_missed_is_not_brought(noun, sentence):
    """The noun has to be what the verb takes."""
    assert not brings(noun, sentence)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("literature reviews", "survey"),
        ("theses", "thesis"),
        ("position papers", "position paper"),
        ("empirical studies", "empirical study"),
        ("release their code", "open release"),
        ("release code or software", "open release"),
        ("papers on code review", None),
        ("peer reviews", None),
    ],
)
def test_kinds_are_asked_for_in_many_words(question, kind):
    """And reviewing code asks for no survey."""
    asked = kind_asked(question)
    assert (asked[0].name if asked else None) == kind


def test_a_survey_is_known_by_title_or_text():
    """A title that reviews code, or techniques surveyed on the way to a proposal, is no survey."""
    survey = next(kind for kind in KINDS if kind.name == "survey")

    assert survey.title.search("Mixture of Experts: A Survey")
    assert survey.text.search("In this survey, we categorize")
    assert not survey.title.search("Advancing Code Review Automation")
    assert not survey.text.search("We survey techniques and propose a schedule.")


@pytest.mark.parametrize(
    ("title", "is_survey"),
    [
        ("A Survey on Mixture of Experts", True),
        ("LLM Inference Unveiled: Survey and Model Insights", True),
        ("Alignment: A Survey of Goals", True),
        ("Luminosity in the Finding Surveys of Quasars", False),
        ("The Third Sky Survey", False),
        ("How Teams Work: A Survey of 300 Developers", False),
        ("Estimating Income from Household Survey Data", False),
    ],
)
def test_a_survey_is_one_of_the_literature(title, is_survey):
    """Not of the sky or of people."""
    survey = next(kind for kind in KINDS if kind.name == "survey")
    assert bool(survey.title.search(title)) == is_survey
