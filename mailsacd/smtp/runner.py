"""Runs a session against the use cases: carries out its actions and answers its questions.

What is hot is written for speed: no coroutine where an answer is there, all replies in one write.
"""

from collections.abc import Awaitable, Coroutine
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core import reply
from mailsacd.core.envelope import Recipient
from mailsacd.core.reply import REFUSAL, Reply
from mailsacd.smtp.action import Action, AskRecipient, Deliver, Signal
from mailsacd.smtp.clients import ABOUT_CLIENTS, Clients
from mailsacd.smtp.envelopes import Envelopes
from mailsacd.smtp.held_mail import HeldMail
from mailsacd.smtp.notes import SessionNotes
from mailsacd.smtp.recipients import Recipients
from mailsacd.smtp.replies import (
    CLOSING_WORDS,
    is_expected,
    refused_message,
    refused_recipient,
    stored_as,
)
from mailsacd.smtp.services import Shared
from mailsacd.smtp.session import Session
from mailsacd.smtp.session_faults import faults_of
from mailsacd.smtp.transcript import SessionTranscript, taken_down
from mailsacd.sockets.connection import Connection
from mailsacd.sockets.connections import CloseReason

AUTH_DELAY_S: Final = 1.0
MAX_ACTIONS_A_TURN: Final = 16  # after so many, other connections have their turn

_log = Logger()


class SessionRunner:
    """Runs one connection's session. While it is `held_up`, input is only gathered."""

    def __init__(self, shared: Shared, connection: Connection) -> None:
        services = shared.services
        self.session = Session(shared.rules)
        self._connection = connection
        self._clock = services.clock
        faults = faults_of(services.faults, self.session, connection, self._clock)
        self._recipients = Recipients(services, faults)
        self._clients = Clients(services, faults)
        self._budget = services.ingest.budget
        self._options = shared.options
        self._notes = SessionNotes(shared.notes, connection, self._clock.seconds())
        self._envelopes = Envelopes(services.ingest, connection)
        self._held_mail = HeldMail(self._budget, self._clock)
        self._delivering_bytes = 0
        self._asking: Deferred[None] | None = None
        self._services = services
        self._transcript: SessionTranscript | None = None
        self._running = self._yielding = self._paused = self._lost = self._in_text = False

    @property
    def waiting(self) -> bool:
        """As of Handler: a question is open, or others have their turn."""
        return self.session.waiting or self._yielding

    @property
    def busy(self) -> bool:
        """As of Handler: a message is coming in, or waits for its fate."""
        return self.session.in_message

    @property
    def held_up(self) -> bool:
        """As of Handler: a question, others' turns, or a client that does not read comes first."""
        return self.session.waiting or self._yielding or self._paused

    def is_overdue(self, silent_s: float, now_s: float) -> bool:
        """As of Handler, by RFC 5321 section 4.5.3.2; nor may a message drip in for ever."""
        settings = self._services.settings
        if not self.session.in_message:
            return silent_s >= settings.command_timeout_s
        return silent_s >= settings.data_timeout_s or self._held_mail.is_dripping(now_s)

    def run(self) -> None:
        """Carry out what the session asks for, until it needs more input or an answer."""
        if self._running or self._yielding or self._paused or self._lost:
            return
        self._running = True
        replies: list[bytes] = []
        session, transcript = self.session, self._transcript
        for _ in range(MAX_ACTIONS_A_TURN):
            action = session.next_action()
            if action is None:
                break
            if type(action) is Reply:
                replies.append(action.wire)
                if transcript is not None:
                    transcript.said(action)
                if action.code >= REFUSAL:
                    self._notes.refused(action)
            else:
                self._carry_out(action, replies)
        else:
            self._yielding = True
            self._connection.later(self._next_turn)
        self._running = False
        if replies:
            self._connection.write(replies[0] if len(replies) == 1 else b"".join(replies))
        self._settle(len(replies))

    def begin(self) -> None:
        """As of Handler. Until now the peer's address was not known for sure."""
        session, connection = self.session, self._connection
        session.trusted = self._options.trusts(connection.peer_ip)
        session.offers_tls = self._options.offers_tls(
            connection.local_ip, needed=self._clients.log_in_here and not session.trusted
        )
        self._transcript = taken_down(session, connection, self._services)
        self._recipients.greet(session, connection.peer_ip)
        self.run()

    def receive(self, data: bytes) -> None:
        """As of Handler. Each piece of a message gives the peer its time again."""
        self.session.receive(data)
        self.run()
        if self._in_text:
            self._held_mail.came(len(data))
            self._connection.progress()

    def end(self, why: CloseReason) -> None:
        """As of Handler, after the replies that are due already."""
        if not self.session.closed:
            self._paused = False
            self.session.close(CLOSING_WORDS[why])
            self.run()

    def pause(self) -> None:
        """As of Handler: nothing is carried out that would need a reply."""
        self._paused = True

    def resume(self) -> None:
        """As of Handler: what was put off is carried out."""
        self._paused = False
        self.run()

    def speed(self, now_s: float) -> float | None:
        """Return how fast the message under way comes in, as SmtpProtocol tells it."""
        return self._held_mail.speed(now_s) if self.session.held_bytes else None

    def refuse_message(self) -> None:
        """Read the message under way to its end, keep nothing of it, and say 452."""
        self.session.refuse_message(reply.NO_STORAGE)
        self._hold(self._delivering_bytes)

    def lost(self) -> None:
        """As of Handler. A message that was whole is stored all the same; nothing is asked."""
        self._lost = True
        self.session.faults = None  # which knows the session: a circle
        if self._asking is not None:
            self._asking.cancel()
        self._budget.forget(self._room_came)
        self._hold(self._delivering_bytes)
        self._notes.ended(self._clock.seconds())
        if self._transcript is not None:
            self._transcript.ended()

    def _settle(self, commands: int) -> None:
        """What follows from where the session has got to."""
        session = self.session
        in_text = session.reader is not None
        if in_text is not self._in_text:
            self._in_text = in_text
            self._connection.read_control.expect(message=in_text)
            if in_text:
                self._held_mail.begin()
        if in_text or self._held_mail.held_bytes or self._delivering_bytes:
            self._hold(session.held_bytes + self._delivering_bytes)
        if self._options.connections.stopping and not session.in_message:
            self.end(CloseReason.STOPPING)
        self._connection.worked(commands, session.unread_bytes)

    def _next_turn(self) -> None:
        self._yielding = False
        self.run()

    def _carry_out(self, action: Action, replies: list[bytes]) -> None:
        if type(action) is AskRecipient:
            self._ask_recipient(action.path)
        elif type(action) is Deliver:
            self._deliver(action)
        elif isinstance(action, ABOUT_CLIENTS):
            peer_ip = self._connection.peer_ip
            self._ask(self._clients.answer(self.session, action, peer_ip))
        elif action is Signal.AWAIT_ROOM:
            self._budget.when_open(self._room_came)
        elif action is Signal.SLOW_DOWN:
            self._clock.callLater(AUTH_DELAY_S, self._go_on)
        else:
            self._connection.write(b"".join(replies))
            replies.clear()
            if action is Signal.START_TLS:
                self._connection.start_tls()
            else:
                self._connection.close()

    def _ask(self, question: Coroutine[Any, Any, None]) -> None:
        """Have a question answered that the session waits for, as long as there is a client."""
        self._asking = Deferred.fromCoroutine(question)
        self._asking.addCallback(lambda _: self.run())
        self._asking.addErrback(self._not_answered)

    def _not_answered(self, failure: Failure) -> None:
        if not self._lost or not failure.check(CancelledError):
            self._broken(failure)

    def _ask_recipient(self, path: str) -> None:
        session = self.session
        try:
            answer = self._recipients.ask(path, session.transaction.reverse_path, session.account)
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets a reply
            self._refuse_recipient(e)
            return
        if isinstance(answer, Recipient):
            self.session.accept_recipient(answer)
        else:
            self._ask(self._await_recipient(answer))

    async def _await_recipient(self, answer: Awaitable[Recipient]) -> None:
        try:
            recipient = await answer
        except CancelledError:
            raise
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets a reply
            self._refuse_recipient(e)
        else:
            self.session.accept_recipient(recipient)

    def _refuse_recipient(self, error: Exception) -> None:
        if not is_expected(error):
            _log.failure("a recipient could not be checked", Failure(error))
        is_first = not self.session.transaction.recipients
        self.session.refuse_recipient(refused_recipient(error, is_first=is_first))

    def _deliver(self, message: Deliver) -> None:
        envelope = self._envelopes.make(message, self.session.helo, tls=self.session.tls)
        if self._transcript is not None:
            envelope = self._transcript.beside(envelope, stored_as(envelope.id))
        self._delivering_bytes = len(message.content)
        self._notes.whole(envelope, self._clock.seconds())
        stored = self._clients.deliver(envelope, message.account, self._let_go)
        stored.addCallbacks(self._taken, self._not_stored, callbackArgs=(envelope.id,))
        stored.addErrback(self._broken)

    def _taken(self, answer: Reply | None, envelope_id: str) -> None:
        self._connection.read_control.effect()
        self._finish(answer or stored_as(envelope_id))

    def _not_stored(self, failure: Failure) -> None:
        if not is_expected(failure.value):
            _log.failure("a message could not be stored", failure)
        self._finish(refused_message(failure.value))

    def _finish(self, answer: Reply) -> None:
        self._delivering_bytes = 0
        self._notes.answered(answer, self._clock.seconds())
        self.session.finish_message(answer)
        if self._lost:
            self._hold(0)
        elif self._options.connections.stopping:  # not even what is pipelined behind it is begun
            self.session.close(reply.STOPPING)
        self.run()

    def _broken(self, failure: Failure) -> None:
        """A defect of ours, not of the client: it is not left hanging."""
        _log.failure("an SMTP session broke", failure)
        self._connection.abort()

    def _room_came(self) -> None:
        self._held_mail.begin()  # what was waited for the room is not the client's doing
        if self._running:
            self.session.go_on()
        else:  # whoever gave the room is on the stack: many would go deep
            self._clock.callLater(0, self._go_on)

    def _go_on(self) -> None:
        self.session.go_on()
        self.run()

    def _let_go(self) -> None:
        self._delivering_bytes = 0
        self._hold(self.session.held_bytes)

    def _hold(self, count: int) -> None:
        """``count`` bytes of mail are now held for this connection."""
        if self._held_mail.change(count) and self.session.held_bytes:
            self.refuse_message()
