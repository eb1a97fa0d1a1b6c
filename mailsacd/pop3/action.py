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
    """Whose is ``name``, with that secret? Answer with `Session.admit` or `Session.refuse`."""

    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class Retrieve:
    """Send message ``place`` (from 0), then call `Session.go_on`, with an answer if that failed.

    ``lines`` is how much of the body, None for all.
    """

    place: int
    lines: int | None


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete the messages at these places (from 0), then `Session.go_on` with the answer."""

    places: tuple[int, ...]


class Signal(Enum):
    """Actions without contents."""

    START_TLS = auto()
    """Begin the handshake; what comes in from now on comes through TLS."""
    CLOSE = auto()
    """Close the connection when everything is sent."""


Action = bytes | LogIn | Retrieve | Remove | Signal
"""Bytes are to be sent."""
