"""What SMTP commands change: where a session stands, who has logged in, the message under way.

Pure: no I/O, no clock. `commands` and `authentication` take a `Conversation` and change it; the
`Session` extends it by what reads the input and takes the answers to questions. So the session
knows the commands, and they do not know the session.
"""

from collections.abc import Callable
from typing import Final, Protocol

from mailsacd.core import reply
from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Recipient
from mailsacd.core.reply import Reply
from mailsacd.core.sasl import SaslExchange
from mailsacd.smtp.action import Action, AskFault, Signal, State
from mailsacd.smtp.dsn_parameters import RecipientDsn
from mailsacd.smtp.framing import ChunkReader, TextReader
from mailsacd.smtp.rules import SessionRules
from mailsacd.smtp.transaction import Transaction
from mailsacd.sockets.line_session import LineSession

_NO_TRANSACTION: Final = Transaction("", utf8=False)


def _refuses_nobody(_reverse_path: str) -> bool:
    return False


class Witness(Protocol):
    """Hears what becomes of the mail of a session."""

    def recipient(
        self, conversation: "Conversation", recipient: Recipient | None, answer: Reply
    ) -> None:
        """A RCPT command is answered: its mail goes to ``recipient``, or is refused (None)."""

    def message(self, conversation: "Conversation", answer: Reply) -> None:
        """A message is answered: stored, or refused. Its transaction is still there."""


class Transcriber(Protocol):
    """Takes down what the client says in a session. Replies it is told by whoever sends them."""

    def command(self, conversation: "Conversation", verb: bytes, line: bytes) -> None:
        """A ``line`` came, which begins with ``verb`` (in upper case), and is about to be done."""

    def response(self) -> None:
        """A line came that is an answer within AUTH."""

    def unreadable(self, octets: int) -> None:
        """A line came that is not read: it is too long, or has a bare CR or LF in it."""

    def recipient(self, conversation: "Conversation", recipient: Recipient | None) -> None:
        """The last RCPT is about to be answered: mail goes to ``recipient``, or is refused."""

    def content(self, conversation: "Conversation", octets: int | None) -> None:
        """The message has come to its end, and is about to be answered; None: it was too long."""


class MeetsFaults(Protocol):
    """Knows what may go wrong on purpose in a session."""

    def question(
        self, conversation: "Conversation", verb: bytes, argument: bytes, line: bytes
    ) -> AskFault | None:
        """Return what is to be asked before the command ``line`` is done; None: do it."""


class Conversation(LineSession[Action, Reply]):
    """The state of one session, from banner to close."""

    __slots__ = (
        "_after_chunk",
        "_refusal",
        "account",
        "asked",
        "asked_dsn",
        "exchange",
        "extended",
        "faults",
        "helo",
        "reader",
        "refuses",
        "rules",
        "state",
        "transaction",
        "transcript",
        "witness",
    )

    def __init__(self, rules: SessionRules) -> None:
        super().__init__(
            banner=rules.banner,
            too_many_errors=reply.TOO_MANY_ERRORS,
            last_action=Signal.CLOSE,
        )
        self.rules = rules
        self.tls = rules.in_tls
        self.refuses: Callable[[str], bool] = _refuses_nobody
        """Tells whether mail with a reverse-path is refused, coming from this peer."""
        self.witness: Witness | None = None
        """Hears what becomes of recipients and messages."""
        self.transcript: Transcriber | None = None
        """Takes the session down, where somebody may want that."""
        self.faults: MeetsFaults | None = None
        """Knows what may go wrong on purpose, where anything may."""
        self.asked = ""
        """The forward-path of the last RCPT."""
        self.asked_dsn: RecipientDsn | None = None
        """What the last RCPT asked to be told."""
        self.helo = ""
        """What the client calls itself, empty before EHLO or HELO."""
        self.extended = False
        """Whether it said EHLO."""
        self.account: AccountIdentity | None = None
        """The account that has logged in."""
        self.exchange: SaslExchange | None = None
        """AUTH under way."""
        self.reader: TextReader | ChunkReader | None = None
        """What gathers the message under way."""
        self._refusal: Reply | None = None
        self._after_chunk = State.READY
        self.transaction = _NO_TRANSACTION
        """What MAIL and RCPT said so far."""
        self.state = State.START

    def refuse_service(self, answer: Reply) -> None:
        """Greet with ``answer``, a 554, and wait for QUIT (RFC 5321 section 3.1)."""
        self.state = State.REFUSED
        self._pending.append(answer)

    def reset(self, state: State) -> None:
        """Forget the transaction; the session is in ``state`` from now on."""
        self.state = state
        self.transaction = _NO_TRANSACTION
        self.reader = None
        self._refusal = None

    def begin_tls(self) -> None:
        """Have the handshake begun. RFC 3207 section 4.2: nothing learned before TLS is kept.

        Unread input least of all: who is between could have sent it.
        """
        self.forget_input()
        self.helo, self.extended, self.tls, self.account = "", False, True, None
        self.reset(State.START)
        self.then(Signal.START_TLS)

    def begin_chunk(self, reader: ChunkReader, size: int, then: State) -> None:
        """Read a chunk of ``size`` octets next, into ``reader``; after it the state is ``then``."""
        reader.begin(size)
        self.reader = reader
        self._after_chunk = then
        self.state = State.CHUNK

    def refuse_message(self, answer: Reply) -> None:
        """Keep no more of the message under way: read it to its end, then say ``answer``."""
        if self.reader and not self._refusal:
            self.reader.refuse()
            self._refusal = answer

    def _shut(self) -> None:
        self.reset(State.CLOSED)
        super()._shut()
