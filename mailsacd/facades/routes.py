"""How a façade declares its calls: as operations of the REST API, outside of its specification."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from mailsacd.core.errors import InvalidInputError
from mailsacd.http.api.codec import Form
from mailsacd.http.api.operation import MAX_BODY_BYTES, Call, Handler, Operation
from mailsacd.http.api.parameters import Parameter

B = TypeVar("B", bound=msgspec.Struct)

_ANY: Final[dict[str, Any]] = {}


def route(
    method: str,
    path: str,
    handler: Handler,
    *query: Parameter,
    is_open: bool = False,
    within_scope: bool = True,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> Operation:
    """The operation of ``method`` and ``path``, whose parameters in braces are texts.

    ``query`` are those of its query. One that ``is_open`` needs no key, and looks at no body. Those
    that are not ``within_scope`` refuse the key of a run.
    """
    in_path = [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]
    named = (Parameter(name=n, where="path", description="", schema=_ANY, convert=str)
             for n in in_path)  # fmt: skip
    return Operation(
        method=method,
        path=path,
        id=f"{method} {path}",
        tag="",
        summary="",
        handler=handler,
        parameters=(*named, *query),
        answers=(),
        listed=False,
        open=is_open,
        within_scope=within_scope,
        max_body_bytes=max_body_bytes,
    )


def query_text(name: str) -> Parameter:
    """A parameter of the query that is a text, empty where it is not given."""
    return _query(name, str.strip, "")


def query_number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> Parameter:
    """One that is a number: what is none, or is less than ``least``, counts as ``default``."""

    def convert(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or int(text[:12]) < least:
            return default
        return min(int(text[:12]), most)

    return _query(name, convert, default)


def body_as(call: Call, kind: type[B]) -> B:
    """The JSON object that came with ``call`` as a ``kind``, whose field names are in lower case.

    The tools that are imitated are written in Go: they read names whatever their case, pass over
    what they do not know, and null is a value that is not given. Raises InvalidInputError.
    """
    if isinstance(call.fields, Form):
        raise InvalidInputError("The body has to be JSON")
    try:
        return msgspec.convert(_as_go_reads(call.fields), kind)
    except msgspec.ValidationError as e:
        raise InvalidInputError(f"Bad request: {e}") from e


def _as_go_reads(value: Any) -> Any:
    """Names of what stands in ``headers`` are kept: they are header fields."""
    if isinstance(value, dict):
        named = {name.lower(): each for name, each in value.items() if each is not None}
        return {n: each if n == "headers" else _as_go_reads(each) for n, each in named.items()}
    if isinstance(value, list):
        return ["" if each is None else _as_go_reads(each) for each in value]
    return value


def _query(name: str, convert: Callable[[str], Any], default: Any) -> Parameter:
    return Parameter(
        name=name, where="query", description="", schema=_ANY, convert=convert, default=default
    )
