"""What may go wrong, as exceptions. All are a MailsacdError."""

from datetime import datetime
from typing import Final

import msgspec


class NearMiss(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the inbox that was not waited for; ``failed`` are the conditions it failed."""

    id: str = msgspec.field(name="_id")
    subject: str
    received: datetime
    failed: tuple[str, ...]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter or field of the request, and what is wrong with it."""

    field: str
    message: str


class MailsacdError(Exception):
    """What the client raises, whatever went wrong."""


class ConnectionFailedError(MailsacdError):
    """There was no answer: nobody listens there, the connection broke, or it took too long."""


class ApiError(MailsacdError):
    """The server refused the call. ``status`` is HTTP's, and the text is what the server says.

    ``faults`` name parameters and fields, ``retry_after_s`` is in how many seconds to ask again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        faults: tuple[Fault, ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status: Final = status
        self.faults: Final = faults
        self.retry_after_s: Final = retry_after_s


class BadRequestError(ApiError):
    """Something in the request is wrong: see ``faults`` (400)."""


class UnauthorizedError(ApiError):
    """A key is needed, or the one given is wrong (401)."""


class ForbiddenError(ApiError):
    """It belongs to another account (403)."""


class NotFoundError(ApiError):
    """There is no such message, or nothing at that URL (404)."""


class TooManyRequestsError(ApiError):
    """Too much, or too fast: see ``retry_after_s`` (429)."""


class UnavailableError(ApiError):
    """The server cannot answer just now: see ``retry_after_s`` (503)."""


class WaitTimeoutError(ApiError, TimeoutError):
    """The time of a wait is over (408). Its text says what came near, and what may be why.

    ``fitting`` is how many messages fitted, ``near_misses`` are the newest of the inbox.
    """

    def __init__(self, told: "_WaitIsOver", inbox: str) -> None:
        super().__init__(_explanation(told, inbox), status=408)
        self.inbox: Final = inbox
        self.fitting: Final = told.fitting
        self.near_misses: Final = told.near_misses
        self.hints: Final = told.hints


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    message: str = ""
    faults: tuple[Fault, ...] = ()


class _WaitIsOver(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    message: str
    fitting: int = 0
    near_misses: tuple[NearMiss, ...] = ()
    hints: tuple[str, ...] = ()


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    429: TooManyRequestsError,
    503: UnavailableError,
}


def error_of(status: int, body: bytes, retry_after: str | None) -> ApiError:
    """Return the error for an answer that is not 2xx, whoever on the way gave it."""
    try:
        told = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:  # a proxy's page
        told = _Problem(message=body.decode(errors="replace")[:200])
    kind = _BY_STATUS.get(status, ApiError)
    return kind(
        told.message or f"HTTP status {status}",
        status=status,
        faults=told.faults,
        retry_after_s=int(retry_after) if retry_after and retry_after.isdecimal() else None,
    )


def wait_error_of(status: int, body: bytes, inbox: str) -> WaitTimeoutError | None:
    """Return the error for a wait whose time is over; None where the answer is another one."""
    if status != 408:
        return None
    try:
        return WaitTimeoutError(msgspec.json.decode(body, type=_WaitIsOver), inbox)
    except msgspec.DecodeError:  # a proxy that was less patient
        return None


def _explanation(told: _WaitIsOver, inbox: str) -> str:
    near = [_line(miss) for miss in told.near_misses]
    return "\n".join(
        [
            f"{told.message} (inbox {inbox}, {told.fitting} fitted)",
            *(["The newest messages there:", *near] if near else []),
            *(f"Hint: {hint}" for hint in told.hints),
        ]
    )


def _line(miss: NearMiss) -> str:
    failed = ", ".join(miss.failed) or "nothing"
    return f"  {miss.received:%H:%M:%S} {miss.subject!r} failed {failed}"
