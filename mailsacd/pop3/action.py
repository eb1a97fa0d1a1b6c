"""The states of a POP3 session, and what it asks of whoever runs it."""

from dataclasses import dataclass
from enum import Enum, auto


class State(Enum):
    """Where a session stands; the table in `mailsacd.pop3.commands` says what may come in which."""

    AUTHORIZATION = auto()
    EXCHANGE = auto()  # inside of AUTH: a line is a response, not a command
    TRANSACTION = auto()
    CLOSED = auto()  # after QUIT, too: what it deletes is the last that happens


@dataclass(frozen=True, slots=True, repr=False)
class LogIn:
    """Asks for the maildrop of ``name``, with a ``secret``, both as the client gave them.

    Answered by `Session.admit` or `Session.refuse`.
    """

    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class Retrieve:
    """Asks for message ``place`` (from 0), with so many ``lines`` of its body, None for all.

    `Session.go_on` is called when it is sent, or with the answer when that failed.
    """

    place: int
    lines: int | None


@dataclass(frozen=True, slots=True)
class Remove:
    """Asks to delete the messages at these ``places`` (from 0).

    `Session.go_on` is called with the answer.
    """

    places: tuple[int, ...]


class Signal(Enum):
    """Actions that say all by their name."""

    START_TLS = auto()
    """Begin the handshake; what comes in from now on comes through TLS."""
    CLOSE = auto()
    """Close the connection when everything is sent."""


Action = bytes | LogIn | Retrieve | Remove | Signal
"""Bytes are to be sent."""
