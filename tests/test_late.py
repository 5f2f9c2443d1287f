"""Papers indexed the sparing ways, and read when a question may mean them."""

from __future__ import annotations

import json
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


@pytest.fixture(scope="module", params=["fast", "windows"])
def folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The bundled papers, indexed one of the sparing ways."""
    made = tmp_path_factory.mktemp(request.param)
    index(settings(made, PAPERCHAT_INDEX=request.param))
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


def test_a_sparing_index_answers_with_the_same_proof(folder: Path, seed_chat: PaperChat):
    """Named papers come first, and statements are exact and supported, whoever made the vectors."""
    sparing = open_chat(settings(folder))
    for paper in list(seed_chat.papers())[::100]:
        question = f"What is found in {paper.title}?"
        answer = sparing.ask(question)
        assert answer.retrieved[0].paper.id == paper.id
        assert {one.verdict for one in answer.statements} <= {"supported"}
        full = [hit.paper.id for hit in seed_chat.search(question, 5)]
        assert len({*full} & {hit.paper.id for hit in sparing.search(question, 5)}) >= 3
    table = sparing.compare(["MegaScale", "ByteScale"]).table
    assert table is not None
    assert any(cell.stated for row in table.cells for cell in row)
    assert sparing.ask("Which papers are about quantization?").sources


def test_every_paper_can_be_searched_for(folder: Path):
    """Those that nobody read follow those that were read, each once and with falling scores."""
    hits = open_chat(settings(folder)).search("low-bit quantization", 385)
    assert len({hit.paper.id for hit in hits}) == 385
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)


def one_paper(file: Path, subject: str, does: str) -> Path:
    """*file*, holding a paper on *subject*."""
    title, abstract = f"A Paper on {subject}", f"{subject} are green. They {does}."
    file.write_text(json.dumps([{"title": title, "abstract": abstract}]))
    return file


@pytest.mark.parametrize("way", ["fast", "windows"])
def test_a_store_stays_what_it_is_until_it_is_told_otherwise(tmp_path: Path, way: str):
    """Whoever reads, adds or repairs need not know how a store was made; a writer may change it."""
    some, made = tmp_path / "papers.json", tmp_path / "s"
    index(settings(made, PAPERCHAT_INDEX=way), [one_paper(some, "Beans", "grow")])
    report = index(settings(made), [one_paper(some, "Peas", "roll")])
    assert (report.new, report.rebuilt) == (1, "")
    assert all(well for _, well, _ in app.doctor(settings(made)))
    assert app.ready(settings(made, PAPERCHAT_INDEX="full"))

    (made / "catalog.sqlite").write_bytes(b"no catalog")
    assert app.repair(settings(made)).rebuilt == "repaired"
    fingerprint = app.choose_indexer(settings(made)).fingerprint
    assert fingerprint.startswith({"fast": "rough-", "windows": "windows-"}[way])
    assert app.ready(settings(made))

    report = index(settings(made, PAPERCHAT_INDEX="full"), [some])
    assert "model" in report.rebuilt
    chat = open_chat(settings(made))
    assert chat.search("rolling peas", 1)[0].paper.title == "A Paper on Peas"


def test_how_a_new_store_is_made_depends_on_how_many_papers_it_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The more, the less is embedded at once, which the report tells; growth changes nothing."""
    assert [app.way_for(n) for n in (385, 100_000, 1_000_000)] == ["full", "windows", "fast"]
    monkeypatch.setattr(app, "MOST_PAPERS", {"full": 0, "windows": 1})
    file = one_paper(tmp_path / "papers.json", "Beans", "grow")
    report = index(settings(tmp_path / "s"), [file])
    assert any("sentences will be embedded" in note for note in report.notes)
    assert app.choose_indexer(settings(tmp_path / "s")).fingerprint.startswith("windows-")

    monkeypatch.setattr(app, "MOST_PAPERS", {"full": 0, "windows": 0})
    report = index(settings(tmp_path / "s"), [one_paper(file, "Peas", "roll")])
    assert (report.new, report.rebuilt, report.notes) == (1, "", ())
    report = index(settings(tmp_path / "t"), [file])
    assert any("abstracts will be embedded" in note for note in report.notes)


def test_what_is_embedded_for_windows_need_not_be_again_for_all(tmp_path: Path):
    """The vectors are the model's own: whoever goes over to full embeds the sentences alone."""
    asked: list[str] = []
    model = Counting(asked)
    sparing = late.Sparing(load_static(), model, rough=False)
    papers = numbered(130)
    update(tmp_path, Corpus(papers, (), len(papers)), sparing)
    windows = {text for text in asked if "\n" in text}
    asked.clear()
    update(tmp_path, Corpus(papers, (), len(papers)), model)
    assert len(windows) == 130
    assert not windows & set(asked)


class Counting:
    """The embedded model, noting texts."""

    fingerprint = load_embedded().fingerprint

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    def __call__(self, texts, progress=None):
        """As the model."""
        self.asked.extend(texts)
        return load_embedded()(texts, progress)

    def truncated(self, texts):
        """None."""
        return 0


def numbered(count: int) -> tuple[Paper, ...]:
    """So many papers of a window and two sentences, of which they share one."""
    return tuple(
        Paper(paper_id(t), t, f"We count {t} twice. It is slow.", digest(t), ("x",))
        for t in (f"Number {n}" for n in range(count))
    )


@pytest.mark.parametrize("rough", [True, False])
def test_few_papers_are_read_for_a_question_and_each_once(tmp_path: Path, rough: bool):
    """What is embedded while a question waits is bounded, and remembered."""
    asked: list[str] = []
    sparing = late.Sparing(load_static(), Counting(asked), rough=rough)
    papers = numbered(130)
    update(tmp_path, Corpus(papers, (), len(papers)), sparing)
    snapshot = store.load(tmp_path, store.fingerprint(sparing), None, sparing)
    # Of the sample a window and two sentences, of which one is shared; of the others a window.
    assert len(asked) == late.SAMPLED + 1 + (late.SAMPLED if rough else len(papers))
    asked.clear()
    first = retrieve.read(snapshot, sparing.precise, "who counts number 7?", 20)
    windows = retrieve.READ_LATE if rough else 0
    close = retrieve.READ_CLOSELY if rough else retrieve.READ_SPARINGLY
    assert len(asked) <= 1 + windows + 2 * close
    asked.clear()
    again = retrieve.read(snapshot, sparing.precise, "who counts number 7?", 20)
    assert len(asked) == 1
    assert [hit.paper.id for hit in again.hits] == [hit.paper.id for hit in first.hits]
