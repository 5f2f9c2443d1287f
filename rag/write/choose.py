"""A list whose near misses a model judges: what it takes up is counted, with a quotation.

Criteria that are literal stay decided by rules, for every paper. What is spent is known before: the
near misses that fit under a cap of tokens are one prompt, and the rest stay near misses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rag.chunk import count_tokens
from rag.prompts import render
from rag.retrieve import Library
from rag.types import Chat, Citation, Draft, Evidence, Paper, Source, Statement
from rag.verify import verify
from rag.write.answer import Progress, complete, entry_of
from rag.write.sheet import harmless, sheet

MOST_TOKENS = 4_000  # of the abstracts in the one prompt


def choose(library: Library, question: str, plain: Draft, chat: Chat) -> Draft:
    """*plain*, a list, with those of its near misses that *chat* says meet the criterion.

    *plain* with a notice where the model's reply is of no use.
    """
    if not plain.near or plain.coverage is None or "criteria" not in plain.trace:
        return plain
    by_id = {paper.id: paper for paper in library.snapshot.papers}
    vector = library.embedder([question])[0]
    entries = [entry_of(library, by_id[one.paper_id], vector) for one in plain.near]
    papers = sheet(entries, count_tokens, MOST_TOKENS)
    prompt = render("choose_question", papers=papers.text, question=harmless(question))
    price = f"{len(papers.entries)} near misses in about {count_tokens(prompt):,} tokens"
    plain = replace(plain, trace={**plain.trace, "judged by the model": price})
    so_far = Progress()
    said = complete(chat, "choose", prompt, so_far)
    rows = said.get("papers")
    if not isinstance(rows, list):
        notice = "The list was made without the model: its reply could not be used."
        return replace(plain, usage=so_far.usage, notice=notice)
    named = [papers.named(row.get("sentence")) for row in rows if isinstance(row, dict)]
    taken = {pair[0]: papers.evidence(*pair) for pair in named if pair}
    return _joined(plain, list(taken.values()), by_id, chat, so_far)


def _joined(
    plain: Draft, taken: list[Evidence], by_id: Mapping[str, Paper], chat: Chat, so_far: Progress
) -> Draft:
    """*plain* with the papers of *taken* counted, and the message that says how many there are."""
    first = max((source.n for source in plain.sources), default=0) + 1
    sources = [Source(n, one.paper_id, one.title) for n, one in enumerate(taken, first)]
    added = [
        Statement(one.text, (Citation(n, one.paper_id, one.title, (one,)),), "unverified")
        for n, one in enumerate(taken, first)
    ]
    coverage = plain.coverage
    if coverage is None or not taken:
        return replace(plain, usage=so_far.usage)
    matched = coverage.matched + len(taken)
    ids = {one.paper_id for one in taken}
    count = f"{coverage.papers_in_corpus:,}"
    told = plain.trace["criteria"]
    return replace(
        plain,
        statements=verify([*plain.statements, *added], by_id),
        sources=(*plain.sources, *sources),
        abstention=None,
        message=render("list", matched=f"{matched:,}", count=count, criteria=told),
        coverage=replace(coverage, matched=matched),
        near=tuple(one for one in plain.near if one.paper_id not in ids),
        mode="llm",
        model=chat.name,
        usage=so_far.usage,
    )
