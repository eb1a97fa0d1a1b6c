"""Errors of the use cases, and ends of sessions, as POP3 answers."""

from typing import Final

from mailsacd.core.errors import (
    ForbiddenError,
    InUseError,
    LoginDelayError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.pop3 import answer
from mailsacd.sockets.connections import CloseReason

CLOSING_WORDS: Final = {
    CloseReason.STOPPING: answer.STOPPING,
    CloseReason.IDLE: b"",  # RFC 1939 section 3: without a word
    CloseReason.TOO_MANY: answer.TOO_MANY,
    CloseReason.TOO_MANY_FROM_PEER: answer.TOO_MANY_FROM_PEER,
}
"""What is said when the server ends a session."""

_EXPECTED = (
    ForbiddenError,
    InUseError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)


def refused_login(error: Exception) -> bytes:
    """Return the answer to a login that raised ``error``. The texts of these quote nobody."""
    if isinstance(error, UnauthenticatedError):
        return answer.err(error.public, answer.AUTH)
    if isinstance(error, LoginDelayError):
        return answer.err(error.public, answer.LOGIN_DELAY)
    if isinstance(error, ThrottledError):
        return answer.err(error.public, answer.SYS_TEMP)
    if isinstance(error, InUseError):
        return answer.LOCKED
    return _failed(error, answer.AWAY)


def not_retrieved(error: Exception) -> bytes:
    """Return the answer to RETR or TOP when reading raised ``error``."""
    return answer.GONE if isinstance(error, NotFoundError) else _failed(error, answer.AWAY)


def not_removed(error: Exception) -> bytes:
    """Return the answer to QUIT when deleting raised ``error``."""
    if isinstance(error, ForbiddenError):
        return answer.NOT_REMOVED
    # A database that went away after the commit was asked for has told nobody whether it was done
    return _failed(error, answer.PERHAPS_NOT_REMOVED)


def is_expected(error: Exception) -> bool:
    """Tell whether ``error`` is one that the use cases announce, and no defect of ours."""
    return isinstance(error, _EXPECTED)


def _failed(error: Exception, for_now: bytes) -> bytes:
    return for_now if isinstance(error, UnavailableError) else answer.BROKEN
