"""Holds answers against the specification that the server itself gives out."""

import json
import re
from typing import Any

import jsonschema_rs

from tests.http.client import Answer, ask

_asked: dict[tuple[str, ...], "Specification"] = {}


async def declared_at(reactor: Any, port: int, *settings: str) -> "Specification":
    """What the server at ``port`` declares; those of the same ``settings`` declare the same."""
    if settings not in _asked:
        _asked[settings] = Specification((await ask(reactor, port, "/openapi.json")).json())
    return _asked[settings]


class Specification:
    """``document`` is what `/openapi.json` answered."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._paths = {
            re.compile(re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(path)) + "/?"): item
            for path, item in document["paths"].items()
        }

    def check(self, method: str, target: str, answer: Answer) -> None:
        """Fails when ``answer`` is not one that is declared for the call."""
        path = re.sub("/{2,}", "/", target.partition("?")[0])
        for pattern, item in self._paths.items():
            operation = item.get("get" if method == "HEAD" else method.lower())
            if pattern.fullmatch(path) and operation:
                self._check_declared(operation, answer, bare=method == "HEAD")
                return
        assert answer.status in {204, 302, 400, 404, 405} or path.startswith("/docs")
        if answer.status >= 400:
            self._validate({"$ref": "#/components/schemas/Error"}, answer.json())

    def _check_declared(self, operation: dict[str, Any], answer: Answer, *, bare: bool) -> None:
        responses = operation["responses"]
        assert str(answer.status) in responses, f"{answer.status} is not declared"
        response = responses[str(answer.status)]
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].split("/")[-1]]
        content = response.get("content", {})
        if not content:
            assert answer.body == b""
            return
        media_type = answer.headers["content-type"].partition(";")[0]
        schema = content.get(media_type) or content["*/*"]
        if media_type == "application/json" and not bare:
            self._validate(schema["schema"], answer.json())

    def _validate(self, schema: dict[str, Any], value: Any) -> None:
        name = json.dumps(schema)
        if name not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[name] = jsonschema_rs.Draft202012Validator(whole)
        self._validators[name].validate(value)
