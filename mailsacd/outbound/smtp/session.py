"""One session with a server as a pure state machine: bytes in, actions out; no I/O, no clock.

Whoever runs it feeds `receive`, and carries out what `next_action` returns until that is None.
While an answer is waited for, ``stage`` tells which, and for how long at most. The session is over
after `Over`, and after `lost`.

The steps themselves are in `opening` and `transaction`; this module gives them the replies.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from mailsacd.core.outcome import Outcome
from mailsacd.outbound.smtp.conversation import (
    BeginTls,
    BrokenOffError,
    Send,
    Stage,
    Steps,
    ask,
)
from mailsacd.outbound.smtp.extensions import Extensions
from mailsacd.outbound.smtp.opening import ClientRules, Opening
from mailsacd.outbound.smtp.reply import BadReplyError, Reply, ReplyReader
from mailsacd.outbound.smtp.transaction import Prepared, Transaction


@dataclass(frozen=True, slots=True)
class Opened:
    """The opening is done, and mail may be sent."""


@dataclass(frozen=True, slots=True)
class Done:
    """A transaction has ended: an outcome a recipient, in their order."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """The connection is to be closed. ``outcome`` tells why, if it was before `Opened`."""

    outcome: Outcome | None = None


Action = Send | BeginTls | Opened | Done | Over


class Session:
    """From the greeting to QUIT, with any number of transactions between, one at a time."""

    def __init__(self, rules: ClientRules) -> None:
        self._rules = rules
        self._reader = ReplyReader()
        self._actions: deque[Action] = deque()
        self._opening = Opening(rules)
        self._transaction: Transaction | None = None
        self._needs_reset = False
        self._steps: Steps[Any] | None = None
        self._is_open = False
        self.stage: Stage | None = None
        """What is waited for; None while it is somebody else's turn."""
        self.turn = 0
        """Counts the replies that were taken, and all else that makes it go on."""
        self.is_over = False
        self._begin(self._opening.steps())

    # For whoever runs it

    @property
    def offered(self) -> Extensions:
        """What the server offers."""
        return self._opening.offered

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection has TLS on it."""
        return self._opening.is_encrypted

    @property
    def is_ready(self) -> bool:
        """Whether a transaction may begin."""
        return self._steps is None and not self.is_over

    def receive(self, data: bytes, *, is_sent: bool = True) -> None:
        """Take what the server sent.

        ``is_sent`` says whether all that is for it has left: an answer to what it does not have
        yet is no acceptance.
        """
        if self.is_over or self.stage is Stage.TLS:  # void, like all that came before it
            return
        if self._transaction is not None:
            self._transaction.is_sent = is_sent
        self._reader.receive(data)
        if self._steps is None:  # unasked: a 421, or nonsense
            self._end()
        else:
            self._go_on()

    def tls_begun(self) -> None:
        """Tell that the handshake which `BeginTls` asked for is done."""
        if self.stage is Stage.TLS:
            self._resume(None)

    def transmit(self, prepared: Prepared) -> None:
        """Begin a transaction; the session has to be ready."""
        self._transaction = Transaction(
            prepared, self.offered, self._rules.host, after_failure=self._needs_reset
        )
        self._begin(self._transaction.steps())

    def quit(self) -> None:
        """Take leave (RFC 5321 section 4.1.1.10)."""
        self._begin(ask(b"QUIT\r\n", Stage.QUIT))

    def lost(self, text: str, *, status: str = "4.4.2", is_sent: bool = True) -> None:
        """Tell that the connection is gone, or is to be given up, and why.

        ``is_sent`` says that all that was to be sent is on its way.
        """
        if not self.is_over:
            self._break_off(BrokenOffError(text, status=status, is_silent=is_sent))

    def next_action(self) -> Action | None:
        """What is to be done next; None when something has to happen first."""
        return self._actions.popleft() if self._actions else None

    # The steps

    def _begin(self, steps: Steps[Any]) -> None:
        self._steps = steps
        self._resume(None)

    def _go_on(self) -> None:
        """Give the replies that are waited for, as far as they are here."""
        while self.stage not in {None, Stage.TLS}:
            try:
                reply = self._reader.next_reply()
            except BadReplyError as e:
                self._break_off(BrokenOffError(str(e), status="4.5.0"))
                return
            if reply is None:
                return
            self._resume(reply)
        if self._steps is None and not self._reader.is_empty:
            self._end()

    def _resume(self, reply: Reply | None) -> None:
        """Run the steps until they wait for something."""
        self.stage = None
        self.turn += 1
        steps = self._steps
        assert steps is not None  # noqa: S101  for mypy
        try:
            wanted = steps.send(reply)
            while isinstance(wanted, Send):
                if not self._reader.is_empty:  # nothing can be an answer to what is not yet said
                    wanted = steps.throw(BrokenOffError("It answers out of turn", status="4.5.0"))
                    continue
                self._actions.append(wanted)
                wanted = next(steps)
        except StopIteration as e:
            self._finish(e.value)
        except BrokenOffError as e:
            self._fail(e)
        else:
            self._wait_for(wanted)

    def _wait_for(self, wanted: Stage | BeginTls) -> None:
        if isinstance(wanted, Stage):
            self.stage = wanted
            return
        self._reader.forget()
        self.stage = Stage.TLS
        self._actions.append(wanted)

    def _break_off(self, error: BrokenOffError) -> None:
        self.stage = None
        steps = self._steps
        if steps is None:
            self._end()
            return
        try:
            steps.throw(error)
        except StopIteration as e:
            self._finish(e.value)
        except BrokenOffError as e:
            self._fail(e)
        if not self.is_over:
            self._end()

    def _finish(self, result: Any) -> None:
        """The steps have come to their end."""
        self._steps = None
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            self._needs_reset = transaction.needs_reset
            self._actions.append(Done(result))
            if transaction.is_over:
                self._end()
        elif self._is_open:
            self._end()  # that was QUIT
        else:
            self._is_open = True
            self._actions.append(Opened())

    def _fail(self, error: BrokenOffError) -> None:
        """The opening has failed, or QUIT, of which nobody wants to know."""
        self._end(None if self._is_open else error.outcome(self._rules.host))

    def _end(self, outcome: Outcome | None = None) -> None:
        if self.is_over:
            return
        self._steps, self.stage, self.is_over = None, None, True
        self.turn += 1
        self._actions.append(Over(outcome))
