"""The real openai client against a real HTTP server on the loopback, told to fail in each way."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import openai
import pytest

from rag import app
from rag.errors import EmbeddingError, StoreError
from rag.llm import BATCH_BYTES, MOST_BYTES, OpenAIEmbedder, Patience, batches
from rag.settings import Settings
from rag.words import document_terms

KEY = "sk-secret-0123456789"
QUICK = Patience(first_pause=0.001, connect=1, silence=0.3, deadline=3)
DIMENSION = 64


def vector(text):
    """A direction that texts share in the measure in which they share words."""
    made = [0.01] * DIMENSION
    for term in document_terms(text):
        made[hashlib.sha256(term.encode()).digest()[0] % DIMENSION] += 1.0
    return made


def row(place, text):
    """One text's entry in an answer."""
    return {"object": "embedding", "index": place, "embedding": vector(text)}


def answer(handler, body, status=200, **headers):
    """Send *body*, JSON unless it is bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    given = {"content-type": "application/json", "content-length": str(len(data)), **headers}
    for name, value in given.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def well(handler, asked):
    """Answer as OpenAI does, only backwards: the numbers say which is which."""
    rows = [row(place, text) for place, text in enumerate(asked["input"])]
    answer(handler, {"object": "list", "data": rows[::-1], "model": asked["model"]})


def fail(status, code=None, words="no", **headers):
    """A way to answer with an error status."""
    error = {"error": {"message": words, "type": "error", "code": code}}
    return lambda handler, asked: answer(handler, error, status, **headers)


def say(body, **headers):
    """A way to answer with this body, whatever was asked."""
    return lambda handler, asked: answer(handler, body, **headers)


def data(*vectors):
    """A body that holds these vectors, numbered from 0."""
    return {"data": [{"index": n, "embedding": made} for n, made in enumerate(vectors)]}


def hang_up(handler, asked):
    """Close the line without a word."""
    handler.close_connection = True


def break_off(handler, asked):
    """Promise more than is sent."""
    answer(handler, b'{"data": [', **{"content-length": "1000"})
    handler.close_connection = True


def say_nothing(handler, asked):
    """Take longer than anybody waits."""
    time.sleep(0.6)
    handler.close_connection = True


def drip(handler, asked):
    """Send one space after another, as long as somebody listens."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


class Loopback(ThreadingHTTPServer):
    """A server that answers in the ways of `plan`, one a request, and then well."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan = []
        self.asked = []
        self.keys = []

    @property
    def url(self):
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    """Reads a request, notes it, and answers as planned."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Answer `/v1/embeddings`; any other path is not found."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(asked)
        self.server.keys.append(self.headers["authorization"])
        if self.path != "/v1/embeddings":
            fail(404)(self, asked)
        elif self.server.plan:
            self.server.plan.pop(0)(self, asked)
        else:
            well(self, asked)

    def log_message(self, *args):
        """Keep the test's output clean."""


@pytest.fixture
def server(monkeypatch):
    """A server that runs as long as the test."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/never")
    with Loopback() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def embed(server):
    """The embedder at that server."""
    return OpenAIEmbedder("tiny", KEY, server.url, QUICK)


def refused(embed, *texts):
    """The error that embedding *texts* ends in."""
    with pytest.raises(EmbeddingError) as caught:
        embed(texts or ["one"])
    return caught.value


def test_rows_are_unit_vectors_in_the_order_of_the_texts(server, embed):
    """Row i belongs to text i, however the server orders its answer."""
    texts = ["zebra stripes", "graph index", "video model"]

    got = embed(texts)

    wanted = np.array([vector(text) for text in texts])
    assert got.dtype == np.float32
    assert got.shape == (3, DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(got, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), 1e-5)
    assert server.keys == [f"Bearer {KEY}"]
    assert server.asked == [{"input": texts, "model": "tiny", "encoding_format": "float"}]


def test_requests_stay_within_both_limits(server, embed):
    """No request has more than 100 texts or 64,000 bytes, and progress counts every text."""
    texts = ["short"] * 230 + ["é" * 3_500] * 10
    steps = []

    got = embed(texts, steps.append)

    sizes = [len(asked["input"]) for asked in server.asked]
    assert got.shape == (240, DIMENSION)
    assert max(sizes) == 100
    assert steps == sizes
    assert sum(sizes) == 240
    for asked in server.asked:
        assert sum(len(text.encode()) for text in asked["input"]) <= BATCH_BYTES


def test_batches_keep_every_text_in_order():
    """Cutting into requests loses nothing, and a text that fills a request goes alone."""
    texts = ["a" * BATCH_BYTES, "b", "", "c" * BATCH_BYTES, "d"]

    got = list(batches(texts))

    assert got == [[texts[0]], ["b", ""], [texts[3]], ["d"]]


def test_no_texts_need_no_server():
    """Nothing to embed is nothing to ask."""
    assert OpenAIEmbedder("tiny", KEY, "http://127.0.0.1:9", QUICK)([]).shape[0] == 0


@pytest.mark.parametrize("text", ["", "a\ud800b", "\0", "数" * 5_000, "x" * 50_000])
def test_any_text_can_be_sent(server, embed, text):
    """Empty, broken and endless texts arrive as something a server takes."""
    got = embed([text])

    sent = server.asked[0]["input"][0]
    assert got.shape == (1, DIMENSION)
    assert 0 < len(sent.encode()) <= MOST_BYTES
    assert embed.truncated([text, "short"]) == (len(text) > 100)


@pytest.mark.parametrize(
    "passing",
    [fail(429), fail(500), fail(502), fail(503), fail(408), hang_up, break_off],
    ids=["429", "500", "502", "503", "408", "hang up", "break off"],
)
def test_what_passes_is_tried_again(server, embed, passing):
    """A limit, a broken server and a lost line are met with patience, and only by us."""
    server.plan = [passing, passing]

    assert embed(["one"]).shape == (1, DIMENSION)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (401, "invalid_api_key", "OPENAI_API_KEY"),
        (403, None, "OPENAI_API_KEY"),
        (404, "model_not_found", "PAPERCHAT_EMBEDDING_MODEL"),
        (429, "insufficient_quota", "billing"),
        (400, None, "embedding model"),
        (422, None, "embedding model"),
    ],
)
def test_what_stays_is_not_tried_again(server, embed, status, code, advice):
    """A wrong key, an empty account and an unknown model are said at once, with the way out."""
    server.plan = [fail(status, code)] * 3

    error = refused(embed)

    assert len(server.asked) == 1
    assert advice in str(error)
    assert str(status) in str(error)
    assert "\n" not in str(error)
    assert isinstance(error.__cause__, openai.APIStatusError)


def test_patience_ends(server):
    """A server that stays broken is given up after the last attempt, in the server's own words."""
    server.plan = [fail(503, words="the card\nis  hot")] * 9
    embed = OpenAIEmbedder("tiny", KEY, server.url, Patience(attempts=3, first_pause=0.001))

    assert "503: the card is hot" in str(refused(embed))
    assert len(server.asked) == 3


def test_the_server_says_how_long_to_wait(server, embed):
    """Retry-After is kept, and a wait past the deadline is not begun."""
    server.plan = [fail(429, **{"retry-after": "0.3"})]
    began = time.monotonic()
    embed(["one"])
    assert 0.3 <= time.monotonic() - began < 2

    server.plan = [fail(429, **{"retry-after": "3600"})]
    began = time.monotonic()
    assert "later" in str(refused(embed))
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("slow", [say_nothing, drip], ids=["says nothing", "drips"])
def test_every_wait_has_an_end(server, slow):
    """Neither silence nor an answer that drips for ever outlasts the deadline."""
    server.plan = [slow] * 9
    patience = Patience(first_pause=0.01, silence=0.2, deadline=0.5)
    began = time.monotonic()

    error = refused(OpenAIEmbedder("tiny", KEY, server.url, patience))

    assert time.monotonic() - began < 1.5
    assert "in time" in str(error)


def test_nobody_answers(server):
    """A server that does not run is named, without the password in its address."""
    url = f"http://me:password@127.0.0.1:{server.server_port}/v1"
    server.server_close()
    patience = Patience(calls=2, first_pause=0.01, connect=0.5)

    said = str(refused(OpenAIEmbedder("tiny", None, url, patience)))

    assert f"127.0.0.1:{server.server_port}" in said
    assert "OPENAI_BASE_URL" in said
    assert "password" not in said


WRONG = {
    "a page": say(b"<html>log in</html>", **{"content-type": "text/html"}),
    "broken JSON": say(b'{"data": [{"index": 0, "embedding": [1.0'),
    "no UTF-8": say(b"\xff\xfe"),
    "other JSON": say({"ok": True}),
    "null": say(b"null"),
    "no numbers": say(data(["one", "two"])),
    "huge numbers": say(data([10**400, 1])),
    "deep nesting": say(b"[" * 200_000),
    "too few": say(data([1.0, 2.0])),
    "too many": say(data([1.0, 2.0], [1.0, 3.0], [2.0, 2.0])),
    "none": say(data()),
    "no index": say({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]}),
    "one index twice": say({"data": [{"index": 0, "embedding": [1.0]}] * 2}),
    "other lengths": say(data([1.0, 2.0], [1.0])),
    "no length": say(data([], [])),
    "zeros": say(data([1.0, 2.0], [0.0, 0.0])),
    "NaN": say(data([1.0, 2.0], [float("nan"), 1.0])),
    "null inside": say(data([1.0, 2.0], [None, 1.0])),
    "infinity": say(data([1.0, 2.0], [float("inf"), 1.0])),
    "past doubles": say(data([1.0, 2.0], [1e200, 1e200])),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_only_whole_answers_are_taken(server, embed, wrong):
    """One finite vector for each text, not zero, numbered from 0: anything else is refused."""
    server.plan = [wrong]

    assert server.url.split("/")[2] in str(refused(embed, "one", "two"))
    assert len(server.asked) == 1


def test_the_dimension_stays(server, embed):
    """A server that changes its model between two requests is noticed."""
    embed(["one"])
    server.plan = [say(data([1.0, 2.0, 2.0]))]

    said = str(refused(embed))

    assert "64" in said
    assert "3" in said


def test_the_key_stays_secret(server, embed):
    """No message, traceback or repr shows the key, even where the server repeats it."""
    server.plan = [fail(400, words=f"you sent Bearer {KEY}")]

    error = refused(embed)

    told = "".join(traceback.format_exception(error))
    assert "you sent Bearer ***" in told
    assert KEY not in told + repr(embed) + embed.fingerprint


def test_nothing_to_go_by():
    """Without key and address, the sentence names both and the way back."""
    with pytest.raises(EmbeddingError, match=r"OPENAI_API_KEY.*OPENAI_BASE_URL.*EMBEDDING_MODEL"):
        OpenAIEmbedder("tiny", None, None)


def test_a_server_without_keys_gets_none(server):
    """The key in the process's environment does not reach a server that it was not chosen for."""
    OpenAIEmbedder("tiny", None, server.url, QUICK)(["one"])

    assert server.keys == ["Bearer none"]


def test_a_password_in_the_address_is_sent(server):
    """A server behind a password prompt is reached by http://user:password@host."""
    OpenAIEmbedder("tiny", None, server.url.replace("//", "//me:password@"), QUICK)(["one"])

    assert server.keys[0].startswith("Basic ")


def test_a_server_that_wants_a_key_says_so(server):
    """Without a key, being refused means that one is missing, not that it is wrong."""
    server.plan = [fail(401)]

    assert "set OPENAI_API_KEY" in str(refused(OpenAIEmbedder("tiny", None, server.url, QUICK)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "k", None), ("b", "k", None)),
        (("a", "k", None), ("a", "k", "http://h/v1")),
        (("a", "k", "http://h/v1"), ("a", "k", "http://h:81/v1")),
    ],
)
def test_the_fingerprint_is_model_and_server(one, other):
    """Another model or server is another fingerprint; another key or password is not."""
    assert OpenAIEmbedder(*one).fingerprint != OpenAIEmbedder(*other).fingerprint
    same = (one[0], "other", one[2] and one[2].replace("//", "//me:password@"))
    assert OpenAIEmbedder(*same).fingerprint == OpenAIEmbedder(*one).fingerprint
    assert "password" not in OpenAIEmbedder(*same).fingerprint


def kinds(kind=openai.OpenAIError):
    """Every error class of the client."""
    return {kind}.union(*(kinds(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(kinds(), key=str), ids=lambda kind: kind.__name__)
def test_every_error_of_the_client_has_a_sentence(embed, kind, monkeypatch):
    """No error class of openai leaves the door, in whatever version."""
    error = kind.__new__(kind)
    if issubclass(kind, openai.APIStatusError):
        error.status_code, error.body = getattr(kind, "status_code", 500), None

    def ask(self, batch, ends):
        raise error

    monkeypatch.setattr(OpenAIEmbedder, "_ask", ask)

    assert str(refused(embed)).startswith("the ")


def test_many_threads_share_one_embedder(embed):
    """Concurrent calls get their own answers."""
    texts = [f"word{n} other{n}" for n in range(12)]
    got = {}

    def work(text):
        got[text] = embed([text])[0]

    threads = [threading.Thread(target=work, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    np.testing.assert_allclose([got[text] for text in texts], embed(texts), atol=1e-6)


def test_openai_is_imported_when_first_asked():
    """Choosing a model costs nothing until something is embedded."""
    code = (
        "import sys; from rag.llm import OpenAIEmbedder;"
        "OpenAIEmbedder('a', 'k', None).fingerprint; sys.exit('openai' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


PAPERS = {
    "ZebraCache: Striped Caches for Servers": "We propose ZebraCache, a striped cache."
    " It serves 41% more requests per second than a plain cache. Memory use stays the same.",
    "Graph Walks on a Diet": "Walking a graph index needs memory. We prune 70% of its edges."
    " Recall falls by less than one point.",
    "FilmBERT: Reading Videos": "We present FilmBERT, a model of video. It watches three frames a"
    " second. Accuracy on film questions rises to 81.5.",
}


@pytest.fixture
def settings(server, tmp_path):
    """Settings by the name of the embedding model: one at the server, or the embedded one."""
    return lambda model: Settings(
        embedding_model=model, base_url=server.url, store=tmp_path / "store"
    )


def test_an_index_belongs_to_its_model(server, settings, tmp_path):
    """An index made at a server answers, refuses the embedded model, and is rebuilt for it."""
    file = tmp_path / "papers.jsonl"
    rows = [json.dumps({"title": title, "abstract": text}) for title, text in PAPERS.items()]
    file.write_text("\n".join(rows), encoding="utf-8")

    report = app.index(settings("tiny"), [file])
    answer = app.open_chat(settings("tiny")).ask(
        "How many edges of a graph index are pruned?", mode="extractive"
    )

    assert (report.new, report.rebuilt) == (3, "")
    assert answer.retrieved[0].paper.title == "Graph Walks on a Diet"
    assert {asked["model"] for asked in server.asked} == {"tiny"}

    with pytest.raises(StoreError, match="another embedding model"):
        app.open_chat(settings("embedded"))
    report = app.index(settings("embedded"), [file])
    asked = len(server.asked)

    assert (report.new, report.unchanged) == (0, 3)
    assert "model" in report.rebuilt
    hits = app.open_chat(settings("embedded")).search("a network that watches movies", 3)
    assert hits[0].paper.title == "FilmBERT: Reading Videos"
    assert len(server.asked) == asked
    with pytest.raises(StoreError, match="another embedding model"):
        app.open_chat(settings("tiny"))


def test_a_server_that_fails_leaves_the_index_as_it_was(server, settings, tmp_path):
    """An update that the server breaks off changes nothing."""
    for number, (title, text) in enumerate(PAPERS.items()):
        line = json.dumps({"title": title, "abstract": text})
        (tmp_path / f"{number}.jsonl").write_text(line, encoding="utf-8")
    app.index(settings("tiny"), [tmp_path / "0.jsonl"])
    before = app.open_chat(settings("tiny")).ask("What is ZebraCache?", mode="extractive")
    server.plan = [fail(401)]

    with pytest.raises(EmbeddingError):
        app.index(settings("tiny"), [tmp_path])

    after = app.open_chat(settings("tiny")).ask("What is ZebraCache?", mode="extractive")
    assert (after.index, after.papers_in_corpus) == (before.index, 1)
    assert app.index(settings("tiny"), [tmp_path]).new == 2
