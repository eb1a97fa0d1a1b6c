"""Why a form is shown again, and where on it that is told."""

from typing import Any, Final

from mailsacd.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    MailLoopError,
    MailsacdError,
    NotEnoughCreditsError,
    ThrottledError,
    TooLargeError,
    UnauthenticatedError,
)

REFUSALS: Final = (
    InvalidInputError,
    UnauthenticatedError,
    ForbiddenError,
    ConflictError,
    NotEnoughCreditsError,
    MailLoopError,
    TooLargeError,
    ThrottledError,
)
"""Errors that whoever filled in a form can do something about."""


def refused(error: MailsacdError | None, field: str = "") -> dict[str, Any]:
    """For a template: ``faults`` by the names of fields, and the ``problem`` of the whole form.

    What names no field is told beside ``field``, if that is given.
    """
    if error is None:
        return {"faults": {}, "problem": ""}
    faults = error.faults if isinstance(error, InvalidInputError) else ()
    if faults:
        return {"faults": {fault.field: fault.problem for fault in faults}, "problem": ""}
    if field:
        return {"faults": {field: error.public}, "problem": ""}
    return {"faults": {}, "problem": error.public}
