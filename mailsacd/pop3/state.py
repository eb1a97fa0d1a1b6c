"""The states of a POP3 session."""

from enum import Enum, auto


class State(Enum):
    """Where a session stands; the table in `mailsacd.pop3.commands` says what may come in which."""

    AUTHORIZATION = auto()
    EXCHANGE = auto()  # inside of AUTH: a line is a response, not a command
    TRANSACTION = auto()
    CLOSED = auto()  # after QUIT, too: what it deletes is the last that happens
