"""The scripted model itself: what it says of its prompt is as true or as wrong as it claims."""

from __future__ import annotations

import pytest

from rag.llm import OpenAIChat
from rag.types import Message
from tests.hallucinations import KINDS, fenced, hallucinating, lies, truthful
from tests.scripted import Request

PROMPT = """Which cache serves more requests, and how does StripeCache compare with PlainCache?

<paper n="1">
Title: StripeCache: Striped Caches for Servers
[1.1] We propose StripeCache, a cache that is striped over 16 disks.
[1.2] StripeCache outperforms PlainCache on several traces.
[1.3] It serves up to 41% more requests per second and is open source.
</paper>
<paper n="2">
Title: Graph Walks on a Diet
[2.1] Walking a graph index with DiskWalk needs 12 GB of memory.
[2.2] Pruning reduces this to 3 GB.
</paper>
"""


def request(prompt):
    """A request that holds *prompt*."""
    return Request(1, "", {"messages": [{"role": "user", "content": prompt}]}, {}, 0.0)


def said(server, script, prompt=PROMPT):
    """What the model at *server* says to *prompt*."""
    server.script = script
    return "".join(OpenAIChat("m", None, server.url)([Message("user", prompt)]))


def test_papers_are_read_from_the_prompt():
    """Number, title and sentences, as they stand between the fences."""
    one, two = fenced(PROMPT)

    assert (one.n, one.title) == (1, "StripeCache: Striped Caches for Servers")
    assert one.sentences[1] == "StripeCache outperforms PlainCache on several traces."
    assert len(one.sentences) == 3
    assert two.sentences == (
        "Walking a graph index with DiskWalk needs 12 GB of memory.",
        "Pruning reduces this to 3 GB.",
    )


@pytest.mark.parametrize(
    "prompt",
    [
        "<paper n=3>\nA title\nis not marked. Two sentences.",
        "<paper id='x' n='3'>title: T\n\nOne here.\nTwo here.</paper>",
        '<PAPER n="3">\nTitle: T\n[3.1] One\n  here. [3.2] Two here.\n<paper n="3">again</paper>',
    ],
)
def test_other_fences_are_read_too(prompt):
    """Without labels, quotes, title or end, there is still a paper with its number."""
    (paper,) = fenced(prompt)

    assert paper.n == 3
    assert len(paper.sentences) >= 2


def test_truth_is_quoted_with_its_number(scripted_server):
    """A truthful answer is made of the prompt's sentences that are closest to the question."""
    answer = said(scripted_server, truthful(1))
    retold = said(scripted_server, truthful(3, paraphrased=True))

    assert answer == "It serves up to 41% more requests per second and is open source [1]."
    assert "The authors propose StripeCache" in retold
    assert said(scripted_server, truthful(), "Hello?") == "The papers do not say."


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_hallucination_is_wrong(scripted_server, kind):
    """The wrong sentence is no sentence of the paper that it cites, and the answer ends in it."""
    kept = []
    answer = said(scripted_server, hallucinating(kind, truths=1, keep=kept))

    truth, lie = kept
    papers = {paper.n: paper for paper in fenced(PROMPT)}
    assert answer == f"{truth} {lie}"
    assert truth.kind == ""
    assert truth.text in papers[truth.cited].text
    assert lie.kind == kind
    assert lie.cited not in papers or lie.text not in papers[lie.cited].text


def test_there_are_twelve_kinds_and_each_is_its_own():
    """No two kinds make the same of the same prompt."""
    first = {kind: str(next(lies(kind, request(PROMPT)))) for kind in KINDS}

    assert len(KINDS) == 12
    assert len(set(first.values())) == 12


def test_the_changes_are_what_their_names_say():
    """One example of each rule that changes a word."""
    made = {kind: [str(lie) for lie in lies(kind, request(PROMPT))] for kind in KINDS}

    assert "PlainCache outperforms StripeCache on several traces [1]." in made["roles swapped"]
    assert "StripeCache outperforms PlainCache on all traces [1]." in made["scope widened"]
    assert "Pruning increases this to 3 GB [2]." in made["direction flipped"]
    assert "Pruning reduces this to 3 MB [2]." in made["unit changed"]
    assert "Pruning reduces this to 3 GB [6]." in made["missing paper cited"]
    assert "Pruning reduces this to 3 GB [1]." in made["wrong paper cited"]
    assert any(
        "is not open source" in lie or "is not striped" in lie for lie in made["negation added"]
    )
    assert not any("41%" in lie and "16 disks" in lie for lie in made["number changed"])
