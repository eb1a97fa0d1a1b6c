"""A transcript as somebody may see it: without those recipients that are none of his business.

Who a message was sent to as a blind copy (Bcc) is told nobody, not even that there was one
(RFC 5322 section 3.6.3).
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from mailsacd.core.address import parse_address
from mailsacd.core.errors import BadAddressError
from mailsacd.core.token import iso_time_from_ms
from mailsacd.core.transcript import Transcript, TranscriptLine, TranscriptRecipient

_NAMED = ("to", "cc", "bcc")


def transcript_json(
    transcript: Transcript,
    is_shown: Callable[[TranscriptRecipient], bool],
    *,
    tells_login: bool,
) -> dict[str, Any]:
    """Return the JSON form of ``transcript``, with those recipients that ``is_shown`` says.

    Who had logged in is in it if ``tells_login``.
    """
    shown = {place for place, each in enumerate(transcript.recipients) if is_shown(each)}
    return {
        "began": iso_time_from_ms(transcript.began_ms),
        **_wire(transcript, tells_login=tells_login),
        "from": transcript.sender,
        "recipients": [_recipient(transcript.recipients[place]) for place in sorted(shown)],
        "declaredSize": transcript.declared_octets or None,
        "size": transcript.octets,
        "chunked": transcript.chunked,
        "code": transcript.code,
        "limited": transcript.limited,
        "lines": [
            _line(line) for line in transcript.lines if line.rcpt is None or line.rcpt in shown
        ],
    }


def named_in(facts: str) -> set[str]:
    """Return the normal addresses in To, Cc and Bcc of the message with those ``facts``.

    Whoever has the message sees them.
    """
    told = msgspec.json.decode(facts + "}", type=dict[str, Any])
    listed = [box["address"] for name in _NAMED for box in told.get(name) or ()]
    return set(normal_addresses(listed))


def normal_addresses(texts: Iterable[str]) -> Iterable[str]:
    """Return the normal forms of those of ``texts`` that are addresses."""
    for text in texts:
        try:
            yield str(parse_address(text))
        except BadAddressError:
            continue


def _wire(transcript: Transcript, *, tells_login: bool) -> dict[str, Any]:
    wire = transcript.wire
    certificate = wire.certificate
    return {
        "peer": wire.peer_ip,
        "via": wire.local_ip,
        "port": wire.port,
        "helo": wire.helo,
        "protocol": wire.protocol,
        "login": wire.login if tells_login else None,
        "tls": wire.tls
        and {"version": wire.tls.version, "cipher": wire.tls.cipher, "bits": wire.tls.bits},
        "clientCertificate": certificate
        and {
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "serial": certificate.serial,
            "notBefore": certificate.not_before,
            "notAfter": certificate.not_after,
            "sha256": certificate.sha256,
        },
    }


def _recipient(recipient: TranscriptRecipient) -> dict[str, Any]:
    return {
        "to": recipient.path,
        "code": recipient.code or None,
        "status": recipient.status or None,
    }


def _line(line: TranscriptLine) -> dict[str, Any]:
    return {
        "at": None if line.at_ms is None else iso_time_from_ms(line.at_ms),
        "by": "client" if line.client else "server",
        "text": line.text,
        "omitted": line.omitted,
        "bytes": line.octets,
    }
