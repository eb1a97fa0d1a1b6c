"""From the bytes of a message to a ParsedMessage, quickly and without errors.

The parts come from a bounded walk (mime.structure), the fields of the header from functions of our
own. Nothing that a message contains makes any of them raise, or slow.
"""

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import addresses, header, markup, structure
from mailsacd.mime.bodies import Body, page_source
from mailsacd.mime.message import Attachment, ParsedMessage, Priority
from mailsacd.mime.structure import Leaf

__all__ = ["Attachment", "ParsedMessage", "Priority", "parse"]

_TEXT_TYPES = frozenset({"text/plain", "text/html"})
_WANTED = frozenset({b"subject", b"from", b"to", b"cc", b"bcc"})
_WANTED_LENGTHS = frozenset(map(len, _WANTED))


def parse(content: bytes) -> ParsedMessage:
    """Return what is in the message ``content``, whatever bytes these are. It never raises.

    ``content`` is the message as it was received, without trace headers.
    """
    content, section = header.read(content)
    found, limited = structure.leaves(content, section)
    return _assemble(section, found, _charset(found), limited=limited or section.limited)


def texts(content: bytes) -> tuple[Body, ...]:
    """Return the texts of the message ``content``, with nothing decoded yet."""
    found, _ = structure.leaves(*header.read(content))
    return tuple(map(Body, _divided(found)[0]))


def _assemble(
    section: header.Section, found: tuple[Leaf, ...], hint: str | None, *, limited: bool
) -> ParsedMessage:
    values: dict[bytes, list[bytes]] = {}
    for name, raw in section.fields:
        if len(name) in _WANTED_LENGTHS and (key := name.lower()) in _WANTED:
            values.setdefault(key, []).append(raw)
    sender, cut_sender = _mailboxes(values.get(b"from"), hint)
    to, cut_to = _mailboxes(values.get(b"to"), hint)
    cc, cut_cc = _mailboxes(values.get(b"cc"), hint)
    bcc, cut_bcc = _mailboxes(values.get(b"bcc"), hint)
    bodies, attachments = _sort(found)
    return ParsedMessage(
        fields=section.fields,
        header_charset=hint,
        subject=header.decode(values[b"subject"][0], hint) if b"subject" in values else "",
        sender=tuple(mailbox for mailbox in sender or () if mailbox.address),
        to=to,
        cc=cc,
        bcc=bcc,
        bodies=bodies,
        attachments=attachments,
        limited=limited or cut_sender or cut_to or cut_cc or cut_bcc or _is_cut(bodies),
    )


def _mailboxes(
    raw: list[bytes] | None, hint: str | None
) -> tuple[tuple[Mailbox, ...] | None, bool]:
    """All mailboxes of a field: repeated address fields are against RFC 5322, and common."""
    if raw is None:
        return None, False
    texts = [header.unfold(value, hint) for value in raw]
    if len(texts) > 1:  # what one of them leaves open is not to take in the next
        texts = list(map(addresses.closed, texts))
    return addresses.parse(",".join(texts))


def _charset(found: tuple[Leaf, ...]) -> str | None:
    """What the first text that declares a charset declares."""
    return next((leaf.charset for leaf in found if leaf.charset and _is_text(leaf)), None)


def _is_cut(bodies: tuple[Body, ...]) -> bool:
    """Whether a page of them may have to leave something out."""
    if sum(len(body.leaf.body) for body in bodies) <= markup.MAX_TAGS:
        return False
    page = page_source(bodies)
    return page is not None and markup.exceeds_limits(page)


def _sort(found: tuple[Leaf, ...]) -> tuple[tuple[Body, ...], tuple[Attachment, ...]]:
    bodies, others = _divided(found)
    attachments = tuple(
        Attachment(
            disposition=leaf.disposition,
            content_id=leaf.content_id,
            content_type=leaf.media_type,
            file_name=leaf.file_name,
            transfer_encoding=leaf.transfer_encoding,
            content=leaf.content,
        )
        for leaf in others
    )
    return tuple(map(Body, bodies)), attachments


def _divided(found: tuple[Leaf, ...]) -> tuple[list[Leaf], list[Leaf]]:
    """The parts that a reader shows as the message's own text, and the others.

    A name makes an attachment of a text, but not where it is the whole message, one of
    alternatives, or what the message begins with, when it has no text else.
    """
    bodies: list[Leaf] = []
    others: list[Leaf] = []
    for leaf in found:
        is_body = _is_text(leaf) and (leaf.file_name is None or leaf.position != "other")
        (bodies if is_body else others).append(leaf)
    if not bodies and others and _is_text(others[0]):
        bodies.append(others.pop(0))
    return bodies, others


def _is_text(leaf: Leaf) -> bool:
    return leaf.media_type in _TEXT_TYPES and leaf.disposition in (None, "inline")
