from __future__ import annotations

import pytest

PLAIN = (
    "What is {}?",
    "What problem does {} address?",
    "How does {} work?",
    "what is new about {}",
    "Which limitation of earlier work does {} overcome?",
    "What are the main results of {}?",
    "tell me about {}",
)


@pytest.mark.parametrize("question", PLAIN)
def test_what_every_abstract_tells_is_not_refused(seed_chat, question):
    """A plain question about a paper that is here by name is answered, and from that paper."""
    heads = {
        paper.title.partition(":")[0]: paper
        for paper in seed_chat.papers()
        if ":" in paper.title and " " not in paper.title.partition(":")[0]
    }
    named = {name: paper for name, paper in heads.items() if name in paper.abstract}
    some = sorted(named)[:: len(named) // 6]

    answers = {name: seed_chat.ask(question.format(name)) for name in some}

    assert len(some) >= 6
    assert [name for name, answer in answers.items() if answer.abstention] == []
    first = {name: answer.sources[0].paper_id for name, answer in answers.items()}
    assert first == {name: named[name].id for name in some}
