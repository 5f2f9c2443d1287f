"""What the server answers beside gradio's own routes.

The pieces of HTML that the tabs ask for, the downloads, the REST interface with its description
under `/api/openapi.json`, the same four functions as MCP tools, and whether all is well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field

from rag.errors import PaperChatError, UsageError
from rag.history import History
from rag.types import Answer
from ui.format import markdown, record, search_record, verify_record
from ui.page import add, check, papers
from ui.page.answer import html_answer, html_text
from ui.page.chat import html_conversations
from ui.page.export import KINDS, exported
from ui.page.people import People
from ui.page.turns import Chat

LONGEST = 20_000
PROTOCOL = "2025-06-18"


class Ask(BaseModel):
    """A question on its own."""

    question: Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Search(BaseModel):
    """Words or a question to rank the papers by."""

    query: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    n: Annotated[int, Field(ge=1, le=100)] = 20


class Compare(BaseModel):
    """Two to five papers by title or name, and what to compare them on."""

    papers: Annotated[list[str], Field(min_length=2, max_length=5)]
    axes: Annotated[list[str], Field(max_length=10)] = []


class Verify(BaseModel):
    """A sentence, and the paper that it cites."""

    claim: Annotated[str, Field(min_length=1, max_length=5_000)]
    title: Annotated[str, Field(min_length=1, max_length=500)]


class Text(BaseModel):
    """A text to be checked sentence by sentence, if need be all by one paper."""

    text: Annotated[str, Field(max_length=LONGEST * 2)]
    title: Annotated[str, Field(max_length=500)] = ""


class Ids(BaseModel):
    """Papers to compare, by id."""

    ids: Annotated[list[str], Field(min_length=1, max_length=20)]


@dataclass(frozen=True, slots=True)
class House:
    """What the routes work with."""

    chat: Chat
    history: History
    people: People
    shelf: papers.Shelf
    desk: add.Desk
    about: Mapping[str, str]  # settings that anybody may read


def routes(house: House) -> FastAPI:
    """An application with every route of ours; gradio is mounted under it."""
    app = FastAPI(
        title="PaperChat",
        description="Answers from paper abstracts, every sentence with the words that prove it.",
        version=house.about.get("Version", "0"),
        openapi_url="/api/openapi.json",
        docs_url=None,  # these pages would load their scripts from another host
        redoc_url=None,
    )
    app.add_exception_handler(PaperChatError, _told)
    _add_rest(app, house)
    _add_pieces(app, house)
    _add_files(app, house)
    return app


def _told(request: Request, error: Exception) -> Response:
    """An error of ours is one sentence, as HTML for the page and else as JSON."""
    status = 422 if isinstance(error, UsageError) else 503
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": str(error)}, status)
    problem = f'<p class="pc-problem" role="status">{html_text(str(error))}</p>'
    return HTMLResponse(problem, status)


# --- For programs ---------------------------------------------------------------------------------


def _add_rest(app: FastAPI, house: House) -> None:
    @app.post("/api/ask", summary="Answer a question with quotations that prove it")
    def ask(body: Ask) -> dict[str, Any]:
        return _asked(house, body)

    @app.post("/api/search", summary="Rank the papers for a query")
    def search(body: Search) -> dict[str, Any]:
        return _found(house, body)

    @app.post("/api/compare", summary="Set two to five papers side by side")
    def compare(body: Compare) -> dict[str, Any]:
        return record(house.chat.compare(body.papers, body.axes), id=None, turn=0)

    @app.post("/api/verify", summary="Whether a paper's abstract bears a sentence")
    def verify(body: Verify) -> dict[str, Any]:
        return _verified(house, body)

    @app.get("/health", summary="Whether questions can be answered")
    def health() -> JSONResponse:
        try:
            return JSONResponse({"status": "ok", "papers": len(house.chat.papers())})
        except PaperChatError as error:
            return JSONResponse({"status": "failing", "error": str(error)}, 503)

    @app.post("/mcp", include_in_schema=False)
    async def mcp(request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
        except ValueError:
            return JSONResponse(_failed(None, -32700, "this is no JSON"), 400)
        from starlette.concurrency import run_in_threadpool

        said = await run_in_threadpool(called, house, asked)
        return Response(status_code=202) if said is None else JSONResponse(said)


def _whole(chat: Chat, question: str) -> Answer:
    *_, answer = chat.stream(question)
    return answer


def _asked(house: House, body: Ask) -> dict[str, Any]:
    return record(_whole(house.chat, body.question), id=None, turn=0)


def _found(house: House, body: Search) -> dict[str, Any]:
    return search_record(house.chat.search(body.query, body.n), id=None)


def _verified(house: House, body: Verify) -> dict[str, Any]:
    title = house.chat.titled(body.title).title
    judged = house.chat.verify(body.claim, title)
    return verify_record(judged, id=None, claim=body.claim, title=title)


# The Model Context Protocol over its streamable HTTP transport, without sessions: one message in,
# one out, which is all that tools without progress need.
_TOOLS: Mapping[str, tuple[type[BaseModel], str, Callable[[House, Any], str]]] = {
    "ask": (
        Ask,
        "Answer a question from the paper abstracts; every sentence is cited and checked.",
        lambda house, body: markdown(_whole(house.chat, body.question)),
    ),
    "search": (
        Search,
        "Rank the papers for a query.",
        lambda house, body: json.dumps(_found(house, body), ensure_ascii=False),
    ),
    "compare": (
        Compare,
        "Set two to five papers, by title or name, side by side; every cell is a quotation.",
        lambda house, body: markdown(house.chat.compare(body.papers, body.axes)),
    ),
    "verify": (
        Verify,
        "Whether the abstract of a paper bears a sentence: verdict, reasons and evidence.",
        lambda house, body: json.dumps(_verified(house, body), ensure_ascii=False),
    ),
}


def called(house: House, asked: object) -> dict[str, Any] | None:
    """The answer to one message of the Model Context Protocol; None to one that wants none."""
    if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
        return _failed(None, -32600, "this is no request")
    id, given = asked.get("id"), asked.get("params") or {}
    match asked["method"]:
        case _ if id is None:
            return None
        case "initialize":
            server = {"name": "PaperChat", "version": house.about.get("Version", "0")}
            told: dict[str, Any] = {"protocolVersion": PROTOCOL, "capabilities": {"tools": {}}}
            return _answered(id, {**told, "serverInfo": server})
        case "ping":
            return _answered(id, {})
        case "tools/list":
            return _answered(id, {"tools": [_tool(name) for name in _TOOLS]})
        case "tools/call" if isinstance(given, dict) and given.get("name") in _TOOLS:
            return _answered(id, _ran(house, str(given["name"]), given.get("arguments") or {}))
        case "tools/call":
            return _failed(id, -32602, f"there is no such tool; there are {', '.join(_TOOLS)}")
    return _failed(id, -32601, "there is no such method")


def _tool(name: str) -> dict[str, Any]:
    kind, description, _ = _TOOLS[name]
    return {"name": name, "description": description, "inputSchema": kind.model_json_schema()}


def _ran(house: House, name: str, given: object) -> dict[str, Any]:
    kind, _, run = _TOOLS[name]
    try:
        text, wrong = run(house, kind.model_validate(given)), False
    except (PaperChatError, ValueError) as error:  # pydantic's error is a ValueError
        text, wrong = str(error), True
    return {"content": [{"type": "text", "text": text}], "isError": wrong}


def _answered(id: object, result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "result": result}


def _failed(id: object, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}


# --- For the page ---------------------------------------------------------------------------------


def _add_pieces(app: FastAPI, house: House) -> None:
    hidden: dict[str, Any] = {"response_class": HTMLResponse, "include_in_schema": False}

    @app.get("/page/conversations", **hidden)
    def conversations(request: Request, here: str = "") -> str:
        owner = house.people.owner_of(request)
        kept = house.history.conversations(owner) if owner else ()
        return html_conversations(kept, here)

    @app.get("/page/papers", **hidden)
    def listed(
        q: str = "", kind: str = "", year: str = "", source: str = "", start: int = 0
    ) -> str:
        return papers.html_list(house.shelf, q[:200], kind, year, source, max(0, start))

    @app.get("/page/papers/{id}", **hidden)
    def paper(id: str) -> str:
        found = house.shelf.paper(id)
        if found is None:
            raise UsageError("this paper is no longer in the collection; search again")
        return papers.html_paper(found)

    @app.post("/page/compare", **hidden)
    def compared(body: Ids) -> str:
        chosen = [found.title for id in body.ids if (found := house.shelf.paper(id))]
        if not papers.FEWEST <= len(chosen) <= papers.MOST:
            raise UsageError(f"tick {papers.FEWEST} to {papers.MOST} papers to compare")
        return html_answer(house.chat.compare(chosen), "compared")

    @app.post("/page/check", **hidden)
    def checked(body: Text) -> str:
        return check.html_checked(check.check(house.chat, body.text, body.title))

    @app.get("/page/map", include_in_schema=False)
    def drawn() -> dict[str, object]:
        return papers.drawing(house.chat.atlas(), house.chat.papers())

    @app.get("/page/plotly.js", include_in_schema=False)
    def plotly() -> Response:
        from plotly.offline import get_plotlyjs

        kept = {"cache-control": "private, max-age=604800"}
        return Response(get_plotlyjs(), media_type="text/javascript", headers=kept)

    @app.get("/page/about", include_in_schema=False)
    def about() -> Mapping[str, str]:
        return house.about


def _add_files(app: FastAPI, house: House) -> None:
    hidden: dict[str, Any] = {"response_class": HTMLResponse, "include_in_schema": False}

    @app.get("/export/{name}", include_in_schema=False)
    def export(request: Request, name: str) -> Response:
        conversation, _, kind = name.rpartition(".")
        owner = house.people.owner_of(request)
        kept = house.history.titled(owner, conversation) if owner else None
        if kept is None or kind not in KINDS:
            raise HTTPException(404)
        text = exported(kind, kept.title, house.history.turns(owner, conversation))
        headers = {"content-disposition": f'attachment; filename="conversation.{kind}"'}
        return Response(text, media_type=f"{KINDS[kind]}; charset=utf-8", headers=headers)

    @app.post("/page/add", **hidden)
    async def take(request: Request, name: str) -> str:
        owner = house.people.owner_of(request)
        house.desk.take(owner, name, await request.body())
        return ""

    @app.get("/page/add", **hidden)
    def waiting(request: Request) -> str:
        return add.html_waiting(house.desk.of(house.people.owner_of(request)))

    @app.post("/page/add/index", **hidden)
    def start(request: Request) -> str:
        house.desk.start(house.people.owner_of(request))
        return waiting(request)

    @app.post("/page/add/drop", **hidden)
    def drop(request: Request) -> str:
        house.desk.drop(house.people.owner_of(request))
        return ""
