"""The retriever inside real llama-index parts."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from llama_index.core import Settings as Global
from llama_index.core.base.llms.types import CompletionResponse
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.llms.mock import MockLLM
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import MetadataMode, QueryBundle, TextNode

from rag.app import index, open_chat
from rag.errors import UsageError
from rag.llama import PaperRetriever
from rag.settings import Settings

QUESTION = "What MFU does MegaScale reach?"


class Listener(MockLLM):
    """Says back the prompt that it was given."""

    def complete(self, prompt, formatted=False, **kwargs):
        """The prompt itself."""
        return CompletionResponse(text=prompt)


@pytest.fixture
def offline(monkeypatch):
    """A process in which nothing can connect."""

    def connect(*args):
        raise OSError("no network in this test")

    monkeypatch.setattr("socket.socket.connect", connect)


def test_nodes_are_the_papers_that_search_finds(seed_chat, offline):
    """One node a paper, best first, with the abstract as text and the title as metadata."""
    hits = seed_chat.search(QUESTION, 8)

    nodes = PaperRetriever(seed_chat).retrieve(QUESTION)

    assert [node.node_id for node in nodes] == [hit.paper.id for hit in hits]
    assert [node.score for node in nodes] == [hit.score for hit in hits]
    assert [node.text for node in nodes] == [hit.paper.abstract for hit in hits]
    assert [node.metadata["title"] for node in nodes] == [hit.paper.title for hit in hits]
    assert all(type(node.node) is TextNode for node in nodes)
    assert nodes[0].metadata["title"].startswith("MegaScale")
    assert nodes[0].metadata["sources"] == "; ".join(hits[0].paper.sources)


def test_a_query_bundle_is_its_text(seed_chat):
    """llama-index's own question type is understood, and *k* is kept."""
    nodes = PaperRetriever(seed_chat, k=3).retrieve(QueryBundle(QUESTION))

    assert len(nodes) == 3
    assert nodes == PaperRetriever(seed_chat, k=5).retrieve(QUESTION)[:3]


def test_async_gives_the_same_in_another_thread(seed_chat):
    """The event loop is free while the papers are searched."""
    retriever = PaperRetriever(seed_chat)
    used = set()
    search = retriever._chat.search

    class Watched:
        """The chat, noting from which thread it is asked."""

        def search(self, question, n):
            """What the chat finds."""
            used.add(threading.current_thread())
            return search(question, n)

    retriever._chat = Watched()

    async def both():
        return await asyncio.gather(*[retriever.aretrieve(q) for q in (QUESTION, "C++ compilers")])

    first, second = asyncio.run(both())

    assert first == PaperRetriever(seed_chat).retrieve(QUESTION)
    assert second == PaperRetriever(seed_chat).retrieve("C++ compilers")
    assert threading.main_thread() not in used


def test_it_works_in_a_query_engine(seed_chat, offline):
    """A query engine with somebody's model and postprocessor shows it titles and abstracts."""
    model = Listener()
    engine = RetrieverQueryEngine.from_args(
        PaperRetriever(seed_chat, k=2),
        llm=model,
        response_synthesizer=get_response_synthesizer(llm=model),
        node_postprocessors=[SimilarityPostprocessor(similarity_cutoff=-100.0)],
    )

    response = engine.query(QUESTION)

    best = response.source_nodes[0]
    assert len(response.source_nodes) == 2
    assert best.metadata["title"] in str(response)
    assert best.text in str(response)
    assert "55.2%" in str(response)
    assert best.metadata["sources"] not in str(response)


def test_the_global_settings_stay_unset(seed_chat):
    """Retrieving asks llama-index's global settings for no model, and sets none."""
    PaperRetriever(seed_chat).retrieve(QUESTION)

    assert (Global._llm, Global._embed_model) == (None, None)


def test_callbacks_see_the_retrieval(seed_chat):
    """Somebody's tracing works as with any other retriever."""
    watch = LlamaDebugHandler(print_trace_on_end=False)

    PaperRetriever(seed_chat, callback_manager=CallbackManager([watch])).retrieve(QUESTION)

    assert len(watch.get_event_pairs(CBEventType.RETRIEVE)) == 1


def test_nodes_survive_being_stored(seed_chat):
    """A node goes through JSON unchanged, and its metadata are plain values for any store."""
    for node in PaperRetriever(seed_chat).retrieve(QUESTION):
        assert TextNode.from_json(node.node.to_json()) == node.node
        assert all(type(value) in (str, int) for value in node.metadata.values())


def test_the_year_is_shown_where_it_is_known(tmp_path):
    """A model reads title and year; a paper without a year shows none."""
    rows = [
        {"title": "Alpha Caches", "abstract": "We propose a cache.", "year": 2021},
        {"title": "Beta Graphs", "abstract": "We propose a graph."},
    ]
    file = tmp_path / "papers.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    settings = Settings.from_environment(store=tmp_path / "store", environment={})
    index(settings, [file])

    nodes = PaperRetriever(open_chat(settings)).retrieve("caches")

    shown = [node.get_content(MetadataMode.LLM) for node in nodes]
    assert shown == [
        "title: Alpha Caches\nyear: 2021\n\nWe propose a cache.",
        "title: Beta Graphs\n\nWe propose a graph.",
    ]


def test_our_errors_stay_ours(seed_chat):
    """A question that cannot be asked is refused with our sentence."""
    with pytest.raises(UsageError, match="at least 1"):
        PaperRetriever(seed_chat, k=0)
    with pytest.raises(UsageError, match="empty"):
        PaperRetriever(seed_chat).retrieve("  ")
