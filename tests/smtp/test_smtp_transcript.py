"""Sessions that are taken down, by real sockets: what is in a transcript, and what never is."""

import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from msgspec.structs import replace
from twisted.internet.defer import fail
from twisted.internet.threads import deferToThread

from mailsacd.certificate import CertificateStore, ReloadableContext
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import ForbiddenError, UnavailableError
from mailsacd.core.transcript import Transcript, read_transcript
from mailsacd.settings import MessageSettings, SmtpSettings, TlsSettings
from tests.smtp.listener import START, Capturing, SmtpListener, recipient

ensure = pytest_twisted.ensureDeferred
Listen = Callable[..., SmtpListener]


@dataclass
class Keeping:
    """Wants transcripts of all, and keeps those of what was refused."""

    wanted: bool = True
    max_bytes: int = 32_768
    found: list[Transcript] = field(default_factory=list)

    def refused(self, transcript: Transcript) -> None:
        self.found.append(transcript)


def wanting(listener: SmtpListener) -> SmtpListener:
    """Every recipient wants one, and who has ``bad`` in the address is refused."""

    def answer(path: str) -> Recipient:
        if "bad" in path:
            raise ForbiddenError("not here")
        return replace(recipient(path), transcript=True)

    listener.accept.answer = answer
    return listener


def lines(transcript: Transcript) -> list[str]:
    return [
        f"{'c' if line.client else 's'} {line.text.partition(chr(10))[0]}"
        f"{f' [{line.omitted} {line.octets}]' if line.omitted else ''}"
        for line in transcript.lines
    ]


def stored(listener: SmtpListener, number: int = 0) -> Transcript:
    text = listener.ingest.envelopes[number].transcript
    assert text is not None
    return read_transcript(text)


_BEGUN = ["s 220 mx.example ESMTP mailsacd", "c EHLO c.example", "s 250-mx.example"]
_SENDER = ["c MAIL FROM:<a@b.example>", "s 250 2.1.0 Sender ok"]
_RCPT = ["c RCPT TO:<c@d.example>", "s 250 2.1.5 Recipient ok"]
_DATA = ["c DATA", "s 354 End the message with <CR><LF>.<CR><LF>"]
_STORED = "s 250 2.0.0 Ok: stored as id"


@pytest.mark.parametrize("bytewise", [False, True])
@ensure
async def test_each_message_has_its_own_transaction_after_the_greeting(
    listen: Listen, bytewise: bool
) -> None:
    listener = wanting(listen(transcripts=Keeping()))
    wire = await listener.connect()
    script = (
        START
        + b"VRFY someone@else.example\r\nc2VjcmV0\r\nDATA\r\nhello\r\n.\r\n"
        + b"NOOP between\r\nMAIL FROM:<x@y.example> SIZE=9\r\nRCPT TO:<z@d.example>\r\n"
        + b"BDAT 5\r\n12345BDAT 4 LAST\r\n6789QUIT\r\n"
    )
    for piece in (script[i : i + 1] for i in range(len(script))) if bytewise else [script]:
        wire.send(piece)
    await wire.closed()
    first, second = stored(listener), stored(listener, 1)
    assert lines(first) == [
        *_BEGUN, *_SENDER, *_RCPT,
        "c VRFY [arguments 21]", "s 252 2.1.5 Send the mail and see (RFC 5321 section 3.5.3)",
        "c  [unknown 8]", "s 500 5.5.2 Command not known",
        *_DATA, "c  [message 7]", _STORED + "0",
    ]  # fmt: skip
    assert lines(second) == [
        *_BEGUN, "c MAIL FROM:<x@y.example> SIZE=9", "s 250 2.1.0 Sender ok",
        "c RCPT TO:<z@d.example>", "s 250 2.1.5 Recipient ok",
        "c BDAT 5", "s 250 2.0.0 Chunk ok", "c BDAT 4 LAST", _STORED + "1",
    ]  # fmt: skip
    assert (first.octets, first.chunked, first.declared_octets, first.code) == (7, False, 0, 250)
    assert (second.octets, second.chunked, second.declared_octets) == (9, True, 9)
    assert [(each.path, each.place, each.code) for each in second.recipients] == [
        ("z@d.example", 0, 250)
    ]
    assert (first.wire.helo, first.wire.protocol, first.wire.port) == ("c.example", "ESMTP", "smtp")


@ensure
async def test_nothing_is_kept_where_nobody_wants_it(listen: Listen) -> None:
    for keeping, is_wanted in ((Keeping(wanted=False), True), (Keeping(), False)):
        listener = listen(transcripts=keeping)
        if is_wanted:
            wanting(listener)
        wire = await listener.connect()
        await wire.talk(START + b"DATA\r\n.\r\n", 250, 250, 250, 354, 250)
        assert listener.ingest.envelopes[0].transcript is None
        assert keeping.found == []


@ensure
async def test_secrets_are_never_kept_however_they_are_sent(listen: Listen) -> None:
    keeping = Keeping()
    listener = wanting(
        listen(transcripts=keeping, capture=Capturing(), plain_login="always", port="capture")
    )
    wire = await listener.connect()
    await wire.talk(
        b"EHLO c.example\r\n"
        b"AUTH c2VjcmV0\r\nAUTH SECRET c2VjcmV0\r\nAUTH LOGIN\r\nYW5u\r\ncmlnaHQ=\r\n"
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nc2VjcmV0 x\r\n"
        b"NOOP c2VjcmV0\r\nDATA\r\n.\r\n",
        250, 504, 504, 334, 334, 235, 250, 250, 500, 250, 354, 250,
    )  # fmt: skip
    text = listener.ingest.envelopes or [envelope for _, envelope in _capture(listener).delivered]
    raw = text[0].transcript
    assert raw is not None
    assert not [word for word in (b"c2Vj", b"YW5u", b"cmln", b"SECRET") if word in raw]
    told = read_transcript(raw)
    assert lines(told)[3:12] == [
        "c AUTH [credentials None]", "s 504 5.5.4 Mechanism not offered, PLAIN and LOGIN are",
        "c AUTH [credentials None]", "s 504 5.5.4 Mechanism not offered, PLAIN and LOGIN are",
        "c AUTH LOGIN", "s 334 VXNlcm5hbWU6",
        "c  [credentials None]", "s 334 UGFzc3dvcmQ6", "c  [credentials None]",
    ]  # fmt: skip
    assert (told.wire.login, told.wire.protocol) == ("ann", "ESMTPA")


def _capture(listener: SmtpListener) -> Capturing:
    capture: Any = listener.factory._shared.services.capture
    assert isinstance(capture, Capturing)
    return capture


_REFUSED: dict[str, tuple[bytes, list[int], list[tuple[str, int]], int | None]] = {
    "a recipient": (
        START + b"RCPT TO:<e@bad.example>\r\nDATA\r\n.\r\n",
        [250, 250, 250, 550, 354, 250],
        [("c@d.example", 250), ("e@bad.example", 550)],
        250,
    ),
    "the only one, and given up": (
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<e@bad.example>\r\nDATA\r\nRSET\r\n",
        [250, 250, 550, 554, 250],
        [("e@bad.example", 550)],
        None,
    ),
    "what is no address": (
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\nMAIL FROM:<>\r\nEHLO c\r\n",
        [250, 250, 501, 503, 250],
        [("", 501)],
        None,
    ),
    "a message that is too large": (
        START + b"DATA\r\n" + b"x" * 2000 + b"\r\n.\r\n",
        [250, 250, 250, 354, 552],
        [("c@d.example", 250)],
        552,
    ),
    "chunks that are too large": (
        START + b"BDAT 2000\r\n" + b"x" * 2000 + b"BDAT 1 LAST\r\nx",
        [250, 250, 250, 552, 503],
        [("c@d.example", 250)],
        552,
    ),
}


@pytest.mark.parametrize("name", _REFUSED)
@ensure
async def test_a_transaction_in_which_something_was_refused_is_told_once(
    listen: Listen, name: str
) -> None:
    script, codes, recipients, code = _REFUSED[name]
    keeping = Keeping()
    listener = wanting(listen(transcripts=keeping, message=MessageSettings(max_bytes=1000)))
    wire = await listener.connect()
    await wire.talk(script, *codes)
    wire.abort()
    await listener.gone()
    [told] = keeping.found
    assert [(each.path, each.code) for each in told.recipients] == recipients
    assert told.code == code


@ensure
async def test_what_is_not_stored_is_refused_and_whoever_hangs_up_is_not(listen: Listen) -> None:
    keeping = Keeping()
    listener = wanting(listen(transcripts=keeping))
    wire = await listener.connect()
    await wire.talk(START + b"DATA\r\nhalf", 250, 250, 250, 354)
    wire.abort()
    await listener.gone()
    assert keeping.found == []
    listener.ingest.outcome = lambda: fail(UnavailableError("away"))
    wire = await listener.connect()
    await wire.talk(START + b"DATA\r\n.\r\n", 250, 250, 250, 354, 451)
    [told] = keeping.found
    assert (told.code, lines(told)[-1]) == (451, "s 451 4.3.0 Not stored, try again later")
    assert told.lines[-1].at_ms is not None


@ensure
async def test_a_transcript_is_bounded_and_its_end_is_in_it(listen: Listen) -> None:
    keeping = Keeping(max_bytes=2_048)
    listener = wanting(listen(transcripts=keeping))
    wire = await listener.connect()
    more = b"".join(b"RCPT TO:<n%d@bad.example>\r\n" % number for number in range(90))
    hellos = b"EHLO c.example\r\n" * 90
    await wire.talk(hellos + START + more + b"DATA\r\n.\r\n", *[250] * 93, *[550] * 90, 354, 250)
    [told] = keeping.found
    for each in (told, stored(listener)):
        assert each.limited
        assert lines(each)[-1] == _STORED + "0"
        assert lines(each)[:2] == _BEGUN[:2]
        assert len(each.recipients) < 20
    assert len(listener.ingest.envelopes[0].transcript or b"") < 3 * 2_048


def _context(directory: Path | None = None) -> ssl.SSLContext:
    """A client's, with the certificate in a directory of data, if that is given."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if directory is not None:
        context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    return context


@ensure
async def test_tls_and_the_certificate_of_the_client_are_told(
    listen: Listen, tls: ReloadableContext, tmp_path: Path
) -> None:
    CertificateStore(TlsSettings(), data_dir=tmp_path, hostname="client.example")
    listener = wanting(listen(SmtpSettings(starttls="offer"), tls=tls, transcripts=Keeping()))

    def send(context: ssl.SSLContext) -> None:
        with smtplib.SMTP("127.0.0.1", listener.port, "c.example", 60) as client:
            client.starttls(context=context)
            client.sendmail("a@b.example", ["c@d.example"], "x")

    for directory in (tmp_path, None):
        await deferToThread(send, _context(directory))
    for number, is_shown in ((0, True), (1, False)):
        told = stored(listener, number)
        assert "c STARTTLS" in lines(told)
        assert told.wire.protocol == "ESMTPS"
        assert told.wire.tls is not None
        assert told.wire.tls.version == "TLSv1.3"
        certificate = told.wire.certificate
        assert (certificate is not None) == is_shown
        if certificate is not None:
            assert certificate.subject == "CN=client.example"
            assert len(certificate.sha256) == 64


def _of_version_2(directory: Path) -> None:
    """Have the certificate in a directory of data say that it is of X.509's version 2."""
    file = directory / "tls.crt"
    encoded = ssl.PEM_cert_to_DER_cert(file.read_text())
    version = bytes.fromhex("a003020102")  # RFC 5280 section 4.1: [0] INTEGER 2 is version 3
    assert version in encoded
    file.write_text(ssl.DER_cert_to_PEM_cert(encoded.replace(version, version[:-1] + b"\1", 1)))


@ensure
async def test_a_certificate_that_nobody_understands_is_none(
    listen: Listen, tls: ReloadableContext, tmp_path: Path
) -> None:
    CertificateStore(TlsSettings(), data_dir=tmp_path, hostname="client.example")
    _of_version_2(tmp_path)
    listener = wanting(listen(SmtpSettings(starttls="offer"), tls=tls, transcripts=Keeping()))

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", listener.port, "c.example", 60) as client:
            client.starttls(context=_context(tmp_path))
            client.sendmail("a@b.example", ["c@d.example"], "x")

    await deferToThread(send)
    assert stored(listener).wire.certificate is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@ensure
async def test_a_client_with_a_certificate_resumes_its_tls_session(
    listen: Listen, tls: ReloadableContext, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    CertificateStore(TlsSettings(), data_dir=tmp_path, hostname="client.example")
    listener = wanting(listen(tls=tls, tls_at_once=True, transcripts=Keeping()))
    context = _context(tmp_path)
    context.maximum_version = version

    def send(session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool | None]:
        with (
            socket.create_connection(("127.0.0.1", listener.port)) as plain,
            context.wrap_socket(plain, session=session) as secured,
        ):
            secured.sendall(START + b"DATA\r\n.\r\nQUIT\r\n")
            while secured.recv(4096):
                continue
            return secured.session, secured.session_reused

    session, _ = await deferToThread(send, None)
    assert (await deferToThread(send, session))[1]
    resumed = stored(listener, 1).wire.certificate
    assert resumed is not None
    assert resumed == stored(listener).wire.certificate
