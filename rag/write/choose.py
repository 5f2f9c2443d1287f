"""A list whose candidates a model judges in batches: what it takes up is counted, with a quotation.

What the rules found stays: criteria that are literal are decided by them, for every paper. The
model reads the near misses and then what retrieval holds closest, as many as fit into a few
prompts; what that will cost is told before it is asked. A model that takes up all
that it is shown has not judged, and is not believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rag.chunk import count_tokens
from rag.llm.meter import Price, priced
from rag.prompts import render
from rag.retrieve import Library
from rag.store import ById
from rag.types import Chat, Citation, Draft, Evidence, Paper, Source, Statement, Usage
from rag.verify import verify
from rag.write.answer import MOST_TOKENS as MOST_SAID
from rag.write.answer import Progress, complete, entry_of
from rag.write.sheet import Entry, Sheet, harmless, sheet

MOST_TOKENS = 4_000  # of the abstracts in one prompt
MOST_BATCHES, MOST_IN_BATCH = 3, 10  # prompts, and papers in each
MOST_BELIEVED = 3  # papers; of more, some have to be left


def choose(
    library: Library, question: str, plain: Draft, chat: Chat, price: Price | None = None
) -> Iterator[Draft]:
    """*plain*, a list, with those of its candidates that *chat* says meet the criterion.

    The first draft tells the price, at *price* if there is one. The last is *plain* with a notice
    where the model's replies are of no use.
    """
    batches = _batches(library, question, plain)
    if not batches or plain.coverage is None or "criteria" not in plain.trace:
        yield plain
        return
    prompts = [
        render("choose_question", papers=papers.text, question=harmless(question))
        for papers in batches
    ]
    cost = _cost(prompts, batches, price)
    plain = replace(plain, trace={**plain.trace, "judged by the model": cost})
    told = f"The model reads {cost}."
    yield replace(plain, notice=told, trace={**plain.trace, "step": "checking"})
    so_far = Progress()
    replies = [complete(chat, "choose", prompt, so_far).get("papers") for prompt in prompts]
    read = [(p, rows) for p, rows in zip(batches, replies, strict=True) if isinstance(rows, list)]
    if not read:
        notice = "The list was made without the model: its reply could not be used."
        yield replace(plain, usage=so_far.usage, notice=notice)
        return
    taken = [one for papers, rows in read for one in _taken(papers, rows)]
    shown = sum(len(papers.entries) for papers, _ in read)
    if len(taken) == shown > MOST_BELIEVED:
        notice = "The list was made without the model: it took up everything that it was shown."
        yield replace(plain, usage=so_far.usage, notice=notice)
        return
    by_id = ById(library.snapshot)
    made = _joined(plain, taken, by_id, chat, so_far)
    left = len(batches) - len(read)
    part = f"The model read {shown} candidates; {left} of {len(batches)} of its replies failed."
    yield replace(made, notice=part if left else made.notice)


def _batches(library: Library, question: str, plain: Draft) -> list[Sheet]:
    """The candidates, near misses first, in sheets of MOST_TOKENS; none of them counted already."""
    listed = {source.paper_id for source in plain.sources}
    wanted = dict.fromkeys([one.paper_id for one in plain.near])
    wanted |= dict.fromkeys(h.paper.id for h in plain.retrieved if h.paper.id not in listed)
    papers = ById(library.snapshot)
    vector = library.embedder([question])[0]
    left: list[Entry] = [entry_of(library, papers[one], vector) for one in wanted]
    made: list[Sheet] = []
    while left and len(made) < MOST_BATCHES:
        made.append(sheet(left[:MOST_IN_BATCH], count_tokens, MOST_TOKENS))
        left = left[len(made[-1].entries) :]
    return made


def _cost(prompts: Sequence[str], batches: Sequence[Sheet], price: Price | None) -> str:
    """How much the model will read, and what it costs at most."""
    rules = count_tokens(render("choose"))
    read = sum(count_tokens(prompt) + rules for prompt in prompts)
    dollars = priced(Usage(read, MOST_SAID * len(prompts)), price).cost_usd
    told = "" if dollars is None else f", at most ${dollars:.4f}"
    candidates = sum(len(papers.entries) for papers in batches)
    calls = f"{len(prompts)} call" + ("" if len(prompts) == 1 else "s")
    return f"{candidates} candidates in about {read:,} tokens, {calls}{told}"


def _taken(papers: Sheet, rows: Sequence[object]) -> list[Evidence]:
    """The sentences that the model names, one for each paper."""
    named = [papers.named(row.get("sentence")) for row in rows if isinstance(row, dict)]
    return list({pair[0]: papers.evidence(*pair) for pair in named if pair}.values())


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
