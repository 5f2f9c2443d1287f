import pytest

from rag.listing.asked import read_criteria
from rag.listing.bag import bag_criteria, is_junk
from rag.listing.criteria import Clause, Criteria, Topic, Words, described
from rag.listing.normal import normalised
from rag.listing.slips import one_slip


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("papers that mention CIFAR (any flavour: 10, 100 ...)", "mention “CIFAR”"),
        ("abstracts naming Adam (the optimizer)", "mention “Adam”"),
        ("who mentions RLHF (or preference tuning)?", "mention “RLHF” or “preference tuning”"),
        (
            "who cites SSMs, also when spelled out as state space models",
            "mention “SSMs” or “state space models”",
        ),
        ("papers on bees (no wasps)", "are about “bees”, and are not about “wasps”"),
        ("papers on bees, leaving out the survey(s)", "are about “bees”, and are no surveys"),
        ("papers on bees rather than wasps", "are about “bees”, and are not about “wasps”"),
        ("papers citing models by name: GPT-3 or GPT-4", "mention “GPT-3” or “GPT-4”"),
        ('"deep sea" - how many abstracts contain that phrase?', "mention “deep sea”"),
        ("deep sea - list the papers where that term shows up", "mention “deep sea”"),
        ("bees... what's there?", "are about “bees”"),
        ("papers that mention neither T5 nor BERT", "do not mention “T5” or “BERT”"),
        ("papers on bees, but skip surveys", "are about “bees”, and are no surveys"),
        ("is the Rust language mentioned by anybody, and by whom?", "mention “Rust language”"),
        ("anything released under MIT according to its abstract?", "use “MIT”"),
        ("wich papres mentoin GPT-4?", "mention “GPT-4”"),
        ("How many papers report something on V100 cards?", "use “V100”"),
        ("who uses CIFAR (10 or 100, both fine)?", "use “CIFAR”"),
        ("bees as the main subject, but no surveys", "are about “bees”, and are no surveys"),
        ("papers whose whole point is keeping bees", "are about “keeping bees”"),
        ("which papers are about honey, e.g. its taste?", "are about “honey” (its taste)"),
        ("I'm after work that touches compilers. What's in there?", "are about “compilers”"),
        (
            "who talks about Pareto fronts? just the word Pareto is enough",
            "mention “Pareto” or mention “Pareto fronts”",
        ),
        (
            "I'm preparing a talk on ecology: which papers make use of PyTorch?",
            "use “PyTorch”",
        ),
        ("which papers ship as a Python package?", "introduce a package, and mention “Python”"),
        (
            "how many papers handle contexts of 100K tokens and up (128K, ...)?",
            "state at least 100,000 tokens of context for their own work",
        ),
    ],
)
def test_what_is_said_around_a_criterion_is_no_part_of_it(question, told):
    """Brackets, remarks and framing are turned into what they say, or dropped."""
    criteria = read_criteria(question)
    assert criteria is not None
    assert described(criteria) == told


def test_quotations_are_left_as_they_are():
    """What is quoted is looked for letter by letter."""
    assert '"the actual proper word"' in normalised('papers that say "the actual proper word"')


@pytest.mark.parametrize("text", ["them deal", "been written about bees", "(or ship as"])
def test_words_that_only_ask_are_junk_in_a_topic(text):
    """A topic holds no pronouns that ask, and its brackets are closed."""
    assert is_junk(Criteria((Clause((Topic(text, (text,)),)),)))


def test_names_and_content_words_make_a_reading_without_grammar():
    """Names are joined by "or" where the question says so; what is left is one topic."""
    assert bag_criteria("either T5 or BERT gets a nod somewhere in the text, please") == Criteria(
        (Clause((Words((("T5",), ("BERT",))),)), Clause((Topic("nod", ("nod",)),)))
    )


@pytest.mark.parametrize(
    ("word", "other", "slip"),
    [("recomender", "recommender", True), ("tabluar", "tabular", True), ("model", "modem", True),
     ("model", "model", False), ("prune", "pruning", False)],
)  # fmt: skip
def test_one_slip_of_a_letter_is_one(word, other, slip):
    """A letter left out, put in, changed or swapped; no more, and not none."""
    assert one_slip(word, other) is slip
