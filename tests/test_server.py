"""A real Chroma server in place of the folder's database: shared, restarted, slow, gone, wrong."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from eval import crash
from rag import app, embeddings, indexing, remote, store, vectors
from rag.embed import load_embedded
from rag.errors import StoreAway, StoreError
from rag.settings import Settings
from rag.types import Corpus
from rag.vectors import VectorStore
from tests.test_store import NEW, OLD, assert_answers, by_id, corpus, held

ROOT = Path(__file__).parent.parent
CHROMA = Path(sys.executable).parent / "chroma"
QUESTION = "How many grams does Sparrow 3 weigh?"


def free_port():
    """A port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


@contextmanager
def chroma(folder, port):
    """`chroma run` on *folder*, answering when this begins."""
    command = [str(CHROMA), "run", "--path", str(folder), "--port", str(port)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder.parent,
        env={**os.environ, "CHROMA_TELEMETRY": "False"},
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
                break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a Chroma server."""
    port = free_port()
    with chroma(tmp_path_factory.mktemp("server") / "data", port):
        yield f"http://127.0.0.1:{port}"


def settings(folder, url):
    """Settings of a store in *folder* with its vectors at *url*."""
    environment = {"PAPERCHAT_CHROMA_URL": url} if url else {}
    return Settings.from_environment(store=folder, environment=environment)


def update(folder, url, papers, **how):
    """Update; the counts of the report, in short."""
    turn = indexing.Turn(server=url)
    report = indexing.update(folder, corpus(*papers), load_embedded(), turn=turn, **how)
    return f"{report.new} {report.changed} {report.unchanged} {report.removed}"


def load(folder, url):
    """The live generation."""
    return store.load(folder, store.fingerprint(load_embedded()), url)


def wrong(folder, url):
    """What the doctor finds not well."""
    return [what for what, well, _ in app.doctor(settings(folder, url)) if not well]


def test_a_store_lives_on_a_server(tmp_path, address):
    """Added, changed, removed and built anew: the same answers and checks as in a folder."""
    assert update(tmp_path, address, OLD) == "6 0 0 0"
    assert wrong(tmp_path, address) == []
    assert not (tmp_path / vectors.FOLDER).exists()
    assert update(tmp_path, address, NEW, prune=True) == "2 1 4 1"
    for how in ({}, {"rebuild": True}):
        update(tmp_path, address, (), **how)
        snapshot = load(tmp_path, address)
        assert held(snapshot) == by_id(NEW)
        assert_answers(snapshot)
        assert wrong(tmp_path, address) == []
        with VectorStore(tmp_path, address) as database:
            space = snapshot.manifest.space
            assert database.collections() == [f"chunks-{space}", f"sentences-{space}"]


def test_vectors_are_read_from_the_server_where_none_are_kept(tmp_path, address):
    """Page by page, and the same as those kept."""
    update(tmp_path, address, OLD)
    fast = load(tmp_path, address)
    embeddings.destroy(tmp_path)
    slow = load(tmp_path, address)

    assert abs(fast.sentences - slow.sentences).max() < 1e-6
    assert (fast.sentence_starts == slow.sentence_starts).all()


def test_two_stores_share_a_server(tmp_path, address):
    """Neither takes the other's collections for left over."""
    one, other = tmp_path / "one", tmp_path / "other"
    update(one, address, OLD)
    update(other, address, NEW)
    update(one, address, (), rebuild=True)
    update(other, address, (), rebuild=True)

    assert held(load(one, address)) == by_id(OLD)
    assert (wrong(one, address), wrong(other, address)) == ([], [])


def test_several_processes_use_one_server(tmp_path, address):
    """Two indexers that wait for each other, and command lines that ask."""
    folder = tmp_path / "store"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PAPERCHAT_CHROMA_URL": address}

    def started(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "ui.cli", *map(str, arguments)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    files = [tmp_path / f"{n}.jsonl" for n in range(2)]
    for n, file in enumerate(files):
        crash._birds(file, range(20 * n, 20 * n + 20))
    both = [started("index", "--store", folder, "--wait", 60, file) for file in files]
    ends = [(*one.communicate(timeout=90), one.returncode) for one in both]
    assert [code for *_, code in ends] == [0, 0], ends
    askers = [started("ask", "--store", folder, "--json", QUESTION) for _ in range(2)]
    said = [json.loads(one.communicate(timeout=90)[0]) for one in askers]

    assert all("3 grams" in one["answer"] for one in said)
    assert wrong(folder, address) == []
    assert app.open_chat(settings(folder, address)).describe() == "40 papers"


def test_a_server_that_restarts_is_waited_for(tmp_path, monkeypatch):
    """A few seconds without it fail nothing, and no process has to be started again."""
    monkeypatch.setattr(remote, "PAUSES", (*remote.PAUSES, 10.0))  # to start may take long here
    data, port = tmp_path / "data", free_port()
    url, folder = f"http://127.0.0.1:{port}", tmp_path / "store"
    with chroma(data, port):
        update(folder, url, OLD)
        chat = app.open_chat(settings(folder, url))
    back = threading.Event()

    def restart():
        time.sleep(1.0)
        with chroma(data, port):
            back.wait(60)

    again = threading.Thread(target=restart)
    again.start()
    try:
        assert update(folder, url, NEW, prune=True) == "2 1 4 1"
        assert chat.describe() == "7 papers"
        assert wrong(folder, url) == []
    finally:
        back.set()
        again.join()


def test_a_server_that_is_gone_is_named_and_answers_go_on(tmp_path, monkeypatch, caplog):
    """Indexing stops with one line; questions are answered from what is kept; later all goes on."""
    monkeypatch.setattr(remote, "PAUSES", (0.05,))
    data, port = tmp_path / "data", free_port()
    url, folder = f"http://user:secret@127.0.0.1:{port}", tmp_path / "store"
    with chroma(data, port):
        update(folder, url, OLD)
    with pytest.raises(StoreAway, match=r"cannot be reached.*start it") as caught:
        update(folder, url, NEW)
    assert "secret" not in str(caught.value)
    assert held(load(folder, url)) == by_id(OLD)
    assert "answering from the vectors kept" in caplog.text
    assert "secret" not in caplog.text
    found = {what: said for what, well, said in app.doctor(settings(folder, url)) if not well}
    assert "cannot be reached" in found["index"]

    with chroma(data, port):
        assert update(folder, url, NEW, prune=True) == "2 1 4 1"
        assert wrong(folder, url) == []


def test_a_server_that_lost_its_data_is_noticed_and_filled_again(tmp_path):
    """Another server at the same address holds nothing of ours."""
    port = free_port()
    url, folder = f"http://127.0.0.1:{port}", tmp_path / "store"
    with chroma(tmp_path / "data", port):
        update(folder, url, OLD)
    with chroma(tmp_path / "empty", port):
        with pytest.raises(StoreError, match="lacks parts"):
            load(folder, url)
        app.repair(settings(folder, url))
        assert held(load(folder, url)) == by_id(OLD)
        assert wrong(folder, url) == []


def test_a_store_moves_to_a_server_and_back(tmp_path, address):
    """A rebuild fills the place that is set; nothing is embedded for it."""
    indexing.update(tmp_path, corpus(*OLD), load_embedded())
    update(tmp_path, address, (), rebuild=True)
    assert held(load(tmp_path, address)) == by_id(OLD)
    assert wrong(tmp_path, address) == []

    indexing.update(tmp_path, Corpus((), (), 0), load_embedded(), rebuild=True)
    assert wrong(tmp_path, None) == []


class Odd(http.server.BaseHTTPRequestHandler):
    """A server that is something else."""

    status, text, pause = 200, "<html>", 0.0

    def do_GET(self):
        """Say what it says."""
        time.sleep(self.pause)
        with suppress(OSError):
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(self.text.encode())

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"text": "<html>"}, "is no Chroma server"),
        ({"status": 404}, "is no Chroma server"),
        ({"status": 401}, "wants a login"),
        ({"text": '"0.6.3"'}, "has version 0.6.3, this PaperChat speaks to 1.x"),
        ({"pause": 1.0}, "gave no answer within"),
    ],
)
def test_a_wrong_server_is_one_sentence(tmp_path, monkeypatch, odd, said):
    """What it is, where, and what to do."""
    monkeypatch.setattr(remote, "KNOCK", 0.3)
    handler = type("Handler", (Odd,), odd)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(StoreError, match=said) as caught:
            update(tmp_path, url, OLD)
        server.shutdown()

    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_with_a_path_is_refused(tmp_path):
    """Chroma's client would leave the path out without a word."""
    with pytest.raises(StoreError, match="http://host:port"):
        update(tmp_path, "http://127.0.0.1:1/chroma", OLD)


def test_a_password_goes_along(tmp_path):
    """Each request carries the login of the address, for a proxy in front of the server."""
    got = []

    class Proxy(Odd):
        def do_GET(self):
            got.append(self.headers.get("Authorization"))
            self.send_response(401)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://ann:a%3Ab@127.0.0.1:{server.server_port}"
        with pytest.raises(StoreError, match="wants a login"):
            update(tmp_path, url, OLD)
        server.shutdown()

    assert got == ["Basic YW5uOmE6Yg=="]


def test_the_server_is_a_real_chroma(address):
    """It tells its version as the tests above take for granted."""
    with urllib.request.urlopen(f"{address}/api/v2/version", timeout=10) as reply:
        assert json.loads(reply.read()).startswith("1.")
    assert replace(remote.parsed(address), port=1).shown == "http://127.0.0.1:1"
