from __future__ import annotations

import random
import time

import pytest

from rag.sentences import spans, split
from rag.types import Sentence

BREAK = "‖"  # where a sentence ends and another begins; not part of the text

PARTS = [
    *".?!…。()[]{}\"'“”$\\~*-,;: \n",
    *("  ", "\n\n", "``", "''", ". ", "? "),
    *("We", "A", "a", "etc", "e.g", "al", "1", "2)", "vLLM", "results", "Fig", "é", "\u200b"),
]

FROM_THE_SEEDS = [
    "which combines block removal and block parameter sharing.‖This strategy consists of three",
    "parameters and slightly reducing latency overhead.‖ (3) After sharing these Blocks, we",
    "two important aspects of model abilities: (1). there exists a very complex balance/",
    "models' multi-dimensional abilities; (2). by paying the price of decreased",
    "as the Transformer framework by Vaswani et al. (2017).‖ Closed-source models excel by",
    "large models (e.g., Flamingo (Alayrac et al., 2022), trained on massive datasets, can",
    "we propose three techniques, i.e. non-blocking pipeline parallelism, distributed",
    "tuples, such as (USA, capital, Washington D.C.) from a Wikipedia page.‖ Through",
    "which is less stable and harder to train.‖ * Prepending training data with domain",
    "training data with domain names (e.g., wikipedia.org) significantly increases",
    "two-part quantization procedure, LLM.int8().‖ We first use vector-wise quantization",
    "values are multiplied in 8-bit.‖ Using LLM.int8(), we show empirically it is",
    "Mixtral 8x7B, LLaMA-3-8B, etc..‖ With practical workloads, NanoFlow",
    "remains unclear.‖ 2) Scalability. It is unknown how effectively these models can scale",
    "models require evaluation.‖ 4) Training Stop Criteria. Determining the optimal",
    'hardware-aware configurations (a.k.a. "sub-networks") from a hardware-agnostic',
    'even when the synthetic data prompts appear "neutral".‖ which invites the question',
    "and accompanied by executable unit tests.‖ is designed to rigorously assess the",
    "and the quality of generated content.‖ the study identifies nf4 as displaying",
    "the continual pre-training process.‖ we observed a temporary performance drop at",
    'costs -- we call the results "model soups."‖ When fine-tuning large pre-trained',
    'suitable for modeling social media interactions.").‖ This Text-to-Graph capability',
    'question "Is a picture worth a thousand words?"; (b) in the case of mathematical',
    "work is available on this webpage.https://github.com/badripatro/mamba360.",
    "of varying sizes ranging from 13.29M to 367.5M.‖The models are pretrained with",
    "model performance scaling curves w.r.t. data sizes from logarithmic to be",
    "generation (compared to Stable Diffusion, etc.).‖ Despite the limitations, we remain",
    "early scholars (Galileo, da Vinci, etc.) were experts across fields,",
    "the consistent issue of non-I.I.D. Clients in federated settings",
    "2, CodeLLaMa, Gemma, and Qwen 1.5).‖ Our experiments reveal the coding",
    "ranging from 18.1\\% to 250\\%.‖ Further tests on the HumanEval benchmark",
    "and (4) Julia (e.g., Threads, CUDA.jl, AMDGPU.jl, and KernelAbstractions.jl).‖ We",
    "data using frontier LLMs (e.g., {\\tt GPT-3.5}).‖ Inspired by the cognitive",
    "ablation studies of G_{stack}.‖ Our code and pre-trained model are",
    "communication costs and bypasses checkpoint I/O.‖ (2) Enhanced System Reliability: Our",
    "overlooking the advantages of scaling up.‖ Recently, Large Language Models (LLMs) have",
    "at https://github.com/X-PLUG/mPLUG-Owl.‖ The online demo is available at",
    "9d8f-11ed-a2a2-8383522b48d9&origin_path=%2F~%2F.‖ Our dataset generation tools are",
    "Bloomz-Doctor, GPTJ-Chat, GPTJ-Doctor.‖Finally, we assess the effectiveness",
    "multi-task foundation model ibm/biomed.omics.bl.sm.ma-ted-458m that learns from",
    'models" with high EAcc and Delta = 0.‖ We anticipate that the release of',
    "outperforms them by 15.4\\% and 23.9\\%.‖ Our code will be released",
    "Multimodal-Mind2Web, and MiniWob++.‖ Additionally, our experiments",
    "achieves compression ratios of 8x - 50x.‖ In particular, we show that ComPEFT",
    "at https://github.com/apple/corenet.‖ Additionally, \\model models can be found",
    "Can LLMs also learn by teaching (LbT)?‖ If yes, we can potentially unlock the",
    "architectures for target benchmark(s).‖ We evaluate Archon architectures",
    "of generative Large Language Models~(LLMs).‖ However, the memory footprint of the",
    "exemplifying the ``emergent abilities''.‖ In this study, we discover that small",
    "different terrains, items given to agents, etc.).‖ Next, we train a small RL agent in",
    "our demo video here: https://www.youtube.com/watch?v=GYT-65HZwus.",
]

MADE_UP = [
    "It serves many users.‖ vLLM is fast.‖ iRangeGraph is faster.‖ t-SNE maps are shown.",
    "A gap remains.‖ \\framework closes it.‖ $\\pi$-Tuning helps.‖ 95% of users agree.",
    'We ask why.‖ "Attention" is one answer.‖ [Code] is public.‖ (See the appendix.)‖ We end.',
    "See Fig. 3, Eq. (4), Sec. IV, Tab. 2 and No. 5 by Dr. J. Smith of Acme Inc. in St. Louis.",
    "It is used in the U.S. Army and by Ph.D. students, cf. Lee et al. [3] vs. Kim et al. 2020.",
    "We refer to Fig. 3.‖ In Sec. 4.2.‖ vLLM appears, as does it in Vol. 2.‖ Nothing else does.",
    "It was built in the U.S.‖ We compare with Lee et al.‖ The code is public.",
    "Llama 3.1, GPT-3.5 and v1.5 are 3.5x faster at p = .03 (P<0.05).‖ E. coli and S. aureus grew.",
    "We use torch.nn.Module, torch.Tensor, Node.js and data from ICLR.cc, see a.b@c.org for more.",
    "It won on Yahoo! Answers and Jeopardy! questions.‖ It won on Jeopardy!‖ We explain why.",
    'We ask "Which one? "‖ Framing it so helps---e.g. the "weird" ones, and "odd" ones.‖ We end.',
    "What is it?‖ Nobody knows!‖ We do.",
    "我们提出一种方法。‖它很快！‖为什么？‖因为简单。",
    'He said "We won. It was fun. Was it?" and left (it rained. It poured.) at once.',
    "We use \\cite{Lee et al. 2020}, \\textbf{bold. Bold}, e.g.\\ this, $f(x. Y) = 1.$ and more.",
    "a, b, ..., z and so on...‖ We stop.‖ More importantly, ...",
    "Costs fell from $5.‖ We paid $4 in 2024.",
    "It helps (i) here; (ii) there.‖ (ii) It scales.‖ 3) It is cheap to run at home.",
    "The interval $(0,1]$ is open.‖ So is [0, 1).‖ There we stop.",
    "It needs vitamin C.‖ Patients recovered.‖ This was shown by Peter J. Cameron.",
    "Steps: 1. Read it.‖ 2. Run it, i. e. Execute it, approx. 5 times, a.k.a. Looping.",
    "We list papers [21] and [22].‖ Here we go on; see also Phys. Rev. Lett. 91, 72301.",
    "It grew by 0.87.‖ 70% of it was used; an OR of 12. 0 was seen.",
    "Results were better.‖A novel loss helps.‖RepMatch helps (a lot).‖This is all.",
    "Methods. We asked 5 people.‖ Results: they agreed .‖ We thank them.",
    "First part\n\n‖Second part without a mark\nthat goes on",
]


@pytest.mark.parametrize("marked", FROM_THE_SEEDS + MADE_UP)
def test_sentences_end_where_a_reader_ends_them(marked):
    """Abbreviations, names, addresses, formulas and slips of the pen do not mislead."""
    text = marked.replace(BREAK, "")

    assert [text[start:end] for start, end in spans(text)] == [
        sentence.strip() for sentence in marked.split(BREAK)
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0 "])
def test_a_blank_abstract_has_no_sentence(text):
    """Nothing is made of white space."""
    assert spans(text) == ()


def test_split_numbers_the_exact_spans():
    """A sentence knows its paper, its number and its place."""
    text = "  One here. Two (cf. Fig. 2)! "

    assert split("p", text) == (
        Sentence("p", 0, 2, 11, "One here."),
        Sentence("p", 1, 12, 29, "Two (cf. Fig. 2)!"),
    )


@pytest.mark.parametrize("seed", range(20))
def test_spans_hold_every_visible_character_once_and_in_order(seed):
    """Whatever the text, spans are trimmed, in order, apart, and leave out white space only."""
    text = "".join(random.Random(seed).choices(PARTS, k=100 * seed))
    last = 0
    for start, end in spans(text):
        assert last <= start < end
        assert text[start:end] == text[start:end].strip()
        assert not text[last:start].strip()
        last = end
    assert not text[last:].strip()


@pytest.mark.parametrize(
    "unit",
    [
        *'.([{"$\n\\。',
        *(". ", "()", '" ', ' "a', "aa.Bb", "a. ", "A. ", "1) ", "(. 1) ", ". - A", ".)]}\"'"),
        *("aaaa.We,", "``a''", " $a. B$", "http://a.b/", "We do it. ", ". \ufeff", "e.g. ", "?! "),
    ],
)
def test_time_grows_linearly_with_hostile_text(unit):
    """Four times as many characters made to mislead take about four times as long, not sixteen.

    In proportion, since how long a hundred thousand take is the machine's: a third of a second, or
    one.
    """
    text = (unit * 100_000)[:100_000]

    assert taken(text) < 8 * taken(text[:25_000]) + 0.2


def taken(text: str) -> float:
    """Seconds that cutting *text* takes, the better of two times."""
    times = []
    for _ in range(2):
        began = time.process_time()
        spans(text)
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize(
    "text", [". " + "_" * 100_000, "(" * 50_000 + ")" * 50_000, "a." + " " * 99_999]
)
def test_one_long_run_is_read_once(text):
    """A run of one character after a mark does not slow the reading down."""
    began = time.process_time()
    spans(text)

    assert time.process_time() - began < 1
