"""When a fault is provoked: conditions on a mail transaction, in linear time of what they read."""

from typing import Annotated

import msgspec
from msgspec import Meta

_MAX_HEADER_BYTES = 65_536

Pattern = Annotated[str, Meta(max_length=320)]
"""A text in which ``*`` stands for any characters; upper and lower case are the same."""


class HeaderCondition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field of the message's header with that ``name`` fits the pattern ``value``."""

    name: Annotated[str, Meta(pattern="^[!-9;-~]{1,76}$")]
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

    def fits_content(self, content: bytes) -> bool:
        """Tell whether the whole message fits."""
        if len(content) < self.minBytes:
            return False
        header = self.header
        return header is None or any(
            fits(header.value, value) for value in field_values(content, header.name)
        )


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


def field_values(content: bytes, name: str) -> list[str]:
    """Return the values of a message's field, unfolded (RFC 5322 section 2.2.3)."""
    head = content[:_MAX_HEADER_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    unfolded = head.replace(b"\n\t", b" ").replace(b"\n ", b" ")
    wanted = name.lower().encode()
    found = []
    for line in unfolded.split(b"\n"):
        field, colon, value = line.partition(b":")
        if colon and field.rstrip().lower() == wanted:
            found.append(value.strip().decode(errors="replace"))
    return found
