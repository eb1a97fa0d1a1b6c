"""The texts of the frames that listeners get, all of them JSON objects. Knows no connection."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from mailsacd.core.errors import (
    ForbiddenError,
    InvalidInputError,
    MailsacdError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)

# RFC 6455 section 7.4.1, and 1013 of the registry that it makes
NORMAL: Final = 1000
GOING_AWAY: Final = 1001
POLICY: Final = 1008
INTERNAL_ERROR: Final = 1011
TRY_AGAIN_LATER: Final = 1013

# The first class that fits counts
_STATUSES: Final[tuple[tuple[type[MailsacdError], int, int], ...]] = (
    (InvalidInputError, 400, POLICY),
    (UnauthenticatedError, 401, POLICY),
    (ForbiddenError, 403, POLICY),
    (ThrottledError, 429, TRY_AGAIN_LATER),
    (UnavailableError, 503, TRY_AGAIN_LATER),
)

_encode = msgspec.json.Encoder().encode

HEARTBEAT: Final = _encode({"status": 200, "msg": "ok"})


def listening(addresses: Sequence[str], domains: Sequence[str], sequence: str | None) -> bytes:
    """What is listened to; ``sequence`` tells from where on, where that was asked for.

    Programs compare this frame with what they expect, so nothing is in it that is not asked for.
    """
    frame: dict[str, Any] = {
        "status": 200,
        "msg": "Listening",
        "addresses": list(addresses),
        "domains": list(domains),
    }
    return _encode(frame if sequence is None else frame | {"sequence": sequence})


def message(pushed_form: bytes) -> bytes:
    """A message: its fields beside the status, and the same object again as ``email``.

    ``pushed_form`` is a JSON object that is not empty.
    """
    fields = memoryview(pushed_form)[1:-1]  # it may be large: copied once
    return b"".join((b'{"status":200,', fields, b',"email":', pushed_form, b"}"))


def refusal(error: Exception) -> tuple[bytes, int, str]:
    """The frame that says why somebody may not listen, and the code and reason to close with."""
    for kind, status, code in _STATUSES:
        if isinstance(error, kind):
            return _refused(status, error.public), code, HTTPStatus(status).phrase
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _refused(status, "Something went wrong here"), INTERNAL_ERROR, status.phrase


def _refused(status: int, text: str) -> bytes:
    refused: dict[str, Any] = {"status": int(status), "msg": text}
    return _encode(refused)
