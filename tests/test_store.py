"""The store: what an update touches, and what a killed one leaves behind."""

from __future__ import annotations

import json
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rag import chunk, health, indexing, lexical, store
from rag.app import PaperChat, open_chat
from rag.catalog import FILE, Catalog, version_of
from rag.embed import load_embedded
from rag.errors import EmbeddingError, NoIndex, StoreError, StoreLocked, StoreVersion
from rag.lexical import LexicalDocument, LexicalIndex
from rag.settings import Settings
from rag.shelf import Shelf
from rag.text import digest, paper_id
from rag.types import Corpus, Embedder, Paper, Rejected
from rag.vectors import VectorStore
from rag.words import query_terms
from rag.writer import LOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
SUBJECTS = ("tomatoes", "glaciers", "violins", "harbours", "lanterns", "bicycles")


def paper(title: str, abstract: str, source: str = "a.txt", year: int | None = None) -> Paper:
    """A paper as reading the file *source* gives it."""
    return Paper(paper_id(title), title, abstract, digest(title, abstract), (source,), year=year)


def corpus(*papers: Paper) -> Corpus:
    """What reading files that hold *papers* gives."""
    return Corpus(papers, (), len(papers))


def about(subject: str, remark: str = "") -> Paper:
    """A paper of one window and three sentences that hardly any question mistakes for another."""
    name = subject.title()
    remark = remark or f"It is quick with {subject}."
    return paper(
        f"{name}Net: counting {subject}",
        f"We propose {name}Net, which counts {subject} in photographs. {remark}"
        f" On a thousand photographs it finds nine in ten {subject}.",
    )


OLD = tuple(about(subject) for subject in SUBJECTS)
NEW = (
    *OLD[:3],  # as they were
    replace(OLD[3], year=2020),  # the same text, and more is known about it
    about(SUBJECTS[4], "It is slower than we hoped."),  # another text
    about("umbrellas"),  # new, while the last of OLD is gone
    about("sundials"),
)


@dataclass
class Watched:
    """A true Embedder, the embedded model, with a note of what it was asked."""

    fingerprint: str = field(default_factory=lambda: load_embedded().fingerprint)
    on_call: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Note what is asked, and embed it."""
        self.on_call()
        self.asked.extend(texts)
        return load_embedded()(texts, progress)

    def truncated(self, texts: Sequence[str]) -> int:
        """As the embedded model has it."""
        return load_embedded().truncated(texts)


@pytest.fixture(scope="module")
def old_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OLD, indexed once; tests take copies."""
    folder = tmp_path_factory.mktemp("old") / "store"
    indexing.update(folder, corpus(*OLD), load_embedded())
    return folder


@pytest.fixture
def folder(old_store: Path, tmp_path: Path) -> Path:
    """A store of the test's own that holds OLD."""
    return Path(shutil.copytree(old_store, tmp_path / "store"))


def load(folder: Path, embedder: Embedder | None = None) -> store.Snapshot:
    """The live generation, for *embedder* or else the embedded model."""
    return store.load(folder, store.fingerprint(embedder or load_embedded()))


def update(folder: Path, *papers: Paper, prune: bool = False, rebuild: bool = False) -> str:
    """Update with the embedded model; the counts of the report, in short."""
    report = indexing.update(folder, corpus(*papers), load_embedded(), prune=prune, rebuild=rebuild)
    return f"{report.new} {report.changed} {report.unchanged} {report.removed}"


def held(snapshot: store.Snapshot) -> dict[str, Paper]:
    """The papers of *snapshot*, by id."""
    return {one.id: one for one in snapshot.papers}


def by_id(papers: Iterable[Paper]) -> dict[str, Paper]:
    """*papers* as `held` gives them."""
    return {one.id: one for one in papers}


def assert_answers(snapshot: store.Snapshot) -> None:
    """Words, meaning and names each lead to the right paper."""
    for place, one in enumerate(snapshot.papers):
        name, _, subject = one.title.partition(": counting ")
        found = [key for key, _ in snapshot.lexical.search(query_terms(subject), 5)]
        assert [key for key in found if key in snapshot.by_version] == [version_of(one)]
        question = load_embedded()([f"a method that counts {subject}"])[0]
        cosines = np.maximum.reduceat(snapshot.sentences @ question, snapshot.sentence_starts)
        assert int(cosines.argmax()) == place
        assert [known[2] for known in snapshot.catalog.papers_named([name.lower()])] == [one.id]


def assert_whole(folder: Path, papers: Sequence[Paper]) -> None:
    """The store holds *papers* and no trace of anything else, and finds each of them."""
    snapshot = load(folder)
    assert held(snapshot) == by_id(papers)
    for what, well, found in health.checks(folder, load_embedded()):
        assert well, (what, found)
    assert_answers(snapshot)
    space = snapshot.manifest.space
    assert [path.name for path in folder.glob("lexical-*")] == [f"lexical-{space}"]
    with VectorStore(folder) as database:
        assert database.collections() == [f"chunks-{space}", f"sentences-{space}"]


# What an update touches


def test_a_first_update_makes_a_whole_store(folder: Path):
    """Every paper of the corpus is in every index, and `checks` finds all well."""
    assert_whole(folder, OLD)


def test_running_update_again_embeds_nothing_and_changes_no_file(folder: Path):
    """The same corpus a second time is no work at all."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    embedder = Watched()

    report = indexing.update(folder, corpus(*OLD), embedder)

    assert (report.new, report.changed, report.unchanged, report.removed) == (0, 0, 6, 0)
    assert embedder.asked == []
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    changed = {path.name for path in before if before[path] != after.get(path)}
    assert changed <= {LOCK}


def test_only_what_is_new_or_changed_is_embedded(folder: Path):
    """Each text of the new and changed papers is embedded once, and no other."""
    embedder = Watched()

    report = indexing.update(folder, corpus(*NEW), embedder, prune=True)

    assert (report.new, report.changed, report.unchanged, report.removed) == (2, 1, 4, 1)
    assert report.rebuilt == ""
    assert len(embedder.asked) == len(set(embedder.asked)) == 3 * 4 - 2  # sentences kept by one
    words = ("lanterns", "umbrellas", "sundials", "quick", "slower")
    assert all(any(word in text for word in words) for text in embedder.asked)
    assert_whole(folder, NEW)


def test_without_prune_nothing_is_removed(folder: Path):
    """Adding one file leaves the papers of all others."""
    assert update(folder, about("sundials")) == "1 0 0 0"
    assert_whole(folder, (*OLD, about("sundials")))


def test_prune_removes_what_the_corpus_lacks(folder: Path):
    """With prune the corpus is all there is."""
    assert update(folder, *OLD[:2], prune=True) == "0 0 2 4"
    assert_whole(folder, OLD[:2])


def test_a_collection_can_become_empty_and_grow_again(folder: Path):
    """An index of no papers is an index, not damage."""
    assert update(folder, prune=True) == "0 0 0 6"
    assert load(folder).papers == ()
    assert update(folder, *OLD) == "6 0 0 0"
    assert_whole(folder, OLD)


def test_a_change_there_and_back_is_followed(folder: Path):
    """A version that was once removed can come back."""
    changed = about(SUBJECTS[0], "It is blue.")
    assert update(folder, changed) == "0 1 0 0"
    assert update(folder, OLD[0]) == "0 1 0 0"
    assert_whole(folder, OLD)


def test_equal_collections_have_equal_hashes(folder: Path, tmp_path: Path):
    """The index hash tells what is in it, not how it came there."""
    first = load(folder).manifest.index_hash
    update(folder, *NEW, prune=True)
    second = load(folder).manifest.index_hash
    update(tmp_path / "other", *reversed(NEW))
    update(folder, *NEW, rebuild=True)

    assert first != second
    assert load(tmp_path / "other").manifest.index_hash == second
    assert load(folder).manifest.index_hash == second
    assert load(folder).manifest.generation == 3


def test_the_report_passes_on_what_reading_found(tmp_path: Path):
    """Duplicates, rejected records and notes of the corpus stand in the report."""
    read = Corpus(OLD, (Rejected("a.txt", 3, "no abstract"),), 8, ("a note",))

    report = indexing.update(tmp_path, read, load_embedded())

    assert (report.new, report.duplicate) == (6, 2)
    assert report.rejected == read.rejected
    assert report.notes == ("a note",)


def test_texts_longer_than_the_model_reads_are_counted(tmp_path: Path):
    """A sentence alone longer than the model's window is cut, and the report says so."""
    endless = paper("An endless one", "We count " + "many tomatoes and " * 400 + "stop.")

    report = indexing.update(tmp_path, corpus(endless, OLD[0]), load_embedded())

    assert report.truncated == 1


# One paper in several files


SHORT = "We grow beans. They are green."
LONG = "We grow beans of every kind. They are green, and some are blue."


def test_the_same_paper_from_two_files_is_one_with_two_sources(tmp_path: Path):
    """A second file that holds the same text costs nothing."""
    update(tmp_path, paper("On Beans", SHORT, "a.txt"))
    embedder = Watched()

    report = indexing.update(tmp_path, corpus(paper("On Beans", SHORT, "b.txt")), embedder)

    assert (report.new, report.changed, report.unchanged) == (0, 0, 1)
    assert embedder.asked == []
    assert [one.sources for one in load(tmp_path).papers] == [("a.txt", "b.txt")]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [(SHORT, LONG, "this one"), (LONG, SHORT, "the one before")],
)
def test_of_two_files_the_longer_abstract_is_kept(
    tmp_path: Path, first: str, second: str, said: str
):
    """Whichever comes first, the longer stays, both files are sources, and a note says so."""
    update(tmp_path, paper("On Beans", first, "a.txt"))

    report = indexing.update(tmp_path, corpus(paper("On Beans", second, "b.txt")), load_embedded())

    (kept,) = load(tmp_path).papers
    assert (kept.abstract, kept.sources) == (LONG, ("a.txt", "b.txt"))
    assert report.notes == (f"'On Beans' has another abstract in b.txt; {said} was kept",)


def test_another_spelling_of_a_title_is_no_other_abstract(tmp_path: Path):
    """The first spelling stays, without a note."""
    update(tmp_path, paper("On Beans", LONG, "a.txt"))

    report = indexing.update(tmp_path, corpus(paper("ON BEANS.", LONG, "b.txt")), load_embedded())

    assert [one.title for one in load(tmp_path).papers] == ["On Beans"]
    assert report.notes == ()


def test_what_one_file_knows_another_does_not_erase(tmp_path: Path):
    """A list without years leaves the year that another file told, and the other way round."""
    update(tmp_path, paper("On Beans", SHORT, "a.txt", year=2021), paper("On Peas", SHORT, "a.txt"))
    update(tmp_path, paper("On Beans", LONG, "b.txt"), paper("On Peas", SHORT, "b.txt", year=1999))

    assert {one.title: one.year for one in load(tmp_path).papers} == {
        "On Beans": 2021,
        "On Peas": 1999,
    }


def test_an_edit_of_its_own_file_replaces(tmp_path: Path):
    """The file a paper came from may shorten it."""
    update(tmp_path, paper("On Beans", LONG, "a.txt", year=2021))

    report = indexing.update(tmp_path, corpus(paper("On Beans", SHORT, "a.txt")), load_embedded())

    (kept,) = load(tmp_path).papers
    assert (kept.abstract, kept.year, kept.sources) == (SHORT, None, ("a.txt",))
    assert (report.changed, report.notes) == (1, ())


def test_prune_forgets_what_files_that_are_gone_said(tmp_path: Path):
    """With prune a paper is what the present files say of it."""
    update(tmp_path, paper("On Beans", LONG, "a.txt"))
    update(tmp_path, paper("On Beans", SHORT, "b.txt"), prune=True)

    (kept,) = load(tmp_path).papers
    assert (kept.abstract, kept.sources) == (SHORT, ("b.txt",))


# Another model, another way of cutting


def test_an_index_of_another_model_is_refused_not_misread(folder: Path):
    """Vectors of two models cannot be compared, and the message says what to do."""
    with pytest.raises(StoreError, match=r"another embedding model.*`paperchat index --rebuild`"):
        load(folder, Watched("another"))


def test_another_way_of_cutting_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Chunks are part of what an index was made with."""
    monkeypatch.setattr(chunk, "VERSION", "windows-of-another-size")
    with pytest.raises(StoreError, match="chunking"):
        load(folder)

    assert update(folder) == "0 0 0 0"
    assert_whole(folder, OLD)


def test_another_model_rebuilds_while_the_old_index_answers(folder: Path):
    """Everything is embedded again, and until that is done the old generation is whole."""
    seen: list[dict[str, Paper]] = []

    def look() -> None:
        seen.append(held(load(folder)))
        assert_answers(load(folder))

    other = Watched("another", look)
    report = indexing.update(folder, corpus(about("sundials")), other)

    assert "model" in report.rebuilt
    assert (report.new, report.unchanged) == (1, 0)
    assert seen == [by_id(OLD)] * 2  # while chunks were embedded, and while sentences were
    assert len(other.asked) == 7 * 4
    assert held(load(folder, other)) == by_id((*OLD, about("sundials")))
    with pytest.raises(StoreError, match="another embedding model"):
        load(folder)


def test_a_rebuild_takes_papers_from_the_catalog(folder: Path):
    """Files that are no longer at hand are not needed for it."""
    embedder = Watched()

    report = indexing.update(folder, corpus(), embedder, rebuild=True)

    assert report.rebuilt == "as asked"
    assert embedder.asked == []  # nothing is embedded twice
    assert_whole(folder, OLD)


# A run that fails or is killed


def test_an_error_in_the_model_leaves_the_index_as_it_was(folder: Path):
    """What an update raises does not show in the answers, and the next update goes through."""
    before = load(folder).manifest
    for calls in (1, 2):  # while chunks are embedded, while sentences are
        remaining = iter(range(calls - 1))

        def fail(remaining: Iterable[int] = remaining) -> None:
            if next(iter(remaining), None) is None:
                raise EmbeddingError("the model is gone; come back later")

        with pytest.raises(EmbeddingError, match="come back later"):
            indexing.update(folder, corpus(*NEW), Watched(on_call=fail), prune=True)

        assert load(folder).manifest == before
        assert held(load(folder)) == by_id(OLD)
        assert_answers(load(folder))
    assert update(folder, *NEW, prune=True) == "2 1 4 1"
    assert_whole(folder, NEW)


# Runs updates in processes of their own, and kills each with signal 9 when it has made so many
# steps, or with an alarm that nothing catches when so much time has passed.
DRIVER = """
import json, os, pickle, signal, sys, time
from pathlib import Path
import chromadb, onnxruntime, tantivy  # before forking: their import is most of a run's time
from rag import catalog, indexing, lexical, store, vectors
from rag.embed import load_embedded

PLACES = [
    (catalog.Catalog, "_begin intend commit _retire _insert forget_dead"),
    (vectors.VectorStore, "add remove drop"),
    (lexical.LexicalIndex, "__init__ update"),
    (lexical, "destroy"),
]

def child(job):
    embedder = load_embedded()
    read = pickle.loads(Path(job["corpus"]).read_bytes())
    steps, began = 0, time.perf_counter()
    def step(*ignored):
        nonlocal steps
        steps += 1
        if steps == job.get("stop"):
            os.kill(os.getpid(), signal.SIGKILL)
    def around(function):
        def wrapped(*given, **named):
            step()
            result = function(*given, **named)
            step()
            return result
        return wrapped
    for owner, names in PLACES:
        for name in names.split():
            setattr(owner, name, around(getattr(owner, name)))
    if "after" in job:
        signal.setitimer(signal.ITIMER_REAL, job["after"])
    indexing.update(Path(job["folder"]), read, embedder, progress=step, **job["how"])
    took = time.perf_counter() - began
    Path(job["folder"] + ".done").write_text(json.dumps([steps, took]))

jobs = json.loads(Path(sys.argv[1]).read_text())
waiting, running, ends = list(enumerate(jobs)), {}, {}
while waiting or running:
    if waiting and len(running) < 4:
        number, job = waiting.pop(0)
        process = os.fork()
        if process == 0:
            child(job)
            os._exit(0)
        running[process] = number
    else:
        process, status = os.wait()
        ends[running.pop(process)] = os.waitstatus_to_exitcode(status)
print(json.dumps([ends[number] for number in range(len(jobs))]))
"""


@dataclass(frozen=True)
class Scenario:
    """An update to be cut off: what the store holds before, and what it shall hold after."""

    name: str
    before: tuple[Paper, ...]
    after: tuple[Paper, ...]
    how: Mapping[str, bool]
    kills: int  # at steps, spread evenly over the run
    alarms: int  # at moments, likewise


SCENARIOS = (
    Scenario("update", OLD, NEW, {"prune": True}, 12, 3),
    Scenario("rebuild", OLD, OLD, {"rebuild": True}, 6, 1),
    Scenario("first", (), OLD, {}, 5, 1),
)


def drive(tmp_path: Path, jobs: Sequence[Mapping[str, object]]) -> list[int]:
    """The exit codes of *jobs*, each run in a process of its own; negative for a signal."""
    (tmp_path / "driver.py").write_text(DRIVER)
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    command = [sys.executable, str(tmp_path / "driver.py"), str(tmp_path / "jobs.json")]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends: list[int] = json.loads(done.stdout)
    return ends


def job(tmp_path: Path, old_store: Path, scenario: Scenario, label: str) -> dict[str, object]:
    """A run of *scenario* on a copy of the store that it begins with."""
    folder = tmp_path / f"{scenario.name}-{label}"
    if scenario.before:
        shutil.copytree(old_store, folder)
    read = tmp_path / f"{scenario.name}.pickle"
    read.write_bytes(pickle.dumps(corpus(*scenario.after)))
    return {"folder": str(folder), "corpus": str(read), "how": scenario.how}


def spread(most: float, count: int) -> list[float]:
    """*count* values between 0 and *most*, evenly, the ends left out."""
    return [most * (i + 1) / (count + 1) for i in range(count)]


def assert_old_or_new(folder: Path, scenario: Scenario) -> None:
    """The store answers from one whole generation, or there was none and is none."""
    try:
        snapshot = load(folder)
    except NoIndex:
        assert scenario.before == ()
        return
    assert held(snapshot) in (by_id(scenario.before), by_id(scenario.after))
    assert_answers(snapshot)


def test_a_killed_run_leaves_the_old_generation_or_the_new_one(old_store: Path, tmp_path: Path):
    """Killed at any step or moment, a store answers from one whole generation and can go on."""
    whole = [job(tmp_path, old_store, scenario, "whole") for scenario in SCENARIOS]
    assert drive(tmp_path, whole) == [0, 0, 0]
    jobs: list[dict[str, object]] = []
    owners: list[Scenario] = []
    for scenario in SCENARIOS:
        done = tmp_path / f"{scenario.name}-whole.done"
        steps, took = json.loads(done.read_text())
        cuts = [("stop", step) for step in dict.fromkeys(map(round, spread(steps, scenario.kills)))]
        for key, value in (*cuts, *(("after", t) for t in spread(took, scenario.alarms))):
            jobs.append({**job(tmp_path, old_store, scenario, f"{key}-{value}"), key: value})
            owners.append(scenario)

    ends = drive(tmp_path, jobs)

    for end, cut, scenario in zip(ends, jobs, owners, strict=True):
        assert end == -signal.SIGKILL if "stop" in cut else end in {0, -signal.SIGALRM}
        folder = Path(str(cut["folder"]))
        assert_old_or_new(folder, scenario)
        update(folder, *scenario.after, prune=True)  # a later run without the rebuild
        assert_whole(folder, scenario.after)


COMMIT_AND_DIE = """
import os, pickle, sys
from pathlib import Path
from rag.catalog import Catalog

class Deadly(dict):
    def values(self):
        yield from super().values()
        os.kill(os.getpid(), 9)

papers = pickle.loads(Path(sys.argv[2]).read_bytes())
Catalog(Path(sys.argv[1])).close()
Catalog(Path(sys.argv[1]), create=True).commit(Deadly({p.id: (p, ()) for p in papers}), (), "s.1")
"""


def test_a_transaction_that_was_cut_off_is_rolled_back_by_a_reader(folder: Path, tmp_path: Path):
    """A writer killed with half of its pages on the disk: whoever reads next sees the old state."""
    big = [paper(f"Big {i}", f"{i} tomatoes. " * 20_000) for i in range(30)]  # over SQLite's cache
    (tmp_path / "big.pickle").write_bytes(pickle.dumps(big))
    command = [sys.executable, "-c", COMMIT_AND_DIE, str(folder), str(tmp_path / "big.pickle")]
    died = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=False)

    assert died.returncode == -signal.SIGKILL
    assert (folder / f"{FILE}-journal").stat().st_size > 0
    assert held(load(folder)) == by_id(OLD)
    assert_whole(folder, OLD)


def test_a_catalog_of_no_bytes_is_no_index_yet(tmp_path: Path):
    """That is all a first run leaves that was killed as it began."""
    (tmp_path / FILE).touch()

    assert store.generation(tmp_path) == 0
    with pytest.raises(NoIndex, match="never finished; run `paperchat index`"):
        load(tmp_path)
    assert update(tmp_path, *OLD) == "6 0 0 0"
    assert_whole(tmp_path, OLD)


# Readers and writers at the same time


def test_a_snapshot_answers_while_and_after_the_store_is_updated(folder: Path):
    """What was read before an update stays as it was, also when a rebuild removes its files."""
    before = load(folder)
    papers, chunks = before.papers, before.chunks.copy()

    indexing.update(
        folder, corpus(*NEW), Watched(on_call=lambda: assert_answers(before)), prune=True
    )
    update(folder, *NEW, rebuild=True)

    assert before.papers == papers
    assert np.array_equal(before.chunks, chunks)
    kept = query_terms("tomatoes")
    assert before.lexical.search(kept, 5)[0][0] == version_of(OLD[0])


def test_another_process_is_seen_at_the_next_load(folder: Path, old_store: Path, tmp_path: Path):
    """A reader that stays open takes up what other processes add, change and remove."""
    assert_answers(load(folder))
    away = {**job(tmp_path, old_store, SCENARIOS[0], "away"), "folder": str(folder)}
    assert drive(tmp_path, [away]) == [0]
    assert_whole(folder, NEW)
    away["how"] = {"rebuild": True}
    assert drive(tmp_path, [away]) == [0]
    assert_whole(folder, NEW)


def test_an_open_chat_takes_up_a_new_generation(folder: Path):
    """The next question after an update is answered from it; during it, from the old one."""
    chat = open_chat(Settings.from_environment(store=folder, environment={}))
    question = "Which method counts umbrellas in photographs?"

    def titles() -> list[str]:
        return [hit.paper.title for hit in chat.search(question, 10)]

    during: list[list[str]] = []
    before = titles()
    indexing.update(
        folder, corpus(*NEW), Watched(on_call=lambda: during.append(titles())), prune=True
    )

    assert during == [before, before]
    assert "UmbrellasNet: counting umbrellas" not in before
    assert titles()[0] == "UmbrellasNet: counting umbrellas"
    assert isinstance(chat, PaperChat)
    assert chat.describe() == "7 papers"


def scored(snapshot: store.Snapshot) -> list[list[tuple[str, float]]]:
    """What BM25 gives for the subject of each paper and for a word that all share."""
    subjects = [one.title.partition(": ")[2] for one in OLD] + ["counting"]
    return [snapshot.lexical.search(query_terms(subject), 20) for subject in subjects]


def test_equal_collections_have_equal_scores_whatever_was_in_them(folder: Path):
    """Papers that came, changed and went leave no trace in the rarity of words."""
    before = scored(load(folder))
    update(folder, *NEW, prune=True)
    assert scored(load(folder)) != before
    update(folder, *OLD, prune=True)

    assert scored(load(folder)) == before


def test_a_reader_that_met_what_a_writer_had_not_yet_removed_reads_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """Between the commit and the removal words count too much; the next question knows better."""
    monkeypatch.setattr(store, "SETTLING", 0.05)
    shelves: list[Shelf] = []

    def look(catalog: Catalog, index: LexicalIndex, dead: Sequence[str]) -> None:
        shelves.append(Shelf(lambda: load(folder)))
        assert not shelves[0].current().settled
        remove(catalog, index, dead)

    remove = indexing._remove_words
    monkeypatch.setattr(indexing, "_remove_words", look)
    update(folder, *NEW, prune=True)

    assert shelves[0].current().settled
    assert scored(shelves[0].current()) == scored(load(folder))


def test_what_another_run_is_writing_does_not_go_with_the_dead(folder: Path):
    """A run that was put out, and wakes, must not take the words of the one that took over."""
    first, second = about("marbles"), about("kettles")
    with closing(Catalog(folder, create=True)) as catalog:
        catalog.intend([version_of(second)], "other")
        space = catalog.manifest().space
        index = LexicalIndex(folder / f"lexical-{space}")
        index.update(LexicalDocument(version_of(p), p.title, p.abstract) for p in (first, second))
        indexing._remove_words(catalog, index, [version_of(first)])

        held = index.keys()
        assert (version_of(first) in held, version_of(second) in held) == (False, True)


def test_a_reader_waits_a_moment_for_a_writer_to_remove_what_is_dead(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """Who opens the store between a commit and the removal gets the words of these papers alone."""
    found: list[store.Snapshot] = []
    threads: list[threading.Thread] = []
    remove = indexing._remove_words

    def look(catalog: Catalog, index: LexicalIndex, dead: Sequence[str]) -> None:
        threads.append(threading.Thread(target=lambda: found.append(load(folder))))
        threads[0].start()
        threads[0].join(0.2)
        assert not found
        remove(catalog, index, dead)

    monkeypatch.setattr(indexing, "_remove_words", look)
    update(folder, *NEW, prune=True)
    threads[0].join()

    assert found[0].settled
    assert held(found[0]) == by_id(NEW)


def test_the_second_writer_is_told_to_wait(folder: Path, tmp_path: Path):
    """One writer at a time, in the same process or another; a killed one locks nobody out."""
    refused: list[str] = []

    def write_too() -> None:
        with pytest.raises(StoreLocked) as caught:
            update(folder, *NEW)
        refused.append(str(caught.value))

    indexing.update(folder, corpus(about("sundials")), Watched(on_call=write_too))

    assert len(refused) == 2
    assert all("wait until it is done" in sentence for sentence in refused)
    holding = [
        sys.executable,
        "-c",
        "import sys, time; from pathlib import Path; from rag.writer import writing\n"
        "with writing(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)",
        str(folder),
    ]
    with subprocess.Popen(
        holding, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreLocked):
            update(folder, *NEW)
        assert len(load(folder).papers) == 7  # readers do not lock
        other.kill()
    assert update(folder, *NEW, prune=True) == "1 1 5 1"


# Damage


def test_a_store_of_another_format_is_named_as_such(folder: Path):
    """An older or newer PaperChat's store is neither read nor written."""
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'format'")
    connection.close()
    for use in (lambda: load(folder), lambda: update(folder, *NEW)):
        with pytest.raises(StoreVersion, match=r"format 999.*--store"):
            use()


def test_another_programs_database_is_left_alone(tmp_path: Path):
    """A SQLite file that is not a catalog is refused, not written to."""
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = (tmp_path / FILE).read_bytes()

    for use in (lambda: load(tmp_path), lambda: update(tmp_path, *NEW)):
        with pytest.raises(StoreVersion, match="format unknown"):
            use()

    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("damage", [b"not a database" * 1000, None])
def test_a_damaged_catalog_is_one_sentence(folder: Path, damage: bytes | None):
    """Garbage or a file cut in half: a StoreError of one line, never a traceback of sqlite3."""
    good = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(good[: len(good) // 2] if damage is None else damage)

    for use in (lambda: load(folder), lambda: update(folder, *NEW)):
        with pytest.raises(StoreError) as caught:
            use()
        assert "\n" not in str(caught.value)
        assert "paperchat doctor --repair" in str(caught.value)


@pytest.mark.parametrize("part", ["chroma", "lexical-*"])
def test_a_lost_part_is_noticed_and_a_rebuild_brings_it_back(folder: Path, part: str):
    """The catalog holds the papers, so that the two other indexes can be made again."""
    for path in folder.glob(part):
        shutil.rmtree(path)

    with pytest.raises(StoreError, match=r"lacks parts.*--rebuild"):
        load(folder)
    assert not list(folder.glob(part))  # reading makes nothing

    assert update(folder, about("sundials"), rebuild=True) == "1 0 0 0"
    assert_whole(folder, (*OLD, about("sundials")))


def test_a_lost_part_is_still_noticed_after_an_update(folder: Path):
    """An update does not pass a half-empty index off as a whole one."""
    for path in folder.glob("lexical-*"):
        shutil.rmtree(path)
    update(folder, about("sundials"))

    with pytest.raises(StoreError, match=r"lacks parts.*--rebuild"):
        load(folder)


@pytest.mark.parametrize("kind", store.KINDS)
def test_lost_vectors_are_noticed(folder: Path, kind: str):
    """A paper without vectors would never be found: that is damage, not an answer."""
    space = load(folder).manifest.space
    with VectorStore(folder) as database:
        database.remove(f"{kind}-{space}", [version_of(OLD[2])])

    with pytest.raises(StoreError, match=r"lacks parts.*--rebuild"):
        load(folder)
    update(folder, rebuild=True)
    assert_whole(folder, OLD)


def test_left_over_vectors_are_neither_read_nor_kept(folder: Path):
    """What the catalog does not list does not exist; `checks` tells of it."""
    snapshot = load(folder)
    stray = about("umbrellas")
    LexicalIndex(folder / f"lexical-{snapshot.manifest.space}").update(
        [LexicalDocument(version_of(stray), stray.title, stray.abstract)]
    )
    catalog = Catalog(folder, create=True)
    catalog.intend([version_of(stray)])
    catalog.close()

    assert held(load(folder)) == by_id(OLD)
    wrong = [what for what, well, _ in health.checks(folder, load_embedded()) if not well]
    assert wrong == ["lexical index", "left over"]
    update(folder)
    assert_whole(folder, OLD)


@pytest.mark.parametrize(
    ("file", "remedy"),
    [("chroma/chroma.sqlite3", "doctor --repair"), ("lexical-*/*", "--rebuild")],
)
def test_a_damaged_part_is_one_sentence_that_says_how_to_mend_it(
    folder: Path, file: str, remedy: str
):
    """No exception of Chroma or tantivy comes out, and doing what is said helps."""
    for path in folder.glob(file):
        path.write_bytes(b"junk" * 1000)

    with pytest.raises(StoreError, match=remedy) as caught:
        load(folder)
    assert "\n" not in str(caught.value)

    if file.startswith("chroma"):
        shutil.rmtree(folder / "chroma")
    update(folder, rebuild=True)
    assert_whole(folder, OLD)


def test_a_place_that_cannot_hold_a_store_is_one_sentence(tmp_path: Path):
    """A file where the folder should be."""
    (tmp_path / "file").write_text("a letter")

    with pytest.raises(StoreError, match=r"cannot be written.*--store"):
        update(tmp_path / "file", *OLD)
    with pytest.raises(NoIndex, match="run `paperchat index` first"):
        load(tmp_path / "file")


def test_reading_makes_no_store(tmp_path: Path):
    """Looking for an index where there is none leaves nothing behind."""
    assert store.generation(tmp_path / "nowhere") == 0
    assert not store.exists(tmp_path / "nowhere")
    with pytest.raises(NoIndex):
        load(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_have_any_name(tmp_path: Path):
    """Spaces, signs that mean something in addresses, and letters of any script."""
    odd = tmp_path / "a 50%25 ?store#1 – папка"
    update(odd, *OLD)
    assert_whole(odd, OLD)


def test_coverage_stays_a_share_after_many_replacements(tmp_path: Path):
    """Replaced documents, which tantivy goes on counting, make no word rarer than nothing."""
    folder = tmp_path / "words"
    index = LexicalIndex(folder)
    for edition in range(5):
        index.update(
            LexicalDocument(f"{i}-{edition}", "Beans", f"We grow beans, number {i}.")
            for i in range(12)
        )
        index.update((), [f"{i}-{edition}" for i in range(9)] if edition < 4 else ())

    shares = index.coverage({"bean": 1.0, "grow": 1.0, "number": 1.0}, 100)

    assert shares
    assert all(0 < share <= 1 + 1e-6 for share in shares.values())
    lexical.destroy(folder)
    assert not lexical.exists(folder)
