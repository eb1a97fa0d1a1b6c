"""What the use cases are asked about a client that logs in: who it is, as whom it may send.

Its mail goes to them, too: what is captured is stored, and what is submitted is sent.
"""

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core import reply
from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import MailsacdError
from mailsacd.core.provocation import ProvokedError
from mailsacd.core.reply import Reply
from mailsacd.smtp.action import AskFault, AskSender, LogIn
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
from mailsacd.smtp.session_faults import SessionFaults

_NOBODY: Final = "nobody logs in at this port"

ABOUT_CLIENTS: Final = (AskSender, AskFault, LogIn)
"""The questions that are answered here."""

_log = Logger()


class Clients:
    """Asks about the client of one connection, and answers its session."""

    __slots__ = ("_capture", "_faults", "_ingest", "_logins", "_submission", "log_in_here")

    def __init__(self, services: SmtpServices, faults: SessionFaults | None) -> None:
        self._faults = faults
        self._ingest = services.ingest
        self._capture = services.capture
        self._submission = services.submission
        self._logins = services.logins
        self.log_in_here = self._logins is not None
        """Whether it has to log in."""

    async def answer(
        self, session: Session, action: AskSender | AskFault | LogIn, peer_ip: str
    ) -> None:
        """Answer a question of the ``session``, with a client at that IP address."""
        if isinstance(action, AskSender):
            await self.check_sender(session, action)
        elif isinstance(action, LogIn):
            await self.log_in(session, action, peer_ip)
        else:
            await self.meet_fault(session, action)

    async def log_in(self, session: Session, action: LogIn, peer_ip: str) -> None:
        """Answer the question who logs in from that IP address."""
        assert self._logins is not None, _NOBODY  # noqa: S101  for mypy
        try:
            if self._faults is not None:
                refusal = await self._faults.login(action.name)
                if refusal is not None:
                    session.refuse_login(refusal, is_guess=False)
                    return
            account = await self._logins.log_in(action.name, action.secret, peer_ip)
        except CancelledError:
            raise
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets a reply
            if not is_expected(e):
                _log.failure("a login could not be checked", Failure(e))
            session.refuse_login(refused_login(e), is_guess=is_guess(e))
        else:
            session.accept_login(account)

    async def meet_fault(self, session: Session, question: AskFault) -> None:
        """Have go wrong what is to, before a command."""
        assert self._faults is not None, _NOBODY  # noqa: S101  for mypy: it has asked
        try:
            answer = await self._faults.answer(question)
        except CancelledError:
            raise
        except ProvokedError as e:
            answer = e.reply
        except MailsacdError:
            answer = reply.CANNOT_CHECK_RECIPIENT.saying("Cannot do this now, try again later")
        session.answer_fault(question, answer)

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

    def deliver(
        self,
        envelope: Envelope,
        account: AccountIdentity | None,
        stored: Callable[[], None],
    ) -> Deferred[Any]:
        """Hand over a message, of whoever has logged in as ``account``.

        ``stored`` hears when nothing of it is held any more, if that is before the answer.

        Returns what fires with the answer (None: it is stored) once it is committed, else fails
        with one of core.errors.
        """

        def store() -> Deferred[Any]:
            if account is None:
                return self._ingest.deliver(envelope)
            return ensureDeferred(self._take(envelope, account))

        faults = self._faults
        if faults is None or not faults.await_message(envelope):
            return store()
        return ensureDeferred(faults.deliver(envelope, store, stored))

    async def _take(self, envelope: Envelope, account: AccountIdentity) -> Reply:
        if self._submission is not None:
            return queued_as(await self._submission.submit(envelope, account))
        assert self._capture is not None, _NOBODY  # noqa: S101  for mypy
        await self._capture.deliver(envelope, account)
        return stored_as(envelope.id)
