"""The lines of a session as they are taken down, and what is kept of them in the end."""

from typing import Final, NamedTuple

from mailsacd.core.envelope import Recipient
from mailsacd.core.reply import REFUSAL, Reply
from mailsacd.core.transcript import Omission, TranscriptLine, TranscriptRecipient
from mailsacd.smtp.transaction import Transaction

_COST_OF_LINE: Final = 64  # bytes of its JSON beside the text, about


class TakenLine(NamedTuple):
    """A line at the time ``at_s``: what the client has ``said``, or a reply to it.

    The rest is as in core.transcript.TranscriptLine.
    """

    at_s: float
    said: bytes | Reply
    omitted: Omission | None
    octets: int | None
    rcpt: int | None


class TakenRcpt:
    """One RCPT, as it is told step by step."""

    __slots__ = ("path", "recipient", "reply")

    def __init__(self) -> None:
        self.path = ""
        self.recipient: Recipient | None = None
        self.reply: Reply | None = None


class TakenLines:
    """Lines up to a number of bytes; those that are ``due`` are kept nevertheless."""

    __slots__ = ("_left", "limited", "lines")

    def __init__(self, max_bytes: int) -> None:
        self.lines: list[TakenLine] = []
        self.limited = False
        self._left = max_bytes

    def add(self, line: TakenLine, *, due: bool = False) -> bool:
        """Keep ``line`` if there is room for it; whether it is kept."""
        said = line.said
        self._left -= _COST_OF_LINE + len(said.wire if isinstance(said, Reply) else said)
        if self._left < 0 and not due:
            self.limited = True
            return False
        self.lines.append(line)
        return True


class TakenTransaction:
    """A transaction as it is taken down."""

    __slots__ = ("chunked", "code", "is_whole", "lines", "octets", "rcpts", "transaction")

    def __init__(self, max_bytes: int) -> None:
        self.lines = TakenLines(max_bytes)
        self.rcpts: list[TakenRcpt] = []
        self.transaction: Transaction | None = None
        self.octets: int | None = None
        self.code: int | None = None
        self.chunked = self.is_whole = False

    @property
    def has_refusals(self) -> bool:
        """Whether there is an address whose mail was refused."""
        if self.code is not None and self.code >= REFUSAL:
            return bool(self.rcpts)
        return any(each.reply is not None and each.reply.code >= REFUSAL for each in self.rcpts)


def told_recipients(rcpts: list[TakenRcpt]) -> tuple[TranscriptRecipient, ...]:
    """Return what is kept of them, each with its place in the envelope that is to be stored.

    A recipient that is named twice has one place there, and one of a load test has none.
    """
    places: dict[Recipient, int] = {}
    told = []
    for rcpt in rcpts:
        recipient, answer = rcpt.recipient, rcpt.reply
        place = None
        if recipient is not None and recipient.load_test is None:
            place = places.setdefault(recipient, len(places))
        told.append(
            TranscriptRecipient(
                path=rcpt.path,
                code=0 if answer is None else answer.code,
                status="" if answer is None else answer.enhanced,
                inbox=None if recipient is None else recipient.inbox,
                place=place,
            )
        )
    return tuple(told)


def told_line(line: TakenLine) -> TranscriptLine:
    """Return what is kept of a line."""
    if isinstance(line.said, Reply):
        return told_reply(milliseconds_of(line.at_s), line.said, line.rcpt)
    return TranscriptLine(
        at_ms=milliseconds_of(line.at_s),
        client=True,
        text=line.said.decode("utf-8", "replace"),
        omitted=line.omitted,
        octets=line.octets,
        rcpt=line.rcpt,
    )


def told_reply(at_ms: int | None, answer: Reply, rcpt: int | None = None) -> TranscriptLine:
    """Return what is kept of a reply that was given at ``at_ms``, None where that is to come."""
    text = answer.wire.decode("utf-8", "replace").rstrip("\r\n").replace("\r\n", "\n")
    return TranscriptLine(at_ms=at_ms, client=False, text=text, rcpt=rcpt)


def milliseconds_of(seconds: float) -> int:
    """Return whole milliseconds."""
    return int(seconds * 1000)
