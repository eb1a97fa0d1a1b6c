"""What an SMTP session asks of whoever runs it."""

from dataclasses import dataclass
from enum import Enum, auto

from mailsacd.core.envelope import Recipient
from mailsacd.core.reply import Reply


@dataclass(frozen=True, slots=True)
class AskRecipient:
    """May ``path`` receive? Answer with `Session.accept_recipient` or `refuse_recipient`."""

    path: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """A whole message. Answer with `Session.finish_message` once its fate is known."""

    reverse_path: str
    recipients: tuple[Recipient, ...]
    content: bytes
    protocol: str
    """The keyword of RFC 3848 and RFC 6531 section 4.3."""
    account: str | None = None
    """Who has logged in."""


@dataclass(frozen=True, slots=True, repr=False)
class LogIn:
    """Are these right? Answer with `Session.accept_login` or `refuse_login`."""

    name: str
    secret: str


class Signal(Enum):
    """Actions without contents."""

    AWAIT_ROOM = auto()
    """A message is about to begin: answer with `Session.go_on` when there is memory for it."""
    SLOW_DOWN = auto()
    """Wait a moment, then answer with `Session.go_on`."""
    START_TLS = auto()
    """Begin the handshake; what comes in from now on comes through TLS."""
    CLOSE = auto()
    """Close the connection when everything is sent."""


Action = Reply | AskRecipient | Deliver | LogIn | Signal
