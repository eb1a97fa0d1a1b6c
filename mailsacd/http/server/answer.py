"""What an answer is: whole, or as it comes; in JSON, and the API's one form of error.

Knows neither connections nor calls.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec

from mailsacd.core.errors import Fault

JSON: Final = b"application/json"
TEXT: Final = b"text/plain; charset=utf-8"
HTML: Final = b"text/html; charset=utf-8"

NOT_KEPT: Final = b"no-store"
NOT_MODIFIED: Final = int(HTTPStatus.NOT_MODIFIED)

ON_EVERY_ANSWER: Final = b"Server: mailsacd\r\nX-Content-Type-Options: nosniff"
"""Header fields that every answer has, as they go over the wire, without the last CRLF."""

Headers = tuple[tuple[bytes, bytes], ...]
"""Names and values of header fields, in order."""

MAX_FAULTS: Final = 20
"""Faults that an error names."""

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, complete: ``headers`` come on top of those that every answer has.

    ``cache_control`` says who may keep it, and for how long (RFC 9111 section 5.2.2).
    """

    body: bytes = b""
    content_type: bytes = JSON
    status: int = HTTPStatus.OK
    headers: Headers = ()
    cache_control: bytes = NOT_KEPT


@dataclass(frozen=True, slots=True)
class Problem(Response):
    """An error: in JSON, and what a page for people is made of."""

    message: str = ""
    faults: tuple[Fault, ...] = ()


class Writer(Protocol):
    """Takes an answer as it comes, and sends it (http.server.sink)."""

    @property
    def full(self) -> bool:
        """Whether the client has yet to read what was written: more has to wait."""

    def write(self, data: bytes) -> None:
        """Send ``data``, the next bytes of the answer, as the client reads."""

    def finish(self) -> None:
        """End the answer after what was written."""

    def abort(self) -> None:
        """Close the connection without a word."""


class Source(Protocol):
    """Where an answer that comes bit by bit comes from."""

    def begin(self, writer: Writer) -> None:
        """Write to ``writer`` from now on: somebody reads."""

    def drained(self) -> None:
        """Write more: the client has read what was written."""

    def ended(self) -> None:
        """Stop writing: nobody reads any more, or ever has.

        This is the last call, and comes after `Writer.finish` too.
        """


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer of status 200 whose end is not known.

    ``source`` is told of its end in any case.
    """

    content_type: bytes
    source: Source
    headers: Headers = ()


class ComesLater(Protocol):
    """Whoever answers when something has happened, and holds little until then."""

    def begin(self, answer: Callable[[Response], None]) -> None:
        """Call ``answer`` once, sooner or later: somebody waits for it."""

    def cancel(self) -> None:
        """Nobody waits any more: the client has gone."""


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that comes when ``source`` says so."""

    source: ComesLater


def json_response(value: Any, status: int = HTTPStatus.OK) -> Response:
    """An answer with ``value`` (builtins and msgspec structs) as JSON."""
    return Response(_encoder.encode(value), JSON, status)


def text_bytes(text: str) -> bytes:
    """``text`` in UTF-8; a lone surrogate, which UTF-8 cannot carry, becomes ``?``."""
    return text.encode("utf-8", "replace")


def problem(
    status: HTTPStatus,
    message: str,
    faults: tuple[Fault, ...] = (),
    headers: Headers = (),
    *,
    needs_code: bool = False,
) -> Problem:
    """An error as the API writes it, with the first MAX_FAULTS of ``faults``, if there are any.

    ``needs_code`` says that a code of the second factor is wanted.

    They are told twice: ``validationErrors`` are texts, as Mailsac's clients print them, and
    ``faults`` the same as objects.
    """
    body: dict[str, Any] = {"message": message, "error": status.phrase}
    if needs_code:
        body["secondFactor"] = True
    if faults:
        shown = faults[:MAX_FAULTS]
        body["validationErrors"] = [f"{f.field} {f.problem}" for f in shown]
        body["faults"] = [{"field": f.field, "message": f.problem} for f in shown]
    return Problem(_encoder.encode(body), JSON, status, headers, message=message, faults=faults)


def last_answer(response: Response) -> bytes:
    """``response`` as it goes over the wire when the connection closes after it."""
    status = HTTPStatus(response.status)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}".encode("ascii"),
        ON_EVERY_ANSWER,
        b"Content-Type: " + response.content_type,
        b"Content-Length: %d" % len(response.body),
        b"Cache-Control: no-store",
        *(b"%b: %b" % field for field in response.headers),
        b"Connection: close",
    ]
    return b"\r\n".join((*lines, b"", response.body))
