"""Kinds of differences in which parts a message has, and where each begins."""

import re
from collections.abc import Iterator
from typing import Final

from tests.differential.differences import FIELDS, Difference
from tests.differential.kind import (
    TEXTS,
    Kind,
    ascii_of,
    head,
    holds,
    is_in,
    packed,
    packed_lines,
    would_be,
)
from tests.differential.view import Part

_NO_FIELD: Final = re.compile(rb"^(?![ \t]|[!-9;-~]+[ \t]*:)[^\n]+", re.MULTILINE)
_ENCODING: Final = re.compile(rb"^content-transfer-encoding", re.IGNORECASE | re.MULTILINE)
_FIELDS: Final = re.compile(  # and lines before the last of them that are none
    rb"(?:.*\n)?[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.DOTALL
)
_ANYWHERE: Final = re.MULTILINE | re.DOTALL
_CONTENT: Final = re.compile(rb"^content-[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
_NO_LETTER: Final = re.compile(rb"[^A-Za-z0-9]+")
_NO_SEMICOLON: Final = re.compile(rb"multipart/[^;\s]*\s+boundary", re.IGNORECASE)
_BOUNDARY: Final = re.compile(rb"boundary\s*=\s*\"?((?<=\")[^\"]+|[^\"\s;]+)", re.IGNORECASE)


def _embedded_text(difference: Difference) -> bool:
    """The text of the message is there, and below it that of messages in it."""
    if not holds(difference.content, b"message/", b"multipart/digest"):
        return False
    return is_in(packed_lines(difference.here), packed_lines(difference.there))


def _embedded_part(difference: Difference) -> bool:
    here, there = (list(_outer(parts)) for parts in (difference.here, difference.there))
    return here == there


def _outer(parts: tuple[Part, ...]) -> Iterator[Part]:
    """The attachments that are no messages; mail-parser names no type where none is written."""
    return (part for part in parts if not part[0].startswith("message/") and part[0])


def _undivided_text(difference: Difference) -> bool:
    sent = difference.content.replace(b"\0", b"")
    return (
        not difference.there
        and holds(difference.content, b"multipart/")
        and (
            holds(sent, b"base64", b"quoted-printable")
            or all(
                ascii_of(word).encode() in _NO_LETTER.sub(b"", sent)
                for word in difference.here.split()
            )
        )
    )


def _undivided_part(difference: Difference) -> bool:
    if any(part[0].startswith("multipart/") for part in difference.there):
        return True
    if not difference.there and _NO_SEMICOLON.search(difference.content):
        return True
    only_text = [part[0] for part in difference.here] == ["text/plain"]
    return only_text and not difference.there and holds(difference.content, b"multipart/")


def _boundary_alone(difference: Difference) -> bool:
    """A text with a boundary, which mailparser takes for a multipart."""
    here, there = packed(difference.here), packed(difference.there)
    return b"boundary" in head(difference.content) and there in here and here.startswith("--")


def _no_empty_line(difference: Difference) -> bool:
    """A header, of the message or of a part, with no empty line after the last of its fields."""
    return any(
        len(parts := re.split(rb"^\r?\n", section, maxsplit=1, flags=re.MULTILINE)) == 1
        or (parts[0] and _FIELDS.fullmatch(parts[0]) is None)
        for section in _sections(difference.content)
    )


def _sections(content: bytes) -> Iterator[bytes]:
    """The message up to its first delimiter, and each of its parts."""
    boundaries = b"|".join(map(re.escape, _BOUNDARY.findall(content))) or rb"(?!)"
    delimiter = rb"^--(?:%s)(--)?[ \t\r]*\n" % boundaries
    first, *others = re.split(delimiter, content, flags=re.MULTILINE)
    yield first
    yield from (part for closed, part in zip(others[::2], others[1::2], strict=True) if not closed)


def _line_in_header(difference: Difference) -> bool:
    """From a line in the header on that is no field, mailsacd shows the rest as text."""
    return packed(difference.here).endswith(packed(difference.there)) and (
        any(_NO_FIELD.search(head(each)) for each in _sections(difference.content))
    )


def _not_undone(difference: Difference) -> bool:
    return would_be(difference, _ENCODING.sub(b"X-", difference.content))


def _open_comment(difference: Difference) -> bool:
    return any(
        field.count(b"(") > field.count(b")") for field in _CONTENT.findall(difference.content)
    )


def _after_the_end(difference: Difference) -> bool:
    """Parts after the delimiter that closes their multipart: mailsacd reads on."""
    return any(
        re.search(rb"^--%s--\s.*^--%s\s" % (each, each), difference.content, _ANYWHERE)
        for each in map(re.escape, _BOUNDARY.findall(difference.content))
    )


def _boundary_elsewhere(difference: Difference) -> bool:
    """A delimiter within a part of another multipart, or a boundary that two have."""
    content = difference.content
    found = list(_BOUNDARY.finditer(content))
    names = [each[1] for each in found]
    return len(set(names)) < len(names) or any(
        b"\n--" + each[1] in content[: each.start()] for each in found
    )


def _no_header(difference: Difference) -> bool:
    """Where there is no field at all, parsers look for an empty line, and we for nothing."""
    return re.search(rb"^[!-9;-~]+[ \t]*:", head(difference.content), re.MULTILINE) is None


def _broken_encoding_text(difference: Difference) -> bool:
    return difference.parser == "mail-parser" and holds(
        difference.content, b"base64", b"quoted-printable"
    )


STRUCTURE_KINDS: Final = (
    Kind("a message in the message", TEXTS, _embedded_text),
    Kind("a message in the message", ("attachments",), _embedded_part),
    Kind("a multipart that nothing divides", TEXTS, _undivided_text),
    Kind("a multipart that nothing divides", ("attachments",), _undivided_part),
    Kind("no empty line after a header", FIELDS, _no_empty_line),
    Kind("no empty line after a header", TEXTS, _line_in_header),
    Kind("a transfer encoding that is broken", (*TEXTS, "attachments", "links"), _not_undone),
    Kind("a comment that is never closed", (*TEXTS, "attachments", "links"), _open_comment),
    Kind("parts after the end", (*TEXTS, "attachments", "links"), _after_the_end),
    Kind("a boundary that stands elsewhere", (*TEXTS, "attachments"), _boundary_elsewhere),
    Kind("no header", TEXTS, _no_header),
    Kind("a boundary of what is no multipart", TEXTS, _boundary_alone),
    Kind("a transfer encoding that is broken", TEXTS, _broken_encoding_text),
)
