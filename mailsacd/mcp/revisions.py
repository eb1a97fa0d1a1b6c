"""Which revision of MCP a request is of, and whether its header fields say so.

2026-07-28 has no handshake: each request tells its revision, and what the client can. Older ones
begin with `initialize`, after which only a header field tells the revision; nothing of that is
kept, so any node answers any request. https://modelcontextprotocol.io/specification/2026-07-28
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

from mailsacd.mcp.json_rpc import INVALID_PARAMS, Message, RpcError

CURRENT: Final = "2026-07-28"
WITH_HANDSHAKE: Final = ("2025-11-25", "2025-06-18")
SUPPORTED: Final = (CURRENT, *WITH_HANDSHAKE)

HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022

VERSION_HEADER: Final = "MCP-Protocol-Version"
_METHOD_HEADER: Final = "Mcp-Method"
_NAME_HEADER: Final = "Mcp-Name"
_VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
_ENCODED: Final = ("=?base64?", "?=")

Header = Callable[[bytes], bytes | None]


def has_handshake(message: Message, header: Header) -> bool:
    """Whether a request is of a revision with a handshake; else it is a whole one of CURRENT.

    Raises RpcError for one of a revision that is not spoken here, or whose header fields are
    missing or say anything else than its body (Streamable HTTP, "Server Validation").
    """
    given = _field(header, VERSION_HEADER)
    meta = message.params.get("_meta")
    told = meta if isinstance(meta, Mapping) else {}
    declared = told.get(_VERSION_KEY)
    if given in WITH_HANDSHAKE:
        return True
    if given is None and declared is None and message.method == "initialize":
        return True
    if given is None:
        raise _mismatch(f"{VERSION_HEADER} is missing; spoken here are {', '.join(SUPPORTED)}")
    if given != CURRENT:
        data = {"supported": list(SUPPORTED), "requested": given[:100]}
        raise RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data=data)
    if declared is None or not isinstance(told.get(_CAPABILITIES_KEY), Mapping):
        missing = f"{_VERSION_KEY} and {_CAPABILITIES_KEY}"
        raise RpcError(INVALID_PARAMS, f"The params' _meta has to have {missing}")
    if declared != given:
        raise _mismatch(f"{VERSION_HEADER} is not the revision in _meta")
    _check_mirrors(message, header)
    return False


def version_for(wanted: Any) -> str:
    """The revision to go on with after a handshake in which the client has ``wanted`` one."""
    return wanted if wanted in WITH_HANDSHAKE else WITH_HANDSHAKE[0]


def _check_mirrors(message: Message, header: Header) -> None:
    if _field(header, _METHOD_HEADER) != message.method:
        raise _mismatch(f"{_METHOD_HEADER} is not the method")
    if message.method != "tools/call":
        return
    name = _field(header, _NAME_HEADER)
    if name is None or _decoded(name) != message.params.get("name"):
        raise _mismatch(f"{_NAME_HEADER} is not the name of the tool")


def _decoded(text: str) -> str | None:
    """What a field's value stands for: itself, or what is in its Base64; None for bad Base64."""
    begin, end = _ENCODED
    if not (text.startswith(begin) and text.endswith(end)):
        return text
    try:
        return base64.b64decode(text[len(begin) : -len(end)], validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _field(header: Header, name: str) -> str | None:
    value = header(name.encode("ascii"))
    return None if value is None else value.decode("latin-1").strip()


def _mismatch(text: str) -> RpcError:
    return RpcError(HEADER_MISMATCH, f"Header mismatch: {text}")
