"""What the product adds to a language model's own time: `python -m eval.overhead`.

The scripted server of the tests streams 300 tokens at 50 a second, sentences of the abstracts in
the third person, to the product and then, with the very same messages, to the bare openai client.
Both are timed in one process, turn by turn, so that whatever else the machine does meets them
alike. From a clone only: the server is in `tests/`.

| measured | from | until | beside |
| --- | --- | --- | --- |
| prompt | the question | the messages are ready | nothing |
| first words | the messages are ready | words are shown, marked as not checked | the first token |
| first sentence | the messages are ready | it is shown with its verdict | its last token |
| whole | the question | the last draft, every sentence checked | the last token |
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from eval.speed import load_average, machine
from rag.app import PaperChat
from rag.errors import PaperChatError, UsageError
from rag.settings import Settings

if TYPE_CHECKING:
    from tests.scripted import Request, Scripted

QUESTION = "What MFU does MegaScale achieve when training a 175B model?"
TOKENS, A_SECOND = 300, 50
MOST_FIRST, MOST_WHOLE = 50.0, 5.0  # ms; per cent


@dataclass(frozen=True, slots=True)
class Asked:
    """Seconds from the question."""

    prompt: float  # the messages are ready; 0 where they were given
    first: float  # words, or a token
    sentence: float  # the first whole one
    whole: float


def text_for(request: Request) -> list[str]:
    """TOKENS pieces: the sentences most relevant to the question in the third person, cited."""
    from tests.hallucinations import Written, relevant, told
    from tests.scripted import tokens

    said = " ".join(str(Written(told(text), paper.n)) for paper, text in relevant(request))
    pieces = tokens(said)[:TOKENS]
    last = max(place for place, piece in enumerate(pieces) if "]." in piece)
    return pieces[: last + 1]


def product(chat: PaperChat) -> Asked:
    """Ask the product, and look at what a person would see."""
    began = perf_counter()
    prompt = first = sentence = 0.0
    for draft in chat.stream(QUESTION, mode="llm"):
        now = perf_counter() - began
        prompt = prompt or now
        first = first or (now if draft.pending or draft.statements else 0.0)
        sentence = sentence or (now if draft.statements else 0.0)
    if draft.mode != "llm":
        raise UsageError(f"the model's answer was not shown ({draft.notice}); mend that")
    return Asked(prompt, first, sentence, perf_counter() - began)


def bare(client: Any, messages: Sequence[dict[str, str]], model: str) -> Asked:
    """Ask the bare client the same."""
    began = perf_counter()
    first = sentence = 0.0
    said = ""
    stream = client.chat.completions.create(
        model=model, messages=messages, stream=True, temperature=0
    )
    for event in stream:
        piece = event.choices[0].delta.content if event.choices else ""
        said += piece or ""
        now = perf_counter() - began
        first = first or (now if piece else 0.0)
        sentence = sentence or (now if "]." in said else 0.0)
    return Asked(0.0, first, sentence, perf_counter() - began)


def measure(store: Path, runs: int) -> list[tuple[Asked, Asked]]:
    """Product and bare client, *runs* times by turns, after one that is not counted."""
    try:
        from tests.scripted import Scripted, say
    except ImportError:
        raise UsageError(
            "the scripted server is not installed: run this in a clone, from its root"
        ) from None
    os.environ["NO_PROXY"] = "127.0.0.1"  # in this process: a proxy would be measured too
    with Scripted(lambda request: say(text_for(request), tokens_a_second=A_SECOND)) as server:
        place = {"OPENAI_BASE_URL": server.url, "PAPERCHAT_MODEL": "scripted-1"}
        chat = PaperChat(Settings.from_environment(store=store, environment=place))
        return _by_turns(chat, server, runs)


def _by_turns(chat: PaperChat, server: Scripted, runs: int) -> list[tuple[Asked, Asked]]:
    import openai

    client = openai.OpenAI(api_key="none", base_url=server.url, max_retries=0)
    pairs = []
    for _ in range(runs + 1):
        ours = product(chat)
        pairs.append((ours, bare(client, server.requests[-1].body["messages"], "scripted-1")))
    client.close()
    return pairs[1:]


def report(pairs: Sequence[tuple[Asked, Asked]], loads: tuple[float, float]) -> str:
    """The medians as Markdown."""

    def median(values: Sequence[float]) -> float:
        return statistics.median(values)

    prompt = 1000 * median([ours.prompt for ours, _ in pairs])
    first = 1000 * median([o.first - o.prompt - its.first for o, its in pairs])
    sentence = 1000 * median([o.sentence - o.prompt - its.sentence for o, its in pairs])
    all_first = 1000 * median([o.first - its.first for o, its in pairs])
    whole = 100 * median([o.whole / its.whole - 1 for o, its in pairs])
    lines = [
        f"| first words, with the same prompt | {first:.0f} ms later | {MOST_FIRST:.0f} ms |"
        f" {'met' if first <= MOST_FIRST else 'missed'} |",
        f"| whole answer, from the question, every sentence checked | {whole:.1f} % later |"
        f" {MOST_WHOLE:.0f} % | {'met' if whole <= MOST_WHOLE else 'missed'} |",
        f"| first sentence with its verdict, after its last token | {sentence:.0f} ms | | |",
        f"| search, and the prompt made of it | {prompt:.0f} ms | | |",
        f"| first words, that search included | {all_first:.0f} ms later | | |",
    ]
    return "\n".join(
        [
            "# What the product adds to a language model's time",
            "",
            "Made by `python -m eval.overhead --store DIR`; the bare openai client with the same"
            f" messages, {TOKENS} tokens at {A_SECOND} a second, median of {len(pairs)}.",
            f"Machine: {machine()}; load average {loads[0]:g} at the start and {loads[1]:g} at the"
            " end: above the number of cores, times are longer than on a machine of one's own.",
            "",
            "| measured | value | at most | |",
            "| :-- | --: | --: | :-- |",
            *lines,
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 whatever the figures are, 2 if it could not run."""
    parser = argparse.ArgumentParser(prog="python -m eval.overhead", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, metavar="DIR", help="the index")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table here too")
    options = parser.parse_args(arguments)
    load = load_average()
    try:
        pairs = measure(options.store, max(1, options.runs))
        text = report(pairs, (load, load_average()))
        if options.out:
            options.out.write_text(text + "\n", encoding="utf-8")
    except (PaperChatError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
