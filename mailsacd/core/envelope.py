"""One mail transaction as it was taken in: who sent it, to whom, how it came, and its bytes."""

import msgspec

from mailsacd.core.authentication import Authentication
from mailsacd.core.fault import PlannedFault
from mailsacd.core.load_test import LoadTestRun


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Where one RCPT goes. ``original_inbox`` is the address as mailed, ``inbox`` where it went.

    Both are normal addresses (see core.address); ``domain`` is that of ``inbox``. ``passed`` are
    the inboxes that forwarded it there, in order, and ``forwarder`` is the account whose they are.
    With a ``load_test`` it goes nowhere: it is counted. ``notify`` and ``orcpt`` are what its
    sender asked to be told (RFC 3461), where mail is sent on. ``transcript`` tells that what is
    said about its mail is kept. ``faults`` are those that its mail may meet after RCPT.
    """

    original_inbox: str
    inbox: str
    domain: str
    passed: tuple[str, ...] = ()
    forwarder: str | None = None
    load_test: LoadTestRun | None = None
    notify: str | None = None
    orcpt: str | None = None
    transcript: bool = False
    faults: tuple[PlannedFault, ...] = ()


class TlsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the handshake settled, in OpenSSL's names: ``TLSv1.3``, ``TLS_AES_256_GCM_SHA384``."""

    version: str
    cipher: str
    bits: int


class Reception(msgspec.Struct, frozen=True, kw_only=True):
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


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A whole message, not yet stored.

    ``id`` is the time-ordered stem of its message ids (see core.token); ``received_ms`` is the same
    millisecond, counted from the epoch. ``reverse_path`` is without angle brackets, empty for a
    bounce. ``content`` is what stood between DATA and its end: dots unstuffed, otherwise untouched.
    ``saved_by`` is the account that all copies are starred for. ``ret`` and ``envid`` are of RFC
    3461 (sections 4.3 and 4.4), where mail is sent on. ``authentication`` is who sent it, if that
    was looked at before it is stored. ``transcript`` is what was said about it, the JSON of
    core.transcript, where a recipient has that kept.
    """

    id: str
    received_ms: int
    reverse_path: str
    recipients: tuple[Recipient, ...]
    reception: Reception
    content: bytes
    saved_by: str | None = None
    ret: str | None = None
    envid: str | None = None
    authentication: Authentication | None = None
    transcript: bytes | None = None
