"""What the use cases are asked about a client that logs in: who it is, as whom it may send.

Its mail goes to them, too: what is captured is stored, and what is submitted is sent.
"""

from typing import Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Envelope
from mailsacd.core.reply import Reply
from mailsacd.smtp.action import AskSender, LogIn
from mailsacd.smtp.replies import (
    is_expected,
    is_guess,
    queued_as,
    refused_login,
    refused_sender,
    stored_as,
)
from mailsacd.smtp.services import SmtpServices
from mailsacd.smtp.session import Session

_NOBODY: Final = "nobody logs in at this port"

_log = Logger()


class Clients:
    """Asks about the client of one connection, and answers its session."""

    __slots__ = ("_capture", "_logins", "_submission", "log_in_here")

    def __init__(self, services: SmtpServices) -> None:
        self._capture = services.capture
        self._submission = services.submission
        self._logins = services.logins
        self.log_in_here = self._logins is not None
        """Whether it has to log in."""

    async def log_in(self, session: Session, action: LogIn, peer_ip: str) -> None:
        """Answer the question who logs in from that IP address."""
        assert self._logins is not None, _NOBODY  # noqa: S101  for mypy
        try:
            account = await self._logins.log_in(action.name, action.secret, peer_ip)
        except CancelledError:
            raise
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets a reply
            if not is_expected(e):
                _log.failure("a login could not be checked", Failure(e))
            session.refuse_login(refused_login(e), is_guess=is_guess(e))
        else:
            session.accept_login(account)

    async def check_sender(self, session: Session, action: AskSender) -> None:
        """Answer the question whether it may send so."""
        assert self._submission is not None, _NOBODY  # noqa: S101  for mypy
        try:
            await self._submission.check_sender(action.account, action.path)
        except CancelledError:
            raise
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets a reply
            if not is_expected(e):
                _log.failure("a sender could not be checked", Failure(e))
            session.refuse_sender(refused_sender(e))
        else:
            session.accept_sender()

    async def deliver(self, envelope: Envelope, account: AccountIdentity) -> Reply:
        """Hand over what ``account`` sends. Returns the answer to it, once it is committed.

        Raises one of core.errors.
        """
        if self._submission is not None:
            return queued_as(await self._submission.submit(envelope, account))
        assert self._capture is not None, _NOBODY  # noqa: S101  for mypy
        await self._capture.deliver(envelope, account)
        return stored_as(envelope.id)
