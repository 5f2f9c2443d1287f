"""Chroma for real, each of its traps shown and stepped round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rag import vectors
from rag.errors import StoreError
from rag.vectors import FOLDER, Record, VectorStore

KIND = "chunks-abc"


def records(version, count, text="text"):
    """The first *count* records of one version of a paper."""
    return [Record(version, n, n, n + 1, f"{text} {n}") for n in range(count)]


def units(count, seed=0, dimension=8):
    """Unit vectors."""
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def database(tmp_path):
    """An empty database."""
    with VectorStore(tmp_path) as made:
        yield made


def in_another_process(folder, code):
    """Run *code* there, with a `database` on *folder* and this module's makers."""
    prelude = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path\n"
        "from test_vectors import *\n"
        "with VectorStore(Path(sys.argv[1])) as database:\n"
    )
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    here = Path(__file__).parent
    subprocess.run(
        [sys.executable, "-c", prelude + lines, str(folder), str(here), str(here.parent)],
        check=True,
        timeout=120,
    )


def test_what_is_written_is_read(database):
    """Each vector comes back with its version and number, sorted by both."""
    made = units(15)
    database.add(KIND, records("b-1", 12), made[:12])
    database.add(KIND, records("a-2", 3), made[12:])

    rows = database.read(KIND)

    assert rows.versions == ("a-2",) * 3 + ("b-1",) * 12
    assert rows.numbers == (*range(3), *range(12))  # 10 comes after 9
    assert rows.matrix.dtype == np.float32
    np.testing.assert_allclose(rows.matrix, np.concatenate([made[12:], made[:12]]), atol=1e-6)
    assert database.count(KIND) == database.reachable(KIND, made[0]) == 15


def test_an_unknown_collection_is_empty(database):
    """Reading makes nothing."""
    assert database.read(KIND).matrix.shape == (0, 0)
    assert (database.count(KIND), database.reachable(KIND, units(1)[0])) == (0, 0)
    database.remove(KIND, ["a-1"])
    database.drop(KIND)
    assert database.collections() == []


def test_an_emptied_collection_is_empty(database):
    """All records removed is the same as none ever written."""
    database.add(KIND, records("a-1", 2), units(2))
    database.remove(KIND, ["a-1"])

    assert database.read(KIND).versions == ()
    assert (database.count(KIND), database.reachable(KIND, units(1)[0])) == (0, 0)


def test_more_records_than_a_batch_holds(database):
    """Chroma takes 5,461 records at a time; 6,000 go in, all found again, and progress adds up."""
    most = database._client.get_max_batch_size()
    assert most < 6000
    collection = database._create("raw")
    with pytest.raises(Exception, match="batch size"):
        collection.add(ids=[str(n) for n in range(6000)], embeddings=units(6000))
    steps = []

    database.add(KIND, records("a-1", 6000), units(6000), steps.append)

    assert steps == [most, 6000 - most]
    assert database.count(KIND) == 6000
    assert database.read(KIND).numbers == tuple(range(6000))
    np.testing.assert_allclose(database.read(KIND).matrix, units(6000), atol=1e-6)


def test_writing_again_changes_nothing(database):
    """Chroma ignores a known id: so an id names its content, and another version has another."""
    database.add(KIND, records("a-1", 2), units(2))
    database.add(KIND, records("a-1", 2), units(2, seed=1))
    np.testing.assert_allclose(database.read(KIND).matrix, units(2), atol=1e-6)

    database.add(KIND, records("a-2", 2), units(2, seed=1))
    database.remove(KIND, ["a-1"])

    assert database.read(KIND).versions == ("a-2", "a-2")
    np.testing.assert_allclose(database.read(KIND).matrix, units(2, seed=1), atol=1e-6)


def test_a_version_is_removed_whole_and_alone(database):
    """Neither another version of the paper nor a name that begins alike goes with it."""
    versions = ["a-1", "a-11", "a-2", "b-1"]
    for version in versions:
        database.add(KIND, records(version, 2), units(2))

    database.remove(KIND, ["a-1", "unknown", "a-1"])

    assert set(database.read(KIND).versions) == {"a-11", "a-2", "b-1"}
    assert database.count(KIND) == 6


def test_many_versions_are_removed_at_once(database):
    """More versions than one condition should name."""
    made = [Record(f"p{n}-1", 0, 0, 1, "text") for n in range(1200)]
    database.add(KIND, made, units(1200))

    database.remove(KIND, [record.version for record in made[:1100]])

    assert database.count(KIND) == 100
    assert database.reachable(KIND, units(1)[0]) == 100


def test_removing_nothing_removes_nothing(database):
    """An empty list is no condition that everything meets."""
    database.add(KIND, records("a-1", 2), units(2))
    database.remove(KIND, [])

    assert database.count(KIND) == 2


def test_an_open_database_never_misreads(database, tmp_path):
    """One that was read before sees another process's removals, and refuses to guess at additions.

    `query` would give the old ones, with no word about the new.
    """
    database.add(KIND, records("a-1", 20), units(20))
    assert database.reachable(KIND, units(1)[0]) == 20
    in_another_process(tmp_path, f"database.add({KIND!r}, records('b-1', 15), units(15, seed=1))")

    assert database.count(KIND) == 35
    assert database.reachable(KIND, units(1)[0]) == 20
    with pytest.raises(StoreError):
        database.read(KIND)

    in_another_process(tmp_path, f"database.remove({KIND!r}, ['a-1', 'b-1'])")
    assert database.read(KIND).versions == ()


def test_a_database_opened_anew_searches_what_another_process_wrote(tmp_path):
    """Closing leaves no stale graph behind, as a client of the same process otherwise would."""
    with VectorStore(tmp_path) as first:
        first.add(KIND, records("a-1", 20), units(20))
        assert first.reachable(KIND, units(1)[0]) == 20

    in_another_process(tmp_path, f"database.add({KIND!r}, records('b-1', 15), units(15, seed=1))")

    with VectorStore(tmp_path) as second:
        assert second.count(KIND) == second.reachable(KIND, units(1)[0]) == 35
        rows = second.read(KIND)
        assert rows.versions == ("a-1",) * 20 + ("b-1",) * 15
        np.testing.assert_allclose(rows.matrix[20:], units(15, seed=1), atol=1e-6)


READ = """
import sys; sys.path[:0] = sys.argv[2:]
from pathlib import Path
from test_vectors import KIND, VectorStore
seen = [0]
print("ready", flush=True)
while seen[-1] < 4000:
    with VectorStore(Path(sys.argv[1])) as database:
        seen.append(len(database.read(KIND).numbers))
assert seen == sorted(seen) and len(set(seen)) > 3, seen
"""


def test_reading_while_another_process_writes_is_safe(tmp_path):
    """Readers wait for a batch to be saved: Chroma would take their process down."""
    here = Path(__file__).parent
    with VectorStore(tmp_path) as database:
        database.add(KIND, records("a-1", 2000), units(2000))
        command = [sys.executable, "-c", READ, str(tmp_path), str(here), str(here.parent)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as reader:
            assert reader.stdout.readline() == "ready\n"
            for number in range(20):
                database.add(KIND, records(f"b{number}-1", 100), units(100, seed=number))
                time.sleep(0.03)
            _, said = reader.communicate(timeout=60)

    assert reader.returncode == 0, said


def test_collections_are_kept_apart(database):
    """Dropping one leaves the other, and a dropped one can be made again."""
    for name in (KIND, "sentences-abc"):
        database.add(name, records("a-1", 2), units(2))
    assert database.collections() == [KIND, "sentences-abc"]

    database.drop(KIND)
    assert database.collections() == ["sentences-abc"]
    database.add(KIND, records("a-1", 1), units(1, dimension=4))

    assert database.read(KIND).matrix.shape == (1, 4)
    assert database.count("sentences-abc") == 2


def test_the_space_is_cosine(database):
    """Chroma's own default is Euclidean, and keeps silent about it."""
    database.add(KIND, records("a-1", 1), units(1))

    found = database._client.get_collection(KIND, embedding_function=None).configuration_json

    assert found["hnsw"]["space"] == "cosine"
    assert found["embedding_function"] == {"type": "legacy"}  # Chroma's word for none


def test_another_space_is_refused(database, tmp_path):
    """A collection that somebody made with another distance is not misread."""
    database._client.create_collection(KIND, embedding_function=None)

    with pytest.raises(StoreError, match="by l2, not by cosine"):
        database.read(KIND)
    with pytest.raises(StoreError, match="--store"):
        database.add(KIND, records("a-1", 1), units(1))


@pytest.mark.parametrize("wrong", [units(2, dimension=5), np.full((2, 8), np.nan, np.float32)])
def test_other_vectors_are_refused(database, wrong):
    """A vector of another dimension, or of what is no number, does not get in."""
    database.add(KIND, records("a-1", 1), units(1))

    with pytest.raises(StoreError, match="Chroma database"):
        database.add(KIND, records("a-2", 2), wrong)
    assert database.count(KIND) == 1


OFFLINE = """
import json, socket, sys
tried = []
def refuse(*args, **more):
    tried.append(str(args))
    raise OSError("no network in this test")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from pathlib import Path
import numpy as np
from rag.vectors import Record, VectorStore
assert "chromadb" not in sys.modules
with VectorStore(Path(sys.argv[1])) as database:
    vector = np.ones((1, 4), dtype=np.float32) / 2
    database.add("chunks-abc", [Record("a-1", 0, 0, 1, "text")], vector)
    found = [database.reachable("chunks-abc", vector[0]), len(database.read("chunks-abc").numbers)]
    telemetry = database._client.get_settings().anonymized_telemetry
print(json.dumps([tried, found, telemetry]))
"""


def test_nothing_is_sent_or_downloaded(tmp_path):
    """No telemetry and no embedding function: adding, searching and reading work offline."""
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(tmp_path)],
        env={**os.environ, "HOME": str(tmp_path)},  # where a downloaded model would lie
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stderr[-2000:]
    assert json.loads(ran.stdout) == [[], [1, 1], False]
    assert not (tmp_path / ".cache").exists()


def test_a_place_that_cannot_hold_a_database_is_one_sentence(tmp_path):
    """Whatever Chroma's core raises, and the next attempt elsewhere works."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / FOLDER).write_text("in the way")
    with pytest.raises(StoreError, match="Chroma database"):
        VectorStore(tmp_path / "a")

    (tmp_path / "a" / FOLDER).unlink()
    with VectorStore(tmp_path / "a") as database:
        assert database.collections() == []


def test_a_damaged_database_is_one_sentence(tmp_path):
    """A file of garbage is named."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "chroma.sqlite3").write_bytes(b"garbage " * 1000)

    with pytest.raises(StoreError, match="doctor --repair"):
        VectorStore(tmp_path)


def test_looking_makes_nothing(tmp_path):
    """Asking whether there is a database creates none."""
    assert not vectors.exists(tmp_path)
    assert list(tmp_path.iterdir()) == []
    VectorStore(tmp_path).__exit__(None, None, None)
    assert vectors.exists(tmp_path)


def test_a_collection_of_several_parts_is_one(database, monkeypatch, tmp_path):
    """However many of Chroma's collections hold the records, they are written, read and removed."""
    monkeypatch.setattr(vectors, "MOST_IN_PART", 4)
    made = units(11)
    every = [*records("a-1", 3), *records("b-1", 5), *records("c-1", 3)]
    database.add(KIND, every[:5], made[:5])
    database.add(KIND, every[5:], made[5:])
    assert sorted(one.name for one in database._client.list_collections()) == [
        KIND,
        f"{KIND}_1",
        f"{KIND}_2",
    ]
    assert database.collections() == [KIND]
    np.testing.assert_allclose(database.read(KIND).matrix, made, atol=1e-6)
    assert database.count(KIND) == database.reachable(KIND, made[0]) == 11
    assert database.reached(KIND, 100) == vectors.Reach(11, 11, 11)

    database.remove(KIND, ["b-1"], {"b-1": 5})
    database.remove(KIND, ["c-1", "unknown"])
    assert database.read(KIND).versions == ("a-1",) * 3
    database.add(KIND, records("d-1", 3), units(3))
    assert set(database.read(KIND).versions) == {"a-1", "d-1"}
    database.drop(KIND)
    assert database._client.list_collections() == []


def test_a_small_update_reads_no_other_part(tmp_path, monkeypatch):
    """Chroma reads a graph before it changes it: what is full is left alone."""
    monkeypatch.setattr(vectors, "MOST_IN_PART", 2_000)
    with VectorStore(tmp_path) as database:
        for n in range(3):
            database.add(KIND, records(f"a-{n}", 2_000), units(2_000, n, 384))

    def bytes_read():
        return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])

    if not Path("/proc/self/io").exists():
        pytest.skip("only Linux says how much was read")
    full = sum(p.stat().st_size for p in (tmp_path / FOLDER).glob("*/*"))
    with VectorStore(tmp_path) as database:
        before = bytes_read()
        part = []
        database.add(
            KIND, records("b-1", 5), units(5, 9, 384), placed=lambda _, number: part.append(number)
        )
        database.remove(KIND, ["b-1"], {"b-1": 5}, {"b-1": part})
        assert part == [3]
        assert bytes_read() - before < full / 2


def test_what_no_query_reaches_is_held_in_every_part(database, monkeypatch):
    """Of many equal vectors a graph loses some from sight: their ids bring them, part by part."""
    monkeypatch.setattr(vectors, "MOST_IN_PART", 600)
    made = units(1_200)
    made[::2] = made[0]
    assert database.add(KIND, records("a-1", 1_200), made) == 0

    for most in (5_000, 300):  # all looked for, and a sample
        reach = database.reached(KIND, most)
        assert reach.stored == reach.held == 1_200
        assert reach.queried < 1_200
        assert f"and {1_200 - reach.queried} by id alone" in str(reach)
