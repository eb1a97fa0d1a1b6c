"""From an envelope to what is stored of it: the raw message, compressed, and a row a recipient."""

from typing import Any

import msgspec

from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.maildrop import is_plain, octets_on_the_wire
from mailsacd.core.message import NewEnvelope, NewMessage
from mailsacd.core.token import iso_time, message_id
from mailsacd.mail.receiving.contents import contents_of
from mailsacd.mime.addresses import Mailbox
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.parse import parse
from mailsacd.mime.trace import trace_headers
from mailsacd.store.compression import compress

_encoder = msgspec.json.Encoder()


class _SharedFacts(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from"}):
    """What the copies of all recipients have in common but for the contents, in the API's names."""

    sender: list[dict[str, str]]
    cc: list[dict[str, str]] | None
    bcc: list[dict[str, str]] | None
    subject: str
    received: str
    size: int
    ip: str
    via: str
    rtls: bool
    spam: float


def compose(envelope: Envelope, hostname: str) -> NewEnvelope:
    """What the store keeps of ``envelope``. Never fails for what the message contains.

    Runs in any thread; takes about 0.2 ms for a message of 20 KB.
    """
    raw = trace_headers(envelope, hostname) + envelope.content
    parsed = parse(envelope.content)
    contents = contents_of(parsed)
    facts = _shared_facts(envelope, parsed, hostname, len(raw))
    shared = _encoder.encode(facts)[1:-1].decode() + contents.json
    to = _encoder.encode(_mailboxes(parsed.to)).decode() if parsed.to else None
    plain = is_plain(raw)
    return NewEnvelope(
        id=envelope.id,
        received=envelope.received,
        raw=compress(raw),
        size=len(raw),
        messages=tuple(
            _row(envelope.id, place, recipient, shared, to)
            for place, recipient in enumerate(envelope.recipients)
        ),
        sender=facts.sender[0]["address"],
        attachments=contents.attachments,
        saved_by=envelope.saved_by,
        plain=plain,
        wire_size=len(raw) if plain else octets_on_the_wire(raw),
    )


def _shared_facts(
    envelope: Envelope, parsed: ParsedMessage, hostname: str, size: int
) -> _SharedFacts:
    return _SharedFacts(
        sender=_mailboxes(parsed.sender) or _envelope_sender(envelope, hostname),
        cc=_mailboxes(parsed.cc),
        bcc=_mailboxes(parsed.bcc),
        subject=parsed.subject,
        received=iso_time(envelope.received),
        size=size,
        ip=envelope.reception.peer_ip,
        via=envelope.reception.local_ip,
        rtls=envelope.reception.tls is not None,
        spam=0,
    )


def _row(
    envelope_id: str, place: int, recipient: Recipient, shared: str, to: str | None
) -> NewMessage:
    own_id = message_id(envelope_id, place)
    own: dict[str, Any] = {
        "_id": own_id,
        "inbox": recipient.inbox,
        "originalInbox": recipient.original_inbox,
        "domain": recipient.domain,
    }
    if to is None:  # no To field: to whom it was mailed is known all the same
        to = _encoder.encode([{"address": recipient.original_inbox, "name": ""}]).decode()
    return NewMessage(
        inbox=recipient.inbox,
        id=own_id,
        domain=recipient.domain,
        facts=f'{_encoder.encode(own)[:-1].decode()},"to":{to},{shared}',
        passed=recipient.passed,
        forwarder=recipient.forwarder,
    )


def _mailboxes(found: tuple[Mailbox, ...] | None) -> list[dict[str, str]] | None:
    if found is None:
        return None
    return [{"address": m.address, "name": m.name} for m in found]


def _envelope_sender(envelope: Envelope, hostname: str) -> list[dict[str, str]]:
    address = envelope.reverse_path.lower() or f"mailer-daemon@{hostname}"
    return [{"address": address, "name": ""}]
