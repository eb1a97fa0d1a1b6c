"""Between values and what goes over the wire: errors to answers, bodies to fields. Knows no URL."""

import re
import secrets
from collections.abc import Collection
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from twisted.logger import Logger

from mailsacd.core.errors import (
    BadAddressError,
    ConflictError,
    Fault,
    ForbiddenError,
    InvalidInputError,
    MailLoopError,
    MailsacdError,
    NotEnoughCreditsError,
    NotFoundError,
    OverloadedError,
    ThrottledError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.http.api import multipart
from mailsacd.http.server.answer import Response, problem

MAX_FIELDS: Final = 200
"""Of a body; what has more is refused before any of them is looked at."""
_RETRY_UNAVAILABLE_S: Final = 5

# The one mapping of errors to statuses; the first class that fits counts.
_STATUSES: Final[tuple[tuple[type[MailsacdError], HTTPStatus], ...]] = (
    (InvalidInputError, HTTPStatus.BAD_REQUEST),
    (MailLoopError, HTTPStatus.BAD_REQUEST),
    (UnauthenticatedError, HTTPStatus.UNAUTHORIZED),
    (NotEnoughCreditsError, HTTPStatus.PAYMENT_REQUIRED),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ThrottledError, HTTPStatus.TOO_MANY_REQUESTS),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
)

_log = Logger()


def error_response(error: Exception, call: str, request: str = "") -> Response:
    """What the caller is told about ``error``; for the log, ``call`` names what was asked, and
    ``request`` the request.

    What is nobody's fault but ours is logged with its cause under an incident id, and only
    the id is shown.
    """
    if isinstance(error, MailsacdError):
        for kind, status in _STATUSES:
            if isinstance(error, kind):
                return problem(
                    status,
                    error.public,
                    _faults_of(error),
                    _headers_for(error),
                    needs_code=error.needs_code,
                )
    incident = secrets.token_hex(8)
    _log.failure(
        "incident {incident} in {call}, request {request}",
        incident=incident,
        call=call,
        request=request,
    )
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"Something went wrong here; the log has it as incident {incident}",
    )


def _faults_of(error: MailsacdError) -> tuple[Fault, ...]:
    if isinstance(error, BadAddressError) and not error.faults:
        return (Fault(field="email", problem=error.public),)
    return error.faults if isinstance(error, InvalidInputError) else ()


def _headers_for(error: MailsacdError) -> tuple[tuple[bytes, bytes], ...]:
    if isinstance(error, UnauthenticatedError):
        return ((b"WWW-Authenticate", b'Mailsac-Key realm="mailsacd"'),)
    if isinstance(error, ThrottledError | OverloadedError):
        return ((b"Retry-After", b"%d" % error.retry_after_s),)
    if isinstance(error, UnavailableError):
        return ((b"Retry-After", b"%d" % _RETRY_UNAVAILABLE_S),)
    return ()


class Form(dict[str, Any]):
    """The fields of a form's body: texts, and what http.api.multipart makes of files.

    Of one that repeats, the last counts.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def all_of(self, name: str) -> list[Any]:
        """All values of the field ``name``, in the order in which they came."""
        return [value for found, value in self._pairs if found == name]

    def with_pairs(self, pairs: list[tuple[str, Any]]) -> "Form":
        """The form with ``pairs`` of names and values after those that it has."""
        return Form([*self._pairs, *pairs])

    def filled_in(self) -> "Form":
        """The form without the fields that were left empty."""
        return Form([(name, value) for name, value in self._pairs if value != ""])

    def without(self, names: Collection[str]) -> "Form":
        """The form without the fields called by one of ``names``."""
        return Form([(name, value) for name, value in self._pairs if name not in names])


_STARTS_AS_OBJECT: Final = re.compile(rb"\s*\{")


def read_body(body: bytes, content_type: bytes | None) -> dict[str, Any]:
    """The fields of a request's body: JSON, or a form's (then a Form); an empty one has none.

    What starts with ``{`` is JSON whatever ``content_type`` says: people run curl -d.
    Raises InvalidInputError.
    """
    if not body.strip():
        return {}
    kind = (content_type or b"").partition(b";")[0].strip().lower()
    if _STARTS_AS_OBJECT.match(body) or kind == b"application/json" or kind.endswith(b"+json"):
        return _json_object(body)
    if kind == multipart.KIND:
        return Form(multipart.read_multipart(body, content_type or b"", most=MAX_FIELDS))
    if kind not in {b"", b"application/x-www-form-urlencoded"}:
        raise InvalidInputError("The body has to be JSON or form-encoded")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as e:
        raise InvalidInputError(
            f"The body is not a form in UTF-8 of at most {MAX_FIELDS} fields"
        ) from e
    return Form(pairs)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise InvalidInputError("The body is not JSON") from e
    if not isinstance(value, dict):
        raise InvalidInputError("The body is JSON, but not an object")
    if len(value) > MAX_FIELDS:
        raise InvalidInputError(f"The body has more than {MAX_FIELDS} fields")
    return value
