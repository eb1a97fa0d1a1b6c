"""What the steps of a session are made of: they send, wait for a reply, begin TLS.

A step is a generator: it yields what is to be done and is resumed with what came of it, so that a
conversation reads from its beginning to its end, without any I/O in it.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from mailsacd.core.outcome import Outcome
from mailsacd.outbound.smtp.reply import Reply

T = TypeVar("T")


class Stage(Enum):
    """What a reply is waited for; the value is for how many seconds (RFC 5321 section 4.5.3.2)."""

    def __init__(self, name: str, timeout_s: float) -> None:
        self.told = name
        self.timeout_s = timeout_s

    GREETING = "its greeting", 300.0
    HELLO = "an answer to EHLO", 300.0
    STARTTLS = "an answer to STARTTLS", 120.0
    TLS = "a TLS handshake", 60.0
    AUTH = "an answer to AUTH", 120.0
    MAIL = "an answer to MAIL", 300.0
    RCPT = "an answer to RCPT", 300.0
    DATA = "an answer to DATA", 120.0
    END = "an answer to the end of the message", 600.0
    RESET = "an answer to RSET", 300.0
    QUIT = "an answer to QUIT", 5.0


BLOCK_TIMEOUT_S: Final = 180.0
"""So long may a block of a message take to be taken off us (RFC 5321 section 4.5.3.2.5)."""

CLOSING: Final = 421  # RFC 5321 section 3.8: at any time


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes that go to the server."""

    data: bytes


class BeginTls(Enum):
    """Begin TLS now; what was read is thrown away."""

    NOW = "now"


Steps = Generator[Send | Stage | BeginTls, Reply | None, T]


class BrokenOffError(Exception):
    """The session is over: ``code``, ``status`` and ``text`` as of an Outcome.

    ``is_silent`` says that the server had all that was for it, and gave no answer.
    """

    def __init__(
        self, text: str, *, code: int | None = None, status: str = "4.4.2", is_silent: bool = False
    ) -> None:
        super().__init__(text)
        self.code = code
        self.status = status
        self.text = text
        self.is_silent = is_silent

    def outcome(self, host: str, *, may_have_arrived: bool = False) -> Outcome:
        """What it means for a recipient."""
        return Outcome(
            code=self.code,
            status=self.status,
            text=self.text,
            host=host,
            may_have_arrived=may_have_arrived,
        )


def ask(command: bytes, stage: Stage) -> Steps[Reply]:
    """Send a command and wait for its reply. Raises BrokenOffError for 421, too."""
    yield Send(command)
    return (yield from reply_to(stage))


def reply_to(stage: Stage) -> Steps[Reply]:
    """The reply that comes next."""
    reply = yield stage
    if reply is None:
        raise BrokenOffError("The session was taken up without a reply")
    if reply.code == CLOSING:
        raise BrokenOffError(reply.text, code=reply.code, status=reply.status or "4.3.2")
    return reply


def refusal(reply: Reply, stage: Stage, host: str) -> Outcome:
    """What a reply of 4yz or 5yz means for a recipient.

    Raises BrokenOffError for another: the server is out of step.
    """
    status = reply.status
    if not 400 <= reply.code <= 599:
        raise BrokenOffError(f"{reply.code} is not {stage.told}", status="4.5.0")
    if not status:
        is_address = stage is Stage.RCPT and reply.code in {550, 551, 553}
        status = "5.1.0" if is_address else f"{str(reply.code)[0]}.0.0"
    return Outcome(code=reply.code, status=status, text=reply.text, host=host)
