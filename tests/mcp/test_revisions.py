"""Which revision a request is of, and what its header fields have to say beside it."""

import base64
from typing import Any

import pytest

from mailsacd.mcp.json_rpc import Message, RpcError
from mailsacd.mcp.revisions import (
    CURRENT,
    HEADER_MISMATCH,
    SUPPORTED,
    UNSUPPORTED_VERSION,
    WITH_HANDSHAKE,
    has_handshake,
    version_for,
)

VERSION = "io.modelcontextprotocol/protocolVersion"
META = {VERSION: CURRENT, "io.modelcontextprotocol/clientCapabilities": {}}


def told(
    fields: dict[str, str], method: str = "tools/list", name: Any = None, meta: Any = META
) -> bool | int:
    """Whether it has a handshake, or the code of what is wrong."""
    params: dict[str, Any] = {} if meta is None else {"_meta": meta}
    if name is not None:
        params["name"] = name
    lowered = {key.lower().encode(): value.encode() for key, value in fields.items()}
    try:
        return has_handshake(
            Message(method=method, id=1, params=params), lambda wanted: lowered.get(wanted.lower())
        )
    except RpcError as e:
        return e.code


def current(**more: str) -> dict[str, str]:
    """The header fields of a request of the current revision."""
    return {"MCP-Protocol-Version": CURRENT, "Mcp-Method": "tools/list"} | {
        key.replace("_", "-"): value for key, value in more.items()
    }


def test_requests_of_revisions_with_a_handshake() -> None:
    assert told({}, "initialize", meta=None) is True
    for revision in WITH_HANDSHAKE:
        assert told({"MCP-Protocol-Version": revision}, meta=None) is True
        assert told({"MCP-Protocol-Version": revision}, "initialize", meta={"a": 1}) is True


def test_requests_of_the_current_revision() -> None:
    assert told(current()) is False
    calling = {"Mcp_Method": "tools/call"}
    assert told(current(**calling, Mcp_Name="x"), "tools/call", "x") is False
    encoded = f"=?base64?{base64.b64encode('ä'.encode()).decode()}?="
    assert told(current(**calling, Mcp_Name=encoded), "tools/call", "ä") is False


def test_header_fields_that_say_anything_else_than_the_body() -> None:
    without = current()
    del without["Mcp-Method"]
    assert told({}, meta=None) == HEADER_MISMATCH
    assert told({}) == HEADER_MISMATCH
    assert told({}, "initialize") == HEADER_MISMATCH
    assert told(without) == HEADER_MISMATCH
    assert told(current(Mcp_Method="tools/call")) == HEADER_MISMATCH
    assert told(current(), meta={**META, VERSION: "2025-11-25"}) == HEADER_MISMATCH
    calling = {"Mcp_Method": "tools/call"}
    assert told(current(**calling), "tools/call", "x") == HEADER_MISMATCH
    for wrong in ("y", "=?base64?!?=", "=?base64?eQ==?="):
        assert told(current(**calling, Mcp_Name=wrong), "tools/call", "x") == HEADER_MISMATCH


def test_what_a_request_of_the_current_revision_has_to_tell() -> None:
    for meta in (None, 5, {VERSION: CURRENT}, {**META, VERSION: None}):
        assert told(current(), meta=meta) == -32602


@pytest.mark.parametrize("revision", ["1900-01-01", "2025-03-26", "latest", ""])
def test_a_revision_that_is_not_spoken_here(revision: str) -> None:
    meta = {**META, VERSION: revision}
    fields = current(MCP_Protocol_Version=revision)
    assert told(fields, meta=meta) == UNSUPPORTED_VERSION
    with pytest.raises(RpcError) as refused:
        has_handshake(
            Message(method="x", id=1, params={"_meta": meta}), lambda _: revision.encode()
        )
    assert refused.value.data == {"supported": list(SUPPORTED), "requested": revision}


def test_what_a_handshake_goes_on_with() -> None:
    assert version_for("2025-06-18") == "2025-06-18"
    for wanted in ("2024-11-05", CURRENT, None, 7):
        assert version_for(wanted) == "2025-11-25"
