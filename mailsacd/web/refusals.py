"""Why a form is shown again, and where on it that is told."""

from collections.abc import Iterable
from typing import Any, Final

from mailsacd.core.errors import (
    ConflictError,
    Fault,
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

    What names no field is told beside ``field``, if that is given; what is wrong with one of
    several values beside all of them.
    """
    if error is None:
        return {"faults": {}, "problem": ""}
    faults = error.faults if isinstance(error, InvalidInputError) else ()
    if faults:
        return {"faults": _by_field(faults), "problem": ""}
    if field:
        return {"faults": {field: error.public}, "problem": ""}
    return {"faults": {}, "problem": error.public}


def _by_field(faults: Iterable[Fault]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.field.partition("[")[0], []).append(fault.problem)
    return {field: "; ".join(problems) for field, problems in found.items()}
