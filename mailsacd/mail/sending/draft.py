"""What a caller wants sent, as it is asked for, and as it is once each field has been checked."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.mail.sending.attachments import Attachment, attachment_of
from mailsacd.mail.sending.mailboxes import Mailbox, display_name, mailboxes, written_address
from mailsacd.mail.sending.message_fields import (
    AddressFields,
    AttachmentFields,
    MailboxFields,
    MessageFields,
)

MAX_SUBJECT_CHARACTERS: Final = 998
MAX_ADDRESS_CHARACTERS: Final = 100_000
"""So long may all that is written of a field's addresses be."""
MAX_RECEIVED: Final = 20
MAX_RECEIVED_CHARACTERS: Final = 2_000
MAX_FAULTS: Final = 20
MAX_MESSAGE_IDS: Final = 100

_MESSAGE_ID: Final = re.compile(r"[!-;=?-~]{1,250}\Z")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that is to be composed, or with ``raw`` one that is whole.

    ``in_reply_to`` and ``references`` are message ids in angle brackets, ``received`` values of
    Received fields. ``sender`` is None where the raw message says who
    sends it, and the recipients may be none for the same reason.
    """

    sender: Mailbox | None
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]
    received: tuple[str, ...]
    raw: bytes | None

    @property
    def recipients(self) -> tuple[Mailbox, ...]:
        """All of to, cc and bcc, each address once."""
        each: dict[str, Mailbox] = {}
        for one in (*self.to, *self.cc, *self.bcc):
            each.setdefault(one.normal, one)
        return tuple(each.values())


def draft_of(fields: MessageFields, *, max_attachments: int) -> Draft:
    """The draft that ``fields`` ask for. Raises InvalidInputError, with each fault by its field.

    With ``raw`` nothing is looked at but the envelope's addresses and ``received``.
    """
    found = _Faults()
    is_raw = fields.raw is not None
    sender = found.check("from", lambda: _sender(fields.sender, is_raw=is_raw))
    people = {
        name: found.check(name, partial(_people, value)) or ()
        for name, value in (
            ("to", fields.to),
            ("cc", fields.cc),
            ("bcc", fields.bcc),
            ("replyTo", None if is_raw else fields.reply_to),
        )
    }
    attachments: list[Attachment] = []
    if not is_raw:
        if not (people["to"] or people["cc"] or people["bcc"]) and not found.faults:
            found.add("to", "names nobody: there has to be a recipient")
        found.check("subject", lambda: _subject(fields.subject))
        attachments = _attachments(fields.attachments or (), max_attachments, found)
        for name, text in (("text", fields.text), ("html", fields.html)):
            found.check(name, partial(_without_nul, text or ""))
    followed = {} if is_raw else _followed(fields, found)
    received = found.check("received", lambda: _received(fields.received)) or ()
    found.check("raw", lambda: _without_nul(fields.raw or ""))
    found.raise_if_any()
    return Draft(
        sender=sender,
        to=people["to"],
        cc=people["cc"],
        bcc=people["bcc"],
        reply_to=people["replyTo"],
        in_reply_to=followed.get("inReplyTo", ()),
        references=followed.get("references", ()),
        subject=fields.subject or "",
        text=fields.text,
        html=fields.html,
        attachments=tuple(attachments),
        received=received,
        raw=fields.raw.encode() if fields.raw is not None else None,
    )


@dataclass(slots=True)
class _Faults:
    faults: list[Fault] = field(default_factory=list)

    def add(self, name: str, problem: str) -> None:
        self.faults.append(Fault(field=name, problem=problem))

    def check(self, name: str, read: Callable[[], T]) -> T | None:
        """What ``read`` returns; the ValueError that it raises becomes a fault, and None."""
        try:
            return read()
        except ValueError as e:
            self.add(name, str(e))
            return None

    def raise_if_any(self) -> None:
        if self.faults:
            told = "; ".join(f"{fault.field} {fault.problem}" for fault in self.faults[:MAX_FAULTS])
            raise InvalidInputError(f"Bad request: {told}", tuple(self.faults[:MAX_FAULTS]))


def _sender(value: str | MailboxFields | None, *, is_raw: bool) -> Mailbox | None:
    if not value:
        if is_raw:
            return None
        raise ValueError("is missing")
    found = _people(value if isinstance(value, str) else [value])
    if len(found) != 1:
        raise ValueError("is not one mail address")
    return found[0]


def _people(value: AddressFields) -> tuple[Mailbox, ...]:
    each = [value] if isinstance(value, str) else value or []
    if sum(len(one) if isinstance(one, str) else len(one.address) for one in each) > (
        MAX_ADDRESS_CHARACTERS
    ):
        raise ValueError(f"has more than {MAX_ADDRESS_CHARACTERS} characters")
    found: list[Mailbox] = []
    for one in each:
        if isinstance(one, str):
            found += mailboxes(one)
        else:
            found.append(Mailbox(written_address(one.address), display_name(one.name or "")))
    return tuple(found)


def _followed(fields: MessageFields, found: _Faults) -> dict[str, tuple[str, ...]]:
    """The messages that the one of ``fields`` follows, by the names of the fields."""
    given = (("inReplyTo", fields.in_reply_to), ("references", fields.references))
    return {name: found.check(name, partial(_message_ids, value)) or () for name, value in given}


def _message_ids(value: str | list[str] | None) -> tuple[str, ...]:
    """Each with angle brackets (RFC 5322 section 3.6.4)."""
    texts = [value] if isinstance(value, str) else value or []
    each = [text for several in texts for text in several.split()]
    if len(each) > MAX_MESSAGE_IDS:
        raise ValueError(f"has more than {MAX_MESSAGE_IDS} message ids")
    found = []
    for text in each:
        bare = text[1:-1] if text.startswith("<") and text.endswith(">") else text
        if not _MESSAGE_ID.match(bare):
            raise ValueError("has what is no message id, or one of more than 250 characters")
        found.append(f"<{bare}>")
    return tuple(found)


def _subject(text: str | None) -> None:
    if text and len(text) > MAX_SUBJECT_CHARACTERS:
        raise ValueError(f"has more than {MAX_SUBJECT_CHARACTERS} characters")


def _received(value: str | list[str] | None) -> tuple[str, ...]:
    each = [value] if isinstance(value, str) else value or []
    if len(each) > MAX_RECEIVED:
        raise ValueError(f"has more than {MAX_RECEIVED} fields")
    for one in each:
        if len(one) > MAX_RECEIVED_CHARACTERS:
            raise ValueError(f"has one of more than {MAX_RECEIVED_CHARACTERS} characters")
        if not one.isascii() or not one.replace("\t", " ").isprintable():
            raise ValueError("has a line end, or a character that is no printable ASCII")
    named = (one.partition(":")[2] if one.lower().startswith("received:") else one for one in each)
    return tuple(text for one in named if (text := " ".join(one.split())))


def _attachments(each: Sequence[AttachmentFields], most: int, found: _Faults) -> list[Attachment]:
    if len(each) > most:
        found.add("attachments", f"has more than {most}")
        return []
    read = []
    for place, one in enumerate(each):
        if len(found.faults) >= MAX_FAULTS:
            break
        attachment = found.check(f"attachments[{place}]", partial(attachment_of, one))
        if attachment is not None:
            read.append(attachment)
    return read


def _without_nul(text: str) -> None:
    if "\0" in text:
        raise ValueError("has a NUL")
