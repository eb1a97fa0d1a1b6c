"""What POP3 commands change: where a session stands, who logs in, what is marked as deleted.

Pure: no I/O, no clock. `commands` and `authentication` take a `Conversation` and change it; the
`Session` extends it by what reads the input and takes the answers to questions. So the session
knows the commands, and they do not know the session.
"""

from mailsacd.core.maildrop import Listing
from mailsacd.core.sasl import SaslExchange
from mailsacd.pop3 import answer
from mailsacd.pop3.action import Action, Signal, State
from mailsacd.pop3.rules import SessionRules
from mailsacd.pop3.selection import Selection
from mailsacd.sockets.line_session import LineSession


class Conversation(LineSession[Action, bytes]):
    """The state of one session, from greeting to close."""

    __slots__ = ("exchange", "name", "rules", "selection", "state")

    def __init__(self, rules: SessionRules) -> None:
        super().__init__(
            banner=rules.banner,
            too_many_errors=answer.TOO_MANY_ERRORS,
            last_action=Signal.CLOSE,
        )
        self.rules = rules
        self.state = State.AUTHORIZATION
        self.name: str | None = None
        """What USER said, until the next command."""
        self.exchange: SaslExchange | None = None
        """AUTH under way."""
        self.selection = Selection(Listing(ids=(), sizes=()))
        """The messages of the maildrop, none before somebody has logged in."""

    def begin_tls(self) -> None:
        """Have the handshake begun. RFC 2595 section 4: nothing learned before TLS is kept.

        Unread input least of all: who is between could have sent it.
        """
        self.forget_input()
        self.tls = True
        self.then(Signal.START_TLS)

    def end_exchange(self) -> None:
        """Take commands again: AUTH is over, whatever came of it."""
        self.exchange, self.state = None, State.AUTHORIZATION

    def _shut(self) -> None:
        """What is marked as deleted stays (RFC 1939 section 6), unless QUIT was said."""
        self.state = State.CLOSED
        super()._shut()
