"""MCP's way over HTTP: methods and statuses of both kinds of revisions, and who may ask."""

import json
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.errors import ConfigurationError
from mailsacd.mcp.calls import MAX_REQUEST_BYTES
from mailsacd.store.pool import Database
from tests.http.client import Answer, ask
from tests.http.society import PRIVATE, WRONG_KEY, Society, society
from tests.mcp.rpc import body_of, fields_for, found, post, request

reactor: Any = the_reactor

OLDER = {"MCP-Protocol-Version": "2025-11-25"}


def _code(answer: Answer) -> tuple[int, int]:
    return answer.status, answer.json()["error"]["code"]


async def _older(people: Society, method: str, **params: Any) -> Answer:
    body = json.dumps({"jsonrpc": "2.0", "id": "a", "method": method, "params": params})
    return await post(people, body.encode(), {} if method == "initialize" else OLDER)


@pytest_twisted.ensureDeferred
async def test_the_current_revision(people: Society) -> None:
    told = (await request(people, "nobody", "server/discover")).json()["result"]
    assert told["resultType"] == "complete"
    assert told["supportedVersions"] == ["2026-07-28", "2025-11-25", "2025-06-18"]
    assert told["capabilities"] == {"tools": {}}
    assert told["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "mailsacd"
    listed = (await request(people, "nobody", "tools/list")).json()["result"]
    assert (listed["ttlMs"], listed["cacheScope"]) == (300_000, "public")
    for method in ("ping", "initialize", "resources/list", "subscriptions/listen", "tools"):
        assert _code(await request(people, "nobody", method)) == (404, -32601), method
    calling = "tools/call"
    assert _code(await request(people, "nobody", calling, {"name": "nope"})) == (400, -32602)
    bad = {"name": "get_codes", "arguments": []}
    assert _code(await request(people, "nobody", calling, bad)) == (400, -32602)
    other = await request(people, "nobody", "tools/list", headers={"Mcp-Method": "tools/call"})
    assert (*_code(other), other.json()["id"]) == (400, -32020, 7)
    unknown = {"MCP-Protocol-Version": "2031-01-01"}
    assert _code(await request(people, "nobody", "tools/list", headers=unknown)) == (400, -32022)


@pytest_twisted.ensureDeferred
async def test_revisions_with_a_handshake(people: Society) -> None:
    told = (await _older(people, "initialize", protocolVersion="2025-06-18")).json()["result"]
    assert told["protocolVersion"] == "2025-06-18"
    assert told["serverInfo"]["name"] == "mailsacd"
    assert (await _older(people, "ping")).json() == {"jsonrpc": "2.0", "id": "a", "result": {}}
    listed = (await _older(people, "tools/list")).json()["result"]
    assert listed.keys() == {"tools"}
    assert _code(await _older(people, "server/discover")) == (200, -32601)
    assert _code(await _older(people, "tools/call", name="nope")) == (200, -32602)
    notified = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
    answer = await post(people, notified, OLDER)
    assert (answer.status, answer.body) == (202, b"")


@pytest_twisted.ensureDeferred
async def test_what_is_no_request_is_refused(people: Society) -> None:
    assert _code(await post(people, b"{", fields_for("tools/list"))) == (400, -32700)
    batch = b"[" + body_of("tools/list") + b"]"
    assert _code(await post(people, batch, fields_for("tools/list"))) == (400, -32600)
    assert (await post(people, b" " * MAX_REQUEST_BYTES + b"{}", {})).status == 413
    for method in ("GET", "DELETE"):
        answer = await ask(reactor, people.port, "/mcp", method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")


@pytest_twisted.ensureDeferred
async def test_who_asks_is_told_by_a_key_in_either_header(people: Society) -> None:
    key = people.credentials["owner"]["Mailsac-Key"]
    params = {"name": "list_messages", "arguments": {"email": PRIVATE}}

    async def told(headers: dict[str, str]) -> Answer:
        return await request(people, "nobody", "tools/call", params, headers)

    for headers in ({"Mailsac-Key": key}, {"Authorization": f"bearer {key}"}):
        assert not (await told(headers)).json()["result"]["isError"], headers
    both = {"Mailsac-Key": key, "Authorization": f"Bearer {WRONG_KEY}"}
    assert not (await told(both)).json()["result"]["isError"]
    for headers in ({"Mailsac-Key": WRONG_KEY}, {"Authorization": f"Bearer {WRONG_KEY}"}):
        assert _code(await told(headers)) == (401, 401), headers
    assert (await told({"Authorization": "Basic eDp5"})).json()["result"]["isError"]
    # Elsewhere a bearer token may be that of a proxy before the server
    bearer = {"Authorization": f"Bearer {WRONG_KEY}"}
    answer = await ask(reactor, people.port, "/api/addresses/a@b.example/messages", headers=bearer)
    assert answer.status == 200


# What the browser of a page sends, and whether the page may ask, with a key or without
PAGES: dict[str, tuple[dict[str, str], bool]] = {
    "the server's own, by an address": (
        {"Host": "127.0.0.1:80", "Origin": "http://127.0.0.1:80"}, True
    ),
    "its own, by this machine's name": (
        {"Host": "localhost:80", "Origin": "http://localhost"}, True
    ),
    "its own, by IPv6": ({"Host": "[::1]:80", "Origin": "http://[::1]"}, True),
    "its own, by the name that the operator gave": (
        {"Host": "x", "Origin": "https://team.example"}, True
    ),
    "another site's": ({"Host": "localhost:80", "Origin": "http://evil.example"}, False),
    "one whose name leads here": (
        {"Host": "evil.example:80", "Origin": "http://evil.example:80"}, False
    ),
    "one whose browser says it is the same": (
        {"Host": "evil.example", "Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        False,
    ),
    "another program's of this machine": (
        {"Host": "localhost:80", "Origin": "http://localhost:3000"}, False
    ),
    "nobody's": ({"Host": "localhost:80", "Origin": "null"}, False),
    "one without origin": ({"Host": "localhost:80", "Sec-Fetch-Site": "cross-site"}, False),
}  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_pages_may_ask_whose_name_is_known(database: Database, database_dsn: str) -> None:
    at = "http.public_url=https://team.example"
    async with society(database, database_dsn, at, "http.mcp=read") as people:
        for who in ("nobody", "owner"):
            for case, (headers, may) in PAGES.items():
                answer = await request(people, who, "tools/list", headers=headers)
                assert (answer.status == 200) is may, case
                assert may or _code(answer) == (403, 403), case
        tools = (await request(people, "owner", "tools/list")).json()["result"]["tools"]
        assert "send_message" not in [tool["name"] for tool in tools]


@pytest_twisted.ensureDeferred
async def test_it_is_not_there_when_it_is_switched_off(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, "http.mcp=off") as people:
        assert (await request(people, "owner", "tools/list")).status == 404
    with pytest.raises(ConfigurationError, match="mcp"):
        async with society(database, database_dsn, "http.mcp=some"):
            pass


@pytest_twisted.ensureDeferred
async def test_who_asks_too_fast_is_told_when_to_ask_again(
    database: Database, database_dsn: str
) -> None:
    rates = ("throttle.exempt_networks=[]", "throttle.calls_per_minute=2")
    async with society(database, database_dsn, *rates) as people:
        await found(people, "nobody", "list_messages", email="a@b.example")
        assert (await request(people, "nobody", "tools/list")).status == 200
        refused = await request(people, "nobody", "tools/list")
        assert _code(refused) == (429, 429)
        assert int(refused.headers["retry-after"]) > 0
        assert "come back in" in refused.json()["error"]["message"]
