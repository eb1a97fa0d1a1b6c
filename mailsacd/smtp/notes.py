"""Takes note of what becomes of sessions and messages: in figures, and by a line in the log."""

import secrets
from typing import Final

from mailsacd.core import reply
from mailsacd.core.envelope import Envelope
from mailsacd.core.figures import Count, Figures
from mailsacd.core.reply import REFUSAL, Reply
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.traffic_log import milliseconds, printable
from mailsacd.sockets.connection import Connection

MAX_RECIPIENTS_TOLD: Final = 5

_ABOUT_REFUSALS: Final = "Replies that refuse a connection, a command, a recipient or a message"
_MESSAGE: Final = (
    "smtp message {message} from <{sender}> to {recipients}: {code} {status} {reply}, "
    "{size} bytes in {duration_ms} ms, session {session} of {peer}"
)
_SESSION: Final = (
    "smtp session {session} of {peer} on {port} ended after {duration_s} s: "
    "{accepted} accepted, {refused} refused, last {reply}"
)


class PortNotes:
    """What the sessions of one port have in common; ``port`` is its name."""

    def __init__(self, telemetry: Telemetry, port: str) -> None:
        figures = telemetry.figures
        self.log: Final = telemetry.log
        self.port: Final = port
        self.accepted: Final = figures.counter(
            "mailsacd_smtp_accepted_total", "Messages that were answered with 250", port=port
        )
        self.accepted_bytes: Final = figures.counter(
            "mailsacd_smtp_accepted_bytes_total", "Bytes of these messages, as sent", port=port
        )
        self.answer_s: Final = figures.histogram(
            "mailsacd_smtp_answer_seconds",
            "From when a message was whole to its reply, be it stored or not",
            port=port,
        )
        self._refused = {
            each: self._counter(figures, str(each[0]), each[1]) for each in sorted(_refusals())
        }
        self._others = self._counter(figures, "other", "other")

    def refused(self, answer: Reply) -> None:
        """Count a reply that is a refusal."""
        self._refused.get((answer.code, answer.enhanced), self._others).add()

    def _counter(self, figures: Figures, code: str, status: str) -> Count:
        return figures.counter(
            "mailsacd_smtp_refusals_total",
            _ABOUT_REFUSALS,
            port=self.port,
            code=code,
            status=status,
        )


class SessionNotes:
    """The notes on one session, which may take many messages; ``now_s`` is when it began."""

    __slots__ = (
        "_accepted", "_began_s", "_connection", "_envelope", "_id", "_last", "_port",
        "_refused", "_whole_s",
    )  # fmt: skip

    def __init__(self, port: PortNotes, connection: Connection, now_s: float) -> None:
        self._port = port
        self._connection = connection
        self._began_s = self._whole_s = now_s
        self._id = ""
        self._accepted = self._refused = 0
        self._last: Reply | None = None
        self._envelope: Envelope | None = None

    def refused(self, answer: Reply) -> None:
        """A refusal is on its way to the client."""
        self._port.refused(answer)
        self._refused += 1
        self._last = answer

    def whole(self, envelope: Envelope, now_s: float) -> None:
        """A message is whole, at the clock's time ``now_s``, and will be answered."""
        self._envelope = envelope
        self._whole_s = now_s

    def answered(self, answer: Reply, now_s: float) -> None:
        """What became of it is known: it is stored, queued, or refused."""
        envelope, self._envelope = self._envelope, None
        if envelope is None:
            return
        port, took_s = self._port, now_s - self._whole_s
        is_refused = answer.code >= REFUSAL
        port.answer_s.observe(took_s)
        if not is_refused:
            self._accepted += 1
            port.accepted.add()
            port.accepted_bytes.add(len(envelope.content))
        if port.log.wants(refused=is_refused, took_s=took_s):
            paths = [each.original_inbox for each in envelope.recipients]
            port.log.line(
                _MESSAGE,
                message=envelope.id if is_refused else answer.lines[-1].rpartition(" ")[2],
                sender=printable(envelope.reverse_path),
                recipients=printable(" ".join(paths[:MAX_RECIPIENTS_TOLD])),
                recipient_count=len(paths),
                **_told(answer),
                size=len(envelope.content),
                duration_ms=milliseconds(took_s),
                tls=envelope.reception.tls is not None,
                port=port.port,
                session=self._name(),
                peer=self._connection.peer_ip,
            )

    def ended(self, now_s: float) -> None:
        """The connection is gone."""
        if self._port.log.wants(refused=self._refused > 0):
            self._port.log.line(
                _SESSION,
                session=self._name(),
                peer=self._connection.peer_ip,
                port=self._port.port,
                tls=self._connection.tls,
                duration_s=round(now_s - self._began_s, 3),
                accepted=self._accepted,
                refused=self._refused,
                **({"reply": "-"} if self._last is None else _told(self._last, whole=True)),
            )

    def _name(self) -> str:
        self._id = self._id or secrets.token_hex(4)
        return self._id


def _told(answer: Reply, *, whole: bool = False) -> dict[str, str | int]:
    text = printable(answer.lines[-1])
    if whole:
        text = " ".join(filter(None, (str(answer.code), answer.enhanced, text)))
    return {"code": answer.code, "status": answer.enhanced, "reply": text}


def _refusals() -> set[tuple[int, str]]:
    replies = (each for each in vars(reply).values() if isinstance(each, Reply))
    return {(each.code, each.enhanced) for each in replies if each.code >= REFUSAL}
