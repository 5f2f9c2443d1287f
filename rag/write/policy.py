"""What becomes of each sentence that a model wrote, by what the check says of it.

| verdict | what is shown |
| --- | --- |
| supported | the sentence, with the evidence that supports it |
| contradicted, not_supported | what the model makes of it in one more call, checked again; |
|  | else a quotation of the paper it cites, if that one answers; else nothing |
| unverified | the sentence, labelled so, if it cites a paper and the check could not run |

Whatever is not shown as it was written is kept in `Answer.removed` with its verdict and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.cite import Written, likeness
from rag.retrieve import Library, sentence_vectors
from rag.types import Citation, Evidence, Judge, Judgement, Paper, Statement, Verdict
from rag.write.sheet import Sheet

MOST_EVIDENCE = 2  # sentences of one paper under a statement
AT_LEAST = 0.6  # likeness of a sentence to be evidence beside a better one

POLICY: Mapping[Verdict, Literal["show", "rewrite", "label"]] = {
    "supported": "show",
    "contradicted": "rewrite",
    "not_supported": "rewrite",
    "unverified": "label",
}


@dataclass(frozen=True, slots=True)
class Checker:
    """Judges what a model wrote over *sheet*."""

    library: Library
    judge: Judge
    sheet: Sheet

    def __call__(self, written: Written) -> Statement | None:
        """*written* with citations, verdict and reasons; None for filler, which claims nothing."""
        numbers = list(dict.fromkeys(one.paper for one in written.pointers))
        if written.heading or (not numbers and is_filler(written.text)):
            return None
        tied = self._tied(written, numbers or range(1, len(self.sheet.entries) + 1))
        cited = numbers or [max(tied, key=lambda n: tied[n][0])]
        said = self._judged(written, [self.sheet.paper(n) for n in cited])
        if not numbers and said.verdict != "supported":
            said = replace(said, verdict="not_supported", reasons=("it cites no paper",))
        citations = tuple(self._citation(n, tied[n][1], said) for n in cited)
        return Statement(written.text, citations, said.verdict, said.reasons)

    def _judged(self, written: Written, papers: Sequence[Paper]) -> Judgement:
        if written.problem:
            return Judgement("not_supported", 0.0, (written.problem,))
        try:
            return self.judge(written.text, papers)
        except Exception:  # whatever a check trips over, the sentence must not pass as checked
            return Judgement("unverified", 0.0, ("the check could not run",))

    def _tied(
        self, written: Written, numbers: Sequence[int]
    ) -> dict[int, tuple[float, tuple[Evidence, ...]]]:
        """For each paper how well its best sentence supports what is written, and the best ones."""
        hints = {(one.paper, one.sentence) for one in written.pointers}
        vector = self.library.embedder([written.text])[0]
        tied = {}
        for n in numbers:
            sentences = self.sheet.entries[n - 1].sentences
            place = self.library.snapshot.places[self.sheet.paper(n).id]
            cosines = sentence_vectors(self.library.snapshot, place) @ vector
            scores = [
                likeness(written.text, s.text, float(c), hinted=(n, s.number + 1) in hints)
                for s, c in zip(sentences, cosines, strict=True)
            ]
            order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:MOST_EVIDENCE]
            kept = [i for i in order if i == order[0] or scores[i] >= AT_LEAST]
            spans = tuple(self.sheet.evidence(n, i + 1) for i in sorted(kept))
            tied[n] = (max(scores, default=0.0), spans)
        return tied

    def _citation(self, n: int, tied: tuple[Evidence, ...], said: Judgement) -> Citation:
        paper = self.sheet.paper(n)
        found = [one for one in said.evidence if one.paper_id == paper.id][:MOST_EVIDENCE]
        spans = tuple(sorted(found, key=lambda one: one.start)) or tied
        return Citation(n, paper.id, paper.title, spans)


def is_filler(text: str) -> bool:
    """Whether *text* only leads from one sentence to the next.

    >>> is_filler("In summary, here is what the papers say:")
    True
    """
    return bool(_FILLER.match(text)) or sum(c.isalnum() for c in text) < 3


def is_silence(text: str) -> bool:
    """Whether *text* says that the abstracts do not say."""
    return bool(_SILENCE.search(text))


def is_refusal(text: str) -> bool:
    """Whether *text* is a model's refusal."""
    return bool(_REFUSAL.match(text))


_FILLER = re.compile(
    r"(?:here (?:is|are)|in (?:summary|short|conclusion)\W*$|based on the|the following|sure\b"
    r"|certainly\b|of course\b|i hope|let me|(?:in summary|overall)[^.]*:$)",
    re.IGNORECASE,
)
_SILENCE = re.compile(
    r"\b(?:abstracts?|papers?|texts?|documents?|it|they)\b[^.]{0,60}"
    r"\b(?:do(?:es)? not|don't|doesn't)\s+(?:\w+ly\s+)?"
    r"(?:say|state|mention|specify|report|give|provide|address|contain|answer|tell)"
    r"|\bnot (?:stated|mentioned|specified|reported) in\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\W*(?:i'?m sorry|i am sorry|sorry\b|i (?:can(?:no|')t|am unable|won't)|as an ai)",
    re.IGNORECASE,
)
