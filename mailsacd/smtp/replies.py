"""Errors of the use cases, and ends of sessions, as SMTP replies."""

from collections.abc import Mapping
from typing import Final

from mailsacd.core import reply
from mailsacd.core.errors import (
    BadAddressError,
    DeniedError,
    ForbiddenError,
    InvalidInputError,
    MailLoopError,
    MailsacdError,
    NotEnoughCreditsError,
    OverloadedError,
    StorageFullError,
    ThrottledError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.core.provocation import ProvokedError
from mailsacd.core.reply import Reply
from mailsacd.sockets.connections import CloseReason

CLOSING_WORDS: Final = {
    CloseReason.STOPPING: reply.STOPPING,
    CloseReason.IDLE: reply.IDLE,
    CloseReason.TOO_MANY: reply.TOO_MANY_CONNECTIONS,
    CloseReason.TOO_MANY_FROM_PEER: reply.TOO_MANY_FROM_PEER,
}
"""What is said when the server ends a session."""

_NOT_TAKEN: Final[Mapping[type[MailsacdError], Reply]] = {
    ThrottledError: reply.MESSAGE_THROTTLED,
    UnauthenticatedError: reply.AUTH_NEEDED,
    MailLoopError: reply.MAIL_LOOP,
    ForbiddenError: reply.NOT_YOUR_SENDER,
    NotEnoughCreditsError: reply.NO_CREDITS,
    TooLargeError: reply.TOO_LARGE,
    InvalidInputError: reply.BAD_MESSAGE,
}


def stored_as(envelope_id: str) -> Reply:
    """Return the answer to a message that is stored, by its envelope's id."""
    return reply.STORED.saying(f"Ok: stored as {envelope_id}")


def queued_as(outgoing_id: str) -> Reply:
    """Return the answer to a message that is to be sent, by the id that it is queued under."""
    return reply.STORED.saying(f"Ok: queued as {outgoing_id}")


def sent_away(error: ThrottledError) -> Reply:
    """Return the words for who connects, or begins a message, when too much came already."""
    return reply.THROTTLED.saying(_printable(error.public))


def refused_recipient(error: BaseException | None, *, is_first: bool = True) -> Reply:
    """Return the answer to RCPT when deciding on the recipient raised ``error``.

    Whoever sends too fast is sent away, unless it is not the first recipient (``is_first``): what
    others are to get is not lost.
    """
    if isinstance(error, ProvokedError):
        return error.reply
    if isinstance(error, BadAddressError):
        return reply.BAD_RECIPIENT.saying(_printable(error.public))
    if isinstance(error, DeniedError):
        return reply.RECIPIENT_DENIED
    if isinstance(error, ThrottledError):
        answer = reply.THROTTLED if is_first else reply.RECIPIENT_THROTTLED
        return answer.saying(_printable(error.public))
    if isinstance(error, ForbiddenError):
        return reply.DOMAIN_NOT_ACCEPTED.saying(_printable(error.public))
    is_overload = isinstance(error, OverloadedError)
    return reply.OVERLOADED if is_overload else reply.CANNOT_CHECK_RECIPIENT


def refused_sender(error: BaseException | None) -> Reply:
    """Return the answer to MAIL when deciding on the reverse-path raised ``error``."""
    if isinstance(error, BadAddressError):
        return reply.BAD_SENDER.saying(_printable(error.public))
    if isinstance(error, ForbiddenError):
        return reply.NOT_YOUR_SENDER.saying(_printable(error.public))
    if isinstance(error, UnauthenticatedError):
        return reply.AUTH_NEEDED.saying(_printable(error.public))
    return reply.CANNOT_CHECK_SENDER


def refused_login(error: BaseException | None) -> Reply:
    """Return the answer to AUTH when checking the credentials raised ``error``."""
    if isinstance(error, UnauthenticatedError):
        return reply.WRONG_LOGIN
    if isinstance(error, ThrottledError):
        return reply.CANNOT_CHECK_LOGIN.saying(_printable(error.public))
    return reply.CANNOT_CHECK_LOGIN


def is_guess(error: BaseException | None) -> bool:
    """Tell whether who gets ``error`` for his credentials may be guessing them."""
    return isinstance(error, (UnauthenticatedError, ThrottledError))


def refused_message(error: BaseException | None) -> Reply:
    """Return the answer to the end of a message when storing it raised ``error``."""
    if isinstance(error, ProvokedError):
        return error.reply
    if isinstance(error, OverloadedError):
        return reply.OVERLOADED
    if isinstance(error, StorageFullError):
        return reply.NO_STORAGE
    for kind, answer in _NOT_TAKEN.items():
        if isinstance(error, kind):
            return answer.saying(_printable(error.public))
    return reply.NOT_STORED


def is_expected(error: BaseException | None) -> bool:
    """Tell whether ``error`` is one that the use cases announce, and no defect of ours."""
    return isinstance(
        error,
        (
            DeniedError,
            ForbiddenError,
            InvalidInputError,
            MailLoopError,
            NotEnoughCreditsError,
            ProvokedError,
            ThrottledError,
            TooLargeError,
            UnauthenticatedError,
            UnavailableError,
        ),
    )


def _printable(text: str) -> str:
    """``text`` as printable ASCII: it may quote what the client sent."""
    ascii_text = text.encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() else "?" for c in ascii_text)
