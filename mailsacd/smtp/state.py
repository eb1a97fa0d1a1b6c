"""The states of an SMTP session."""

from enum import Enum, auto


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
    CLOSED = auto()
