"""`/openapi.json`, and what the page `/docs` loads: Swagger UI from its package."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final

import msgspec
from swagger_ui_bundle import swagger_ui_path

from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import Response

_TAG: Final = "Server"
_SCRIPT: Final = b"text/javascript; charset=utf-8"
_STYLE: Final = b"text/css; charset=utf-8"

_MAX_PREFIXES: Final = 8  # that specifications are kept for


class Documentation:
    """Serves the specification: ``describe`` makes it when it is asked for first."""

    def __init__(self, describe: Callable[[], dict[str, Any]]) -> None:
        described = cache(describe)
        for_viewer = cache(lambda: {**_as_3_0(described()), "openapi": "3.0.3"})
        self._as_3_1 = lru_cache(_MAX_PREFIXES)(lambda prefix: _below(prefix, described()))
        self._for_viewer = lru_cache(_MAX_PREFIXES)(lambda prefix: _below(prefix, for_viewer()))

    def operations(self) -> tuple[Operation, ...]:
        """The specification, and what the page that shows it loads."""
        return (
            Operation(
                method="GET",
                path="/openapi.json",
                id="getSpecification",
                tag=_TAG,
                summary="This specification",
                answers=(schemas.json_answer("An OpenAPI 3.1 document", {"type": "object"}),),
                handler=self.specification,
                open=True,
            ),
            _unlisted("/docs/openapi-3.0.json", "docsSpecification", self.for_viewer),
            _unlisted("/docs/swagger-ui.css", "docsStyle", _from_bundle("swagger-ui.css", _STYLE)),
            _unlisted(
                "/docs/swagger-ui-bundle.js",
                "docsScript",
                _from_bundle("swagger-ui-bundle.js", _SCRIPT),
            ),
        )

    async def specification(self, call: Call) -> Response:
        """The specification in OpenAPI 3.1."""
        return Response(self._as_3_1(call.prefix))

    async def for_viewer(self, call: Call) -> Response:
        """The same in OpenAPI 3.0, all that the Swagger UI of the package can show."""
        return Response(self._for_viewer(call.prefix))


def _below(prefix: str, description: dict[str, Any]) -> bytes:
    """The JSON of ``description``, whose paths are below ``prefix`` of the host it comes from."""
    return msgspec.json.encode({**description, "servers": [{"url": prefix or "/"}]})


def _file(content: bytes, content_type: bytes) -> Response:
    return Response(content, content_type, cache_control=b"public, max-age=3600")


def _from_bundle(name: str, content_type: bytes) -> Callable[[Call], Any]:
    @cache
    def read() -> Response:
        return _file((swagger_ui_path / name).read_bytes(), content_type)

    async def handler(_call: Call) -> Response:
        return read()

    return handler


def _unlisted(path: str, operation_id: str, handler: Callable[[Call], Any]) -> Operation:
    return Operation(
        method="GET",
        path=path,
        id=operation_id,
        tag=_TAG,
        summary="",
        answers=(),
        handler=handler,
        open=True,
        listed=False,
    )


_NULL: Final = {"type": "null"}


def _as_3_0(node: Any) -> Any:
    """JSON Schema's ways to say null and const, in the words of OpenAPI 3.0."""
    if isinstance(node, list | tuple):
        return [_as_3_0(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: _as_3_0(value) for key, value in node.items()}
    kinds = out.get("type")
    if isinstance(kinds, list):
        out |= {"type": next(k for k in kinds if k != "null"), "nullable": "null" in kinds}
    if kinds == "null":
        out |= {"type": "string", "nullable": True, "enum": [None]}
    if _NULL in node.get("anyOf", ()):
        others = [_as_3_0(kind) for kind in node["anyOf"] if kind != _NULL]
        del out["anyOf"]
        out |= {**(others[0] if len(others) == 1 else {"anyOf": others}), "nullable": True}
    if "const" in out:
        out["enum"] = [out.pop("const")]
    if isinstance(out.get("examples"), list):
        out["example"] = out.pop("examples")[0]
    return out
