"""A sentence and the abstract that it cites read together: does the abstract bear it?

A cross-encoder over `[CLS] claim [SEP] title [SEP] sentence [SEP] …`, fed as `rag.reader` is; how
it was trained and what it is bad at: `rag/models/README.md`. Of an abstract it reads the few
sentences that share most words with the claim: it was trained so, and what does not speak to a
claim only blurs the reading. All sentences are compared, so that a long abstract hides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import Graph, open_graph
from rag.reader import encode
from rag.types import ClaimRead
from rag.words import content_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

READINGS = (2, 3)  # sentences in each; both together order minimal pairs better than either
# Fitted on hand-written claims that the model did not learn from: rag/models/train/claims_report.
TEMPERATURE, LEAN = 1.2, -0.2


@dataclass(frozen=True, slots=True)
class ClaimChecker:
    """The shipped claim checker: a `ClaimReader`."""

    graph: Graph

    def __call__(self, claim: str, title: str, sentences: Sequence[str]) -> ClaimRead:
        """Read *claim* beside *title* and *sentences*; probabilities sum to 1."""
        verdict, evidence = self.logits(claim, title, sentences)
        scaled = verdict / TEMPERATURE + np.array([LEAN, 0.0, 0.0])
        chances = np.exp(scaled - scaled.max())
        supported, contradicted, not_supported = (float(p) for p in chances / chances.sum())
        return ClaimRead(supported, contradicted, not_supported, evidence)

    def logits(
        self, claim: str, title: str, sentences: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Logits (3,) of supported, contradicted and not supported, and the evidence's weights.

        The logits are the mean over READINGS. The weights (sentences,) are 0 to 1, and 0 for
        sentences that share too little with the claim to be read.
        """
        order = np.argsort(-likeness(claim, sentences), kind="stable")
        weights = np.zeros(len(sentences), dtype=np.float32)
        verdicts = []
        for most in READINGS:
            read = sorted(order[:most])
            verdict, evidence = self._run(claim, title, [sentences[place] for place in read])
            verdicts.append(verdict)
            weights[read] = 1 / (1 + np.exp(-evidence))
        return np.mean(verdicts, axis=0), weights

    def _run(
        self, claim: str, title: str, sentences: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        pair = encode(claim, title, sentences)
        verdict, evidence = self.graph(
            {
                "input_ids": pair.input_ids,
                "token_type_ids": pair.token_type_ids,
                "pool": pair.pool,
            }
        )
        return np.asarray(verdict[0], dtype=np.float64), np.asarray(evidence[0])


@cache
def load_claim_checker() -> ClaimChecker:
    """Load the shipped model once a process. Raises EmbeddingError if its files are damaged."""
    return ClaimChecker(open_graph("claims.onnx"))


def likeness(claim: str, sentences: Sequence[str]) -> NDArray[np.float64]:
    """How many of the claim's content words each sentence has, 0 to 1, (sentences,)."""
    words = content_words(claim)
    return np.array([len(words & content_words(s)) / max(1, len(words)) for s in sentences])
