"""A message as the parser understood it. Values that cost much are made when first asked for."""

import hashlib
import re
from datetime import datetime
from functools import cached_property
from typing import Literal

import msgspec

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import dates, header
from mailsacd.mime.bodies import Body, page_source
from mailsacd.mime.pieces import slices

Priority = Literal["high", "normal", "low"]

_RETURNS = re.compile(r"\r+\n|\r")
_IN_ANGLES = re.compile(r"<([^<>]*)>")


class Attachment(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A part of a message that is not one of its body texts.

    ``content`` is its bytes with the transfer encoding undone. ``content_type`` is the media type
    in lower case without parameters, ``disposition`` and ``transfer_encoding`` are in lower case as
    well, and ``content_id`` has no angle brackets. What the part does not say is None.
    """

    disposition: str | None
    content_id: str | None
    content_type: str
    file_name: str | None
    transfer_encoding: str | None
    content: bytes

    @cached_property
    def checksum(self) -> str:
        """The MD5 of ``content`` in lower-case hex: it names the content and protects nothing."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


class ParsedMessage(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What is in a message.

    ``fields`` are the header fields, raw (see ``headers``). ``header_charset`` is the charset of
    those fields that are neither ASCII nor UTF-8, where the parts tell it. ``subject`` is decoded,
    ``""`` without one. ``sender`` has only mailboxes with an address; ``to``, ``cc`` and ``bcc``
    are None when the field is absent. ``bodies`` are the texts and ``attachments`` all other parts,
    in the order of the message. ``limited`` says that a limit left something out.
    """

    fields: tuple[header.Field, ...]
    header_charset: str | None
    subject: str
    sender: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...] | None
    cc: tuple[Mailbox, ...] | None
    bcc: tuple[Mailbox, ...] | None
    bodies: tuple[Body, ...]
    attachments: tuple[Attachment, ...]
    limited: bool

    @cached_property
    def text(self) -> str | None:
        """The plain texts with lines that end in ``\\n``, one below the other; None without any."""
        texts = [body.source for body in self.bodies if not body.is_html]
        return with_plain_newlines("\n".join(filter(None, texts))) if texts else None

    @cached_property
    def html(self) -> str | None:
        """The HTML as it was sent, with lines that end in ``\\n``; None when there is none to show.

        Texts that stand beside HTML are in it, see `bodies.page_source`.
        """
        source = page_source(self.bodies)
        return None if source is None else with_plain_newlines(source)

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """All fields in order: the name as written, the value unfolded and decoded."""
        hint = self.header_charset
        return tuple((name.decode("ascii"), header.decode(raw, hint)) for name, raw in self.fields)

    @cached_property
    def message_id(self) -> str | None:
        """The Message-ID without its angle brackets (RFC 5322 section 3.6.4), or None."""
        value = self._first(b"message-id")
        inside = _IN_ANGLES.search(value)
        return (inside[1] if inside else value).strip("<> ") or None

    @cached_property
    def date(self) -> datetime | None:
        """The Date field in UTC (RFC 5322 section 3.3), or None when it is absent or unreadable."""
        return dates.read(self._first(b"date"))

    @cached_property
    def priority(self) -> Priority:
        """The priority of the message; ``normal`` when it says nothing that is understood.

        X-Priority (1 to 5) counts first, then Importance, X-MSMail-Priority and Priority, which
        are those of RFC 2156 and of mailers.
        """
        number = self._first(b"x-priority")[:1]
        if number in ("1", "2", "3", "4", "5"):
            return "high" if number < "3" else "low" if number > "3" else "normal"
        for name in (b"importance", b"x-msmail-priority", b"priority"):
            word = self._first(name).lower()
            if word.startswith(("high", "urgent")):
                return "high"
            if word.startswith(("low", "non-urgent")):
                return "low"
        return "normal"

    def _first(self, name: bytes) -> str:
        for candidate, raw in self.fields:
            if len(candidate) == len(name) and candidate.lower() == name:
                return header.decode(raw, self.header_charset)
        return ""


def with_plain_newlines(text: str) -> str:
    """Return ``text`` with ``\\n`` for each CRLF, for CR CR LF and for CR alone."""
    text = text.replace("\r\n", "\n")
    if "\r" not in text:
        return text
    return "".join([_RETURNS.sub("\n", piece) for piece in slices(text)])
