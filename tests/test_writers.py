"""Writers and readers as processes of their own: one writes, the others go on answering."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rag import app, indexing, store, vectors, writer
from rag.catalog import Catalog
from rag.errors import StoreError
from rag.settings import Settings
from rag.shelf import Shelf

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
READER = """
import json, sys, time
from pathlib import Path
from rag.app import open_chat
from rag.settings import Settings
chat = open_chat(Settings.from_environment(store=Path(sys.argv[1]), environment={}))
print("ready", flush=True)
seen, last = [], time.monotonic() + float(sys.argv[2])
while time.monotonic() < last:
    answer = chat.ask("How many grams does Sparrow 3 weigh?")
    titles = {citation.title for one in answer.statements for citation in one.citations}
    seen.append([answer.papers_in_corpus, answer.index, sorted(titles)])
    if Path(sys.argv[1], "stop").exists():
        break
print(json.dumps(seen))
"""


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """An environment without our names, for this process and those it starts."""
    for name in [*os.environ]:
        if name.startswith(("PAPERCHAT_", "OPENAI_")):
            monkeypatch.delenv(name)
            ENVIRONMENT.pop(name, None)


def birds(file, numbers, remark=""):
    """A file of papers about sparrows."""
    rows = [
        {
            "title": f"Sparrow {n}: Models of Size {n}",
            "abstract": f"Sparrow {n} weighs {n} grams. It eats {n + 1} seeds a day.{remark}",
        }
        for n in numbers
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def command(*arguments):
    """The command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "ui.cli", *map(str, arguments)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process, wanted=0):
    """What a command printed, once it has ended as *wanted*."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == wanted, (out, err)
    return err if wanted == 2 else out


def settings(folder, **environment):
    """Settings of a store in *folder*, whatever the real environment says."""
    return Settings.from_environment(store=folder, environment=environment)


@pytest.fixture
def small(tmp_path):
    """A store of ten papers."""
    folder = tmp_path / "store"
    app.index(settings(folder), [birds(tmp_path / "first.jsonl", range(10))])
    return folder


@contextmanager
def hanging(folder, file):
    """A process that has begun to index *file*, and is stopped in the middle."""
    process = command("index", "--store", folder, file)
    try:
        deadline = time.monotonic() + 60
        while not dead(folder) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        assert dead(folder)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def dead(folder):
    """How many versions are noted as not live."""
    with closing(Catalog(folder)) as catalog:
        return len(catalog.dead())


def reading(folder, seconds):
    """A process that asks again and again; it has read the store when this returns."""
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(folder), str(seconds)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "ready\n", reader.communicate()
    return reader


def test_an_indexer_two_command_lines_and_a_reader_at_once(small, tmp_path):
    """Each answer is of one whole generation, and the open reader ends at the newest by itself."""
    reader = reading(small, 60)
    indexer = command("index", "--store", small, birds(tmp_path / "more.jsonl", range(10, 300)))
    said = []
    while indexer.poll() is None:
        askers = [
            command("ask", "--store", small, "--json", "What does Sparrow 3 weigh?"),
            command("search", "--store", small, "--json", "-n", "400", "Sparrow 3"),
        ]
        asked, found = (json.loads(ended(asker)) for asker in askers)
        said.append((asked["answer"], len(found["results"])))
    assert "new 290" in ended(indexer)
    time.sleep(0.5)
    (small / "stop").touch()
    out, err = reader.communicate(timeout=60)

    assert reader.returncode == 0, err
    seen = json.loads(out)
    sizes = [size for size, _, _ in seen]
    assert sizes == sorted(sizes)
    assert {*sizes} == {10, 300}
    assert len({(size, index) for size, index, _ in seen}) == 2
    assert all(any("Sparrow 3:" in title for title in titles) for _, _, titles in seen)
    assert said
    assert all("3 grams" in answer and size in {10, 300} for answer, size in said)


def test_two_writers_that_wait_lose_nothing(tmp_path):
    """Two processes with 150 papers each, at once: 300 papers, each found by words and meaning."""
    folder = tmp_path / "store"
    files = [birds(tmp_path / f"{n}.jsonl", range(150 * n, 150 * n + 150)) for n in range(2)]
    both = [command("index", "--store", folder, "--wait", "100", file) for file in files]

    assert [ended(one).split(",")[0] for one in both] == ["new 150", "new 150"]

    assert [what for what, well, _ in app.doctor(settings(folder)) if not well] == []
    assert app.open_chat(settings(folder)).describe() == "300 papers"


def test_a_writer_that_works_is_named_and_not_put_out(small, tmp_path):
    """Its number, machine and age are told, and its lock is not to be had while it lives."""
    file = birds(tmp_path / "more.jsonl", range(10, 12))
    with hanging(small, birds(tmp_path / "many.jsonl", range(10, 500))) as process:
        refused = ended(command("index", "--store", small, file), 2)
        not_yet = ended(command("index", "--store", small, "--take-over", file), 2)
        found = {what: said for what, _, said in app.doctor(settings(small))}

    for said in (refused, not_yet, found["writer"]):
        assert re.search(rf"another process \({process.pid} on \S+, since \d+ s, last sign", said)
    assert "wait until it is done" in refused
    assert "is alive" in not_yet


def test_a_writer_that_hangs_can_be_put_out(small, tmp_path):
    """After a minute without a sign of life; should it wake, it stops and changes nothing."""
    file = birds(tmp_path / "more.jsonl", range(10, 12))
    with hanging(small, birds(tmp_path / "many.jsonl", range(10, 500))) as process:
        minutes_ago = time.time() - writer.HANGS_AFTER - 60
        os.utime(small / writer.OWNER, (minutes_ago, minutes_ago))
        assert "--take-over" in ended(command("index", "--store", small, file), 2)

        assert "new 2," in ended(command("index", "--store", small, "--take-over", file))
        process.send_signal(signal.SIGCONT)
        assert "took over" in ended(process, 2)

    assert app.open_chat(settings(small)).describe() == "12 papers"
    assert "new 0," in ended(command("index", "--store", small, file))
    assert app.index(settings(small), [birds(tmp_path / "last.jsonl", [77])], rebuild=True).new == 1
    assert [what for what, well, _ in app.doctor(settings(small)) if not well] == []


def test_a_robbed_writer_cannot_commit(small):
    """The catalog itself refuses a run that another one has overtaken."""
    with closing(Catalog(small, create=True)) as catalog:
        catalog.intend([], "one")
        catalog.intend([], "other")
        with pytest.raises(StoreError, match="took over"):
            catalog.commit({}, (), "space", "one")
        assert catalog.commit({}, (), "space", "other").generation == 2


@pytest.mark.parametrize("most", [indexing.MOST_QUERIED, 5])
def test_vectors_that_no_query_finds_are_written_anew(small, tmp_path, monkeypatch, most):
    """A graph with a hole is seen at the next write, and the index mends itself.

    Of a large collection samples are looked for, the last ones written among them.
    """
    monkeypatch.setattr(indexing, "MOST_QUERIED", most)
    monkeypatch.setattr(vectors, "SAMPLE", 5)
    with closing(sqlite3.connect(small / "chroma" / "chroma.sqlite3")) as database, database:
        # Few vectors lie in this log until the graph is saved; Chroma goes on counting them.
        database.execute("DELETE FROM embeddings_queue WHERE rowid % 2 = 0")
    assert "FAIL" in ended(command("doctor", "--store", small), 1)

    report = app.index(settings(small), [birds(tmp_path / "more.jsonl", range(10, 12))])

    assert report.new == 2
    assert re.fullmatch(r"\d+ vectors could not be found again", report.rebuilt)
    assert [what for what, well, _ in app.doctor(settings(small)) if not well] == []


@pytest.mark.parametrize("most", [indexing.MOST_QUERIED, 300])
def test_a_sentence_that_many_papers_share_is_not_taken_for_lost(tmp_path, monkeypatch, most):
    """Chroma's graph has no way to some of many equal vectors, which are there all the same."""
    monkeypatch.setattr(indexing, "MOST_QUERIED", most)
    shared = birds(tmp_path / "shared.jsonl", range(450), " The code is public.")
    report = app.index(settings(tmp_path / "store", PAPERCHAT_INDEX="fast"), [shared])

    assert (report.new, report.rebuilt) == (450, "")
    assert [what for what, well, _ in app.doctor(settings(tmp_path / "store")) if not well] == []


def test_a_reader_keeps_its_generation_when_the_next_one_cannot_be_read(small, tmp_path, caplog):
    """It goes on answering, says why in the log, and switches as soon as it can."""
    stamp = store.fingerprint(app.choose_embedder(settings(small)))
    broken = False

    def load():
        if broken:
            raise StoreError("the disk is away")
        return store.load(small, stamp)

    shelf = Shelf(load, patience=10, again=0.2)
    broken = True
    app.index(settings(small), [birds(tmp_path / "more.jsonl", range(10, 12))])
    assert len(shelf.current().papers) == 10
    assert len(shelf.current().papers) == 10
    assert caplog.text.count("still answering from generation 1, since the disk is away") == 1

    broken = False
    time.sleep(0.25)
    assert len(shelf.current().papers) == 12


def test_a_question_does_not_wait_for_a_large_generation(small, tmp_path):
    """While it is read the one before answers at once."""
    stamp = store.fingerprint(app.choose_embedder(settings(small)))
    slow = False

    def load():
        time.sleep(1.0 if slow else 0)
        return store.load(small, stamp)

    shelf = Shelf(load, patience=0.05)
    slow = True
    app.index(settings(small), [birds(tmp_path / "more.jsonl", range(10, 12))])
    began = time.perf_counter()
    assert len(shelf.current().papers) == 10
    assert time.perf_counter() - began < 0.5

    deadline = time.monotonic() + 20
    while len(shelf.current().papers) == 10 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(shelf.current().papers) == 12


def test_writers_that_are_killed_lose_nothing():
    """The drill in short, two commands of two writers killed: `python -m eval.writers` has more.

    Every paper is there once, Chroma gives the records of these papers and no others, and a reader
    got proved answers of whole generations all the while.
    """
    drill = [sys.executable, "-m", "eval.writers"]
    drill += ["--count", "60", "--batch", "10", "--kills", "2", "--seed", "3"]
    done = subprocess.run(
        drill, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=400
    )

    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(
        line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:] if "|" in line
    )
    assert (said["papers given"], said["lost"], said["doubled"]) == ("60", "0", "0")
    assert int(said["killed"]) > 0
    assert int(said["answers of readers"]) > 0
