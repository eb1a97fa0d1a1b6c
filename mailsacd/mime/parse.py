"""From the bytes of a message to a ParsedMessage, quickly and without errors.

The parts come from a bounded walk (mime.structure), the fields of the header from functions of our
own. Nothing that a message contains makes any of them raise, or slow.
"""

import re

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import addresses, charset, header, markup, structure
from mailsacd.mime.message import Attachment, ParsedMessage, Priority
from mailsacd.mime.structure import Leaf

__all__ = ["Attachment", "ParsedMessage", "Priority", "parse"]

_TEXT_TYPES = frozenset({"text/plain", "text/html"})
_WANTED = frozenset({b"subject", b"from", b"to", b"cc", b"bcc"})
_WANTED_LENGTHS = frozenset(map(len, _WANTED))
_MAX_META_BYTES = 1_024  # HTML standard, 13.2.3.2; what is found by reading bytes is not UTF-16
_META_CHARSET = re.compile(
    rb"<meta\s[^<>]{0,200}?\bcharset\s*=\s*[\"']?((?!utf-?(?:7|16|32))[\w.:-]{1,40})", re.IGNORECASE
)


def parse(content: bytes) -> ParsedMessage:
    """Return what is in the message ``content``, whatever bytes these are. It never raises.

    ``content`` is the message as it was received, without trace headers.
    """
    content, section = header.read(content)
    found, limited = structure.leaves(content, section)
    return _assemble(section, found, _charset(found), limited=limited or section.limited)


def text_or_html(content: bytes) -> tuple[str | None, str | None]:
    """Return the text of the message ``content`` and None, or None and its HTML.

    Both are None when it has neither. Nothing else is decoded, so that this costs less than
    `parse`.
    """
    found, _ = structure.leaves(*header.read(content))
    bodies, _ = _divided(found)
    texts = [leaf for leaf in bodies if leaf.media_type == "text/plain"]
    return (_joined(texts), None) if texts else (None, _joined(bodies))


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
    texts, htmls, attachments = _sort(found)
    page = _joined(htmls)
    cut_page = page is not None and markup.exceeds_limits(page)
    return ParsedMessage(
        fields=section.fields,
        header_charset=hint,
        subject=header.decode(values[b"subject"][0], hint) if b"subject" in values else "",
        sender=tuple(mailbox for mailbox in sender or () if mailbox.address),
        to=to,
        cc=cc,
        bcc=bcc,
        text_as_sent=_joined(texts),
        html_as_sent=page,
        attachments=tuple(attachments),
        limited=limited or cut_sender or cut_to or cut_cc or cut_bcc or cut_page,
    )


def _mailboxes(
    raw: list[bytes] | None, hint: str | None
) -> tuple[tuple[Mailbox, ...] | None, bool]:
    """All mailboxes of a field: repeated address fields are against RFC 5322, and common."""
    if raw is None:
        return None, False
    return addresses.parse(",".join([header.unfold(value, hint) for value in raw]))


def _charset(found: tuple[Leaf, ...]) -> str | None:
    """What the first text that declares a charset declares."""
    return next((leaf.charset for leaf in found if leaf.charset and _is_text(leaf)), None)


def _sort(found: tuple[Leaf, ...]) -> tuple[list[Leaf], list[Leaf], list[Attachment]]:
    bodies, others = _divided(found)
    attachments = [
        Attachment(
            disposition=leaf.disposition,
            content_id=leaf.content_id,
            content_type=leaf.media_type,
            file_name=leaf.file_name,
            transfer_encoding=leaf.transfer_encoding,
            content=leaf.content,
        )
        for leaf in others
    ]
    texts = [leaf for leaf in bodies if leaf.media_type == "text/plain"]
    htmls = [leaf for leaf in bodies if leaf.media_type == "text/html"]
    return texts, htmls, attachments


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


def _joined(leaves: list[Leaf]) -> str | None:
    """The texts of ``leaves`` one below the other, or None when there are none."""
    if not leaves:
        return None
    texts = list(map(_decoded, leaves))
    return texts[0] if len(texts) == 1 else "\n".join(filter(None, texts))


def _decoded(leaf: Leaf) -> str:
    """Its text. HTML that the part says no charset of may say it itself, as browsers know."""
    content, declared = leaf.content, leaf.charset
    if declared is None and leaf.media_type == "text/html" and not content.isascii():
        meta = _META_CHARSET.search(content, 0, _MAX_META_BYTES)
        declared = meta[1].decode("ascii") if meta else None
    return charset.decode(content, declared)
