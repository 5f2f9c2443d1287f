"""Criteria as they are read from questions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.listing.asked import read_criteria, without_criterion
from rag.listing.criteria import Amount, Brings, IsKind, Topic, Words, described
from rag.text import fold

WORDS = """
which papers mention use about not and or but how many surveys except ( ) " - : ? , GPT-4 T5 the
introduce benchmark for more than 10x 1T tokens GPUs $ % both in title don't count that who
论文 哪些
""".split()


def read(question):
    """The clauses of a question: what each asks for, and whether it is ruled out."""
    criteria = read_criteria(fold(question))
    assert criteria is not None
    return [(clause.any_of, clause.negated) for clause in criteria.clauses]


def names(question):
    """The first spelling of each alternative of each literal clause."""
    return [
        [spellings[0] for spellings in one.alternatives]
        for any_of, _ in read(question)
        for one in any_of
        if isinstance(one, Words)
    ]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("which papers mention T5 or BERT?", [["T5", "BERT"]]),
        ("which papers mention both HumanEval and MBPP?", [["HumanEval"], ["MBPP"]]),
        ("papers that use the GSM8K dataset", [["GSM8K"]]),
        ("who uses or at least mentions PPO?", [["PPO"]]),
        ("Which abstracts use neural architecture search (NAS)?",
         [["neural architecture search", "NAS"]]),
        ("papers that speak of emergent abilities or capabilities",
         [["emergent abilities", "emergent capabilities"]]),
        ("OpenAI Codex: in how many abstracts does the model turn up?",
         [["OpenAI Codex", "Codex"]]),
        ("how often is ImageNet mentioned across the abstracts?", [["ImageNet"]]),
        ("Can you list all papers in the collection that mention LoRA, please?", [["LoRA"]]),
        ("which papers use distillation from GPT-4?", [["distillation"], ["GPT-4"]]),
        ("Alle Paper, die RLHF erwähnen (Version egal)", [["RLHF"]]),
        ("¿Cuántos resúmenes nombran tanto GSM8K como MATH? ¿y cuáles?", [["GSM8K"], ["MATH"]]),
        ("quels articles mentionnent ImageNet ou CIFAR-10 ?", [["ImageNet", "CIFAR-10"]]),
        ("哪些论文提到了ImageNet?", [["ImageNet"]]),
    ],
)  # fmt: skip
def test_literal_terms_are_read(question, wanted):
    """Alternatives in one clause, what must all be there in several."""
    assert names(question) == wanted


def test_a_quotation_is_exact():
    """What stands in quotation marks is looked for as it stands there."""
    ((any_of, _),) = read('how many abstracts use the words "catastrophic forgetting"?')
    assert any_of == (Words((("catastrophic forgetting",),), exact=True),)


def test_the_title_is_a_field():
    """A word may be asked for in the title alone."""
    ((any_of, _),) = read("which papers have “survey” in the title?")
    assert isinstance(any_of[0], Words)
    assert any_of[0].where == "title"


def test_remarks_mask_longer_names():
    """ "GPT-3.5 doesn't count" rules out a mention, not a paper."""  # noqa: D210
    (((one,), negated),) = read("Which ones talk about GPT-3 itself? GPT-3.5 doesn't count.")
    assert (one.alternatives, one.masks, negated) == ((("GPT-3",),), ("GPT-3.5",), False)


@pytest.mark.parametrize(
    ("question", "measure", "low", "high"),
    [
        ("whose models were trained on more than 1T tokens?", "tokens", 1e12, float("inf")),
        ("papers that ran on 1,000 or more GPUs", "accelerators", 1000, float("inf")),
        ("which models have fewer than 3B parameters", "parameters", 0, 3e9),
        ("papers with models between 1B and 10B parameters", "parameters", 1e9, 10e9),
        ("which papers run at least 10x faster?", "speed", 10, float("inf")),
        ("who tells us in dollars what a run costs?", "money", 0, float("inf")),
        ("papers that reduce memory by at least 50%", "percent", 50, float("inf")),
        ("who supports more than 100 languages?", "count", 100, float("inf")),
    ],
)
def test_bounds_are_read_with_their_direction(question, measure, low, high):
    """In any writing of the number, before or behind it."""
    ((any_of, _),) = read(question)
    assert isinstance(any_of[0], Amount)
    assert (any_of[0].measure, any_of[0].low, any_of[0].high) == (measure, low, high)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("how many surveys are there?", [IsKind]),
        ("surveys on pruning", [IsKind, Topic]),
        ("which surveys mention RLHF?", [IsKind, Words]),
        ("papers that introduce a benchmark for agents", [Brings, Topic]),
        ("Name all benchmarks introduced here for code.", [Brings, Topic]),
        ("which papers are about state space models (S4, Mamba)?", [Topic]),
        ("vision models with less than 4B parameters", [Amount, Topic]),
        ("which papers mention RLHF and report a human evaluation?", [Words, Words]),
    ],
)
def test_kinds_topics_and_conjunctions_are_told_apart(question, wanted):
    """One clause for each thing that must hold."""
    assert [type(any_of[0]) for any_of, _ in read(question)] == wanted


@pytest.mark.parametrize(
    "question",
    [
        "vision models but not diffusion",
        "papers that mention GPT-4 but not ChatGPT",
        "papers on education, except surveys",
        "all papers except surveys that mention LoRA",
        "which papers don't mention LLMs?",
    ],
)
def test_what_is_ruled_out_is_negated(question):
    """One clause is, in whatever words it is said."""
    assert sum(negated for _, negated in read(question)) == 1


def test_criteria_are_told_in_words():
    """So that a person sees how the question was understood."""
    criteria = read_criteria("which surveys mention RLHF but not DPO?")
    assert criteria is not None
    told = described(criteria)
    assert told == "are surveys, and mention “RLHF”, and do not mention “DPO”"


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=40).map(" ".join))
@settings(max_examples=300, deadline=None, database=None, derandomize=True)
def test_any_question_can_be_read(question):
    """However broken, it gives criteria that can be told, or none."""
    criteria = read_criteria(fold(question))
    assert criteria is None or described(criteria)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("list all papers", "all"),
        ("how many papers", "all"),
        ("alle Paper", "all"),
        ("which papers mention ?", "unnamed"),
        ('which papers mention ""?', "unnamed"),
        ("which papers are about none?", "unnamed"),
        ("which papers mention LoRA?", ""),
    ],
)
def test_no_criterion_means_all_papers_or_nothing_named(question, wanted):
    """A verb without its object names nothing; without a verb all are wanted."""
    assert without_criterion(fold(question)) == wanted
    assert wanted == "" or read_criteria(fold(question)) is None


@pytest.mark.parametrize(
    "more", [", and which one prunes most?", " and what they find", " and how many mention T5?"]
)
def test_a_question_about_the_list_is_no_part_of_its_criterion(more):
    """What is asked of the papers that were found comes after."""
    alone = read("How many papers are about pruning?")
    assert read(f"How many papers are about pruning{more}") == alone


def test_what_is_not_about_something_is_a_list():
    """All papers but those."""
    (((one,), negated),) = read("papers not about language models")
    assert isinstance(one, Topic)
    assert negated


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ("Which papers start with 'On'?", "title"),
        ("papers whose titles begin with On", "title"),
        ("Which abstracts start with 'On'?", "any"),
        ("papers whose abstract begins with On", "any"),
    ],
)
def test_a_title_may_be_asked_for_by_its_beginning(question, field):
    """A paper starts with its title, an abstract with itself."""
    ((any_of, _),) = read(question)
    assert any_of == (Words((("On",),), field, at_start=True, exact=True),)


def test_the_words_of_an_amount_are_told_as_they_were_asked():
    """Not as stems."""
    criteria = read_criteria("which papers state an accuracy of more than 90%?")
    assert criteria is not None
    assert described(criteria) == "state more than 90 % (accuracy)"
