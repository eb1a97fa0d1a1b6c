"""What was said on the wire about one message: both sides of an SMTP transaction, as it is kept.

The message itself is not in it, nor what anybody proves who he is with.
"""

from typing import Literal

import msgspec

from mailsacd.core.envelope import TlsFacts

Scope = Literal["none", "chosen", "all"]
"""Of which mail there are transcripts: none, that of addresses whose owners want them, all."""

Omission = Literal["message", "credentials", "arguments", "unknown", "unreadable"]
"""What of a line is not kept: the message; what is for logging in; the arguments of a command that
needs none; all of it, for it is no command that is known, is too long, or has a bare CR or LF."""


class TranscriptLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command line with what came of it, or a reply: lines of a reply are parted by LF.

    ``at_ms`` counts from the epoch, None where it was not known yet. ``octets`` is the length of
    what is ``omitted``. ``rcpt`` is the place, among the transcript's recipients, of the one whose
    RCPT it belongs to.
    """

    at_ms: int | None
    client: bool
    text: str = ""
    omitted: Omission | None = None
    octets: int | None = None
    rcpt: int | None = None


class TranscriptRecipient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One RCPT. ``path`` is what was between its angle brackets, empty where that is no path.

    ``code`` and ``status`` are of its reply, 0 while there is none. ``inbox`` is where its mail
    goes, and ``place`` the recipient's place in the envelope; neither is there when it was refused.
    """

    path: str
    code: int = 0
    status: str = ""
    inbox: str | None = None
    place: int | None = None


class ClientCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate that a client showed, which nobody has verified.

    Names are those of RFC 4514, times are ISO 8601, and ``sha256`` is its fingerprint in hex.
    """

    subject: str
    issuer: str
    serial: str
    not_before: str
    not_after: str
    sha256: str


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction came by. ``port`` is the listener's name, ``login`` who has logged in."""

    peer_ip: str
    local_ip: str
    port: str
    helo: str
    protocol: str
    tls: TlsFacts | None = None
    certificate: ClientCertificate | None = None
    login: str | None = None


class Transcript(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transaction, after what the session began with: greeting, EHLO, STARTTLS, AUTH.

    ``began_ms`` is when the client was connected. ``sender`` is the reverse-path (None: it was
    refused), ``declared_octets`` what SIZE= promised and ``octets`` the size of the message as it
    came. ``code`` is that of the reply to the message, None where it did not come to that.
    ``limited`` tells that lines were left out because there were too many.
    """

    wire: Wire
    began_ms: int
    sender: str | None = None
    recipients: tuple[TranscriptRecipient, ...] = ()
    declared_octets: int = 0
    octets: int | None = None
    chunked: bool = False
    code: int | None = None
    lines: tuple[TranscriptLine, ...] = ()
    limited: bool = False


_decode = msgspec.json.Decoder(Transcript).decode

transcript_text = msgspec.json.Encoder().encode
"""What is kept of a transcript: JSON in UTF-8."""


def read_transcript(text: bytes) -> Transcript:
    """Return the transcript that `transcript_text` made ``text`` of."""
    return _decode(text)
