"""One message in a body: what is one, and how it is told what is not."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from mailsacd.http.server.answer import problem
from mailsacd.mcp.json_rpc import Message, RpcError, error_answer, read_message, refusal

READ: dict[bytes, Message] = {
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}': Message(method="ping", id=1, params={}),
    b' {"jsonrpc":"2.0","id":"a","method":"x","params":{"b":[]}}': Message(
        method="x", id="a", params={"b": []}
    ),
    b'{"jsonrpc":"2.0","method":"notifications/initialized"}': Message(
        method="notifications/initialized", id=None, params={}
    ),
}
REFUSED: dict[bytes, tuple[int, Any]] = {
    b"": (-32700, None),
    b"{": (-32700, None),
    b'{"a":"\xff"}': (-32700, None),
    b"[" * 100_000: (-32700, None),
    b"{}": (-32600, None),
    b'"ping"': (-32600, None),
    b"[]": (-32600, None),
    b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]': (-32600, None),
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}': (-32600, None),
    b'{"jsonrpc":"2.0","id":null,"method":"ping"}': (-32600, None),
    b'{"jsonrpc":"2.0","id":true,"method":"ping"}': (-32600, None),
    b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}': (-32600, None),
    b'{"jsonrpc":"2.0","id":3,"result":{}}': (-32600, 3),
    b'{"jsonrpc":"2.0","id":3,"method":7}': (-32600, 3),
    b'{"jsonrpc":"2.0","id":"c","method":"x","params":[]}': (-32602, "c"),
}


@pytest.mark.parametrize("content", READ)
def test_a_message_is_read(content: bytes) -> None:
    assert read_message(content) == READ[content]


@pytest.mark.parametrize("content", REFUSED, ids=lambda content: content[:40].decode("latin-1"))
def test_what_is_no_message_is_told_by_its_code(content: bytes) -> None:
    code, message_id = REFUSED[content]
    with pytest.raises(RpcError) as refused:
        read_message(content)
    answer = error_answer(refused.value)
    told = json.loads(answer.body)
    assert answer.status == 400
    assert (told["error"]["code"], told.get("id")) == (code, message_id)
    assert ("id" in told) is (message_id is not None)


@pytest.mark.parametrize(("status", "code"), [(400, -32600), (401, 401), (429, 429), (500, -32603)])
def test_an_error_of_the_api_is_one_of_json_rpc(status: int, code: int) -> None:
    headers = ((b"Retry-After", b"7"),)
    refused = problem(HTTPStatus(status), "Not so", headers=headers)
    answer = refusal(refused, b'{"jsonrpc":"2.0","id":"a","method":"x"}')
    told = {"jsonrpc": "2.0", "error": {"code": code, "message": "Not so"}}
    assert json.loads(answer.body) == {**told, "id": "a"}
    assert (answer.status, answer.headers) == (status, headers)
    assert json.loads(refusal(refused, b"{").body) == told
