from __future__ import annotations

import time

import pytest

from rag.route import route, standalone
from rag.types import Abstention, Answer, Source

SMALL_TALK = """
hi
Hello!
HELLO
heyyyy
Good morning, everyone
thanks
Thanks a lot, great job!
thank you so much
thx :)
ok cool
bye, see you tomorrow
Danke schön!
merci beaucoup
¡Hola!
Привет!
你好
ありがとう！
नमस्ते
مرحبا
👋
ｈｅｌｌｏ
he\u200bllo
sorry, wrong window
""".strip().splitlines()

ABOUT_US = """
What can you do?
what can I ask you?
who are you?
Are you a bot?
How does this work?
How does it work?
how do I use this tool?
What papers do you have?
how many papers are in here?
Which topics do you cover?
What is this collection about?
hello, what can you do?
help
show me some examples
How do you find the answers?
where do the quotes come from?
can you read the full papers?
How are you today?
""".strip().splitlines()

QUESTIONS = """
What does MegaScale do?
hi, what does MegaScale do?
Thanks! And what does ByteScale do?
hello world programs written by language models
How does it work on long inputs?
What can you do to reduce the memory of attention?
How many papers use reinforcement learning?
Which topics does RLHF cover?
can you help me understand mixture of experts?
who are the authors of PaLM?
Are you able to quantize a model to 4 bits without loss?
What are you losing when you prune attention heads?
How do language models know when they are wrong?
what is the weather like in Paris?
is a bot able to write a survey?
What is this?
ok so which optimizer needs the least memory
great results on long contexts?
night vision for robots
good data or much data?
How does this scale to a thousand accelerators?
help desk chatbots for hospitals
examples of prompts that break alignment
start training from a checkpoint: how?
How big is the collection of web pages in RefinedWeb?
Which library trains models on many GPUs?
What does the tool in ToolFormer look like?
C++
?
42
""".strip().splitlines()


@pytest.mark.parametrize("message", SMALL_TALK)
def test_small_talk_is_not_looked_up(message: str):
    """A greeting, a thank-you or a farewell gets a friendly word, in any script or disguise."""
    assert route(message).shape == "chat"


@pytest.mark.parametrize("message", ABOUT_US)
def test_questions_about_the_tool_are_not_looked_up(message: str):
    """No paper answers what PaperChat can do."""
    assert route(message).shape == "chat"


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_are_looked_up(question: str):
    """Polite, short or odd: what could be about papers is searched for."""
    assert route(question).shape == "answer"


def answered(title: str = "MegaScale: Scaling to 10,000 GPUs") -> Answer:
    """An earlier answer that quotes the paper of *title*."""
    return Answer("?", "?", "answer", "extractive", sources=(Source(1, "0" * 16, title),))


def silent(abstention: Abstention, *sources: Source) -> Answer:
    """An earlier refusal."""
    return Answer("?", "?", "answer", "extractive", sources=sources, abstention=abstention)


GREETED = Answer("hi", "hi", "chat", "extractive", message="Hello!")

POINTS_BACK = """
and how big is it?
and what data do they use?
So does it beat plain RAG?
did they try it anywhere outside RL?
which languages are covered
and do I need a graphics card to run one?
which benchmarks was the agent trained on them run on?
How does it compare with LoRA?
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
How does it work?
so how does this work
and what problem does that one go after?
""".strip().splitlines()

STANDS_ALONE = """
What does ByteScale do?
Which paper shows that scaling laws hold for recommendation?
How can one reduce the memory of attention without losing accuracy?
What is quantization?
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
thanks, that helped!
Thank you!
what can you do?
ok
""".strip().splitlines()


@pytest.mark.parametrize("question", POINTS_BACK)
def test_a_follow_up_carries_the_paper_it_is_about(question: str):
    """What points back is read with the name of the last answer's first source."""
    assert standalone(question, [answered()]) == f"{question} (MegaScale)"


@pytest.mark.parametrize("question", STANDS_ALONE)
def test_a_question_of_its_own_stays_as_it_is(question: str):
    """A new subject, a paper named or a word of thanks is not read into the last answer."""
    assert standalone(question, [answered()]) == question


@pytest.mark.parametrize("question", POINTS_BACK)
def test_without_an_earlier_answer_nothing_is_carried(question: str):
    """The first question, or one after a greeting or a refusal, refers to nothing."""
    assert standalone(question, []) == question
    assert standalone(question, [GREETED, silent("no_paper")]) == question


def test_the_last_answer_counts():
    """Conversations move on; greetings and empty refusals in between do not matter."""
    past = [answered(), answered("ByteScale: 12,000 GPUs"), GREETED, silent("off_topic")]
    assert standalone("and how big is it?", past) == "and how big is it? (ByteScale)"


def test_a_paper_that_did_not_say_is_spoken_of_all_the_same():
    """A refusal may name the paper at hand: the next question is about that one."""
    at_hand = silent("not_stated", Source(1, "0" * 16, "ByteScale: 12,000 GPUs"))
    past = [answered(), at_hand]
    assert standalone("and how big is it?", past) == "and how big is it? (ByteScale)"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("ZeRO++: Efficient Training", "ZeRO++"),
        ("On the Colour of Beans", "On the Colour of Beans"),
        (
            "What we talk about when we talk about beans: a study",
            "What we talk about when we talk about beans: a study",
        ),
        (": an odd title", ": an odd title"),
    ],
)
def test_a_paper_is_carried_by_its_name_or_its_title(title: str, name: str):
    """What stands before a colon is a name if it is short."""
    assert standalone("how big is it?", [answered(title)]) == f"how big is it? ({name})"


@pytest.mark.parametrize(
    "text",
    ["what " * 4000, "hi " * 6000, "h" * 20_000, "it " * 6000, "\u0301" * 20_000, "that, " * 3000],
)
def test_hostile_lengths_take_no_time(text: str):
    """No pattern runs wild on repetition."""
    began = time.perf_counter()
    route(text)
    standalone(text, [answered()])
    assert time.perf_counter() - began < 1.0
