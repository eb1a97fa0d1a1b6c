"""JSON-RPC 2.0 as MCP has it: one message in a body, and one answer. Knows no methods.

https://www.jsonrpc.org/specification; a batch is refused, as MCP has had none since 2025-06-18.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from mailsacd.http.server.answer import Problem, Response, json_response

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603

Id = str | int | None

_CODES: Final = {
    HTTPStatus.BAD_REQUEST: INVALID_REQUEST,
    HTTPStatus.INTERNAL_SERVER_ERROR: INTERNAL_ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request, or a notification, which has no ``id`` and gets no answer."""

    method: str
    id: Id
    params: Mapping[str, Any]


class RpcError(Exception):
    """What is wrong with a message: ``text`` is shown to the caller, ``status`` is HTTP's."""

    def __init__(
        self,
        code: int,
        text: str,
        *,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        data: Any = None,
        message_id: Id = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status
        self.data = data
        self.id = message_id


def read_message(content: bytes) -> Message:
    """The one message in a body. Raises RpcError."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise RpcError(PARSE_ERROR, "The body is not JSON") from e
    if isinstance(value, list):
        raise RpcError(INVALID_REQUEST, "Batches are not taken: send one message a request")
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise RpcError(
            INVALID_REQUEST, 'The body is no message of JSON-RPC: "jsonrpc" is not "2.0"'
        )
    message_id = value.get("id")
    if "id" in value and not _is_id(message_id):
        raise RpcError(INVALID_REQUEST, "The id is neither a text nor a whole number")
    method, params = value.get("method"), value.get("params", {})
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "The method is missing", message_id=message_id)
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "The params are no object", message_id=message_id)
    return Message(method=method, id=message_id, params=params)


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def result_response(message_id: Id, result: Any) -> Response:
    """The answer to a request."""
    return json_response({"jsonrpc": "2.0", "id": message_id, "result": result})


def error_answer(error: RpcError, message_id: Id = None) -> Response:
    """The answer to what is wrong; without the id of a request that could not be read."""
    told: dict[str, Any] = {"code": error.code, "message": error.text}
    if error.data is not None:
        told["data"] = error.data
    return _answer(told, error.status, message_id if error.id is None else error.id)


def refusal(problem: Problem, content: bytes) -> Response:
    """An error of the API, before the message in ``content`` was looked at, as one of JSON-RPC.

    Its code is the status where JSON-RPC has none that fits: 401, 403, 429 and 503.
    """
    try:
        message_id = read_message(content).id
    except RpcError as e:
        message_id = e.id
    status = HTTPStatus(problem.status)
    told = {"code": _CODES.get(status, int(status)), "message": problem.message}
    answer = _answer(told, status, message_id)
    return Response(answer.body, answer.content_type, status, problem.headers)


def _answer(told: Mapping[str, Any], status: HTTPStatus, message_id: Id) -> Response:
    body: dict[str, Any] = {"jsonrpc": "2.0"}
    if message_id is not None:
        body["id"] = message_id
    return json_response({**body, "error": told}, status)
