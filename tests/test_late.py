"""Papers indexed the fast way, and read when a question may mean them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag import app, late, retrieve, store
from rag.app import PaperChat, index, open_chat
from rag.embed import load_embedded
from rag.indexing import update
from rag.settings import Settings
from rag.static import load_static
from rag.text import digest, paper_id
from rag.types import Corpus, Paper


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled papers, indexed the fast way."""
    made = tmp_path_factory.mktemp("fast")
    index(settings(made, PAPERCHAT_INDEX="fast"))
    return made


def settings(folder: Path, **environment: str) -> Settings:
    """Settings for the store in *folder*."""
    return Settings.from_environment(store=folder, environment=environment)


def test_the_table_is_near_the_model_whose_questions_it_is_compared_with(seed_chat: PaperChat):
    """A rough vector points where the true one does, and more so than at any other text."""
    texts = [paper.abstract for paper in list(seed_chat.papers())[::10]]
    rough, true = load_static()(texts), load_embedded()(texts)
    np.testing.assert_allclose(np.linalg.norm(rough, axis=1), 1, atol=1e-5)
    cosines = rough @ true.T
    assert cosines.diagonal().mean() > 0.75
    assert (cosines.argmax(axis=1) == np.arange(len(texts))).mean() > 0.9


@pytest.mark.parametrize("text", ["", " ", "\ud800", "的", "zqxj " * 3000])
def test_any_text_has_a_vector(text: str):
    """Unit length, whatever was written."""
    assert np.linalg.norm(load_static()([text]), axis=1) == pytest.approx([1.0], abs=1e-5)


def test_a_fast_index_answers_with_the_same_proof(folder: Path, seed_chat: PaperChat):
    """Named papers come first, and statements are exact and supported, whoever made the vectors."""
    fast = open_chat(settings(folder))
    for paper in list(seed_chat.papers())[::40]:
        question = f"What is found in {paper.title}?"
        answer = fast.ask(question)
        assert answer.retrieved[0].paper.id == paper.id
        assert {one.verdict for one in answer.statements} <= {"supported"}
        full = [hit.paper.id for hit in seed_chat.search(question, 5)]
        assert len({*full} & {hit.paper.id for hit in fast.search(question, 5)}) >= 3
    table = fast.compare(["MegaScale", "ByteScale"]).table
    assert table is not None
    assert any(cell.stated for row in table.cells for cell in row)
    assert fast.ask("Which papers are about quantization?").sources


def test_every_paper_can_be_searched_for(folder: Path):
    """Those that nobody read follow those that were read, each once and with falling scores."""
    hits = open_chat(settings(folder)).search("low-bit quantization", 385)
    assert len({hit.paper.id for hit in hits}) == 385
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_a_store_stays_what_it_is_until_it_is_told_otherwise(folder: Path, tmp_path: Path):
    """Whoever reads or adds need not know how a store was made; a writer may change it."""
    some = tmp_path / "papers.json"
    some.write_text('[{"title": "A Paper on Beans", "abstract": "Beans are green. They grow."}]')
    index(settings(tmp_path / "s", PAPERCHAT_INDEX="fast"), [some])
    some.write_text('[{"title": "A Paper on Peas", "abstract": "Peas are round. They roll."}]')
    report = index(settings(tmp_path / "s"), [some])
    assert (report.new, report.rebuilt) == (1, "")
    assert all(well for _, well, _ in app.doctor(settings(tmp_path / "s")))
    assert app.ready(settings(tmp_path / "s", PAPERCHAT_INDEX="full"))
    report = index(settings(tmp_path / "s", PAPERCHAT_INDEX="full"), [some])
    assert "model" in report.rebuilt
    chat = open_chat(settings(tmp_path / "s"))
    assert chat.search("round peas", 1)[0].paper.title == "A Paper on Peas"


def test_few_papers_are_read_for_a_question_and_each_once(tmp_path: Path):
    """What is embedded while a question waits is bounded, and remembered."""
    asked: list[int] = []

    class Counting:
        """The embedded model, counting texts."""

        fingerprint = load_embedded().fingerprint

        def __call__(self, texts, progress=None):
            asked.append(len(texts))
            return load_embedded()(texts, progress)

        def truncated(self, texts):
            return 0

    rough = late.Rough(load_static(), Counting())
    papers = tuple(
        Paper(paper_id(t), t, f"We count {t} twice. It is slow.", digest(t), ("x",))
        for t in (f"Number {n}" for n in range(130))
    )
    update(tmp_path, Corpus(papers, (), len(papers)), rough)
    snapshot = store.load(tmp_path, store.fingerprint(rough), None, rough)
    assert sum(asked) == 2 * late.SAMPLED + 1  # a window and two sentences, of which one is shared
    asked.clear()
    first = retrieve.read(snapshot, rough.precise, "who counts number 7?", 20)
    assert sum(asked) <= 1 + retrieve.READ_LATE + 2 * retrieve.READ_CLOSELY
    asked.clear()
    again = retrieve.read(snapshot, rough.precise, "who counts number 7?", 20)
    assert sum(asked) == 1
    assert [hit.paper.id for hit in again.hits] == [hit.paper.id for hit in first.hits]
