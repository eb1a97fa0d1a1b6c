"""The fields with which a message is asked for, by the names that callers know."""

from typing import Annotated, Final, TypeAlias

import msgspec

_LINES: Final = msgspec.Meta(extra={"multiline": True})
_ANY_TEXT: Final = msgspec.Meta(extra_json_schema={"pattern": r"^[^\x00]*$"})


class MailboxFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address with a name, as messages are answered with."""

    address: str
    name: str | None = None


AddressFields: TypeAlias = str | list[str | MailboxFields] | None


class AttachmentFields(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"
):
    """``encoding`` is how ``content`` is written: ``base64``, ``hex``, or the text as it is."""

    content: Annotated[str, _ANY_TEXT]
    filename: str | None = None
    content_type: str | None = None
    encoding: str | None = None
    cid: str | None = None
    content_disposition: str | None = None


class MessageFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message to be composed; or with ``raw`` one that is whole.

    Addresses are one text, with commas between them, or a list. ``references`` are the ids of the
    messages that it follows, one text with blanks between them or a list.
    """

    to: AddressFields = None
    sender: str | MailboxFields | None = msgspec.field(default=None, name="from")
    subject: str | None = None
    text: Annotated[str, _LINES] | None = None
    html: Annotated[str, _LINES] | None = None
    cc: AddressFields = None
    bcc: AddressFields = None
    reply_to: AddressFields = None
    in_reply_to: str | None = None
    references: str | list[str] | None = None
    attachments: Annotated[list[AttachmentFields], _LINES] | None = None
    received: Annotated[str, _LINES] | list[str] | None = None
    raw: Annotated[str, _LINES] | None = None
