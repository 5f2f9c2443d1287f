"""The four verbs as tools of the Model Context Protocol, and only those.

The transport is the protocol's streamable HTTP without sessions: each request is answered on its
own, so that nothing is kept of a client between two of them. The library is imported with the
first request (0.6 s), not with the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from rag.errors import PaperChatError
from ui.format import markdown
from ui.page import verbs
from ui.page.session import Receive, Scope, Send
from ui.page.turns import Chat

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult

Said = tuple[str, dict[str, Any]]
"""What a tool says: a text for a model to read, and the record for a program."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One verb as a client sees it."""

    given: type[BaseModel]
    about: str
    run: Callable[[Chat, Any], Said]


def _told(record: dict[str, Any]) -> Said:
    return json.dumps(record, ensure_ascii=False), record


def _ask(chat: Chat, body: verbs.Ask) -> Said:
    whole = verbs.answer(chat, body)
    return markdown(whole), verbs.answer_record(whole)


def _compare(chat: Chat, body: verbs.Compare) -> Said:
    whole = verbs.compared(chat, body)
    return markdown(whole), verbs.answer_record(whole)


TOOLS: Mapping[str, Tool] = {
    "ask": Tool(
        verbs.Ask,
        "Answer a question from the paper abstracts; every sentence is cited and checked.",
        _ask,
    ),
    "search": Tool(
        verbs.Search,
        "Rank the papers for a query.",
        lambda chat, body: _told(verbs.found(chat, body)),
    ),
    "compare": Tool(
        verbs.Compare,
        "Set two to five papers, by title or name, side by side; every cell is a quotation.",
        _compare,
    ),
    "verify": Tool(
        verbs.Verify,
        "Whether the abstract of a paper bears a sentence: verdict, reasons and evidence.",
        lambda chat, body: _told(verbs.verified(chat, body)),
    ),
}


class Endpoint:
    """The tools as an ASGI application."""

    def __init__(self, chat: Chat, version: str) -> None:
        self._chat, self._version = chat, version
        self._server: Server[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        if self._server is None:
            self._server = _server(self._chat, self._version)
        # One manager for each request: what runs for it then ends with it, also when the client
        # leaves, and no task outlives the event loop that it was begun in.
        manager = StreamableHTTPSessionManager(self._server, json_response=True, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def _server(chat: Chat, version: str) -> Server[Any]:
    import mcp_types as protocol
    from mcp.server.lowlevel import Server
    from mcp.shared.exceptions import MCPError
    from starlette.concurrency import run_in_threadpool

    tools = [
        protocol.Tool(
            name=name,
            description=tool.about,
            input_schema=tool.given.model_json_schema(),
            annotations=protocol.ToolAnnotations(read_only_hint=True, open_world_hint=False),
        )
        for name, tool in TOOLS.items()
    ]

    async def listed(_: Any, __: Any) -> protocol.ListToolsResult:
        return protocol.ListToolsResult(tools=tools)

    async def called(_: Any, asked: protocol.CallToolRequestParams) -> CallToolResult:
        tool = TOOLS.get(asked.name)
        if tool is None:
            words = f"there is no such tool; there are {', '.join(TOOLS)}"
            raise MCPError(protocol.INVALID_PARAMS, words)
        return await run_in_threadpool(_ran, chat, tool, asked.arguments or {})

    return Server("PaperChat", version=version, on_list_tools=listed, on_call_tool=called)


def _ran(chat: Chat, tool: Tool, given: Mapping[str, Any]) -> CallToolResult:
    """Run *tool*; what is wrong with what was given is one sentence, for the model to mend."""
    import mcp_types as protocol

    record: dict[str, Any] | None = None
    try:
        text, record = tool.run(chat, tool.given.model_validate(given))
    except ValidationError as error:
        wrong = error.errors()[0]
        text = f"{'.'.join(map(str, wrong['loc'])) or 'arguments'}: {wrong['msg']}"
    except PaperChatError as error:
        text = str(error)
    return protocol.CallToolResult(
        content=[protocol.TextContent(type="text", text=text)],
        structured_content=record,
        is_error=record is None,
    )
