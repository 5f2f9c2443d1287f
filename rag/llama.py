"""The product's retriever for people who build with llama-index: the only door to llama_index.

    from rag.app import open_chat
    from rag.llama import PaperRetriever
    from rag.settings import Settings

    retriever = PaperRetriever(open_chat(Settings.from_environment()), k=8)
    nodes = retriever.retrieve("What MFU does MegaScale reach?")

Importing this module takes about a second for llama-index, so nothing else here imports it. The
global `llama_index.core.Settings` is neither read nor written: no model is asked for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.errors import UsageError

if TYPE_CHECKING:
    from llama_index.core.callbacks import CallbackManager

    from rag.app import PaperChat
    from rag.types import Hit


class PaperRetriever(BaseRetriever):
    """The *k* best papers for a question, as nodes: one a paper, best first.

    A node's text is the abstract and its id the paper's; its metadata has `title`, `sources` (file
    names, joined by "; ") and, where known, `year`. Models are shown the title and year alone. The
    score is larger for a better paper, has no fixed range, and is only comparable within one call.
    """

    def __init__(
        self, chat: PaperChat, k: int = 8, callback_manager: CallbackManager | None = None
    ) -> None:
        """Retrieve from *chat*. Raises UsageError unless *k* is at least 1."""
        if k < 1:
            raise UsageError(f"k is {k}; ask for at least 1 paper")
        super().__init__(callback_manager=callback_manager)
        self._chat = chat
        self._k = k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Raises UsageError for an empty or an overlong question."""
        hits = self._chat.search(query_bundle.query_str, self._k)
        return [NodeWithScore(node=_node(hit), score=hit.score) for hit in hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Search in a thread, so that the event loop is not held up."""
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _node(hit: Hit) -> TextNode:
    paper = hit.paper
    # Plain values only: many of llama-index's stores take no lists, and none takes None.
    metadata: dict[str, str | int] = {"title": paper.title, "sources": "; ".join(paper.sources)}
    if paper.year is not None:
        metadata["year"] = paper.year
    return TextNode(
        id_=paper.id,
        text=paper.abstract,
        metadata=metadata,
        excluded_llm_metadata_keys=["sources"],
        excluded_embed_metadata_keys=["sources", "year"],
    )
