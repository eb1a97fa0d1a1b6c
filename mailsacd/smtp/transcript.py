"""Takes down one SMTP session, for the transcripts of its messages.

Of each transaction what belongs to it alone is kept, after what the session began with: greeting,
EHLO, STARTTLS and AUTH. So nobody reads in the transcript of one message what another one was
about. Secrets are never kept, and a line that is no command may be one, or part of a message.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from mailsacd.core.envelope import Envelope, Recipient, TlsFacts
from mailsacd.core.reply import Reply
from mailsacd.core.transcript import (
    ClientCertificate,
    Omission,
    Transcript,
    Wire,
    transcript_text,
)
from mailsacd.smtp.action import State
from mailsacd.smtp.commands import KNOWN
from mailsacd.smtp.conversation import Conversation
from mailsacd.smtp.services import KeepsTranscripts, SmtpServices
from mailsacd.smtp.tls_facts import client_certificate, tls_facts
from mailsacd.smtp.transaction import Transaction
from mailsacd.smtp.transcript_lines import (
    TakenLine,
    TakenLines,
    TakenRcpt,
    TakenTransaction,
    milliseconds_of,
    told_line,
    told_recipients,
    told_reply,
)
from mailsacd.sockets.connection import Connection

_SHUTTING_DOWN: Final = 421
_OF_SESSION: Final = (b"EHLO", b"HELO", b"STARTTLS", b"AUTH")
_OUT_OF_TRANSACTION: Final = (State.START, State.READY)
_WITH_ARGUMENTS: Final = (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"BDAT")
_MECHANISMS: Final = frozenset(
    {
        b"PLAIN", b"LOGIN", b"CRAM-MD5", b"DIGEST-MD5", b"NTLM", b"GSSAPI", b"EXTERNAL",
        b"ANONYMOUS", b"XOAUTH2", b"OAUTHBEARER", b"SCRAM-SHA-1", b"SCRAM-SHA-256",
    }
)  # fmt: skip


class SessionTranscript:
    """Takes down the ``conversation`` of a connection: its Transcriber.

    ``port`` is the listener's name, and ``seconds`` tells the time from the epoch. ``wanted`` says
    how much is kept, and is told of a transaction in which something was refused.
    """

    def __init__(
        self,
        conversation: Conversation,
        connection: Connection,
        port: str,
        *,
        seconds: Callable[[], float],
        wanted: KeepsTranscripts,
    ) -> None:
        self._conversation = conversation
        self._connection = connection
        self._addresses = connection.peer_ip, connection.local_ip
        self._port = port
        self._seconds = seconds
        self._refused = wanted.refused
        self._tls: TlsFacts | None = None
        self._certificate: ClientCertificate | None = None
        self._began_s = seconds()
        self._session = TakenLines(wanted.max_bytes // 4)
        self._most = wanted.max_bytes - wanted.max_bytes // 4
        self._taken: TakenTransaction | None = None
        self._current: TakenLines | None = self._session
        self._rcpt: int | None = None

    # What the client says

    def command(self, conversation: Conversation, verb: bytes, line: bytes) -> None:
        """As of Transcriber: it may begin a transaction, or end one."""
        self._rcpt = None
        if verb == b"MAIL" and conversation.state in _OUT_OF_TRANSACTION:
            self._begin()
        elif verb in {b"EHLO", b"HELO", b"RSET", b"QUIT"}:
            self._conclude()
        self._current = self._session if verb in _OF_SESSION else self._of_transaction()
        if verb == b"RCPT" and self._taken is not None:
            self._rcpt = len(self._taken.rcpts)
        if verb not in KNOWN:
            self._hear(b"", "unknown", len(line))
        elif verb == b"AUTH":
            self._hear(*_without_secret(line))
        elif verb in _WITH_ARGUMENTS or line.upper() == verb:
            self._hear(line)
        else:
            self._hear(verb, "arguments", len(line) - len(verb))

    def response(self) -> None:
        """As of Transcriber: nothing of the line is kept."""
        self._hear(b"", "credentials")

    def unreadable(self, octets: int) -> None:
        """As of Transcriber: nothing of the line is kept."""
        self._rcpt = None
        self._current = self._of_transaction()
        self._hear(b"", "unreadable", octets)

    def recipient(self, conversation: Conversation, recipient: Recipient | None) -> None:
        """As of Transcriber: it is known whose the RCPT is."""
        if self._taken is None or self._rcpt is None:
            return
        self._taken.transaction = conversation.transaction
        rcpt = self._taken.rcpts[self._rcpt]
        rcpt.path, rcpt.recipient = conversation.asked, recipient

    def content(self, conversation: Conversation, octets: int | None) -> None:
        """As of Transcriber: the next reply is the last one."""
        taken = self._taken
        if taken is None:
            return
        self._rcpt = None
        self._current = taken.lines
        taken.transaction = conversation.transaction
        taken.octets = octets
        taken.chunked = conversation.state is State.CHUNK
        taken.is_whole = True
        if not taken.chunked:
            self._hear(b"", "message", octets, due=True)

    # What is said to it

    def said(self, answer: Reply) -> None:
        """Take note that ``answer`` is on its way to the client."""
        current, taken = self._current, self._taken
        if current is None:
            return
        is_last = taken is not None and taken.is_whole
        line = TakenLine(self._seconds(), answer, None, None, self._rcpt)
        current.add(line, due=is_last)
        if taken is None:
            return
        if self._rcpt is not None:
            taken.rcpts[self._rcpt].reply = answer
        if is_last or answer.code == _SHUTTING_DOWN:
            taken.code = answer.code
        if is_last:
            self._conclude()

    def ended(self) -> None:
        """Take note that the connection is gone."""
        self._conclude()

    def beside(self, envelope: Envelope, answer: Reply) -> Envelope:
        """Return ``envelope``, which is whole now: with its transcript if a recipient wants one.

        ``answer`` is what is said when it is stored.
        """
        if self._taken is None or not any(each.transcript for each in envelope.recipients):
            return envelope
        return replace(envelope, transcript=transcript_text(self._transcript(self._taken, answer)))

    def _hear(
        self,
        said: bytes,
        omitted: Omission | None = None,
        octets: int | None = None,
        *,
        due: bool = False,
    ) -> None:
        if self._current is None:
            return
        line = TakenLine(self._seconds(), said, omitted, octets, self._rcpt)
        if not self._current.add(line, due=due):
            self._current = self._rcpt = None  # nor is its reply kept
        elif self._rcpt is not None and self._taken is not None:
            self._taken.rcpts.append(TakenRcpt())

    def _of_transaction(self) -> TakenLines | None:
        return None if self._taken is None else self._taken.lines

    def _begin(self) -> None:
        self._conclude()
        self._taken = TakenTransaction(self._most)
        if self._tls is None and self._conversation.tls:
            self._tls = tls_facts(self._connection)
            self._certificate = client_certificate(self._connection)

    def _conclude(self) -> None:
        taken, self._taken, self._current, self._rcpt = self._taken, None, None, None
        if taken is not None and taken.has_refusals:
            self._refused(self._transcript(taken))

    def _transcript(self, taken: TakenTransaction, answer: Reply | None = None) -> Transcript:
        transaction = taken.transaction
        last = () if answer is None else (told_reply(None, answer),)
        lines = (*self._session.lines, *taken.lines.lines)
        return Transcript(
            wire=self._wire_of(transaction),
            began_ms=milliseconds_of(self._began_s),
            sender=None if transaction is None else transaction.reverse_path,
            recipients=told_recipients(taken.rcpts),
            declared_octets=0 if transaction is None else transaction.declared_bytes,
            octets=taken.octets,
            chunked=taken.chunked,
            code=taken.code if answer is None else answer.code,
            lines=(*map(told_line, lines), *last),
            limited=self._session.limited or taken.lines.limited,
        )

    def _wire_of(self, transaction: Transaction | None) -> Wire:
        conversation = self._conversation
        protocol, account = "SMTP", conversation.account
        if conversation.extended:
            utf8 = transaction or Transaction("", utf8=False)
            protocol = utf8.protocol(tls=conversation.tls, authenticated=account is not None)
        peer_ip, local_ip = self._addresses
        return Wire(
            peer_ip=peer_ip,
            local_ip=local_ip,
            port=self._port,
            helo=conversation.helo,
            protocol=protocol,
            tls=self._tls,
            certificate=self._certificate,
            login=None if account is None else account.name,
        )


def _without_secret(line: bytes) -> tuple[bytes, Omission | None, int | None]:
    """AUTH with its mechanism, if that is one: what follows proves who somebody is."""
    verb, mechanism, *rest = [*line.split(), b""][:3]
    if mechanism.upper() not in _MECHANISMS:
        return (verb, "credentials", None) if mechanism else (verb, None, None)
    return b"%s %s" % (verb, mechanism), "credentials" if any(rest) else None, None


def taken_down(
    conversation: Conversation, connection: Connection, services: SmtpServices
) -> SessionTranscript | None:
    """Have a session that is about to begin taken down, if anybody wants that; else None."""
    wanted = services.transcripts
    if wanted is None or not wanted.wanted:
        return None
    transcript = SessionTranscript(
        conversation,
        connection,
        services.port,
        seconds=services.clock.seconds,
        wanted=wanted,
    )
    conversation.transcript = transcript
    return transcript
