"""Lists and counts on the real collection: decided for every paper, and proved."""

from __future__ import annotations

import time

import pytest

from rag.app import PaperChat
from rag.retrieve import Library
from rag.survey import RETRIEVED, decide, survey
from rag.types import Draft


@pytest.fixture(scope="module")
def library(seed_chat: PaperChat) -> Library:
    """The seed papers."""
    return seed_chat._library()


def ask(library: Library, question: str) -> Draft:
    """The list that *question* gets."""
    made = survey(library, question)
    assert made is not None
    return made


def titles(draft: Draft) -> list[str]:
    """What is listed."""
    return [source.title for source in draft.sources]


def test_a_literal_list_is_what_the_abstracts_hold(library):
    """All papers that hold the name, and only those."""
    wanted = {p.title for p in library.snapshot.papers if "ImageNet" in f"{p.title} {p.abstract}"}
    assert set(titles(ask(library, "which papers mention ImageNet?"))) == wanted


@pytest.mark.parametrize(
    ("asked", "plain"),
    [
        ("is SWE-bench mentioned by anybody here, and by whom?", "which papers mention SWE-bench?"),
        ("monte carlo tree serach - who uses that?", "who uses monte carlo tree search?"),
        ("the Julia programming language: who mentions it?", "who mentions Julia?"),
        ("which papers report something on V100 cards?", "which papers use V100?"),
    ],
)
def test_the_same_is_listed_however_it_is_asked(library, asked, plain):
    """Order, typing slips and what a name is said to be change nothing."""
    wanted = titles(ask(library, plain))
    assert wanted
    assert titles(ask(library, asked)) == wanted


MENTIONS = """
in which papers do I find {0}?
does the term {0} appear anywhere? in which papers?
{0} - which abstracts bring it up?
{0}, in which papers does that come up?
list me the papers with {0} in the abstract
who has {0} in the abstract?
I need all papers which have the word {0} in their abstract or title.
papers where {0} turns up, even in passing
the papers that drop the name {0}
how many of the 385 papers mention {0}?
Could you tell me which papers reference {0}?
papers w/ {0} in the text
Show papers mentioning {0} or its abbreviation
""".strip().splitlines()
USES = """
papers where {0} is used
What uses {0}?
{0}: who uses it?
is {0} used by anyone here? who?
papers that lean on {0}
""".strip().splitlines()
JOINED = """
how many papers name {0} and also {1}?
which papers talk about {0} and at the same time about {1}?
{0} and {1}: which papers mention both?
""".strip().splitlines()
APART = """
who mentions {0} or {1} (or both)?
which papers mention at least one of {0} and {1}?
""".strip().splitlines()
WITHOUT = """
who mentions {0} and says nothing about {1}?
which papers that mention {0} do not mention {1}?
list papers that mention {0} while never mentioning {1}
papers mentioning {0} minus the ones with {1}
""".strip().splitlines()


@pytest.mark.parametrize(
    ("plain", "forms", "names"),
    [
        ("which papers mention {0}?", MENTIONS, ("knowledge distillation",)),
        ("which papers mention {0}?", MENTIONS, ("GSM8K",)),
        ("which papers use {0}?", USES, ("LoRA",)),
        ("which papers mention both {0} and {1}?", JOINED, ("GPT-4", "HumanEval")),
        ("which papers mention {0} or {1}?", APART, ("LoRA", "LLaMA")),
        ("which papers mention {0} but not {1}?", WITHOUT, ("LoRA", "LLaMA")),
    ],
)
def test_a_criterion_is_the_same_in_any_wording(library, plain, forms, names):
    """The papers that a plain question lists are those that all others of its sense list."""
    wanted = set(titles(ask(library, plain.format(*names))))
    assert wanted
    for form in forms:
        assert set(titles(ask(library, form.format(*names)))) == wanted, form


def test_every_paper_has_a_statement_that_is_an_exact_span(library):
    """One for each source, numbered alike, and its citation is the sentence itself."""
    draft = ask(library, "which papers mention GPT-4?")
    abstracts = {paper.id: paper.abstract for paper in library.snapshot.papers}

    assert draft.shape == "list"
    assert len(draft.statements) == len(draft.sources) > 20
    for number, (statement, source) in enumerate(
        zip(draft.statements, draft.sources, strict=True), 1
    ):
        (cited,) = statement.citations
        (span,) = cited.evidence
        assert cited.n == source.n == number
        assert cited.paper_id == source.paper_id == span.paper_id
        assert abstracts[span.paper_id][span.start : span.end] == span.text == statement.text
        assert statement.verdict == "unverified"


def test_the_sentence_holds_what_qualifies_the_paper(library):
    """What is shown under a title is the reason why it is listed."""
    draft = ask(library, "which papers mention SWE-bench?")
    assert all("swe-bench" in statement.text.lower() for statement in draft.statements)


def test_coverage_and_message_state_the_count_and_how_many_were_read(library):
    """The count stands first, the criterion as understood behind it."""
    draft = ask(library, "how many theses are there?")

    assert draft.coverage is not None
    assert draft.coverage.matched == len(draft.sources) == 2
    assert draft.coverage.papers_read == draft.coverage.papers_in_corpus == 385
    assert draft.message.startswith("2 of 385 papers are theses.")
    assert draft.trace["criteria"] == "are theses"


def test_an_empty_list_abstains_and_says_so(library):
    """Nothing is listed, and all were read for it."""
    draft = ask(library, "Which papers evaluate on Atari games?")

    assert draft.abstention == "no_paper"
    assert draft.statements == draft.sources == ()
    assert draft.message.startswith("None of the 385 papers use “Atari games”.")


def test_near_misses_are_offered_and_not_counted(library):
    """They go on with the numbers, and no paper is both."""
    draft = ask(library, "everything on quantization")

    assert draft.near
    assert {near.paper_id for near in draft.near}.isdisjoint(s.paper_id for s in draft.sources)
    assert draft.near[0].n == len(draft.sources) + 1


def test_retrieved_begins_with_what_is_listed(library):
    """At least twenty papers, each once, ranked and scored in order."""
    draft = ask(library, "how many theses are there?")
    ids = [hit.paper.id for hit in draft.retrieved]
    scores = [hit.score for hit in draft.retrieved]

    assert ids[:2] == [source.paper_id for source in draft.sources]
    assert len(ids) == len(set(ids)) == RETRIEVED
    assert [hit.rank for hit in draft.retrieved] == list(range(1, RETRIEVED + 1))
    assert scores == sorted(scores, reverse=True)


def test_a_long_list_is_never_cut(library):
    """However many qualify, all are named."""
    draft = ask(library, "which papers mention LLMs?")
    assert len(draft.sources) == len(draft.retrieved) > 200


@pytest.mark.parametrize(
    ("all_of_these", "narrower"),
    [
        ("which papers mention GSM8K?", "which papers mention GSM8K and MATH?"),
        ("which papers mention GPT-4?", "which papers mention GPT-4 but not ChatGPT?"),
        ("how many surveys are there?", "surveys that mention pruning"),
        ("papers that introduce a benchmark", "papers that introduce a benchmark for agents"),
    ],
)
def test_every_further_clause_narrows_the_list(library, all_of_these, narrower):
    """Conjunction and negation only take away."""
    wide, narrow = set(titles(ask(library, all_of_these))), set(titles(ask(library, narrower)))
    assert narrow < wide
    assert narrow


def test_alternatives_widen_the_list(library):
    """Either of two names is enough."""
    either = titles(ask(library, "papers that mention MBPP or ImageNet"))
    one, other = (titles(ask(library, f"papers that mention {n}")) for n in ("MBPP", "ImageNet"))
    assert set(either) == {*one, *other}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("papers on Bayesian optimization", "Bayesian Optimization"),
        ("everything on federated learning", "Federated"),
        ("papers about knowledge distillation", "Distill"),
    ],
)
def test_a_topic_begins_with_papers_that_are_about_it(library, question, first):
    """The title tells."""
    assert first.lower() in titles(ask(library, question))[0].lower()


def test_a_question_about_one_papers_own_system_is_no_list(library):
    """ "Who uses" a system that a paper here introduces asks what that paper says."""  # noqa: D210
    assert survey(library, "Who uses CodeCompose?") is None
    assert survey(library, "who uses LoRA?") is not None


def test_a_list_is_the_same_every_time(library):
    """No chance and no set decides an order."""
    question = "how many introduce a new dataset?"
    assert titles(ask(library, question)) == titles(ask(library, question))


def test_what_papers_work_with_is_a_topic_where_nobody_has_the_words(library):
    """A phrase that no abstract holds is looked for by its meaning."""
    draft = ask(library, "which papers work with medical data?")
    assert draft.trace["criteria"] == "are about “medical data”"


def test_lists_are_quick(library):
    """Warm, each well within what a person notices; the limit leaves room for a busy machine."""
    questions = ("which papers mention GPT-4?", "how many surveys are there?", "papers on pruning")
    for question in questions:
        ask(library, question)
        began = time.process_time()
        ask(library, question)
        assert time.process_time() - began < 1.5


def test_decide_is_told_in_the_order_of_strength(library):
    """Best first, ties by paper id."""
    from rag.listing.asked import read_criteria

    criteria = read_criteria("which papers mention Python?")
    assert criteria is not None
    matched, near = decide(library, criteria)
    papers = library.snapshot.papers
    keys = [(-one.strength, papers[one.place].id) for one in matched]
    assert keys == sorted(keys)
    assert near == []


@pytest.mark.parametrize("question", ["list all papers", "how many papers"])
def test_all_papers_are_listed_by_title(library, question):
    """Each with its first sentence, and counted."""
    draft = ask(library, question)
    papers = library.snapshot.papers
    assert titles(draft) == sorted((paper.title for paper in papers), key=str.casefold)
    assert draft.coverage is not None
    assert draft.coverage.matched == len(papers)
    assert draft.abstention is None
    assert {s.citations[0].evidence[0].start for s in draft.statements} == {0}


def test_of_very_many_papers_only_the_count_is_told(library, monkeypatch):
    """A list that nobody would read is none."""
    monkeypatch.setattr("rag.survey.MOST_LISTED_OF_ALL", 10)
    draft = ask(library, "list all papers")
    assert draft.statements == draft.sources == ()
    assert draft.abstention is None
    assert draft.message.startswith("This collection holds 385 papers, too many")


def test_a_list_of_nothing_in_particular_asks_what_to_look_for(library):
    """Rather than to quote what was not asked for."""
    draft = ask(library, "which papers mention ?")
    assert (draft.abstention, draft.statements) == ("off_topic", ())
    assert "385 papers" in draft.message


@pytest.mark.parametrize("topic", ["neural network", "scaling law", "case study"])
def test_a_topic_is_the_same_in_either_number(library, topic):
    """ "Neural network papers" are the papers on neural networks."""  # noqa: D210
    plural = f"{topic[:-1]}ies" if topic.endswith("y") else f"{topic}s"
    assert titles(ask(library, f"papers about {topic}")) == titles(
        ask(library, f"papers about {plural}")
    )


def test_what_starts_with_a_word_does_not_only_hold_it(library):
    """The first word of the title is meant."""
    assert all(t.startswith("On ") for t in titles(ask(library, "papers that start with 'On'")))
