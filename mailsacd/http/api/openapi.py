"""The OpenAPI specification, generated from the operations that Klein's routes are made of."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

import msgspec

from mailsacd.http.api.bodies import schemas_of, takes_nothing
from mailsacd.http.api.credentials import KEY_FIELD, KEY_HEADER
from mailsacd.http.api.operation import Answer, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.api.schemas import SCHEMAS
from mailsacd.http.server.request import READS

_REFUSALS: Final = {
    400: "Something in the request is wrong; each fault is named",
    401: "A key is needed, or the one given is wrong",
    402: "Not enough credits are left",
    403: "It belongs to another account",
    404: "It is not there",
    409: "It contradicts what is there already",
    413: "The body is larger than this server takes",
    426: "It is no opening handshake of a WebSocket of version 13",
    429: "Too much, too fast; `Retry-After` says when to try again",
    503: "The database is away, or too much waits; `Retry-After` says when to try again",
}
# What can come of any call at which a key is looked at: a body that cannot be read, a wrong key,
# too many calls, a database that is away. A write by a page of another site is forbidden.
_OF_ANY: Final = frozenset({400, 401, 413, 429, 503})
_FORBIDDEN: Final = frozenset({403})
_NO_KEY_OR_ONE: Final[list[dict[str, list[str]]]] = [{}, {"header": []}, {"query": []}]


def specification(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document that describes ``operations``, as JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    bodies: dict[str, Any] = {}
    for operation in operations:
        if operation.body is not None:
            bodies |= schemas_of(operation.body)
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mailsacd",
            "version": version,
            "description": "Receive mail at any address, read it by REST. "
            "Written for programs that use Mailsac's API.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": {**SCHEMAS, **bodies},
            "responses": {_refusal_name(s): _refusal(t) for s, t in _REFUSALS.items()},
            "securitySchemes": {
                "header": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
                "query": {"type": "apiKey", "in": "query", "name": KEY_FIELD},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    responses = {str(a.status): _answer(a) for a in operation.answers}
    for status in sorted(_refusals_of(operation)):
        responses[str(status)] = {"$ref": f"#/components/responses/{_refusal_name(status)}"}
    if _has_tag(operation):
        responses["304"] = {"description": "It is what the tag of `If-None-Match` stands for"}
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [described for p in operation.parameters for described in _parameters(p)],
        "responses": responses,
        "security": [] if operation.open else _NO_KEY_OR_ONE,
    }
    if operation.body is not None:
        described["requestBody"] = _body(operation.body)
    if operation.description:
        described["description"] = operation.description
    return described


def _has_tag(operation: Operation) -> bool:
    """Whether its 200 has an ETag: what is read, has an end, and is not about the server."""
    is_reading = operation.method.encode() in READS and operation.handler is not None
    endless = any("text/event-stream" in answer.schemas for answer in operation.answers)
    return is_reading and not operation.open and not endless


def _refusals_of(operation: Operation) -> frozenset[int]:
    if operation.open:
        return frozenset(operation.refusals)
    is_write = operation.method.encode() not in READS  # a page of another site may not
    forbidden = _FORBIDDEN if is_write or not operation.within_scope else frozenset()
    return _OF_ANY | forbidden | frozenset(operation.refusals)


def _body(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The same fields in either form; msgspec reads a form's texts as what the schema says."""
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    forms = ("application/json", "application/x-www-form-urlencoded")
    return {
        "required": not takes_nothing(kind),
        "content": {media_type: {"schema": schema} for media_type in forms},
    }


def _parameters(parameter: Parameter) -> list[dict[str, Any]]:
    """The parameter, and once more under its older name, if it has one."""
    described = _parameter(parameter)
    if parameter.older_name is None:
        return [described]
    older = {"name": parameter.older_name, "description": f"As `{parameter.name}`"}
    return [described, {**described, **older, "deprecated": True}]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required or parameter.where == "path",
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.schemas:
        described["content"] = {m: {"schema": s} for m, s in answer.schemas.items()}
    return described


def _refusal(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _refusal_name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")
