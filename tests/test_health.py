"""Damage to a store: each kind named by the doctor, mended from the papers, and none lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from eval import crash
from rag import app, health, journal
from rag.catalog import FILE, Catalog
from rag.embed import load_embedded
from rag.errors import NoIndex, StoreError, StoreVersion
from rag.settings import Settings
from rag.types import Corpus
from ui.cli import main

ROOT = Path(__file__).parent.parent
QUESTION = "How many grams does Sparrow 3 weigh?"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """An environment without our names."""
    for name in [*os.environ]:
        if name.startswith(("PAPERCHAT_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings(folder):
    """Settings of a store in *folder*, whatever the environment says."""
    return Settings.from_environment(store=folder, environment={})


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A store of 30 papers in two updates, to be copied."""
    place = tmp_path_factory.mktemp("base")
    for name, numbers in (("one", range(20)), ("two", range(20, 30))):
        crash._birds(place / f"{name}.jsonl", numbers)
        app.index(settings(place / "store"), [place / f"{name}.jsonl"])
    return place / "store"


@pytest.fixture
def folder(base, tmp_path):
    """A store that may be damaged."""
    return Path(shutil.copytree(base, tmp_path / "store"))


@pytest.fixture
def doctor(capsys):
    """Runs the doctor as a program does: exit code and what is not well, by name."""

    def run(folder, *options):
        capsys.readouterr()
        code = main(["doctor", "--json", "--store", str(folder), *options])
        out, err = capsys.readouterr()
        if not out:
            return code, err
        record = json.loads(out)
        assert record["well"] == (code == 0)
        return code, {row["what"]: row["found"] for row in record["checks"] if not row["well"]}

    return run


def assert_whole(folder, doctor, count=30):
    """All *count* papers are there, and the store answers."""
    assert doctor(folder) == (0, {})
    chat = app.open_chat(settings(folder))
    assert [p.title for p in chat.papers()] == sorted(
        f"Sparrow {n}: Models of Size {n}" for n in range(count)
    )
    assert "3 grams" in chat.ask(QUESTION).statements[0].text


def cut(path, share):
    """Keep the first *share* of a file."""
    os.truncate(path, int(path.stat().st_size * share))


def junk(path):
    """Overwrite the middle of a file."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(b"junk" * 2000)


def without(path, statement):
    """Change a database behind its owner's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


DAMAGES = {
    "manifest deleted": (lambda f: without(f / FILE, "DELETE FROM meta"), "catalog"),
    "table of the papers dropped": (lambda f: without(f / FILE, "DROP TABLE papers"), "catalog"),
    "copy of the papers emptied": (
        lambda f: [cut(path, 0) for path in f.glob("papers-*.jsonl")],
        "copy of the papers",
    ),
    "a paper deleted behind our back": (
        lambda f: without(f / FILE, "DELETE FROM papers WHERE title LIKE 'Sparrow 7:%'"),
        "catalog",
    ),
    "a text changed behind our back": (
        lambda f: without(f / FILE, "UPDATE papers SET abstract = 'No.' WHERE title LIKE '% 7:%'"),
        "catalog",
    ),
    "catalog cut in half": (lambda f: cut(f / FILE, 0.5), "catalog"),
    "catalog with junk in it": (lambda f: junk(f / FILE), "catalog"),
    "catalog of no bytes": (lambda f: cut(f / FILE, 0), "catalog"),
    "catalog lost": (lambda f: (f / FILE).unlink(), "catalog"),
    "Chroma cut in half": (lambda f: cut(f / "chroma" / "chroma.sqlite3", 0.5), "index"),
    "Chroma of no bytes": (lambda f: cut(f / "chroma" / "chroma.sqlite3", 0), "index"),
    "Chroma lost": (lambda f: shutil.rmtree(f / "chroma"), "index"),
    "a file in Chroma's place": (
        lambda f: (shutil.rmtree(f / "chroma"), (f / "chroma").write_text("mine")),
        "index",
    ),
    "words lost": (lambda f: [shutil.rmtree(p) for p in f.glob("lexical-*")], "index"),
    "a segment of words lost": (
        lambda f: [path.unlink() for path in f.glob("lexical-*/*.term")],
        "index",
    ),
    "a segment of words cut": (
        lambda f: [cut(path, 0.3) for path in f.glob("lexical-*/*.store")],
        "index",
    ),
    "vectors kept cut": (
        lambda f: [cut(path, 0.5) for path in f.glob("embeddings-*.f32")],
        "vectors kept",
    ),
    "vectors kept with junk in them": (
        lambda f: [junk(path) for path in f.glob("embeddings-*.f32")],
        "vectors kept",
    ),
    "table of the vectors kept cut": (lambda f: cut(f / "embeddings.sqlite", 0.4), "vectors kept"),
    "copy of the papers lost": (
        lambda f: [path.unlink() for path in f.glob("papers-*.jsonl")],
        "copy of the papers",
    ),
    "copy of the papers cut": (
        lambda f: [cut(path, 0.5) for path in f.glob("papers-*.jsonl")],
        "copy of the papers",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_and_mended(folder, doctor, damage):
    """The doctor says which part is damaged and how to mend it, and doing so brings all back."""
    spoil, part = DAMAGES[damage]
    spoil(folder)

    code, found = doctor(folder)

    assert code == 1
    assert part in found
    assert "paperchat doctor --repair" in found[part] or "paperchat index" in found[part]
    assert "\n" not in found[part]
    assert doctor(folder, "--repair") == (0, {})
    assert_whole(folder, doctor)


def test_a_store_without_kept_vectors_answers_all_the_same(folder, doctor):
    """Chroma has them too; the next repair keeps them again."""
    before = app.open_chat(settings(folder)).ask(QUESTION)
    for path in folder.glob("embeddings*"):
        path.unlink()

    assert app.open_chat(settings(folder)).ask(QUESTION).statements == before.statements
    assert doctor(folder, "--repair") == (0, {})
    assert (folder / "embeddings.sqlite").exists()


def test_an_open_reader_sees_a_repaired_store(folder, doctor, tmp_path):
    """The page that was open when the catalog was lost takes up the new one by itself."""
    chat = app.open_chat(settings(folder))
    (folder / FILE).unlink()
    assert doctor(folder, "--repair") == (0, {})
    crash._birds(tmp_path / "more.jsonl", range(30, 32))
    app.index(settings(folder), [tmp_path / "more.jsonl"])

    assert chat.describe() == "32 papers"


def test_the_copy_follows_every_kind_of_update(folder, doctor, tmp_path):
    """Added, changed and removed papers: the copy gives what the catalog holds, to the letter."""
    file = tmp_path / "some.jsonl"
    crash._birds(file, range(10, 40), " It was weighed again.")
    app.index(settings(folder), [file])
    crash._birds(file, range(35))
    app.index(settings(folder), [file], prune=True)
    with closing(Catalog(folder)) as catalog:
        held = catalog.papers()

    assert journal.recover(folder) == held
    assert len(held) == 35
    (folder / FILE).unlink()
    assert doctor(folder, "--repair")[0] == 0
    with closing(Catalog(folder)) as catalog:
        assert catalog.papers() == held


def test_the_copy_is_written_anew_when_it_has_grown(folder, tmp_path, monkeypatch):
    """What was replaced again and again does not stay for ever."""
    monkeypatch.setattr(journal, "GROWN", -1000)
    file = tmp_path / "some.jsonl"
    before = [path.name for path in folder.glob("papers-*")]
    crash._birds(file, range(3), " Again.")
    app.index(settings(folder), [file])

    after = [path.name for path in folder.glob("papers-*")]
    assert len(before) == len(after) == 1
    assert before != after
    assert len(journal.recover(folder)) == 30


def test_what_a_killed_run_appended_is_cut_off(folder, doctor, tmp_path):
    """Half a block at the end is no paper, and the next update writes over it."""
    (copy,) = folder.glob("papers-*.jsonl")
    with copy.open("ab") as file:
        file.write(b'{"drop": "x"}\n{"put": {"id": "half')
    assert len(journal.recover(folder)) == 30

    crash._birds(tmp_path / "more.jsonl", range(30, 31))
    app.index(settings(folder), [tmp_path / "more.jsonl"])

    assert len(journal.recover(folder)) == 31
    assert_whole(folder, doctor, 31)


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_indexing_over_a_lost_catalog_loses_no_paper(folder, doctor, tmp_path, left, capsys):
    """What the copy still holds is taken back, and the seeds are not mixed in; opening says why."""
    cut(folder / FILE, 0)
    if left == "nothing":
        (folder / FILE).unlink()
        with pytest.raises(StoreError, match=r"catalog .* is missing; run `paperchat doctor"):
            app.open_chat(settings(folder))
    crash._birds(tmp_path / "more.jsonl", range(30, 32))
    assert main(["index", "--store", str(folder), str(tmp_path / "more.jsonl")]) == 0

    assert "30 papers were taken back from their copy" in capsys.readouterr().err
    assert_whole(folder, doctor, 32)
    (folder / FILE).unlink()
    app.refresh(settings(folder))
    assert_whole(folder, doctor, 32)


def test_both_copies_lost_is_said_plainly(folder, doctor):
    """Nothing is made up, and what is left is not touched."""
    junk(folder / FILE)
    for path in folder.glob("papers-*.jsonl"):
        path.write_bytes(b"junk")

    code, said = doctor(folder, "--repair")

    assert code == 2
    assert "no second copy" in said
    assert (folder / FILE).exists()


def test_what_a_changed_catalog_still_has_is_kept_where_the_copy_is_lost(folder, doctor):
    """Of thirty papers only the one whose text somebody changed cannot be had any more."""
    without(folder / FILE, "UPDATE papers SET abstract = 'No.' WHERE title LIKE 'Sparrow 29:%'")
    for path in folder.glob("papers-*.jsonl"):
        path.write_bytes(b"junk")

    assert doctor(folder, "--repair") == (0, {})

    assert_whole(folder, doctor, 29)


def test_a_damaged_catalog_is_set_aside(folder, doctor):
    """The file may hold what somebody wants to look into."""
    cut(folder / FILE, 0.5)
    size = (folder / FILE).stat().st_size
    assert doctor(folder, "--repair") == (0, {})

    (aside,) = folder.glob("catalog.damaged-*.sqlite")
    assert aside.stat().st_size == size


def test_foreign_files_are_named_and_left_alone(folder, doctor, tmp_path):
    """Even where they are called nearly as ours, and even by a rebuild."""
    (folder / "lexical-analysis").mkdir()
    (folder / "lexical-analysis" / "thesis.txt").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    app.refresh(settings(folder))

    assert doctor(folder, "--repair") == (0, {})
    said = {what: found for what, _, found in app.doctor(settings(folder))}["folder"]
    assert said.endswith("left alone: lexical-analysis, notes.txt")
    assert (folder / "lexical-analysis" / "thesis.txt").read_text() == "mine"


def test_a_newer_versions_store_is_neither_read_nor_repaired(folder, doctor):
    """Repairing what one does not understand would destroy it."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'format'")

    code, found = doctor(folder)
    assert (code, "format 99" in found["catalog"]) == (1, True)
    with pytest.raises(StoreVersion, match="format 99"):
        health.repair(folder, load_embedded())


def test_nothing_is_repaired_where_there_is_nothing(tmp_path):
    """An empty folder and none at all stay as they are."""
    for place in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(NoIndex):
            app.repair(settings(place))
    assert not (tmp_path / "nowhere").exists()


@pytest.fixture
def read_only(folder):
    """A store on a disk that cannot be written."""
    for step in (["--bind"], ["-o", "remount,ro,bind"]):
        done = subprocess.run(
            ["mount", *step, str(folder), str(folder)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_store_that_cannot_be_written_answers(read_only):
    """Reading needs no writing."""
    code = "import sys; from ui.cli import main; sys.exit(main(sys.argv[1:]))"
    asked = [sys.executable, "-c", code, "ask", "--store", str(read_only), QUESTION]
    done = subprocess.run(
        asked, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 grams" in done.stdout


@pytest.fixture
def full(folder, tmp_path):
    """A store on a disk that has become full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    done = subprocess.run(made, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.decode().strip()}")
    store = Path(shutil.copytree(folder, disk / "store"))
    with suppress(OSError), (disk / "film").open("wb", buffering=0) as film:
        while film.write(b"film" * 10_000):
            pass
    yield store
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_named_and_answers_go_on(full, doctor, tmp_path):
    """Indexing says so in one sentence and changes nothing; with room again all is as it was."""
    crash._birds(tmp_path / "more.jsonl", range(30, 31))
    with pytest.raises(StoreError, match="No space left on device"):
        app.index(settings(full), [tmp_path / "more.jsonl"])
    code = "import sys; from ui.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "ask", "--store", str(full), QUESTION],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 grams" in done.stdout
    (full.parent / "film").unlink()
    assert_whole(full, doctor)


def test_a_store_that_cannot_be_written_is_named(read_only, tmp_path):
    """Indexing says so in one sentence."""
    crash._birds(tmp_path / "more.jsonl", range(30, 31))
    with pytest.raises(StoreError, match=r"cannot be written.*--store"):
        app.index(settings(read_only), [tmp_path / "more.jsonl"])


def test_an_update_that_changes_nothing_gives_an_old_store_its_copy(folder, doctor):
    """A store of a version that kept none gets one with the next index."""
    for path in folder.glob("papers-*.jsonl"):
        path.unlink()
    with closing(Catalog(folder, create=True)) as catalog:
        catalog._set_meta({"journal": ""})
    assert "copy of the papers" in doctor(folder)[1]

    app.indexing.update(folder, Corpus((), (), 0), load_embedded())

    assert_whole(folder, doctor)


def test_killed_updates_leave_whole_stores():
    """The crash drill in short; `python -m eval.crash` kills 200 times."""
    drill = [sys.executable, "-m", "eval.crash", "--times", "3", "--seed", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        drill, env=environment, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 of 3 stores were whole." in done.stdout
    assert all(f"| {name} |" in done.stdout for name in ("index", "prune", "rebuild"))
