"""No call that needs no key has the reactor stand: whatever is asked for, others wait no longer."""

import json
from typing import Any, Final

import pytest_twisted

from mailsacd.store.pool import Database
from tests.http.society import society
from tests.http.turns import exchange, watched

MAX_TURN_S: Final = 0.020
TRIES: Final = 3
FORM: Final = "application/x-www-form-urlencoded"
LOGIN: Final = "/api/auth/login"
VALIDATIONS: Final = "/api/validations/addresses"
QUOTED: Final = '"' + r"\x" * 490 + '"@x'


def _request(method: str, target: str, *fields: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: x", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _get(target: str, *fields: str) -> bytes:
    return _request("GET", target, "Connection: close", *fields)


def _post(target: str, body: Any, kind: str = "application/json") -> bytes:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return _request("POST", target, "Connection: close", f"Content-Type: {kind}", body=encoded)


def _chunked(*chunks: bytes) -> bytes:
    fields = ("Connection: close", "Transfer-Encoding: chunked")
    return _request("POST", LOGIN, *fields) + b"".join(chunks)


def _upgraded(*frames: bytes) -> bytes:
    """A WebSocket, and what its client says before it hears anything."""
    fields = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    return _request("GET", "/incoming-messages", *fields, key) + b"".join(frames)


def _fields(count: int) -> dict[str, int]:
    return {f"field{n}": n for n in range(count)}


CASES: Final = {
    "unknown fields, 3.6 MB": _post(LOGIN, _fields(200_000)),
    "unknown fields where a key is needed": _post("/api/addresses/x@y.example", _fields(200_000)),
    "unknown fields, as many bytes as are taken": _post(LOGIN, _fields(3_500)),
    "unknown fields, as many as are taken": _post(
        LOGIN, {f"{n}{'newPassword' * 20}": n for n in range(200)}
    ),
    "a form of %41, 3.9 MB": _post(LOGIN, b"name=" + b"%41" * 1_300_000, FORM),
    "a form of %41": _post(LOGIN, b"name=" + b"%41" * 21_000, FORM),
    "a form of many fields": _post(LOGIN, b"a=&" * 21_000, FORM),
    "deep lists": _post(LOGIN, b'{"name":' + b"[" * 60_000),
    "deep objects": _post(LOGIN, b'{"name":' * 8_000),
    "a large whole number": _post(LOGIN, b'{"name":' + b"1" * 60_000 + b"}"),
    "a large exponent": _post(LOGIN, b'{"name":1e' + b"1" * 60_000 + b"}"),
    "a long fraction": _post(LOGIN, b'{"name":1.' + b"1" * 60_000 + b"}"),
    "many addresses to validate": _post(VALIDATIONS, {"emails": ["x@" + "é." * 490] * 50}),
    "quoted addresses to validate": _post(VALIDATIONS, {"emails": [QUOTED] * 50}),
    "a name to sign up": _post(
        "/api/auth/sign-up", {"name": "é" * 250, "email": "é@" + "é." * 120, "password": "x" * 60}
    ),
    "many parameters": _get("/livez?" + "a&" * 8_000),
    "many parameters with values": _get("/livez?" + "a=b&" * 4_000),
    "a parameter of %41": _get("/livez?a=" + "%41" * 5_300),
    "a long time": _get("/api/addresses/x@y.example/messages?since=" + "1" * 15_000),
    "many header fields": _get("/livez", *("A: b",) * 90),
    "many cookies": _get("/livez", "Cookie: " + "a=b;" * 4_000),
    "many cookies without a name": _get("/livez", "Cookie: " + ";" * 16_000),
    "a folded header field": _get("/livez", "A: b", *(" ",) * 15_000),
    "many tokens": _get("/incoming-messages", "Connection: " + "," * 15_000),
    "a long path": _get("/" + "x" * 16_000),
    "a path of slashes": _get("/" * 16_000),
    "a path of %41": _get("/api/text/" + "%41" * 5_000 + "/x"),
    "a path beyond ASCII": _get("/api/text/" + "\xe9" * 15_000 + "/x"),
    "a long address": _get("/api/text/" + "x" * 8_000 + "@" + "y" * 8_000 + "/x"),
    "an address of labels": _get("/api/text/x@" + "y." * 8_000 + "/x"),
    "an address beyond ASCII": _get(f"/api/addresses/x@{'%C3%A9' * 2_600}/messages"),
    "an address to validate": _get(f"{VALIDATIONS}/x@{'%C3%A9.' * 2_200}"),
    "many requests at once": _request("GET", "/livez") * 10_000 + _get("/livez"),
    "many small requests at once": b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000
    + _get("/livez"),
    "small chunks": _chunked(b"1\r\na\r\n" * 500_000, b"0\r\n\r\n"),
    "long chunk extensions": _chunked((b"1;" + b"x" * 1_000 + b"\r\na\r\n") * 2_000, b"0\r\n\r\n"),
    "many trailer fields": _chunked(b"0\r\n", b"a\r\n" * 20_000, b"\r\n"),
    "the specification": _get("/openapi.json"),
    "the viewer's specification": _get("/docs/openapi-3.0.json"),
    "the viewer": _get("/docs/swagger-ui-bundle.js"),
}

FROM_LISTENERS: Final = {
    "many pings": _upgraded(b"\x89\x80mask" * 20_000),
    "many empty messages": _upgraded(b"\x81\x80mask" * 20_000),
    "many fragments": _upgraded(b"\x01\x80mask", b"\x00\x81maska" * 20_000),
}


@pytest_twisted.ensureDeferred
async def test_the_reactor_never_stands(database: Database, database_dsn: str) -> None:
    slow = {}
    async with society(database, database_dsn) as made:
        for name, sent in (CASES | FROM_LISTENERS).items():
            longest_s = 1.0
            for _ in range(TRIES):
                with watched() as turns:
                    answer = await exchange(made.port, sent, leaves=name in FROM_LISTENERS)
                assert answer.startswith(b"HTTP/1.1 "), name
                longest_s = min(longest_s, turns.longest_s)
                if longest_s <= MAX_TURN_S:
                    break
            else:
                slow[name] = longest_s
    assert not slow
