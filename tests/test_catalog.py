"""The catalog, in a real SQLite file."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rag.catalog import FILE, FORMAT, Catalog, Manifest, version_of
from rag.errors import NoIndex, StoreError, StoreVersion
from rag.names import Name
from rag.text import digest, paper_id
from rag.types import Paper

SPACE = "abc.0"


def paper(title, abstract="An abstract.", **more):
    """A paper."""
    return Paper(paper_id(title), title, abstract, digest(title, abstract), ("a.txt",), **more)


def entries(*papers, names=()):
    """What `commit` takes for *papers*, each with *names*."""
    return {one.id: (one, names) for one in papers}


def everything(catalog):
    """All that the catalog says."""
    return catalog.manifest(), catalog.papers(), sorted(catalog.dead())


@pytest.fixture
def catalog(tmp_path):
    """An empty catalog."""
    made = Catalog(tmp_path, create=True)
    yield made
    made.close()


FULL = paper(
    "Zoë's “quoted” 数据库; DROP TABLE papers --",
    "Line one.\nLine two with 'quotes', \\ and \x00 nothing.",
    external_id="2101.00001v2",
    year=2021,
    authors=("Ada Lovelace", 'Grace "Amazing" Hopper'),
    url="https://example.org/?a=1&b=2",
)


def test_a_paper_comes_back_as_it_went_in(catalog):
    """Every field, in every script, with nothing read as SQL."""
    bare = replace(paper("Bare"), sources=("a.txt", "b, c.txt"))
    catalog.commit(entries(FULL, bare), (), SPACE)

    assert catalog.papers() == tuple(sorted((FULL, bare), key=lambda one: one.id))


def test_each_commit_is_a_generation(catalog):
    """Generation 0 is before the first; a snapshot is of one generation."""
    assert catalog.manifest() == Manifest(0, "", "")
    first = catalog.commit(entries(paper("A")), (), SPACE)
    second = catalog.commit(entries(paper("B")), (), "def.1")

    assert (first.generation, second.generation, second.space) == (1, 2, "def.1")
    assert catalog.manifest() == second
    assert catalog.snapshot() == (second, catalog.papers())


def test_a_changed_paper_replaces_and_a_removed_one_goes(catalog):
    """What is replaced or removed is dead: its vectors and words are still to be removed."""
    a, b = paper("A"), paper("B")
    catalog.commit(entries(a, b, names=[Name("x", "X", introduced=True)]), (), SPACE)
    changed = paper("A", "Another abstract.")

    catalog.commit(entries(changed, names=[Name("y", "Y", introduced=False)]), [b.id, "?"], SPACE)

    assert catalog.papers() == (changed,)
    assert sorted(catalog.dead()) == sorted([version_of(a), version_of(b)])
    assert catalog.papers_named(["x", "y"]) == [("y", "Y", changed.id, False)]
    catalog.forget_dead([version_of(a), "unknown"])
    assert catalog.dead() == [version_of(b)]


def test_a_dead_version_can_live_again(catalog):
    """A change taken back, or a killed run repeated, leaves nothing to clean up."""
    a = paper("A")
    catalog.intend([version_of(a), version_of(a)])
    assert catalog.dead() == [version_of(a)]

    catalog.commit(entries(a), (), SPACE)

    assert catalog.dead() == []


def test_other_sources_are_the_same_version(catalog):
    """A version is title and abstract; what else is known of a paper may change in place."""
    a = paper("A")
    catalog.commit(entries(a), (), SPACE)
    before = catalog.manifest().index_hash
    touched = replace(a, sources=("a.txt", "b.txt"), year=2020)

    catalog.commit(entries(touched), (), SPACE)

    assert catalog.papers() == (touched,)
    assert catalog.dead() == []
    assert catalog.manifest().index_hash == before


def test_a_commit_is_all_or_nothing(catalog):
    """An error in the middle leaves the generation before, whole."""
    catalog.commit(entries(paper("A")), (), SPACE)
    before = everything(catalog)
    good, bad = paper("B"), replace(paper("C"), title=None)

    with pytest.raises(StoreError, match="NOT NULL"):
        catalog.commit(entries(good, bad), [paper("A").id], "def.1")

    assert everything(catalog) == before

    def interrupted():
        yield paper("A").id
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalog.commit(entries(good), interrupted(), SPACE)
    assert everything(catalog) == before
    assert catalog.commit(entries(good), (), SPACE).generation == 2


KILLED = """
import os, sys; sys.path[:0] = sys.argv[2:]
from pathlib import Path
from test_catalog import *
def killed():
    yield paper("A").id
    os._exit(9)
Catalog(Path(sys.argv[1]), create=True).commit(entries(paper("B")), killed(), "def.1")
"""


def test_a_killed_commit_never_happened(catalog, tmp_path):
    """A process that dies within the transaction leaves the generation before."""
    catalog.commit(entries(paper("A")), (), SPACE)
    before = everything(catalog)
    here = Path(__file__).parent
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(here), str(here.parent)]

    assert subprocess.run(command, check=False, timeout=60).returncode == 9

    reader = Catalog(tmp_path)
    assert everything(reader) == everything(catalog) == before
    reader.close()


def test_equal_collections_have_equal_hashes(tmp_path):
    """Neither the order nor the number of updates that led to them shows in the hash."""
    papers = [paper(f"Paper {n}") for n in range(30)]
    hashes = set()
    for seed in range(4):
        shuffled = random.Random(seed).sample(papers, len(papers))
        folder = tmp_path / str(seed)
        folder.mkdir()
        made = Catalog(folder, create=True)
        made.commit(entries(paper("Gone"), replace(shuffled[0], content_hash="old")), (), SPACE)
        for start in range(0, 30, 7 + seed):
            made.commit(entries(*shuffled[start : start + 7 + seed]), [paper("Gone").id], SPACE)
        made.commit({}, (), f"abc.{seed}")  # a rebuild is no other collection
        hashes.add(made.manifest().index_hash)
        made.close()

    assert len(hashes) == 1


def test_other_collections_have_other_hashes(catalog):
    """One paper more, another abstract, or another model: each is told apart."""
    seen = {catalog.commit(entries(paper("A")), (), SPACE).index_hash}
    seen.add(catalog.commit(entries(paper("B")), (), SPACE).index_hash)
    seen.add(catalog.commit(entries(paper("B", "Another.")), (), SPACE).index_hash)
    seen.add(catalog.commit({}, (), "def.0").index_hash)

    assert len(seen) == 4


def test_names_are_found_by_key(catalog):
    """In order of key and paper, however many keys are asked for."""
    a, b = sorted((paper("A"), paper("B")), key=lambda one: one.id)
    zero = [Name("zero++", "ZeRO++", introduced=True), Name("gpt3", "GPT-3", introduced=False)]
    catalog.commit({**entries(b, names=zero), **entries(a, names=zero[1:])}, (), SPACE)
    keys = [f"key{n}" for n in range(2000)]

    assert catalog.papers_named(["zero++", "gpt3"]) == [
        ("gpt3", "GPT-3", a.id, False),
        ("gpt3", "GPT-3", b.id, False),
        ("zero++", "ZeRO++", b.id, True),
    ]
    assert len(catalog.papers_named([*keys, "zero++", "gpt3"])) == 3
    assert catalog.papers_named([]) == []
    assert catalog.papers_named(["'; DROP TABLE names; --"]) == []


def test_readers_see_what_was_committed(catalog, tmp_path):
    """An open reader sees the next generation, and none that is not finished."""
    reader = Catalog(tmp_path)
    assert reader.manifest().generation == 0
    catalog.commit(entries(paper("A")), (), SPACE)
    assert reader.manifest().generation == 1

    with catalog._transaction("IMMEDIATE"):
        catalog._retire(paper("A").id)
        assert reader.papers() == (paper("A"),)
    assert reader.papers() == ()
    reader.close()


def test_a_reader_cannot_write(catalog, tmp_path):
    """Opened without `create`, the catalog takes no changes."""
    reader = Catalog(tmp_path)

    for change in (
        lambda: reader.commit(entries(paper("A")), (), SPACE),
        lambda: reader.intend(["v"]),
        lambda: reader.forget_dead(["v"]),
    ):
        with pytest.raises(StoreError, match="readonly"):
            change()
    reader.close()
    assert everything(catalog) == (Manifest(0, "", ""), (), [])


def test_many_threads_share_a_reader(catalog, tmp_path):
    """Questions of many people are answered from one connection."""
    papers = [paper(f"Paper {n}") for n in range(50)]
    catalog.commit(entries(*papers, names=[Name("x", "X", introduced=True)]), (), SPACE)
    reader = Catalog(tmp_path)
    wrong = []

    def ask():
        for _ in range(30):
            manifest, found = reader.snapshot()
            if (manifest.generation, len(found), len(reader.papers_named(["x"]))) != (1, 50, 50):
                wrong.append(manifest)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader.close()

    assert wrong == []


def test_without_a_catalog_there_is_no_index(tmp_path):
    """Looking creates nothing, and an empty file is an index that was never begun."""
    with pytest.raises(NoIndex, match="paperchat index"):
        Catalog(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []

    (tmp_path / FILE).touch()
    with pytest.raises(NoIndex, match="never finished"):
        Catalog(tmp_path)
    made = Catalog(tmp_path, create=True)
    assert made.manifest().generation == 0
    made.close()


def test_another_format_is_refused(catalog, tmp_path):
    """Neither read nor changed, and the sentence names both formats."""
    catalog._set_meta({"format": str(FORMAT + 1)})
    catalog.close()

    for create in (False, True):
        with pytest.raises(StoreVersion, match=rf"format {FORMAT + 1}.*reads {FORMAT}"):
            Catalog(tmp_path, create=create)


def test_another_programs_database_is_left_alone(tmp_path):
    """A database of that name with other tables is no catalog."""
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("CREATE TABLE birds (name)")
    connection.close()
    before = (tmp_path / FILE).read_bytes()

    for create in (False, True):
        with pytest.raises(StoreVersion):
            Catalog(tmp_path, create=create)
    assert (tmp_path / FILE).read_bytes() == before


def test_garbage_is_one_sentence(tmp_path):
    """What sqlite3 raises does not get out."""
    (tmp_path / FILE).write_bytes(b"garbage " * 1000)

    for create in (False, True):
        with pytest.raises(StoreError, match="not a database") as caught:
            Catalog(tmp_path, create=create)
        assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)


def test_a_writer_that_waits_too_long_is_told(catalog, tmp_path):
    """A file that another connection has locked is a sentence, and not a hang."""
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    catalog._connection.execute("PRAGMA busy_timeout = 50")

    with pytest.raises(StoreError, match="locked"):
        catalog.intend(["v"])
    other.close()


@pytest.mark.parametrize("name", ["a b", "a#b?c=d", "100%25", "ü数", "quote'd"])
def test_a_folder_may_have_any_name(tmp_path, name):
    """The path becomes an address, in which some characters mean something."""
    folder = tmp_path / name
    folder.mkdir()
    made = Catalog(folder, create=True)
    made.commit(entries(paper("A")), (), SPACE)
    made.close()

    assert (folder / FILE).is_file()
    reader = Catalog(folder)
    assert len(reader.papers()) == 1
    reader.close()
