"""Header fields and bodies in the forms that are signed (RFC 6376 section 3.4), in linear time."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mailsacd.mime.dkim import canonical_body, canonical_field, fields_of

MAX_HEADER_BYTES: Final = 131_072
"""Of a longer header no more is read, and no signature of it counts."""

_BARE: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")


@dataclass(frozen=True, slots=True)
class RawField:
    """A field as it came: ``name`` in lower case, ``raw`` all of it without the CRLF at its end."""

    name: str
    raw: bytes

    @property
    def value(self) -> bytes:
        """What stands behind the colon, still folded."""
        return self.raw.partition(b":")[2]

    @property
    def text(self) -> str:
        """The value as text; bytes beyond ASCII stand for characters that no tag has."""
        return self.value.decode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message, cut into fields and body. With a ``fault`` of its header no signature counts.

    ``fields`` are by their names, those of a name in their order.
    """

    fields: Mapping[str, Sequence[RawField]]
    body: bytes
    fault: str = ""

    def named(self, name: str) -> Sequence[RawField]:
        """Return the fields of a name in lower case, the first one first."""
        return self.fields.get(name, ())


def split_message(content: bytes) -> RawMessage:
    """Return ``content`` cut at its first empty line. Lines that are no field are left out."""
    if content.startswith(b"\r\n"):
        return RawMessage({}, content[2:])
    head, _, body = content.partition(b"\r\n\r\n")
    fault = "the header is too long" if len(head) > MAX_HEADER_BYTES else ""
    head = head[:MAX_HEADER_BYTES]
    if _BARE.search(head) and not fault:
        fault = "a line of the header does not end in CRLF"
    fields: dict[str, list[RawField]] = {}
    for name, raw in fields_of(head):
        fields.setdefault(name, []).append(RawField(name, raw))
    return RawMessage(fields, body, fault)


def relaxed_field(field: RawField) -> bytes:
    """Return a field in its relaxed form, without a line end."""
    return canonical_field(field.name, field.value)


def simple_field(field: RawField) -> bytes:
    """Return a field in its simple form, without a line end: as it is."""
    return field.raw


def simple_body(body: bytes) -> bytes:
    """Return a body in its simple form (section 3.4.3): one CRLF stands at its end."""
    if body and not body.endswith(b"\r\n"):
        return body + b"\r\n"
    end = len(body)
    while end > 2 and body.endswith(b"\r\n\r\n", 0, end):
        end -= 2
    return body[:end] or b"\r\n"


FIELD_FORMS: Final[dict[str, Callable[[RawField], bytes]]] = {
    "simple": simple_field, "relaxed": relaxed_field,
}  # fmt: skip
BODY_FORMS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "simple": simple_body, "relaxed": canonical_body,
}  # fmt: skip
