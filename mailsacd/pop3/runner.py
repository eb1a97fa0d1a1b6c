"""Runs a session against the use cases: carries out its actions and answers its questions."""

from collections.abc import Coroutine
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.errors import (
    LoginDelayError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.pop3 import answer
from mailsacd.pop3.action import Action, LogIn, Remove, Retrieve, Signal
from mailsacd.pop3.messages import Messages
from mailsacd.pop3.notes import SessionNotes
from mailsacd.pop3.replies import CLOSING_WORDS, is_expected, not_removed, refused_login
from mailsacd.pop3.sending import Sending
from mailsacd.pop3.services import OpenMaildrop, Shared
from mailsacd.pop3.session import Session
from mailsacd.sockets.connection import Connection
from mailsacd.sockets.connections import CloseReason

AUTH_DELAY_S: Final = 1.0
"""So long waits whoever gave a wrong name or password."""
MAX_ACTIONS_A_TURN: Final = 16
"""After so many, other connections have their turn."""
LISTED_BYTES: Final = 120
"""What a message of an open maildrop costs in memory, about."""

_log = Logger()


class SessionRunner:
    """Runs one connection's session. While it is `held_up`, input is only gathered."""

    def __init__(self, shared: Shared, connection: Connection) -> None:
        services = shared.services
        self.session = Session(shared.rules)
        self._connection = connection
        self._options = shared.options
        self._settings = services.settings
        self._clock = services.clock
        self._maildrops = services.maildrops
        self._listings = services.listings
        self._notes = SessionNotes(shared.notes, connection, services.clock.seconds())
        self._maildrop: OpenMaildrop | None = None
        self._messages: Messages | None = None
        self.sending = Sending(
            connection, services.budget, services.clock, sent=self._go_on, broken=self._broken
        )
        self._logging_in: Deferred[None] | None = None
        self._running = self._yielding = self._paused = self._lost = False

    # For the connection

    @property
    def waiting(self) -> bool:
        """As of Handler: a question is open, or others have their turn."""
        return self._yielding or (self.session.waiting and not self.sending.in_message)

    @property
    def busy(self) -> bool:
        """As of Handler: an answer is being made or sent. What QUIT deletes is deleted."""
        return self.session.waiting

    @property
    def held_up(self) -> bool:
        """As of Handler: a question, others' turns, or a client that does not read comes first."""
        return self.session.waiting or self._yielding or self._paused

    def is_overdue(self, silent_s: float, now_s: float) -> bool:  # noqa: ARG002  as of Handler
        """As of Handler: RFC 1939 section 3, the autologout timer, which a whole command resets."""
        return silent_s >= self._settings.idle_timeout_s

    def begin(self) -> None:
        """As of Handler. By now it is known whether a handshake came first."""
        session = self.session
        session.tls = self._connection.tls
        session.trusted = self._options.trusts(self._connection.peer_ip)
        session.offers_tls = self._options.offers_tls(
            self._connection.local_ip, needed=not session.trusted
        )
        session.greet()
        self.run()

    def receive(self, data: bytes) -> None:
        """As of Handler: it is read when all before it is answered."""
        self.session.receive(data)
        self.run()

    def end(self, why: CloseReason) -> None:
        """As of Handler; what QUIT has said is done nevertheless."""
        if self.session.closed:
            return
        # In the midst of a message there is nothing to say that would not be taken for its text
        words = b"" if self.sending.in_message else CLOSING_WORDS[why]
        self._paused = False
        self.sending.end()
        self.session.close(words)
        self.run()

    def pause(self) -> None:
        """As of Handler: no answer is made, and the message under way is not sent on."""
        self._paused = True
        self.sending.pause()

    def resume(self) -> None:
        """As of Handler: the message under way is sent on, and what was put off is carried out."""
        self._paused = False
        self.sending.resume()
        self.run()

    def lost(self) -> None:
        """As of Handler. Nothing is deleted that QUIT did not say."""
        self._lost = True
        if self._logging_in is not None:
            self._logging_in.cancel()
        self.sending.end()
        del self.sending  # which knows the runner: a circle that would keep the maildrop
        if self._maildrop is not None:
            self._listings.give(self._listed_bytes(self._maildrop))
            self._maildrop.close()
        self._notes.ended(self._clock.seconds())

    # Running

    def run(self) -> None:
        """Carry out what the session asks for, until it needs more input or an answer."""
        if self._running or self._yielding or self._paused or self._lost:
            return
        self._running = True
        session = self.session
        done = 0
        while done < MAX_ACTIONS_A_TURN:
            action = session.next_action()
            if action is None:
                break
            done += 1
            if type(action) is bytes:
                self._connection.write(action)
            else:
                self._carry_out(action)
            if self._paused:
                break
        else:
            self._yielding = True
            self._connection.later(self._next_turn)
        self._running = False
        if self._options.connections.stopping and not self.busy:
            self.end(CloseReason.STOPPING)
        self._connection.worked(done, self.session.unread_bytes)

    def _next_turn(self) -> None:
        self._yielding = False
        self.run()

    def _go_on(self) -> None:
        """A message is sent."""
        self._connection.progress()
        self.session.go_on()
        self.run()

    def _carry_out(self, action: Action) -> None:
        if type(action) is Retrieve:
            assert self._messages is not None  # noqa: S101  for mypy: there is what to retrieve
            self._notes.retrieved()
            self.sending.begin(self._messages, action)
        elif type(action) is LogIn:
            self._logging_in = self._begin(self._log_in(action))
        elif type(action) is Remove:
            self._begin(self._remove(action))
        elif action is Signal.START_TLS:
            self._connection.start_tls()
        else:
            self._connection.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> Deferred[None]:
        return Deferred.fromCoroutine(work).addErrback(self._broken)

    def _broken(self, failure: Failure) -> None:
        """A defect of ours, not of the client: it is not left hanging."""
        _log.failure("a POP3 session broke", failure)
        self._connection.abort()

    # Logging in and out

    async def _log_in(self, asked: LogIn) -> None:
        try:
            maildrop = await self._maildrops.open(
                asked.name, asked.secret, self._connection.peer_ip
            )
        except CancelledError:
            return  # the client has gone
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets an answer
            self._refuse(e)
            return
        if self._lost or not self._listings.open:
            maildrop.close()
            self._refuse(UnavailableError("Too many maildrops are open"))
            return
        self._listings.take(self._listed_bytes(maildrop))
        self._maildrop = maildrop
        self._messages = Messages(maildrop)
        self._notes.admitted(asked.name)
        self.session.admit(maildrop.listing)
        self.run()

    def _refuse(self, error: Exception) -> None:
        if not is_expected(error):
            _log.failure("a maildrop could not be opened", Failure(error))
        throttled = isinstance(error, ThrottledError) and not isinstance(error, LoginDelayError)
        is_wrong = throttled or isinstance(error, UnauthenticatedError)
        delay_s = AUTH_DELAY_S if is_wrong else 0.0
        self._notes.refused(is_wrong=is_wrong)

        def refuse() -> None:
            self.session.refuse(refused_login(error), close=throttled)
            self.run()

        self._clock.callLater(delay_s, refuse)

    async def _remove(self, asked: Remove) -> None:
        assert self._maildrop is not None  # noqa: S101  for mypy: nothing else is marked
        try:
            await self._maildrop.remove(asked.places)
        except Exception as e:  # noqa: BLE001  as above
            if not is_expected(e):
                _log.failure("messages could not be deleted", Failure(e))
            self.session.go_on(not_removed(e))
        else:
            self._notes.removed(len(asked.places))
            self.session.go_on(answer.BYE)
        self.run()

    @staticmethod
    def _listed_bytes(maildrop: OpenMaildrop) -> int:
        return len(maildrop.listing.ids) * LISTED_BYTES
