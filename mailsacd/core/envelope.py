"""One mail transaction as it was taken in: who sent it, to whom, how it came, and its bytes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Where one RCPT goes. ``original_inbox`` is the address as mailed, ``inbox`` where it went.

    Both are normal addresses (see core.address); ``domain`` is that of ``inbox``. ``passed`` are
    the inboxes that forwarded it there, in order, and ``forwarder`` is the account whose they are.
    """

    original_inbox: str
    inbox: str
    domain: str
    passed: tuple[str, ...] = ()
    forwarder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFacts:
    """What the handshake settled, in OpenSSL's names: ``TLSv1.3``, ``TLS_AES_256_GCM_SHA384``."""

    version: str
    cipher: str
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """How a message came in.

    ``peer_ip`` and ``local_ip`` are textual IP addresses (the peer's own, also behind a PROXY
    header); ``helo`` is what the client called itself; ``protocol`` is the keyword of RFC 3848
    and RFC 6531 section 4.3 (``SMTP``, ``ESMTP``, ``ESMTPS``, ``UTF8SMTPS`` …).
    """

    peer_ip: str
    local_ip: str
    helo: str
    protocol: str
    tls: TlsFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A whole message, not yet stored.

    ``id`` is the time-ordered stem of its message ids (see core.token); ``received`` is UTC with
    the same millisecond as ``id``. ``reverse_path`` is without angle brackets, empty for a bounce.
    ``content`` is what stood between DATA and its end: dots unstuffed, otherwise untouched.
    ``saved_by`` is the account that all copies are starred for.
    """

    id: str
    received: datetime
    reverse_path: str
    recipients: tuple[Recipient, ...]
    reception: Reception
    content: bytes
    saved_by: str | None = None
