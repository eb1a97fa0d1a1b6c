"""The states of an SMTP session, and what it asks of whoever runs it."""

from dataclasses import dataclass
from enum import Enum, auto

from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Recipient
from mailsacd.core.fault import Phase, PlannedFault
from mailsacd.core.reply import Reply


class State(Enum):
    """Where a session stands; the table in `mailsacd.smtp.commands` says what may come in which."""

    START = auto()  # nobody has said EHLO yet
    READY = auto()
    AUTH = auto()  # the next line answers a challenge
    SENDER = auto()  # MAIL is given, but no good recipient
    RECIPIENTS = auto()
    TEXT = auto()  # inside of DATA
    CHUNK = auto()  # inside of a BDAT chunk
    CHUNKS = auto()  # between two chunks of a message
    DELIVERING = auto()
    REFUSED = auto()  # there is no service for this client: only QUIT is taken
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class AskSender:
    """Asks whether who has logged in, ``account``, may send mail with that reverse-path.

    Answered by `Session.accept_sender` or `refuse_sender`.
    """

    path: str
    account: AccountIdentity


@dataclass(frozen=True, slots=True)
class AskRecipient:
    """Asks whether ``path``, the forward-path of RCPT, may receive mail.

    Answered by `Session.accept_recipient` or `refuse_recipient`.
    """

    path: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hands over a whole message, ``content`` being what its sender meant: dots are unstuffed.

    Answered by `Session.finish_message` once its fate is known.
    """

    reverse_path: str
    recipients: tuple[Recipient, ...]
    content: bytes
    protocol: str
    """The keyword of RFC 3848 and RFC 6531 section 4.3."""
    account: AccountIdentity | None = None
    """Who has logged in."""
    ret: str | None = None
    """FULL or HDRS (RFC 3461 section 4.3)."""
    envid: str | None = None
    """The envelope's id, as its sender tells it (RFC 3461 section 4.4)."""


@dataclass(frozen=True, slots=True, repr=False)
class LogIn:
    """Asks whose account this is: a ``name`` and a ``secret`` as the client gave them.

    Answered by `Session.accept_login` or `refuse_login`.
    """

    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class AskFault:
    """Asks what of ``faults`` goes wrong on purpose at a step, before it is done.

    ``line`` is the command, empty at the beginning; ``faults`` each stand beside the name that they
    are about. Answered by `Session.answer_fault`.
    """

    at: Phase
    faults: tuple[tuple[PlannedFault, str], ...]
    line: bytes = b""


class Signal(Enum):
    """Actions that say all by their name."""

    AWAIT_ROOM = auto()
    """A message is about to begin: answer with `Session.go_on` when there is memory for it."""
    SLOW_DOWN = auto()
    """Wait a moment, then answer with `Session.go_on`."""
    START_TLS = auto()
    """Begin the handshake; what comes in from now on comes through TLS."""
    CLOSE = auto()
    """Close the connection when everything is sent."""


Action = Reply | AskSender | AskRecipient | AskFault | Deliver | LogIn | Signal
