"""Envelopes for tests of what happens after SMTP."""

from mailsacd.core.envelope import Envelope, Reception, Recipient
from mailsacd.mail.receiving.ingest import Ingest

RECEPTION = Reception(
    peer_ip="192.0.2.7", local_ip="192.0.2.1", helo="client.example", protocol="ESMTP", tls=None
)


def to(*addresses: str) -> tuple[Recipient, ...]:
    """Recipients whose mail goes where it was mailed."""
    return tuple(
        Recipient(original_inbox=a, inbox=a, domain=a.rpartition("@")[2]) for a in addresses
    )


def envelope(
    ingest: Ingest, content: bytes, *addresses: str, sender: str = "ann@example.net"
) -> Envelope:
    """An envelope that was whole just now."""
    envelope_id, received_ms = ingest.new_envelope_id()
    return Envelope(
        id=envelope_id,
        received_ms=received_ms,
        reverse_path=sender,
        recipients=to(*addresses),
        reception=RECEPTION,
        content=content,
    )
