"""Runs a session against the use cases: carries out its actions and answers its questions."""

from collections.abc import Awaitable
from typing import Final

from twisted.internet.defer import ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.errors import ThrottledError, UnauthenticatedError, UnavailableError
from mailsacd.pop3 import answer
from mailsacd.pop3.action import Action, LogIn, Remove, Retrieve, Signal
from mailsacd.pop3.holding import Holding
from mailsacd.pop3.messages import Messages
from mailsacd.pop3.outcome import FAREWELLS, is_expected, not_removed, not_retrieved, refused_login
from mailsacd.pop3.services import Maildrop
from mailsacd.pop3.session import Session
from mailsacd.pop3.shared import Shared
from mailsacd.sockets.connection import Connection
from mailsacd.sockets.crowd import Farewell

AUTH_DELAY_S: Final = 1.0  # so long waits whoever gave a wrong name or password
SLICE_BYTES: Final = 65_536  # a larger message goes piece by piece, as its reader keeps up
MAX_ACTIONS_A_TURN: Final = 16  # after so many, other connections have their turn
LISTED_BYTES: Final = 120  # what a message of an open maildrop costs in memory, about

_log = Logger()


class SessionRunner:
    """One connection's session, run. While `held_up` input is only gathered."""

    def __init__(self, shared: Shared, line: Connection) -> None:
        services = shared.services
        self.session = Session(shared.rules)
        self._line = line
        self._crowd = shared.terms.crowd
        self._settings = services.settings
        self._clock = services.clock
        self._maildrops = services.maildrops
        self._budget = services.budget
        self._listings = services.listings
        self._maildrop: Maildrop | None = None
        self._messages: Messages | None = None
        self._content: memoryview | None = None
        self._holding = Holding(self._budget, self._clock)
        self._wanted: Retrieve | None = None
        self._running = self._yielding = self._paused = self._lost = False

    # For the connection

    @property
    def waiting(self) -> bool:
        """Whether it is the peer who waits."""
        return self.session.waiting and self._content is None

    @property
    def busy(self) -> bool:
        """Whether an answer is being made or sent: what QUIT deletes is deleted."""
        return self.session.waiting

    @property
    def held_up(self) -> bool:
        """Whether something other than input must come first."""
        return self.session.waiting or self._yielding or self._paused

    @property
    def unread_bytes(self) -> int:
        """As of Dialogue."""
        return self.session.unread_bytes

    @property
    def patience_s(self) -> float:
        """RFC 1939 section 3: the autologout timer."""
        return self._settings.idle_timeout_s

    def begin(self) -> None:
        """Greet the peer."""
        session = self.session
        session.tls = self._line.tls
        session.trusted = self._line.is_trusted(self._settings.plain_login)
        session.greet()
        self.run()

    def receive(self, data: bytes) -> None:
        """Input has come."""
        self.session.receive(data)
        self.run()

    def end(self, why: Farewell) -> None:
        """Say why, and close; what QUIT said is done nevertheless."""
        if self.session.closed:
            return
        # In the midst of a message there is nothing to say that would not be taken for its text
        words = None if self._content is not None else FAREWELLS[why]
        self._paused = False
        self._let_go()
        self.session.close(words)
        self.run()

    def pause(self) -> None:
        """The peer does not read: make no more answers."""
        self._paused = True
        self._holding.reads(False)

    def resume(self) -> None:
        """It reads again."""
        self._paused = False
        self._holding.reads(True)
        if self._content is not None:
            self._send_more()
        else:
            if self._wanted is None and not self.session.waiting:
                self._holding.change(0)
            self.run()

    def lost(self) -> None:
        """The connection is gone: nothing is deleted that QUIT did not say."""
        self._lost = True
        self._let_go()
        if self._maildrop is not None:
            self._listings.give(self._listed_bytes(self._maildrop))
            self._leave(self._maildrop)

    def stuck_s(self, now_s: float) -> float:
        """As of Holding."""
        return self._holding.stuck_s(now_s)

    # Running

    def run(self) -> None:
        """Carry out what the session asks for, until it needs more input or an answer."""
        if self._running or self._yielding or self._paused or self._lost:
            return
        self._running = True
        session = self.session
        for done in range(MAX_ACTIONS_A_TURN):  # noqa: B007  it is used behind the loop
            action = session.next_action()
            if action is None:
                break
            if type(action) is bytes:
                self._line.write(action)
            else:
                self._carry_out(action)
            if self._paused:
                break
        else:
            self._yielding = True
            self._line.later(self._next_turn)
        self._running = False
        self._line.reading.worked(done)
        if self._crowd.stopping and not self.busy:
            self.end(Farewell.STOPPING)
        self._line.caught_up()

    def _next_turn(self) -> None:
        self._yielding = False
        self.run()

    def _carry_out(self, action: Action) -> None:
        if type(action) is Retrieve:
            self._retrieve(action)
        elif type(action) is LogIn:
            self._begin(self._log_in(action))
        elif type(action) is Remove:
            self._begin(self._remove(action))
        elif action is Signal.START_TLS:
            self._line.start_tls()
        else:
            self._line.close()

    def _begin(self, work: Awaitable[None]) -> None:
        async def whole() -> None:
            await work

        ensureDeferred(whole()).addErrback(self._broken)

    def _broken(self, failure: Failure) -> None:
        """A defect of ours, not of the client: it is not left hanging."""
        _log.failure("a POP3 session broke", failure)
        self._line.abort()

    # Logging in and out

    async def _log_in(self, asked: LogIn) -> None:
        try:
            maildrop = await self._maildrops.open(asked.name, asked.secret, self._line.peer_ip)
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets an answer
            self._refuse(e)
            return
        if self._lost or not self._listings.open:
            self._leave(maildrop)
            self._refuse(UnavailableError("Too many maildrops are open"))
            return
        self._listings.take(self._listed_bytes(maildrop))
        self._maildrop = maildrop
        self._messages = Messages(maildrop)
        self.session.admit(maildrop.listing)
        self.run()

    def _refuse(self, error: Exception) -> None:
        if not is_expected(error):
            _log.failure("a maildrop could not be opened", Failure(error))
        throttled = type(error) is ThrottledError
        delay_s = AUTH_DELAY_S if throttled or isinstance(error, UnauthenticatedError) else 0.0

        def refuse() -> None:
            self.session.refuse(refused_login(error), close=throttled)
            self.run()

        self._clock.callLater(delay_s, refuse)

    async def _remove(self, asked: Remove) -> None:
        assert self._maildrop is not None  # noqa: S101  for mypy: nothing else is marked
        try:
            await self._maildrop.remove(asked.places)
        except Exception as e:  # noqa: BLE001  as above
            self._log_defect(e)
            self.session.go_on(not_removed(e))
        else:
            self.session.go_on(answer.BYE)
        self.run()

    def _leave(self, maildrop: Maildrop) -> None:
        leaving = ensureDeferred(maildrop.close())
        leaving.addErrback(lambda f: f.trap(UnavailableError))  # its lock ends by itself
        leaving.addErrback(lambda f: _log.failure("a maildrop stays locked for a while", f))

    @staticmethod
    def _listed_bytes(maildrop: Maildrop) -> int:
        return len(maildrop.listing.ids) * LISTED_BYTES

    # Messages

    def _retrieve(self, asked: Retrieve) -> None:
        assert self._messages is not None  # noqa: S101  for mypy: there is a message to retrieve
        if self._size(asked) > SLICE_BYTES or self._budget.exhausted:
            self._wanted = asked
            self._budget.when_open(self._room_came)
            return
        at_hand = self._messages.at_once(asked)
        if at_hand is None:
            self._begin(self._read(self._messages, asked))
            return
        self._line.send(at_hand)
        self._sent(len(at_hand))
        if not self._paused:
            self._messages.prepare(asked.place + 1)

    def _room_came(self) -> None:
        asked, self._wanted = self._wanted, None
        if asked is not None and self._messages is not None:
            self._holding.change(self._size(asked))
            self._begin(self._read(self._messages, asked))

    def _size(self, asked: Retrieve) -> int:
        return self._maildrop.listing.sizes[asked.place] if self._maildrop else 0

    async def _read(self, messages: Messages, asked: Retrieve) -> None:
        try:
            wire = await messages.read(asked)
        except Exception as e:  # noqa: BLE001  as above
            self._log_defect(e)
            wire = not_retrieved(e)
        if self._lost or self.session.closed:
            self._let_go()
            return
        self._content = memoryview(wire)
        self._send_more()

    def _send_more(self) -> None:
        """Hand on the next piece, if the peer keeps up; the one after it when others had a turn."""
        if self._content is None or self._paused:
            return
        piece, rest = self._content[:SLICE_BYTES], self._content[SLICE_BYTES:]
        self._content = rest if len(rest) else None
        self._line.send(bytes(piece))
        if self._content is None:
            self._sent(len(piece))
            self.run()
        elif not self._paused:
            self._clock.callLater(0, self._send_more)

    def _sent(self, last_bytes: int) -> None:
        """A message is handed on whole; the end of it may yet wait in the transport."""
        self._holding.change(last_bytes if self._paused else 0)
        self._line.reading.effect()
        self.session.go_on()

    def _let_go(self) -> None:
        """No message is held for the peer any more, nor waited for."""
        self._content = None
        if self._wanted is not None:
            self._wanted = None
            self._budget.forget(self._room_came)
        self._holding.change(0)

    def _log_defect(self, error: Exception) -> None:
        if not is_expected(error):
            _log.failure("a message could not be read or deleted", Failure(error))
