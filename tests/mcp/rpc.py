"""Requests of MCP as they go over the wire."""

import json
from typing import Any

from twisted.internet import reactor as the_reactor

from tests.http.client import Answer, ask
from tests.http.society import Society

reactor: Any = the_reactor

CURRENT = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": CURRENT,
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def fields_for(method: str, name: str | None = None) -> dict[str, str]:
    """The header fields of a request of the current revision."""
    fields = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": CURRENT,
        "Mcp-Method": method,
    }
    return fields if name is None else {**fields, "Mcp-Name": name}


def body_of(method: str, params: dict[str, Any] | None = None) -> bytes:
    """A request of the current revision."""
    params = {**(params or {}), "_meta": META}
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()


async def request(
    people: Society,
    who: str,
    method: str,
    params: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """What is answered to a request of the current revision."""
    name = params.get("name") if params else None
    fields = {**fields_for(method, name), **people.credentials[who], **(headers or {})}
    return await post(people, body_of(method, params), fields)


async def post(people: Society, body: bytes, headers: dict[str, str]) -> Answer:
    """What is answered to a body."""
    return await ask(reactor, people.port, "/mcp", method="POST", headers=headers, body=body)


async def call(people: Society, who: str, name: str, **arguments: Any) -> dict[str, Any]:
    """The result of a tool."""
    answer = await request(people, who, "tools/call", {"name": name, "arguments": arguments})
    assert answer.status == 200, answer
    told = answer.json()
    assert told["id"] == 7
    result: dict[str, Any] = told["result"]
    return result


async def found(people: Society, who: str, name: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives that has succeeded."""
    result = await call(people, who, name, **arguments)
    assert not result["isError"], result
    content: dict[str, Any] = result["structuredContent"]
    return content


async def status(people: Society, who: str, name: str, **arguments: Any) -> int:
    """The status that a refused tool tells; 200 for one that has succeeded."""
    result = await call(people, who, name, **arguments)
    assert result["isError"] is ("status" in result["structuredContent"])
    return int(result["structuredContent"].get("status", 200))
