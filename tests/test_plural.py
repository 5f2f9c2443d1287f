"""When a question wants papers in the plural, and when it is about one."""

from __future__ import annotations

import pytest

from rag.listing.plural import asks_for_list, is_english
from rag.text import fold

LISTS = """
which papers mention ImageNet?
how many propose a new optimizer?
everything on quantization
who trains on more than a trillion tokens?
vision models but not diffusion
any other papers on federated learning?
who else does knowledge distillation?
anyone else doing this?
In how many abstracts does "chain-of-thought" occur?
How many surveys are there?
which of the papers use GPT-4?
MoE papers?
list every paper on speculative decoding
models with fewer than 3B parameters - which ones?
what is there on checkpointing?
which are not about graphics?
Which papers does ImageNet appear in?
which papers do use BERT?
Alle Paper, die RLHF erwähnen
¿Qué artículos mencionan ImageNet?
Combien d'articles parlent de distillation ?
哪些论文提到了 ImageNet?
какие статьи упоминают BERT?
number of abstracts that name C4
count the papers on bees
training systems tested on 100 to 600 GPUs, which are they?
any position or survey papers?
work on low-resource languages, but not Chinese
bees and wasps - which works?
knowledge editing, unlearning or model patching papers?
surveys, but only those about agents
everybody with a context window beyond 128k tokens
which teams released their weights?
hello, I'd be grateful for every abstract that says carbon
is Adam mentioned in any abstracts?
is the Rust language used by anybody here, and by whom?
anything published under an MIT licence?
What uses CIFAR?
Has anybody here looked at compilers? who?
Does anyone offer a simulator for ships? which?
bees: keeping them, feeding them... what's there?
Survey articles whose point is saving energy. List please.
experience reports from industry on code review
How many benchmarks are built to be refreshed?
is SWE-bench mentioned anywhere?
Adam optimizer; where does that name appear?
do we have tutorials in here?
what have people here done with Minecraft?
who in here has anything to say about energy?
trabajos sobre agentes
""".strip().splitlines()

NO_LISTS = """
which paper mentions ImageNet?
how many GPUs does MegaScale use?
How many papers does the PEFT survey cover?
how many papers were reviewed to build it?
is anyone training on a trillion tokens?
Is there a paper on watermarking?
who proposed ZeRO?
What does the survey on MoE say?
which benchmarks does CodexGraph use?
list the three stages of ZeRO
Do the authors say anything on that?
what works best?
which of the two papers is faster?
On how many datasets was it tested?
Which papers does the DistilBERT paper cite?
What papers do the authors of GraphLab criticise?
Which papers are cited by LLaMA?
how many teams took part in the shared task?
research on scaling laws says what about data?
which models does HELM evaluate with more than 100 billion parameters?
which works better for reasoning, CoT or PoT?
all things considered, is RLHF better than DPO?
how many studies found that LLMs hallucinate?
what have they done about reward hacking?
is there something that draws graphs from text?
Which ones did it pick, attention or FFN?
what uses it most?
any evidence that STABLE-RPS works for transformers?
How many benchmarks are used to test MegaScale?
Give me the size of its dataset, please
who does this?
""".strip().splitlines()


@pytest.mark.parametrize("question", LISTS)
def test_papers_in_the_plural_are_a_list(question):
    """Asked for as papers, as who does it, by a bare plural, in other languages."""
    assert asks_for_list(fold(question))


@pytest.mark.parametrize("question", NO_LISTS)
def test_a_question_about_one_paper_is_no_list(question):
    """Also where it counts things, or papers that the paper itself has read."""
    assert not asks_for_list(fold(question))


def test_the_language_of_the_frame_is_known():
    """English is read by its verbs, of other languages what their asking words leave over."""
    assert is_english("which papers mention T5?")
    assert not is_english(fold("¿Cuántos resúmenes nombran T5?"))
