"""What the page's server answers, asked over HTTP as browsers and programs do."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator

import bibtexparser
import pytest
from starlette.testclient import TestClient

from rag.history import History
from rag.types import Answer, Citation, Evidence, Hit, Paper, Source, Statement
from ui.app import application
from ui.page.export import as_bibtex, as_csv, cell
from ui.page.people import People, hashed, matches

QUESTION = "What MFU does MegaScale reach?"
TITLE = "MegaScale: Scaling Large Language Model Training to More Than 10,000 GPUs"
USERS = (("ann", hashed("a secret")), ("bob", "plain"))


@pytest.fixture(scope="module")
def history() -> History:
    """What everybody asked."""
    return History()


@pytest.fixture(scope="module")
def open_page(seed_chat, history) -> Iterator[TestClient]:
    """The page that everybody may use."""
    about = {"Version": "1.2.3"}
    app = application(seed_chat, history=history, about=about)
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def closed_page(seed_chat) -> TestClient:
    """The page of Ann and Bob."""
    return TestClient(application(seed_chat, users=USERS), follow_redirects=False)


def test_rest_gives_the_answer_record(open_page, seed_chat):
    """A program gets what the command line prints, evidence and all."""
    told = open_page.post("/api/ask", json={"question": QUESTION}).json()

    assert told["statements"][0]["verdict"] == "supported"
    assert told["statements"][0]["citations"][0]["title"] == TITLE
    assert "55.2%" in told["answer"]


def test_rest_searches_compares_and_verifies(open_page):
    """The other three verbs, each with the record of the contract."""
    found = open_page.post("/api/search", json={"query": "MegaScale", "n": 3}).json()
    assert [len(found["results"]), found["results"][0]["title"]] == [3, TITLE]
    compared = open_page.post("/api/compare", json={"papers": ["MegaScale", "ByteScale"]}).json()
    assert [one["found"] for one in compared["table"]["subjects"]] == [True, True]
    claim = {"claim": "MegaScale reaches 65.2% MFU.", "title": "MegaScale"}
    assert open_page.post("/api/verify", json=claim).json()["verdict"] == "contradicted"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("ask", {"question": " "}),
        ("ask", {}),
        ("search", {"query": "x", "n": 10_000}),
        ("compare", {"papers": ["MegaScale"]}),
        ("verify", {"claim": "x", "title": "No such paper at all"}),
    ],
)
def test_rest_refuses_what_cannot_be_done(open_page, path, body):
    """A bad request is told so, without a traceback."""
    reply = open_page.post(f"/api/{path}", json=body)

    assert reply.status_code == 422
    assert "Traceback" not in reply.text


def test_the_interface_describes_itself(open_page):
    """OpenAPI names the four verbs and health, and nothing of the page's own."""
    told = open_page.get("/api/openapi.json").json()

    assert set(told["paths"]) == {
        "/api/ask",
        "/api/search",
        "/api/compare",
        "/api/verify",
        "/health",
    }
    assert open_page.get("/health").json() == {"status": "ok", "papers": 385}


def test_nobody_gets_in_without_signing_in(closed_page):
    """A browser is led to the door, a program is refused, and only health is told to all."""
    fresh = TestClient(closed_page.app, follow_redirects=False)
    assert fresh.get("/").headers["location"] == "/login"
    for path in ("/config", "/page/papers", "/api/openapi.json", "/export/x.md"):
        assert fresh.get(path).status_code == 401
    for path in ("/api/ask", "/mcp"):
        assert fresh.post(path, json={"question": QUESTION}).status_code == 401
    assert fresh.get("/health").status_code == 200


def test_signing_in_and_out(closed_page):
    """The right password opens the page until one signs out; a wrong one says so."""
    fresh = TestClient(closed_page.app, base_url="http://testserver", follow_redirects=False)
    wrong = fresh.post("/login", data={"username": "ann", "password": "b"})
    assert (wrong.status_code, "do not go together" in wrong.text) == (400, True)
    assert fresh.post("/login", data={"username": "ann", "password": "a secret"}).status_code == 303
    assert fresh.get("/page/papers").status_code == 200
    fresh.get("/logout")
    assert fresh.get("/page/papers").status_code == 401


def test_programs_sign_in_with_every_request(closed_page):
    """REST and MCP take the same names and passwords as Basic authentication."""
    fresh = TestClient(closed_page.app)
    coded = base64.b64encode(b"bob:plain").decode()
    reply = fresh.post(
        "/api/ask", json={"question": QUESTION}, headers={"authorization": f"Basic {coded}"}
    )
    assert reply.status_code == 200


def test_a_hashed_password_is_told_from_others():
    """The file need not hold what opens the page."""
    assert matches("a secret", USERS[0][1])
    assert not matches("a secre", USERS[0][1])
    assert not matches(USERS[0][1], USERS[0][1])
    assert "a secret" not in USERS[0][1]


def test_guessing_is_stopped_for_a_while():
    """After ten wrong passwords in a minute, not even the right one opens."""
    people = People([("ann", "right")])
    for guess in range(10):
        assert not people.sign_in("ann", str(guess))

    assert people.sign_in("ann", "right") == ""


def _visitor(client, letter):
    return {"cookie": f"paperchat_visitor={letter * 32}"}


def test_a_conversation_is_exported_by_its_owner_only(open_page, history, seed_chat):
    """Markdown with quotations, BibTeX and CSV of what was cited; for others it is not there."""
    owner = People().owner(_visitor(open_page, "a"))
    place = history.begin(owner, "", 0, QUESTION)
    history.keep(place, seed_chat.ask(QUESTION), "")
    name = place.conversation
    for kind in ("md", "bib", "csv"):
        reply = open_page.get(f"/export/{name}.{kind}", headers=_visitor(open_page, "a"))
        assert "MegaScale" in reply.text
        assert "attachment" in reply.headers["content-disposition"]
        other = open_page.get(f"/export/{name}.{kind}", headers=_visitor(open_page, "b"))
        assert other.status_code == 404
    assert open_page.get(f"/export/{name}.exe", headers=_visitor(open_page, "a")).status_code == 404


def test_papers_are_filtered_by_words_and_kind(open_page):
    """The count and the titles are those of the papers that hold all the words."""
    all_of_them = open_page.get("/page/papers").text
    some = open_page.get("/page/papers", params={"q": "megascale"}).text

    assert "385 papers" in all_of_them
    assert TITLE in some
    surveys = open_page.get("/page/papers", params={"kind": "survey"}).text
    assert 0 < int(surveys.partition(" paper")[0].rpartition(">")[2]) < 385
    assert "0 papers" in open_page.get("/page/papers", params={"q": "zzyzx"}).text


def test_every_sentence_of_a_text_gets_a_verdict(open_page):
    """Each goes by the paper that it names, or by the one before."""
    text = "MegaScale reaches 65.2% MFU. It was trained on 12,288 GPUs."
    shown = open_page.post("/page/check", json={"text": text}).text

    assert shown.count("<li data-verdict=") == 2
    assert 'data-verdict="contradicted"' in shown
    assert shown.count(TITLE) == 2
    assert "there is no text" in open_page.post("/page/check", json={"text": " "}).text


def test_a_spreadsheet_computes_nothing():
    """No cell begins as a formula does."""
    for text in ("=1+1", "+1", "-1", "@x", "\t=1", " =1"):
        assert not cell(text).startswith(("=", "+", "-", "@", "\t"))
    rows = list(csv.reader(io.StringIO(as_csv([_hostile("=cmd|'/c calc'!A1")]))))

    assert len(rows) == 2
    assert all(not one.startswith(("=", "+", "@")) for one in rows[1])


@pytest.mark.parametrize("text", ["} @comment{", "a {b} \\input{x}", "50% & #1 $x_1$ ~^", "\\"])
def test_bibtex_reads_what_was_written(text):
    """No brace or backslash of a title ends an entry or begins a command."""
    library = bibtexparser.parse_string(as_bibtex([_hostile(text)]))

    assert (len(library.entries), len(library.failed_blocks)) == (1, 0)
    assert not library.comments
    assert "\\input" not in as_bibtex([_hostile(text)])


def _hostile(text: str) -> Answer:
    paper = Paper("id", text, text, "hash", authors=(text,), year=2024, url=f"http://x/{text}")
    cited = Citation(1, "id", text, (Evidence("id", text, 0, len(text), text),))
    return Answer(
        question=text,
        standalone_question=text,
        shape="answer",
        mode="extractive",
        statements=(Statement(text, (cited,), "supported"),),
        sources=(Source(1, "id", text),),
        retrieved=(Hit(paper, 1, 1.0),),
    )
