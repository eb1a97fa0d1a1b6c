"""The SMTP load generator: several sessions in one epoll loop.

It shares the machine with the server that it measures, so it does as little as it can for each
message.
"""

import select
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from bench.dialogue import CLOSING, OPENING, LoadError, Mail, Session

_SEND_BUFFER_BYTES: Final = 1_048_576
_CONNECT_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to send. ``rate`` is in messages a second, None for as fast as it goes.

    ``kept`` sends every message of a session over one connection; else each gets a new one.
    ``tolerant`` counts refusals, broken connections and silence; else they raise LoadError.
    """

    sessions: int = 20
    kept: bool = True
    rate: float | None = None
    tolerant: bool = False
    timeout_s: float = 120.0


@dataclass(slots=True)
class Outcome:
    """What came of it. A latency is from the end of the content to its 250, in seconds.

    ``refused`` counts the replies that were not what was awaited, ``unanswered`` are the messages
    whose content went out and whose connection then broke, ``hung`` counts the sessions that
    waited for a reply when the time was over;
    ``late_s`` is how far the generator fell behind its own rate at worst.
    """

    acknowledged: int = 0
    refused: int = 0
    hung: int = 0
    unanswered: list[int] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)
    late_s: float = 0.0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Acknowledged messages a second."""
        return self.acknowledged / self.seconds if self.seconds else 0.0


class Load:
    """One run of a plan against a server."""

    def __init__(
        self,
        address: tuple[str, int],
        mails: Iterator[Mail],
        plan: Plan,
        on_acknowledged: Callable[[Mail], None] | None = None,
    ) -> None:
        self._address = address
        self._mails = mails
        self._plan = plan
        self._on_acknowledged = on_acknowledged
        self._poll = select.epoll()
        self._sessions: dict[int, Session] = {}
        self._idle: list[Session] = []
        self._next = next(mails, None)
        self._taken = 0
        self._started = 0.0
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Send every message. Raises LoadError, also when the plan's time is over."""
        self._started = perf_counter()
        try:
            for _ in range(self._plan.sessions):
                self._connect()
            while self._sessions:
                self._turn()
                if perf_counter() - self._started > self._plan.timeout_s:
                    self._give_up()
        finally:
            self.outcome.seconds = perf_counter() - self._started
            for session in self._sessions.values():
                session.sock.close()
            self._poll.close()
        return self.outcome

    def _give_up(self) -> None:
        if not self._plan.tolerant:
            raise LoadError(f"not done after {self._plan.timeout_s:.0f} s")
        self._next = None
        self.outcome.hung = len(self._sessions)
        for session in list(self._sessions.values()):
            self._failed(session, LoadError("no reply in time"))

    def _turn(self) -> None:
        for fd, events in self._poll.poll(self._wait_s()):
            session = self._sessions[fd]
            try:
                if events & select.EPOLLOUT:
                    self._send(session, session.pending)
                if events & ~select.EPOLLOUT and session.read():
                    self._advance(session)
            except LoadError as e:
                self._failed(session, e)
        while self._idle and self._due():
            session = self._idle.pop()
            try:
                self._begin(session)
            except LoadError as e:
                self._failed(session, e)

    def _wait_s(self) -> float:
        if self._plan.rate is None or not self._idle:
            return _POLL_S
        if self._next is None:
            return 0.0
        due = self._started + self._taken / self._plan.rate
        return max(due - perf_counter(), 0.0)

    def _due(self) -> bool:
        if self._plan.rate is None or self._next is None:
            return True
        late = perf_counter() - self._started - self._taken / self._plan.rate
        if late >= 0:
            self.outcome.late_s = max(self.outcome.late_s, late)
        return late >= 0

    def _connect(self) -> None:
        if self._next is None:
            return
        try:
            sock = socket.create_connection(self._address, _CONNECT_TIMEOUT_S)
        except OSError as e:
            if self._plan.tolerant:
                return
            raise LoadError(f"no connection to {self._address}: {e}") from e
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._sessions[sock.fileno()] = Session(sock)
        self._poll.register(sock, select.EPOLLIN)

    def _advance(self, session: Session) -> None:
        session.codes = ()
        session.position += 1
        if session.position < len(session.steps):
            self._step(session)
        elif session.steps is CLOSING:
            self._close(session)
            self._connect()
        else:
            if session.mail is not None:
                self._acknowledged(session, session.mail)
            self._rest(session)

    def _rest(self, session: Session) -> None:
        """The session is between two messages."""
        used = session.steps is not OPENING
        if self._next is None or (used and not self._plan.kept):
            session.steps, session.position = CLOSING, 0
            self._step(session)
        elif self._due():
            self._begin(session)
        else:
            self._idle.append(session)

    def _begin(self, session: Session) -> None:
        if self._next is None:
            self._rest(session)
            return
        session.mail, self._next = self._next, next(self._mails, None)
        self._taken += 1
        session.steps, session.position = session.mail.steps, 0
        self._step(session)

    def _step(self, session: Session) -> None:
        session.sent_at = perf_counter()
        self._send(session, session.steps[session.position].send)

    def _send(self, session: Session, content: bytes) -> None:
        try:
            sent = session.sock.send(content)
        except BlockingIOError:
            sent = 0
        except OSError as e:
            raise LoadError(f"connection broke: {e}") from e
        if session.pending or sent < len(content):
            session.pending = content[sent:]
            wanted = select.EPOLLIN | (select.EPOLLOUT if session.pending else 0)
            self._poll.modify(session.sock, wanted)

    def _acknowledged(self, session: Session, mail: Mail) -> None:
        self.outcome.acknowledged += 1
        self.outcome.latencies_s.append(perf_counter() - session.sent_at)
        if self._on_acknowledged is not None:
            self._on_acknowledged(mail)
        session.mail = None

    def _failed(self, session: Session, error: LoadError) -> None:
        if not self._plan.tolerant:
            raise error
        if session.codes:
            self.outcome.refused += 1
        elif session.mail is not None and session.position == len(session.mail.steps) - 1:
            self.outcome.unanswered.append(session.mail.number)
        self._close(session)
        self._connect()

    def _close(self, session: Session) -> None:
        del self._sessions[session.sock.fileno()]
        if session in self._idle:
            self._idle.remove(session)
        session.sock.close()
