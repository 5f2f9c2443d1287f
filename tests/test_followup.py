from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag import indexing, store
from rag.app import PaperChat, open_chat
from rag.dialogue.asides import after_a_change, correction, returning
from rag.dialogue.cue import cue
from rag.dialogue.fragment import fragment
from rag.embed import load_embedded
from rag.followup import RULES, Resolved, resolve
from rag.retrieve import Library
from rag.settings import Settings
from rag.text import digest, paper_id
from rag.types import Abstention, Answer, Corpus, Paper, Shape, Source, Subject, Table

Read = Callable[..., str]

# --- What a question that points back looks like, on the seed papers ------------------------------

MEGASCALE = "MegaScale: Scaling Large Language Model Training to More Than 10,000 GPUs"

POINTS_BACK = """
and how big is it?
and what data do they use?
So does it beat plain RAG?
did they try it anywhere outside RL?
which languages are covered
and do I need a graphics card to run one?
which benchmarks was the agent trained on them run on?
Does their method work on GPT-4?
what about the limitations?
why?
and the results?
how many GPUs?
What is the speedup?
how was that measured?
is this better than before?
What did the authors conclude?
does the paper say how long training took?
what else did they find?
how large is the model?
and on which data sets was this tested?
Why does that help?
tell me more about that
tell me more
How does it work?
so how does this work
and what problem does that one go after?
the cost?
evaluated on?
tested on which dataset
oh and how much compute would an ordinary transformer need to be as good?
thx. and how much smaller do the models get
is the code out?
any code for it?
who funded the work?
who made it?
max size
deployed anywhere?
""".strip().splitlines()

STANDS_ALONE = """
What does ByteScale do?
Which paper shows that scaling laws hold for recommendation?
How can one reduce the memory of attention without losing accuracy?
What is quantization?
what is the paper that introduced attention?
What is mixture of experts?
And which paper studies RLHF for code?
And is there anything on music generation?
Is it possible to train a large model on consumer hardware?
When language models get longer inputs, do they forget what stands in the middle?
How do people keep accelerators busy while they wait for data?
what about GPT-4?
Does ByteScale say how many GPUs it uses?
papers on quantization
Which other benchmarks exist for multilingual code generation?
Are there any surveys of long context models?
Is there a dataset of web trajectories that is both large and free?
How do you stop a network from forgetting old tasks when it learns new ones?
Compare LoRA and QLoRA
Does it make sense to prune a network before training?
any other paper on pretraining?
who else works on checkpoints?
other papers about cooking?
does anybody else overlap communication with training?
thanks, that helped!
Thank you!
nice one, thanks!
what can you do?
ok
?????
byzantine resilient aggregation
and how do I tune database knobs with a language model?
so how do robots learn what is safe?
Which robots follow a constitution?
What is the capital of Burkina Faso?
how many abstracts use the words "catastrophic forgetting"?
When someone downgrades their GPU, by how much does retuning raise throughput?
What's the difference between the densing law and the Chinchilla scaling law?
Gibt es Arbeiten zu Robotern?
¿Hay algún modelo para el vietnamita?
有没有关于机器人的论文？
""".strip().splitlines()

FOREIGN = """
Und läuft das auch ohne Grafikkarte halbwegs flott?
auf wie vielen Tokens wurde es trainiert?
Und wie viel bei der Inferenz?
¿y cuánto mejora respecto a los modelos originales?
¿Cuántos parámetros tiene en total?
et sur combien de GPU l'ont-ils évalué ?
Et sa taille ?
¿En qué datos la evaluaron?
sur quels jeux de données ?
Welche Probleme sehen die Autoren?
它快多少？
那它支持哪些语言？
""".strip().splitlines()


@pytest.fixture(scope="module")
def seeds(seed_store: Path) -> Library:
    """The seed papers, without the cross-encoder."""
    embedder = load_embedded()
    return Library(store.load(seed_store, store.fingerprint(embedder)), embedder, None)


def answered(title: str = MEGASCALE, asked: str = "?", shape: Shape = "answer") -> Answer:
    """An earlier answer that quotes the paper of *title*."""
    return answered_from([title], asked, shape)


def answered_from(titles: Sequence[str], asked: str, shape: Shape = "answer") -> Answer:
    """An earlier answer that quotes the papers of *titles*; of a comparison, with its rows."""
    sources = tuple(Source(n, paper_id(title), title) for n, title in enumerate(titles, 1))
    rows = tuple(Subject(s.title, s.paper_id, s.title) for s in sources)
    table = Table(rows, (), ((),) * len(rows)) if shape == "comparison" else None
    return Answer(asked, asked, shape, "extractive", sources=sources, table=table)


def silent(abstention: Abstention, *sources: Source) -> Answer:
    """An earlier refusal."""
    return Answer("?", "?", "answer", "extractive", sources=sources, abstention=abstention)


GREETED = Answer("hi", "hi", "chat", "extractive", message="Hello!")


@pytest.mark.parametrize("question", POINTS_BACK)
def test_a_follow_up_carries_the_paper_it_is_about(seeds: Library, question: str):
    """What points back is read with the name of the last answer's first source."""
    assert resolve(seeds, question, [answered()]).question == f"{question} (MegaScale)"


@pytest.mark.parametrize("question", FOREIGN)
def test_in_another_language_it_carries_the_title(seeds: Library, question: str):
    """A short name among words that no abstract has would say too little."""
    assert resolve(seeds, question, [answered()]).question == f"{question} ({MEGASCALE})"


@pytest.mark.parametrize("question", STANDS_ALONE)
def test_a_question_of_its_own_stays_as_it_is(seeds: Library, question: str):
    """A new subject, a paper named or a word of thanks is not read into the last answer."""
    assert resolve(seeds, question, [answered()]) == Resolved(question, "")


@pytest.mark.parametrize("question", POINTS_BACK + STANDS_ALONE + FOREIGN)
def test_without_an_earlier_answer_nothing_is_carried(seeds: Library, question: str):
    """The first question, or one after a greeting or a refusal, refers to nothing."""
    assert resolve(seeds, question, []) == Resolved(question, "")
    assert resolve(seeds, question, [GREETED, silent("no_paper")]) == Resolved(question, "")


@pytest.mark.parametrize(
    "text",
    ["what " * 4000, "hi " * 6000, "h" * 20_000, "it " * 6000, "\u0301" * 20_000, "that, " * 3000],
)
@pytest.mark.parametrize("length", [500, 20_000])
def test_hostile_lengths_take_no_time(seeds: Library, text: str, length: int):
    """No pattern runs wild on repetition, and what is long is left as it is."""
    began = time.process_time()
    resolve(seeds, text[:length], [answered()])
    assert time.process_time() - began < 1.0


# --- The rules, on papers of our own --------------------------------------------------------------

BORLOTTI = (
    "Borlotti: Cooking Beans for a Thousand Guests",
    "We present Borlotti, a kitchen for large feasts. Borlotti reaches 55% of the stove's heat when"
    " it cooks 175 kilos on 12 stoves. It was tested on Tuscan and on Ligurian beans.",
)
CANNELLINI = (
    "Cannellini: A Kitchen for Long Feasts",
    "We introduce Cannellini, which cooks through the night on 90 stoves. It beats Borlotti by 7%.",
)
PINTO = (
    "On the Colour of Beans",
    "Beans are brown, and spotted ones are brown and white. We propose PINTO-7, a chart of colours."
    " Its accuracy on Garden-2000 is 88%, and 91% on Market-500.",
)
LENTIL = (
    "LENTIL-V2: Growing Lentils on Mars",
    "We propose LENTIL-V2, a greenhouse. The harvest grows by a third in red light.",
)
SOUP = (
    "A Survey of Soups",
    "We survey soups of many countries, from gazpacho to borscht, and sort them by temperature.",
)
TOFU = (
    "Making Tofu at Home by Hand",
    "Fumiko presses tofu with a lever. The press costs nine dollars and needs no electricity.",
)


@pytest.fixture(scope="module")
def beans(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Half a dozen papers on beans and the like."""
    folder = tmp_path_factory.mktemp("beans")
    papers = tuple(
        Paper(paper_id(title), title, abstract, digest(title, abstract), ("beans.txt",))
        for title, abstract in (BORLOTTI, CANNELLINI, PINTO, LENTIL, SOUP, TOFU)
    )
    embedder = load_embedded()
    indexing.update(folder, Corpus(papers, (), len(papers)), embedder)
    return Library(store.load(folder, store.fingerprint(embedder)), embedder, None)


@pytest.fixture
def read_as(beans: Library) -> Read:
    """What a question means after earlier answers."""
    return lambda question, *past: resolve(beans, question, past).question


HEAT = answered(BORLOTTI[0], "What share of the heat does Borlotti reach?")
NIGHT = answered(CANNELLINI[0], "For how long does Cannellini cook?")
CHART = answered(PINTO[0], "Which paper has a chart of colours?")
ACCURACY = answered(PINTO[0], "What accuracy does PINTO-7 have on Garden-2000?")
MARS = answered(LENTIL[0], "How much more does LENTIL-V2 harvest?")
TOGETHER = answered_from(
    [BORLOTTI[0], CANNELLINI[0]], "Compare Borlotti and Cannellini", "comparison"
)
LISTED = answered_from([SOUP[0], PINTO[0], TOFU[0]], "Which papers name a colour?", "list")


def test_every_rule_says_what_it_is_for():
    """The table is what people read to know why a question was rewritten."""
    assert len({reason for reason, _ in RULES}) == len(RULES)
    assert all(rule.__name__.startswith("_") for _, rule in RULES)


def test_the_reason_names_what_was_carried(beans: Library):
    """A trace tells which rule held, and of what."""
    found = resolve(beans, "and how big is it?", [HEAT])
    assert found.reason == "goes on about what was spoken of last: Borlotti"


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (HEAT, "Borlotti"),
        (MARS, "LENTIL-V2"),
        (CHART, "On the Colour of Beans"),
        (ACCURACY, "PINTO-7"),
        (answered("Chickpeas: a title that is not in the collection"), "Chickpeas"),
        (answered("What we talk about when we talk about beans: a study"), ""),
    ],
)
def test_a_paper_is_carried_by_its_name_or_its_title(read_as: Read, answer: Answer, name: str):
    """A title's beginning if it is short, else the one name that the person used, else it all."""
    name = name or answer.sources[0].title
    assert read_as("how big is it?", answer) == f"how big is it? ({name})"


def test_the_last_answer_counts(read_as: Read):
    """Conversations move on; greetings and empty refusals in between do not matter."""
    past = [HEAT, NIGHT, GREETED, silent("off_topic")]
    assert read_as("and how big is it?", *past) == "and how big is it? (Cannellini)"


def test_a_paper_that_did_not_say_is_spoken_of_all_the_same(read_as: Read):
    """A refusal may name the paper at hand: the next question is about that one."""
    at_hand = silent("not_stated", *NIGHT.sources)
    assert read_as("and how big is it?", HEAT, at_hand) == "and how big is it? (Cannellini)"


def test_what_no_paper_has_is_spoken_of_too(read_as: Read):
    """Nothing of another paper is shown as if it were said of the one that is missing."""
    asked = "What share of the heat does SOYA-9 reach?"
    missing = Answer(asked, asked, "answer", "extractive", abstention="no_paper")
    assert read_as("and on how many stoves?", HEAT, missing) == "and on how many stoves? (SOYA-9)"


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("and Cannellini?", "What share of the heat does Cannellini reach?"),
        ("cannellini", "What share of the heat does cannellini reach?"),
        ("what about LENTIL-V2", "What share of the heat does LENTIL-V2 reach?"),
        ("same for Cannellini", "What share of the heat does Cannellini reach?"),
        ("und bei Cannellini?", "What share of the heat does Cannellini reach?"),
        ("e o LENTIL-V2?", "What share of the heat does LENTIL-V2 reach?"),
        ("¿y LENTIL-V2?", "What share of the heat does LENTIL-V2 reach?"),
        ("et pour Cannellini ?", "What share of the heat does Cannellini reach?"),
        ("LENTIL-V2呢？", "What share of the heat does LENTIL-V2 reach?"),
        ("and for SOYA-9?", "What share of the heat does SOYA-9 reach?"),
        ("Cannellini on one stove?", "What share of the heat does Cannellini reach on one stove?"),
        (
            "and for Fumiko?",
            "What share of the heat does Fumiko reach? (Making Tofu at Home by Hand)",
        ),
    ],
)
def test_a_parallel_question_keeps_the_predicate(read_as: Read, question: str, means: str):
    """The question before is asked of what is named now."""
    assert read_as(question, HEAT) == means


def test_a_chain_of_parallel_questions_goes_back_to_the_whole_one(read_as: Read):
    """What one link added is not asked of the next."""
    heat_on_one = "What share of the heat does Cannellini reach on one stove?"
    second = replace(answered(CANNELLINI[0], heat_on_one), question="Cannellini on one stove?")
    assert read_as("and LENTIL-V2?", HEAT, second) == "What share of the heat does LENTIL-V2 reach?"


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("and on Market-500?", "What accuracy does PINTO-7 have on Market-500?"),
        ("Market-500?", "What accuracy does PINTO-7 have on Market-500?"),
        ("and in winter?", "What accuracy does PINTO-7 have in winter?"),
    ],
)
def test_another_condition_takes_the_place_of_the_last(read_as: Read, question: str, means: str):
    """The paper stays, and so does what is asked of it."""
    assert read_as(question, ACCURACY) == means


def test_a_part_is_not_put_into_what_was_itself_a_part(read_as: Read):
    """After "the cost?" of a paper, "against Tuscan beans" goes on about the paper."""
    cost = replace(answered(BORLOTTI[0], "the cost? (Borlotti)"), question="the cost?")
    assert read_as("against Tuscan beans?", HEAT, cost) == "against Tuscan beans? (Borlotti)"


@pytest.mark.parametrize(
    "question",
    ["Cannellini stove count", "What does Cannellini do?", "and the stoves of LENTIL-V2?"],
)
def test_a_name_with_a_predicate_of_its_own_stays(read_as: Read, question: str):
    """Only what has no predicate takes one over."""
    assert read_as(question, HEAT) == question


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("is it faster than Cannellini?", "is Borlotti faster than Cannellini?"),
        ("faster than Cannellini?", "Borlotti faster than Cannellini?"),
        (
            "how does its size compare to LENTIL-V2?",
            "how does Borlotti's size compare to LENTIL-V2?",
        ),
        (
            "does it beat Cannellini?",
            "How do Borlotti and Cannellini compare: does Borlotti beat Cannellini?",
        ),
        ("is it slower than SOYA-9?", "is Borlotti slower than SOYA-9?"),
        (
            "is that more than what LENTIL-V2 gets",
            "How do Borlotti and LENTIL-V2 compare: What share of the heat does each reach?",
        ),
    ],
)
def test_beside_an_earlier_one_both_are_named(read_as: Read, question: str, means: str):
    """A comparison needs its two sides, and what is compared."""
    assert read_as(question, HEAT) == means


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("how big is the first one?", "how big is Borlotti?"),
        ("how many stoves does the latter need", "how many stoves does Cannellini need"),
        ("which stoves does [2] use?", "which stoves does Cannellini use?"),
        ("is the second cheaper than the first?", "is Cannellini cheaper than Borlotti?"),
        ("how big is the other one?", "how big is Cannellini?"),
        ("wie groß ist die zweite?", "wie groß ist Cannellini?"),
        ("which one is faster?", "which one is faster? (Borlotti and Cannellini)"),
        ("how do these two differ?", "how do these two differ? (Borlotti and Cannellini)"),
        ("are both sold?", "are both sold? (Borlotti and Cannellini)"),
        ("what do they have in common?", "what do they have in common? (Borlotti and Cannellini)"),
    ],
)
@pytest.mark.parametrize("past", [(TOGETHER,), (HEAT, NIGHT, TOGETHER)])
def test_places_point_at_what_was_last_shown(
    read_as: Read, question: str, means: str, past: Sequence[Answer]
):
    """The rows of a comparison are counted from its top."""
    assert read_as(question, *past) == means


def test_places_count_the_papers_of_a_conversation_too(read_as: Read):
    """Shown one after the other, the first is the one that was spoken of first."""
    assert read_as("is it faster than the first one?", HEAT, NIGHT) == (
        "is Cannellini faster than Borlotti?"
    )
    assert read_as("how many stoves in the first paper?", HEAT, NIGHT, HEAT, NIGHT) == (
        "how many stoves in Borlotti?"
    )


def test_a_place_without_a_predicate_takes_over_the_question(read_as: Read):
    """What was asked of the first is asked of the second: "and the second one?"."""
    assert read_as("and the second one?", TOGETHER, HEAT) == (
        "What share of the heat does Cannellini reach?"
    )


@pytest.mark.parametrize(
    "question",
    [
        "in the first stage, what is frozen at low temperature in winter?",
        "which was the first paper to weigh beans in orbit?",
    ],
)
def test_not_every_number_counts_what_was_shown(read_as: Read, question: str):
    """The first stage of something is none of the rows."""
    assert "Borlotti" not in read_as(question, TOGETHER)


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("no, I meant Cannellini", "What share of the heat does Cannellini reach?"),
        ("sorry, I meant LENTIL-V2", "What share of the heat does LENTIL-V2 reach?"),
        ("no I mean Cannellini", "What share of the heat does Cannellini reach?"),
        ("no wait, Cannellini", "What share of the heat does Cannellini reach?"),
        ("nein, ich meinte Cannellini", "What share of the heat does Cannellini reach?"),
        ("no, not that one, Cannellini", "What share of the heat does Cannellini reach?"),
        ("no, I meant the lentil paper. how big is it?", "how big is it? (LENTIL-V2)"),
        ("that's not what I meant. I mean the soup one, how old is it?", SOUP[0]),
        (
            "hm no, the greenhouse one I meant, on Mars",
            "What share of the heat does LENTIL-V2 reach?",
        ),
    ],
)
def test_a_correction_asks_of_what_was_meant(read_as: Read, question: str, means: str):
    """What was answered last is dropped; the earlier question stays if there is no new one."""
    found = read_as(question, HEAT)
    assert found == means or found.endswith(f"({means})")
    assert "Borlotti" not in found


def test_a_correction_can_be_of_the_question(read_as: Read):
    """The same paper is meant by "no, I meant in winter"."""
    assert read_as("no, I meant on Market-500", ACCURACY) == (
        "What accuracy does PINTO-7 have on Market-500?"
    )
    assert read_as("no, not on Garden-2000, on Market-500", ACCURACY) == (
        "What accuracy does PINTO-7 have on Market-500?"
    )
    assert read_as("no, I meant how old it is", ACCURACY) == "how old it is (PINTO-7)"


@pytest.mark.parametrize("question", ["no, the other paper", "no, I meant the other one"])
def test_the_other_paper_is_not_the_one_just_shown(read_as: Read, question: str):
    """Of two that were spoken of it is the earlier one, else the next best."""
    assert "Borlotti" in read_as(question, HEAT, NIGHT)
    assert read_as(question, CHART) != question
    assert PINTO[0] not in read_as(question, CHART)


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("ok something different. do lentils grow on Mars?", "do lentils grow on Mars?"),
        ("new topic: do lentils grow on Mars?", "do lentils grow on Mars?"),
        ("switching topics - is tofu cheap?", "is tofu cheap?"),
        ("Let's talk about something else. Is it cheap?", "Is it cheap?"),
        ("Andere Frage: wächst es auf dem Mars?", "wächst es auf dem Mars?"),
        ("otra pregunta: ¿es barato?", "¿es barato?"),
    ],
)
def test_a_change_of_topic_carries_nothing(read_as: Read, question: str, rest: str):
    """Not even for a pronoun; and the announcement is not looked up."""
    assert read_as(question, HEAT) == rest


@pytest.mark.parametrize(
    ("question", "means"),
    [
        (
            "Back to the colour one: how accurate is it?",
            "how accurate is it? (On the Colour of Beans)",
        ),
        ("going back to Borlotti, how many stoves?", "how many stoves? (Borlotti)"),
        ("zurück zu Borlotti: wie groß ist der Herd?", f"wie groß ist der Herd? ({BORLOTTI[0]})"),
        (
            "how accurate is the colour one?",
            "how accurate is the colour one? (On the Colour of Beans)",
        ),
    ],
)
def test_an_earlier_paper_can_be_gone_back_to(read_as: Read, question: str, means: str):
    """By its name, or by words of its title."""
    assert read_as(question, HEAT, CHART, MARS, GREETED) == means


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("the tofu one, what does it cost?", TOFU),
        ("the one that needs no electricity, what does it cost?", TOFU),
        ("and the one on soups: from which countries?", SOUP),
    ],
)
def test_one_of_those_listed_is_meant_by_what_it_is(
    read_as: Read, question: str, meant: tuple[str, str]
):
    """A person reads the titles of a list, and picks one by a word of it or of its abstract."""
    assert read_as(question, LISTED) == f"{question} ({meant[0].partition(':')[0]})"


@pytest.mark.parametrize(
    "question",
    [
        "isn't there another one on that, with lentils? how much more does it harvest",
        "I'd rather not cook. There's this other paper that grows lentils, how much more does it"
        " harvest",
    ],
)
def test_another_paper_that_is_described_is_looked_for(read_as: Read, question: str):
    """The one at hand is not meant, though the question points at it."""
    assert read_as(question, HEAT) == "how much more does it harvest (LENTIL-V2)"


def test_the_very_first_is_what_was_spoken_of_first(read_as: Read):
    """However much was said since."""
    past = [HEAT, CHART, MARS]
    asked = "going back to the very first one: how many stoves?"
    assert read_as(asked, *past) == "how many stoves? (Borlotti)"


def test_what_is_asked_of_one_paper_is_no_list(beans: Library):
    """A question that carries its paper is asked of that one, however it reads."""
    found = resolve(beans, "and how big is it?", [HEAT])
    assert found.of_one
    assert not resolve(beans, "which papers name a colour?", [HEAT]).of_one


@pytest.mark.parametrize(
    "question", ["anyone else doing that?", "any other paper on this?", "who else?", "noch jemand?"]
)
def test_others_are_looked_for_by_the_topic_and_not_by_the_name(read_as: Read, question: str):
    """A question that names the paper at hand would find that one again."""
    assert read_as(question, NIGHT) == "Which other papers are about A Kitchen for Long Feasts?"
    assert read_as(question, CHART) == "Which other papers have a chart of colours?"


def test_the_one_found_besides_is_gone_on_about(read_as: Read):
    """Of "who else" the list may hold the paper at hand too: "that one" is another."""
    others = answered_from([CANNELLINI[0], BORLOTTI[0]], "who else cooks for feasts?", "list")
    assert read_as("how big is that one?", NIGHT, others) == "how big is that one? (Borlotti)"


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("which of those are surveys?", "Which papers name a colour and are surveys?"),
        ("and how many of them name brown?", "how many papers name a colour and name brown?"),
    ],
)
def test_a_list_can_be_narrowed(read_as: Read, question: str, means: str):
    """One more condition on the papers of the list just shown."""
    assert read_as(question, LISTED) == means


# --- What was shown together ----------------------------------------------------------------------

FIVE = answered_from(
    [SOUP[0], PINTO[0], TOFU[0], BORLOTTI[0], LENTIL[0]], "Which papers mention food?", "list"
)
SOUP_IN_MARKS, PINTO_IN_MARKS, TOFU_IN_MARKS = (f'"{one[0]}"' for one in (SOUP, PINTO, TOFU))


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("compare the first two", f"compare {SOUP_IN_MARKS} and {PINTO_IN_MARKS}"),
        ("Compare the second and fourth.", f"Compare {PINTO_IN_MARKS} and Borlotti."),
        ("compare 1 and 3 on heat", f"compare {SOUP_IN_MARKS} and {TOFU_IN_MARKS} on heat"),
        ("compare #2 with #4", f"compare {PINTO_IN_MARKS} and Borlotti"),
        ("how do the last two differ?", "how do Borlotti and LENTIL-V2 differ?"),
        ("the first and the third", f"Compare {SOUP_IN_MARKS} and {TOFU_IN_MARKS}"),
        ("compare it with the third one", f"compare {SOUP_IN_MARKS} with {TOFU_IN_MARKS}"),
        (
            "compare all of them on heat",
            f"compare {SOUP_IN_MARKS}, {PINTO_IN_MARKS}, {TOFU_IN_MARKS}, Borlotti and LENTIL-V2"
            " on heat",
        ),
    ],
)
def test_places_of_a_list_can_be_compared(read_as: Read, question: str, means: str):
    """Each side is named, by its title in quotation marks unless its name is one word."""
    assert read_as(question, FIVE) == means


def test_at_most_five_are_compared(read_as: Read):
    """A table of more could not be read."""
    six = answered_from(
        [one[0] for one in (SOUP, PINTO, TOFU, BORLOTTI, LENTIL, CANNELLINI)], "?", "list"
    )
    assert "LENTIL-V2" in read_as("compare all of them", six)
    assert "Cannellini" not in read_as("compare all of them", six)


def test_what_the_table_lacks_is_counted_in_the_list_before(read_as: Read):
    """The list is still there to be read."""
    rows = answered_from([SOUP[0], PINTO[0]], "Compare soups and colours", "comparison")
    assert read_as("how big is the fourth one?", FIVE, rows) == "how big is Borlotti?"
    assert read_as("how big is the second one?", FIVE, rows) == (f"how big is {PINTO_IN_MARKS}?")


@pytest.mark.parametrize(
    "question",
    [
        "the seventh one",
        "and the 100th paper?",
        "the -1st one",
        "no, I meant the sixth one",
        "what does [7] say?",
        "compare the first and the ninth",
        "compare the first six",
        "show me paper 12",
    ],
)
def test_a_place_beyond_the_last_is_told(beans: Library, question: str):
    """Nothing is looked up for it: a person is told how many there are."""
    found = resolve(beans, question, [FIVE])
    assert found.problem.startswith("Only 5 papers were shown")
    assert found.question == question


@pytest.mark.parametrize(
    "question",
    ["the other one", "no, I meant the other paper", "the second one", "compare them", "who else?"],
)
def test_where_nothing_was_shown_nothing_can_be_meant(beans: Library, question: str):
    """That is said, whether it is the first question or one after a refusal."""
    for past in ([], [GREETED], [silent("off_topic")]):
        assert resolve(beans, question, past).problem.startswith("No paper was shown")


@pytest.mark.parametrize(
    "question",
    [
        "&#39;PINTO&#39; colours?",
        "How many stoves has Model 3.3: the kitchen?",
        "which was the ninth paper to weigh beans?",
        "in the sixth stage, what is frozen?",
        "Which papers mention colours?",
    ],
)
def test_not_every_number_is_a_place(beans: Library, question: str):
    """Only what can mean nothing else is refused."""
    assert not resolve(beans, question, [FIVE]).problem
    assert not resolve(beans, question, []).problem


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("not soups", "Which papers name a colour but are not about soups?"),
        ("without soups please?", "Which papers name a colour but are not about soups?"),
        ("only the ones about beans", "Which papers name a colour and are about beans?"),
        ("just those that use levers", "Which papers name a colour and use levers?"),
        ("which are not about tofu?", "Which papers name a colour but are not about tofu?"),
        ("only the theoretical ones", "Which papers name a colour and are theoretical?"),
        ("how many?", "how many papers name a colour?"),
        ("and how many are there?", "how many papers name a colour?"),
    ],
)
def test_a_list_is_narrowed_and_counted_in_few_words(read_as: Read, question: str, means: str):
    """What is said right after a list is said of its papers."""
    assert read_as(question, LISTED) == means


def test_conditions_join_in_an_order_that_can_be_read(read_as: Read):
    """What is left out stands last, or it would take in what follows."""
    without = answered_from([PINTO[0]], "list papers on colours but are not about tofu", "list")
    assert read_as("only the ones about beans", without) == (
        "which papers are on colours and are about beans but are not about tofu?"
    )


def test_a_number_can_be_turned_into_the_papers(read_as: Read):
    """Those that were counted are listed, and their places count."""
    count = answered_from([SOUP[0], PINTO[0], TOFU[0]], "how many papers name a colour?", "list")
    assert read_as("which ones?", LISTED, count) == "which papers name a colour?"
    assert read_as("the third one", LISTED, count) == f"What is {TOFU_IN_MARKS} about?"
    assert read_as("anyone else?", LISTED, count) == "Which other papers name a colour?"


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("and LENTIL-V2?", "Compare Borlotti, Cannellini and LENTIL-V2"),
        ("and with LENTIL-V2?", "Compare Borlotti, Cannellini and LENTIL-V2"),
        ("add PINTO-7", "Compare Borlotti, Cannellini and PINTO-7"),
        ("swap Borlotti for LENTIL-V2", "Compare LENTIL-V2 and Cannellini"),
        ("LENTIL-V2 instead of the second one", "Compare Borlotti and LENTIL-V2"),
        ("drop Cannellini", "What is Borlotti about?"),
        ("the left one", "What is Borlotti about?"),
        ("the right one?", "What is Cannellini about?"),
        ("on cost?", "Compare Borlotti and Cannellini on cost"),
        ("what about the price?", "Compare Borlotti and Cannellini on the price"),
    ],
)
def test_a_comparison_can_be_changed(read_as: Read, question: str, means: str):
    """Somebody comes in, somebody leaves, or it is made on something else."""
    assert read_as(question, TOGETHER) == means


def test_a_changed_comparison_keeps_its_sides_and_what_it_is_on(read_as: Read):
    """The third one is not lost when something else is asked, nor what was asked when one comes."""
    three = answered_from([BORLOTTI[0], CANNELLINI[0], LENTIL[0]], "?", "comparison")
    asked = "Compare Borlotti and Cannellini with LENTIL-V2?"
    assert read_as("on cost?", replace(three, standalone_question=asked)) == (
        "Compare Borlotti, Cannellini and LENTIL-V2 on cost"
    )
    cost = replace(TOGETHER, standalone_question="Compare Borlotti with Cannellini on cost")
    assert read_as("and LENTIL-V2?", cost) == ("Compare Borlotti, Cannellini and LENTIL-V2 on cost")


def test_a_data_set_does_not_become_a_side(read_as: Read):
    """What an abstract that is compared has is what it is compared on."""
    asked = "Compare Borlotti and Cannellini on heat"
    heat = replace(TOGETHER, standalone_question=asked)
    assert "Compare Borlotti, Cannellini and" not in read_as("and on Tuscan beans?", heat)


def test_a_name_never_lands_inside_a_title(read_as: Read):
    """A title that holds the name which is replaced is replaced as a whole."""
    both = answered_from([PINTO[0], SOUP[0]], "?", "comparison")
    asked = f"Compare {PINTO_IN_MARKS} and {SOUP_IN_MARKS}"
    found = read_as("no, Borlotti", replace(both, question="compare", standalone_question=asked))
    assert found == f"Compare Borlotti and {SOUP_IN_MARKS}"


def test_going_back_asks_again(read_as: Read):
    """The last question about what is gone back to, or what it is."""
    assert read_as("back to Borlotti", HEAT, NIGHT) == HEAT.question
    assert read_as("back to Cannellini", TOGETHER, MARS) == "What is Cannellini about?"


def test_a_paper_that_is_described_is_asked_the_same(read_as: Read):
    """It need not have been spoken of."""
    users = replace(answered(BORLOTTI[0], "and how many? (Borlotti)"), question="and how many?")
    assert read_as("and in the lentil paper?", HEAT, users) == "and how many? (LENTIL-V2)"


# --- The pure rules -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "no of problems in the benchmark",
        "no one cooks beans, or do they?",
        "what does it mean if beans are brown?",
        "is there a meaning in beans?",
        "Nobody meant harm",
    ],
)
def test_not_every_no_is_a_correction(text: str):
    """The word alone puts nothing right."""
    assert correction(text) is None


@pytest.mark.parametrize(
    "text", ["what changes the topic?", "different beans", "new beans: which?"]
)
def test_not_everything_new_is_a_change_of_topic(text: str):
    """It has to be announced."""
    assert after_a_change(text) is None


@pytest.mark.parametrize("text", ["how does it go back to sleep?", "about beans", "on Mars: how?"])
def test_not_every_back_is_a_return(text: str):
    """It has to come first."""
    assert returning(text) is None


@pytest.mark.parametrize("text", ["and why is it?", "what about it, is it big?", "and", "?"])
def test_what_has_a_predicate_is_no_fragment(text: str):
    """Nor is what says nothing."""
    assert fragment(text) is None


def test_what_follows_a_name_of_another_paper_points_at_that():
    """A pronoun behind a name stands for the name."""
    text = "does SOYA-9 say how big it is?"
    assert not cue(text, text.find("SOYA-9")).what


# --- In the product -------------------------------------------------------------------------------


def test_a_model_can_take_the_place_of_the_rules(seed_settings: Settings):
    """Whatever says what a question means is asked, and its reason is kept."""

    def shout(library: Library, question: str, conversation: Sequence[Answer]) -> Resolved:
        return Resolved(f"{question} ({len(conversation)} before)", "a model said so")

    answer = PaperChat(seed_settings, shout).ask("What does MegaScale do?")
    assert answer.standalone_question == "What does MegaScale do? (0 before)"
    assert answer.trace["follow-up"] == "a model said so"


def test_a_conversation_finds_its_papers(seed_settings: Settings):
    """Four turns: a question, a parallel one, both side by side, and back."""
    chat = open_chat(seed_settings)
    past: list[Answer] = []
    for question in (
        "On how many GPUs was MegaScale run?",
        "and ByteScale?",
        "which one is larger?",
        "back to the first one: what MFU does it reach?",
    ):
        past.append(chat.ask(question, past))
    assert [answer.standalone_question for answer in past[1:]] == [
        "On how many GPUs was ByteScale run?",
        "which one is larger? (MegaScale and ByteScale)",
        "what MFU does it reach? (MegaScale)",
    ]
    assert past[1].sources[0].title.startswith("ByteScale")
    assert {source.title.split(":")[0] for source in past[2].sources} == {"MegaScale", "ByteScale"}
    assert past[3].sources[0].title.startswith("MegaScale")
