"""When a fault is provoked: conditions on a mail transaction, in linear time of what they read."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

import msgspec
from msgspec import Meta

from mailsacd.core.text_form import whole

_MAX_HEADER_BYTES = 65_536

Pattern = Annotated[str, Meta(max_length=320)]
"""A text in which ``*`` stands for any characters; upper and lower case are the same."""


class HeaderCondition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field of the message's header with that ``name`` fits the pattern ``value``."""

    name: Annotated[str, whole("[!-9;-~]{1,76}")]
    value: Pattern = "*"


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of these hold; what is not given holds always.

    ``sender`` and ``recipient`` are patterns of addresses (the reverse-path and what RCPT named).
    ``minBytes`` is the least size of the message. ``everyNth`` is one occasion of so many, the
    last of each; ``probability`` has occasions drawn by ``seed``, the same in each run.
    """

    sender: Pattern = "*"
    recipient: Pattern = "*"
    header: HeaderCondition | None = None
    minBytes: Annotated[int, Meta(ge=0)] = 0  # noqa: N815  the API's spelling
    everyNth: Annotated[int, Meta(ge=1, le=1_000_000)] = 1  # noqa: N815  the API's spelling
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    seed: Annotated[str, Meta(max_length=100)] = ""

    @property
    def needs_content(self) -> bool:
        """Whether the message has to be there."""
        return self.header is not None or self.minBytes > 0

    @property
    def counts(self) -> bool:
        """Whether it depends on how many occasions there were."""
        return self.everyNth > 1 or self.probability < 1.0

    def fits_envelope(self, sender: str, recipient: str) -> bool:
        """Tell whether both addresses fit."""
        return fits(self.sender, sender) and fits(self.recipient, recipient)


class ExaminedMessage:
    """The ``content`` of a whole message, which many rules are about for many recipients.

    Its header is read once, when it is first asked for, and each condition is looked at once.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._known: dict[HeaderCondition, bool] = {}

    def fits(self, when: When) -> bool:
        """Tell whether the message is as ``when`` says of its size and header."""
        if len(self.content) < when.minBytes:
            return False
        header = when.header
        if header is None:
            return True
        known = self._known.get(header)
        if known is None:
            known = any(fits(header.value, value) for value in self.values(header.name))
            self._known[header] = known
        return known

    def values(self, name: str) -> list[str]:
        """Return the values of a field, in their order; ``name`` in upper or lower case."""
        return self._fields.get(name.lower(), [])

    @cached_property
    def _fields(self) -> Mapping[str, list[str]]:
        return header_fields(self.content)


def fits(pattern: str, text: str) -> bool:
    """Tell whether ``text`` fits ``pattern``, in which ``*`` stands for any characters."""
    first, *rest = pattern.lower().split("*")
    text = text.lower()
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for part in middle:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(text) - at >= len(last) and text.endswith(last)


def header_fields(content: bytes) -> Mapping[str, list[str]]:
    """Return the values of a message's fields, unfolded (RFC 5322 section 2.2.3), by the names of
    the fields in lower case. Of a header only the first 64 KiB are read."""
    head = content[:_MAX_HEADER_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    unfolded = head.replace(b"\n\t", b" ").replace(b"\n ", b" ")
    found: dict[str, list[str]] = {}
    for line in unfolded.split(b"\n"):
        field, colon, value = line.partition(b":")
        if colon:
            name = field.rstrip().lower().decode(errors="replace")
            found.setdefault(name, []).append(value.strip().decode(errors="replace"))
    return found
