"""What is sent to one host in one transaction."""

from dataclasses import dataclass

from mailsacd.core.outgoing import OutgoingRecipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmission:
    """A message, and those of its recipients that one host is to take.

    ``reverse_path`` is empty for a report. ``content`` is the whole message. ``ret`` (FULL or HDRS)
    and ``envid`` (as xtext) are told to hosts that pass reports on (RFC 3461 section 4).
    ``smtputf8`` says that an address or a header field is not ASCII (RFC 6531).
    """

    reverse_path: str
    recipients: tuple[OutgoingRecipient, ...]
    content: bytes
    ret: str | None = None
    envid: str | None = None
    smtputf8: bool = False
