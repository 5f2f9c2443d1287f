"""What the server answers beside gradio's own routes.

The pieces of HTML that the tabs ask for, the downloads, the REST interface with its description
under `/api/openapi.json`, the same four functions as MCP tools, and whether all is well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.routing import Route

from rag.errors import PaperChatError, UsageError
from rag.history import History
from ui.page import add, check, papers, verbs
from ui.page.answer import html_answer, html_text
from ui.page.door import SCRIPTS, script
from ui.page.export import KINDS, exported
from ui.page.kept import html_conversations
from ui.page.people import People
from ui.page.tools import Endpoint
from ui.page.turns import Chat


class Text(BaseModel):
    """A text to be checked sentence by sentence, if need be all by one paper."""

    text: Annotated[str, Field(max_length=verbs.LONGEST * 2)]
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
    tools = Endpoint(house.chat, app.version)
    app.router.routes.append(Route("/mcp", tools, methods=["POST"], include_in_schema=False))
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
    def ask(body: verbs.Ask) -> dict[str, Any]:
        return verbs.answer_record(verbs.answer(house.chat, body))

    @app.post("/api/search", summary="Rank the papers for a query")
    def search(body: verbs.Search) -> dict[str, Any]:
        return verbs.found(house.chat, body)

    @app.post("/api/compare", summary="Set two to five papers side by side")
    def compare(body: verbs.Compare) -> dict[str, Any]:
        return verbs.answer_record(verbs.compared(house.chat, body))

    @app.post("/api/verify", summary="Whether a paper's abstract bears a sentence")
    def verify(body: verbs.Verify) -> dict[str, Any]:
        return verbs.verified(house.chat, body)

    @app.get("/health", summary="Whether questions can be answered")
    def health() -> JSONResponse:
        try:
            return JSONResponse({"status": "ok", "papers": len(house.chat.papers())})
        except PaperChatError as error:
            return JSONResponse({"status": "failing", "error": str(error)}, 503)


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

    @app.get(SCRIPTS + "{name}", include_in_schema=False)
    def scripts(name: str) -> Response:
        found = script(name)
        if not found:
            raise HTTPException(404)
        headers = {"cache-control": "no-cache"}
        return Response(found, media_type="text/javascript", headers=headers)

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
