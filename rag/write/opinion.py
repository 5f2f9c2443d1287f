"""A language model as judge of what the embedded check leaves open."""

from __future__ import annotations

from collections.abc import Sequence

from rag.chunk import count_tokens
from rag.guard.checks import check
from rag.guard.weigh import HARD, HARD_KINDS
from rag.prompts import render
from rag.sentences import split
from rag.types import Chat, Judge, Judgement, Paper, Verdict
from rag.write.answer import Progress, complete
from rag.write.sheet import Entry, harmless, sheet

VERDICTS: dict[str, Verdict] = {
    "supported": "supported",
    "contradicted": "contradicted",
    "not_supported": "not_supported",
}


def with_opinion(first: Judge, chat: Chat) -> Judge:
    """*first*, and *chat* where it says `unverified`, or `not_supported` by likeness alone.

    What a rule holds against a sentence stands. A reply that says no verdict leaves that of
    *first*, and so does one that says supported and names no sentence.
    """

    def judge(claim: str, papers: Sequence[Paper]) -> Judgement:
        found = first(claim, papers)
        if found.verdict not in {"unverified", "not_supported"} or _ruled_out(claim, papers):
            return found
        entries = []
        for paper in papers:
            sentences = split(paper.id, paper.abstract)
            entries.append(Entry(paper, sentences, (0.0,) * len(sentences)))
        given = sheet(entries, count_tokens)
        prompt = render("verify_question", papers=given.text, sentence=harmless(claim))
        said = complete(chat, "verify", prompt, Progress())
        verdict = VERDICTS.get(str(said.get("verdict")).strip().casefold())
        if verdict is None:
            return found
        names = said.get("sentences")
        pairs = [given.named(name) for name in names] if isinstance(names, list) else []
        evidence = tuple(given.evidence(*pair) for pair in pairs if pair)
        if verdict == "supported" and not evidence:
            return found
        reason = harmless(str(said.get("reason") or "no reason given"))[:300]
        score = 1.0 if verdict == "supported" else 0.0
        return Judgement(verdict, score, (f"{chat.name} says: {reason}",), evidence)

    return judge


def _ruled_out(claim: str, papers: Sequence[Paper]) -> bool:
    """Whether a rule that decides alone speaks against *claim* beside each of *papers*."""
    return bool(papers) and all(
        any(
            one.kind in HARD_KINDS and one.strength >= HARD
            for one in check(claim, paper.title, [s.text for s in split(paper.id, paper.abstract)])
        )
        for paper in papers
    )
