"""The page's tools, used by the real client of the protocol against a running page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from ui.page.people import hashed

QUESTION = "What MFU does MegaScale reach?"
TITLE = "MegaScale: Scaling Large Language Model Training to More Than 10,000 GPUs"
TOOLS = {"ask", "search", "compare", "verify"}


@pytest.fixture(scope="module")
def address(page_server) -> str:
    """The page that everybody may use."""
    return page_server(about={"Version": "1.2.3"})


@asynccontextmanager
async def client(address: str, mode: str = "auto", auth=None) -> AsyncIterator[Client]:
    """A client of the tools at *address*."""
    async with httpx2.AsyncClient(trust_env=False, auth=auth, timeout=60) as http:
        transport = streamable_http_client(f"{address}/mcp", http_client=http)
        async with Client(transport, mode=mode) as ours:
            yield ours


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_finds_the_four_tools_and_only_those(address, mode):
    """Whether it begins with a handshake or not, it learns who answers and what may be called."""

    async def listed():
        async with client(address, mode) as ours:
            return ours.server_info, (await ours.list_tools()).tools

    info, tools = asyncio.run(listed())

    assert (info.name, info.version) == ("PaperChat", "1.2.3")
    assert {tool.name for tool in tools} == TOOLS
    assert all(tool.description and tool.input_schema["properties"] for tool in tools)
    assert all(tool.annotations.read_only_hint for tool in tools)


def test_each_tool_says_what_the_command_line_says(address):
    """A text for a model to read, and beside it the record with its evidence."""
    calls = {
        "ask": {"question": QUESTION},
        "search": {"query": "MegaScale", "n": 3},
        "compare": {"papers": ["MegaScale", "ByteScale"]},
        "verify": {"claim": "MegaScale reaches 65.2% MFU.", "title": "MegaScale"},
    }

    async def called():
        async with client(address) as ours:
            return {name: await ours.call_tool(name, given) for name, given in calls.items()}

    said = asyncio.run(called())
    records = {name: one.structured_content for name, one in said.items()}

    assert not any(one.is_error for one in said.values())
    assert "55.2%" in said["ask"].content[0].text
    assert records["ask"]["statements"][0]["citations"][0]["title"] == TITLE
    assert [len(records["search"]["results"]), records["search"]["results"][0]["title"]] == [
        3,
        TITLE,
    ]
    assert [one["found"] for one in records["compare"]["table"]["subjects"]] == [True, True]
    assert records["verify"]["verdict"] == "contradicted"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("ask", {}, "question: Field required"),
        ("ask", {"question": " "}, "empty"),
        ("search", {"query": "x", "n": 1000}, "n: "),
        ("verify", {"claim": "x", "title": "No such paper at all"}, "No such paper"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(address, name, given, said):
    """The model that called reads what to mend; nothing of our insides is in it."""

    async def called():
        async with client(address) as ours:
            return await ours.call_tool(name, given)

    told = asyncio.run(called())

    assert told.is_error
    assert said in told.content[0].text
    assert "\n" not in told.content[0].text


def test_there_is_no_other_tool(address):
    """What is not one of the four is an error of the protocol."""

    async def called():
        async with client(address) as ours:
            await ours.call_tool("delete", {})

    with pytest.raises((MCPError, ExceptionGroup)) as caught:
        asyncio.run(called())
    inner = caught.value
    while isinstance(inner, ExceptionGroup):
        inner = inner.exceptions[0]

    assert "there is no such tool" in str(inner)


def test_many_clients_at_once_get_their_own_answers(address):
    """What one asks does not reach another."""
    names = ["MegaScale", "ByteScale", "CREATOR", "CRAFT"] * 2

    async def one(name: str) -> str:
        async with client(address) as ours:
            said = await ours.call_tool("search", {"query": name, "n": 1})
            return said.structured_content["results"][0]["title"]

    async def everybody():
        return await asyncio.gather(*map(one, names))

    found = asyncio.run(everybody())

    assert [title.partition(":")[0] for title in found] == names


def test_the_tools_ask_for_the_same_login(page_server):
    """Without a name and a password there is nothing; with them there are the tools."""
    address = page_server(users=[("ann", hashed("a secret"))])

    async def tools(auth):
        async with client(address, auth=auth) as ours:
            return {tool.name for tool in (await ours.list_tools()).tools}

    assert asyncio.run(tools(("ann", "a secret"))) == TOOLS
    for auth in (None, ("ann", "wrong"), ("bob", "a secret")):
        with pytest.raises((MCPError, ExceptionGroup)):
            asyncio.run(tools(auth))
