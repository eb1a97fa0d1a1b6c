"""What is wrong with the parts of a message (RFC 2045, RFC 2046)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mailsacd.mail.checks.check import Reason, Subject, gathered
from mailsacd.mime import encodings, header, pieces, structure
from mailsacd.mime.content_fields import facts_of
from mailsacd.mime.structure import Leaf

_ENCODINGS: Final = frozenset({"7bit", "8bit", "binary", "quoted-printable", "base64"})
_ONE_TO_ONE: Final = frozenset({"7bit", "8bit", "binary"})
_NO_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=\s]")
_BAD_QUOTED: Final = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")
_LONG_LINE: Final = re.compile(rb"^[^\r\n]{999}", re.MULTILINE)
_CONTENT: Final = "content-"


def mime_faults(subject: Subject, found: Mapping[str, Sequence[bytes]]) -> Iterator[Reason]:
    """Yield what is wrong with the parts of ``subject``.

    ``found`` are the raw values of its header's fields by their names in lower case.
    """
    if "mime-version" not in found and any(name.startswith(_CONTENT) for name in found):
        yield Reason(points=10, text="Content fields mean nothing without a MIME-Version")
    leaves, limited = structure.leaves(*header.read(subject.content))
    if limited:
        yield Reason(points=20, text="It has more parts, or deeper ones, than anybody looks at")
    yield from _whole(subject)
    yield from _encoded(leaves)
    yield from _charsets(leaves)
    if any(_LONG_LINE.search(piece) for piece in pieces.lines(subject.content)):
        text = "A line has over 998 bytes: servers cut it, or refuse the message (RFC 5322, 2.1.1)"
        yield Reason(points=15, text=text)


def _whole(subject: Subject) -> Iterator[Reason]:
    """Whether the outermost multipart has parts, and an end."""
    facts = facts_of(subject.parsed.fields)
    media_type = facts.media_type or ""
    if not media_type.startswith("multipart/"):
        return
    delimiter = b"--" + facts.boundary.encode("utf-8", "replace")
    where = f"Content-Type: {media_type}"
    if not facts.boundary:
        text = "A multipart without a boundary has no parts: it is shown as text"
        yield Reason(points=40, text=text, where=where)
    elif delimiter not in subject.content:
        text = "No line begins a part: the boundary is nowhere in the message"
        yield Reason(points=40, text=text, where=where)
    elif delimiter + b"--" not in subject.content:
        text = "Its last part has no end, as of a message that was cut"
        yield Reason(points=20, text=text, where=where)
    if (facts.transfer_encoding or "7bit") not in _ONE_TO_ONE:
        text = "A multipart may not be encoded as a whole (RFC 2045 section 6.4)"
        yield Reason(points=20, text=text, where=where)


def _encoded(leaves: Sequence[Leaf]) -> Iterator[Reason]:
    said = [(leaf, leaf.transfer_encoding or "7bit") for leaf in leaves]
    unknown = [name for _, name in said if name not in _ENCODINGS]
    yield from gathered(20, "Nobody knows this Content-Transfer-Encoding", unknown)
    high = [shown(leaf) for leaf, name in said if name == "7bit" and not leaf.body.isascii()]
    yield from gathered(
        10, "It has bytes beyond ASCII, and says (or leaves unsaid) that it has none", high
    )
    base64 = [shown(leaf) for leaf, name in said if name == "base64" and _is_bad(leaf, _NO_BASE64)]
    yield from gathered(15, "It is not the base64 that it says it is", base64)
    quoted = [
        shown(leaf)
        for leaf, name in said
        if name == "quoted-printable" and (_is_bad(leaf, _BAD_QUOTED) or not leaf.body.isascii())
    ]
    yield from gathered(10, "It is not the quoted-printable that it says it is", quoted)


def _is_bad(leaf: Leaf, pattern: re.Pattern[bytes]) -> bool:
    return any(pattern.search(piece) for piece in pieces.lines(leaf.body))


def _charsets(leaves: Sequence[Leaf]) -> Iterator[Reason]:
    texts = [leaf for leaf in leaves if leaf.media_type.startswith("text/")]
    unknown = [leaf.charset for leaf in texts if leaf.charset and not encodings.find(leaf.charset)]
    yield from gathered(15, "Nobody knows this charset", unknown)
    unsaid = [shown(leaf) for leaf in texts if not leaf.charset and not leaf.content.isascii()]
    yield from gathered(15, "It is not ASCII, and does not say its charset", unsaid)


def shown(leaf: Leaf) -> str:
    """A part, shortly, as its type and the name of its file."""
    return f"{leaf.media_type} {leaf.file_name or ''}".strip()
