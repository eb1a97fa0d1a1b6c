"""The one family of errors that the daemon's layers raise at each other.

Every error carries a text that may be shown to the caller and, apart from it, the private cause
(for the log; chained with ``raise … from``). The class tells whether trying again can help.
Edges translate: SMTP into a reply, HTTP into a status. Nobody else formats errors for people.
"""

from dataclasses import dataclass
from typing import ClassVar

from mailsacd.core.rate_standing import RateStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with one field of what a caller sent.

    ``field`` is the field's name as the caller wrote it, ``problem`` a sentence without its name.
    """

    field: str
    problem: str


class MailsacdError(Exception):
    """The base: ``public`` is safe to show; ``temporary`` says that a later try may succeed."""

    temporary: ClassVar[bool] = False
    needs_code: ClassVar[bool] = False
    """Whether a code of the second factor is wanted, of who has told the password."""

    def __init__(self, public: str) -> None:
        super().__init__(public)
        self.public = public


class InvalidInputError(MailsacdError):
    """What the caller sent is wrong; ``faults`` names each fault."""

    def __init__(self, public: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(public)
        self.faults = faults


class BadAddressError(InvalidInputError):
    """A text that is no mail address, or is one over the limits of RFC 5321 section 4.5.3.1."""


class UnauthenticatedError(MailsacdError):
    """A key is needed and there is none, or it is wrong."""


class ForbiddenError(MailsacdError):
    """The caller is known, and this belongs to somebody else."""


class SecondFactorError(UnauthenticatedError):
    """Whoever signs in knows the password, and has given no code or a wrong one."""

    needs_code = True


class SecondFactorForbiddenError(ForbiddenError):
    """Whoever has signed in gave the password once more, and no code or a wrong one."""

    needs_code = True


class NotEnoughCreditsError(MailsacdError):
    """The caller has fewer credits left than this would take."""


class DeniedError(MailsacdError):
    """The operator has put whoever it comes from, or is for, on the denylist."""


class NotFoundError(MailsacdError):
    """What was asked for is not there, or the caller may not know that it is."""


class ConflictError(MailsacdError):
    """The request contradicts the state of what it is about."""


class InUseError(ConflictError):
    """Another session has exclusive use of what was asked for."""


class TooLargeError(MailsacdError):
    """What the caller sent is larger than a limit, which the text names."""


class ThrottledError(MailsacdError):
    """The caller does too much, too fast; it may come again after ``retry_after_s`` seconds."""

    temporary = True

    def __init__(self, public: str, *, retry_after_s: int) -> None:
        super().__init__(public)
        self.retry_after_s = retry_after_s


class RateLimitError(ThrottledError):
    """A call is one too many; ``standing`` tells how the caller stands with its limit."""

    def __init__(self, public: str, standing: RateStanding) -> None:
        super().__init__(public, retry_after_s=standing.retry_after_s)
        self.standing = standing


class LoginDelayError(ThrottledError):
    """The caller logged in again too soon after the last time (RFC 2449 section 6.5)."""


class UnavailableError(MailsacdError):
    """The database is away or full, or the daemon is short of memory or stopping."""

    temporary = True


class OverloadedError(UnavailableError):
    """Too much is waiting already for what this needs; ``retry_after_s`` is in whole seconds."""

    def __init__(self, public: str, *, retry_after_s: int = 2) -> None:
        super().__init__(public)
        self.retry_after_s = retry_after_s


class StorageFullError(UnavailableError):
    """The database has no room left on its disk."""


class LookupFailedError(UnavailableError):
    """The DNS gave no answer: its servers are silent, failing, or contradict themselves."""


class MailLoopError(MailsacdError):
    """The message has been here before, or through too many hosts (RFC 5321 section 6.3)."""


class StatementError(MailsacdError):
    """The database refused a statement for its contents: a defect here, not the caller's fault."""


class ConfigurationError(MailsacdError):
    """Settings or surroundings with which the daemon cannot start; the text says what to change."""
