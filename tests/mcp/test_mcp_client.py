"""The protocol's own client of Python uses the tools as they stand, by each kind of revision."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx2
import pytest
import pytest_twisted
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, TextContent
from twisted.internet.threads import deferToThread

from tests.http.society import PRIVATE, PUBLIC, Society

CODE = b"From: a@b.example\r\nSubject: Your code\r\n\r\nYour code is 482913.\r\n"


def _texts(result: CallToolResult) -> list[str]:
    return [block.text for block in result.content if isinstance(block, TextContent)]


async def use(
    people: Society, who: str, mode: str, work: Callable[[Client], Awaitable[Any]]
) -> Any:
    """What ``work`` does with a client, in a thread beside the server's reactor."""

    async def connected() -> Any:
        url = f"http://127.0.0.1:{people.port}/mcp"
        async with (
            httpx2.AsyncClient(headers=people.credentials[who]) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            return await work(client)

    return await deferToThread(anyio.run, connected)


@pytest.mark.parametrize(("mode", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
@pytest_twisted.ensureDeferred
async def test_the_public_client_finds_a_code_in_mail(
    people: Society, mode: str, revision: str
) -> None:
    await people.deliver(PUBLIC, CODE)
    await people.deliver(PRIVATE, CODE)

    async def work(client: Client) -> None:
        assert client.protocol_version == revision
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        hints = tools["read_message"].annotations
        assert hints is not None
        assert hints.read_only_hint
        for email in (PUBLIC, PRIVATE):
            came = await client.call_tool("wait_for_message", {"email": email, "timeout": 20})
            assert not came.is_error
            (message,) = came.structured_content["messages"]
            of_it = {"email": email, "messageId": message["_id"]}
            codes = await client.call_tool("get_codes", of_it)
            assert codes.structured_content["codes"] == ["482913"]
            read = await client.call_tool("read_message", of_it)
            assert "482913" in _texts(read)[1]
        sent = await client.call_tool(
            "send_message",
            {"from": PRIVATE, "to": ["eve@there.example"], "subject": "Hi", "text": "Ho"},
        )
        assert sent.structured_content["creditsUsed"] == 1
        refused = await client.call_tool("read_message", {"email": PUBLIC, "messageId": "nope"})
        assert refused.is_error
        assert "no such message" in _texts(refused)[0]
        with pytest.raises(MCPError, match="no tool"):
            await client.call_tool("delete_everything", {})

    await use(people, "owner", mode, work)


@pytest_twisted.ensureDeferred
async def test_a_client_without_a_key_sees_what_is_public_alone(people: Society) -> None:
    async def work(client: Client) -> None:
        assert not (await client.call_tool("list_messages", {"email": PUBLIC})).is_error
        private = await client.call_tool("list_messages", {"email": PRIVATE})
        assert private.is_error
        assert private.structured_content["status"] == 401

    await use(people, "nobody", "auto", work)
    with pytest.raises(ExceptionGroup) as refused:
        await use(people, "wrong key", "auto", work)
    assert "The API key is not known here" in repr(refused.value)
