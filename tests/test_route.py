from __future__ import annotations

import time

import pytest

from rag.route import route
from rag.types import Shape

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
nice one, thanks!
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
    assert route(question).shape != "chat"


@pytest.mark.parametrize(
    ("question", "shape"),
    [
        ("What does MegaScale do?", "answer"),
        ("How many papers use reinforcement learning?", "list"),
        ("which papers mention both pruning and distillation?", "list"),
        ("Compare MegaScale and ByteScale", "comparison"),
        ("is MegaScale faster than ByteScale?", "comparison"),
        ("CREATOR vs CRAFT: how does each work?", "comparison"),
        ("name each work on pruning", "list"),
    ],
)
def test_the_words_of_a_question_choose_its_shape(question: str, shape: Shape):
    """Papers in the plural make a list, things side by side a comparison; the rest is answered."""
    assert route(question).shape == shape


@pytest.mark.parametrize(
    "text",
    ["what " * 4000, "hi " * 6000, "h" * 20_000, "it " * 6000, "\u0301" * 20_000, "that, " * 3000],
)
def test_hostile_lengths_take_no_time(text: str):
    """No pattern runs wild on repetition."""
    began = time.process_time()
    route(text)
    assert time.process_time() - began < 1.0
