"""An open page belongs to its owner: what somebody else sends in its name meets nothing."""

from __future__ import annotations

import asyncio
import copy
import json

import httpx
import pytest

from rag.history import History
from ui.page.busy import Busy
from ui.page.chat import Page, Session
from ui.page.people import hashed
from ui.page.session import Pages, sealed

QUESTION = "What MFU does MegaScale reach?"
PAGE = "the-name-of-anns-page"
USERS = (("ann", hashed("x1")), ("bob", hashed("x2")))


@pytest.fixture(scope="module")
def history() -> History:
    """What everybody asked."""
    return History()


@pytest.fixture(scope="module")
def address(page_server, history) -> str:
    """The page of Ann and Bob."""
    return page_server(users=USERS, history=history)


def _client(address: str, name: str, password: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, auth=(name, password), timeout=30, trust_env=False)


async def _events(client: httpx.AsyncClient) -> tuple[int, int]:
    """The numbers of the events behind Enter in the field and behind the page's own buttons."""
    config = (await client.get("/config")).json()
    ids = {one["props"].get("elem_id"): one["id"] for one in config["components"]}
    events = {
        tuple(target): one["id"] for one in config["dependencies"] for target in one["targets"]
    }
    return events[(ids["pc-question"], "submit")], events[(ids["pc-door"], "click")]


async def _asked(client: httpx.AsyncClient, event: int, data: list, **more) -> str:
    """All that the page called PAGE is told until the event is over."""
    body = {"data": data, "fn_index": event, "session_hash": PAGE, **more}
    joined = await client.post("/gradio_api/queue/join", json=body)
    joined.raise_for_status()
    told = ""
    async with client.stream("GET", f"/gradio_api/queue/data?session_hash={PAGE}") as lines:
        async for line in lines.aiter_lines():
            told += line
            if '"process_completed"' in line:
                return told
    return told


def test_who_knows_a_pages_name_gets_nothing_of_it(address, history):
    """Bob sends the name of Ann's page: neither her turns nor her answers reach him."""

    async def tried() -> tuple[str, str, str]:
        async with _client(address, "ann", "x1") as ann, _client(address, "bob", "x2") as bob:
            ask, act = await _events(ann)
            await _asked(ann, ask, [QUESTION, "", None])
            (hers,) = history.conversations("user:ann")
            follow = await _asked(bob, ask, ["And on how many GPUs?", hers.id, None])
            click = {"do": "rate", "turn": 0, "way": "down", "here": hers.id}
            rated = await _asked(bob, act, [None], event_data=click)
            mine = await _asked(ann, ask, ["And on how many GPUs?", hers.id, None])
            return follow, rated, mine

    follow, rated, mine = asyncio.run(tried())

    assert "MegaScale" not in follow + rated
    assert "MegaScale" in mine
    assert {owner for _, owner in history.rated("down")} == {"user:bob"}  # his own turn
    assert [one.title for one in history.conversations("user:bob")] == ["And on how many GPUs?"]
    (hers,) = history.conversations("user:ann")
    assert len(history.turns("user:ann", hers.id)) == 2


def test_nobody_listens_to_anothers_stream(address):
    """Bob waits at the stream of Ann's page while she asks; only she is told the answer."""

    async def tried() -> tuple[str, str]:
        async with _client(address, "ann", "x1") as ann, _client(address, "bob", "x2") as bob:
            ask, _ = await _events(ann)
            heard: list[str] = []

            async def listen() -> None:
                url = f"/gradio_api/queue/data?session_hash={PAGE}"
                async with bob.stream("GET", url) as lines:
                    async for line in lines.aiter_lines():
                        heard.append(line)  # noqa: PERF401  # what was heard before it is cut off

            listening = asyncio.create_task(listen())
            hers = await _asked(ann, ask, [QUESTION, "", None])
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            return hers, "".join(heard)

    hers, heard = asyncio.run(tried())

    assert "55.2%" in hers
    assert "55.2%" not in heard
    assert "MegaScale" not in heard


def test_nobody_stops_anothers_answer(address, history):
    """A request to cancel reaches only the pages of whoever sends it."""

    async def tried() -> str:
        async with _client(address, "ann", "x1") as ann, _client(address, "bob", "x2") as bob:
            ask, _ = await _events(ann)
            body = {"data": [QUESTION, "", None], "fn_index": ask, "session_hash": PAGE}
            event = (await ann.post("/gradio_api/queue/join", json=body)).json()["event_id"]
            stop = {"session_hash": PAGE, "fn_index": ask, "event_id": "another"}
            for one in (stop, stop | {"fn_index": ask + 1}):
                assert (await bob.post("/gradio_api/cancel", json=one)).status_code == 200
            told = ""
            url = f"/gradio_api/queue/data?session_hash={PAGE}"
            async with ann.stream("GET", url) as lines:
                async for line in lines.aiter_lines():
                    told += line
                    if '"process_completed"' in line and event in line:
                        return told
            return told

    assert "55.2%" in asyncio.run(tried())


def test_without_a_login_nothing_is_heard(address):
    """Who has not signed in can neither join, listen, cancel nor keep a page open."""

    async def tried() -> list[int]:
        async with httpx.AsyncClient(base_url=address, trust_env=False) as nobody:
            body = {"data": [], "fn_index": 0, "session_hash": PAGE, "event_id": "x"}
            replies = [
                await nobody.post("/gradio_api/queue/join", json=body),
                await nobody.post("/gradio_api/cancel", json=body),
                await nobody.get(f"/gradio_api/queue/data?session_hash={PAGE}"),
                await nobody.get(f"/gradio_api/heartbeat/{PAGE}"),
            ]
            return [one.status_code for one in replies]

    assert asyncio.run(tried()) == [401] * 4


def test_a_page_is_forgotten_soon_after_its_last_connection(monkeypatch):
    """While one connection is open it is kept; a moment after the last one it is not."""
    monkeypatch.setattr("ui.page.session.GRACE", 0.05)
    forgotten: list[str] = []
    seen: list[str] = []

    async def drill() -> None:
        leave = [asyncio.Event(), asyncio.Event()]

        async def app(scope, receive, send) -> None:
            seen.append(scope["path"])
            await leave[len(seen) - 1].wait()

        pages = Pages(app, forgotten.append)
        scope = {"type": "http", "path": "/gradio_api/heartbeat/a", "headers": []}
        beats = [asyncio.create_task(pages.pass_on(scope, None, None, "ann")) for _ in range(2)]
        await asyncio.sleep(0)
        leave[0].set()
        await asyncio.sleep(0.2)
        assert forgotten == []
        leave[1].set()
        await asyncio.gather(*beats)
        await asyncio.sleep(0.2)

    asyncio.run(drill())

    assert forgotten == [sealed("a", "ann")]
    assert seen == [f"/gradio_api/heartbeat/{sealed('a', 'ann')}"] * 2


def test_a_body_that_is_no_json_is_refused(address):
    """What cannot be sealed does not reach anybody's page."""

    async def tried() -> list[int]:
        async with _client(address, "bob", "x2") as bob:
            bodies = [b"{", b"[]", json.dumps({"session_hash": 1, "fn_index": 0}).encode()]
            kind = {"content-type": "application/json"}
            posts = [
                await bob.post("/gradio_api/queue/join", content=one, headers=kind)
                for one in bodies
            ]
            return [one.status_code for one in posts]

    assert set(asyncio.run(tried())) == {422}


def test_the_later_click_wins_whichever_comes_first():
    """A click that reaches the server after a later one begins nothing, and ends nothing."""
    busy = Busy()
    later = busy.visit("ann", "page", 2)
    overtaken = busy.visit("ann", "page", 1)
    elsewhere = busy.visit("ann", "another page", 1)

    assert (later.latest(), overtaken.latest(), elsewhere.latest()) == (True, False, True)
    overtaken.done()
    assert later.latest()
    assert busy.visit("ann", "page", 3).latest()
    assert not later.latest()


def test_what_has_been_clicked_since_is_not_written_over():
    """A page keeps what the latest click made of it, and gradio's copies are pages of their own."""
    busy, page = Busy(), Page()
    slow = busy.visit("ann", "page", 1)
    assert page.keep(Session("slow"), slow)
    quick = busy.visit("ann", "page", 2)

    assert page.keep(Session("quick"), quick)
    assert not page.keep(Session("slow"), slow)
    assert page.session == Session("quick")
    assert copy.deepcopy(page).session == Session()
