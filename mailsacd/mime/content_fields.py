"""What the Content fields of a part say, of usual ones without reading them again each time."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

from mailsacd.mime import comments, header, parameters
from mailsacd.mime.parameters import Parameterised

CACHED_BYTES: Final = 400
"""A header section of so many bytes at most is looked up."""

TYPE: Final = b"content-type"
TEXT: Final = "text/plain"

_WANTED = frozenset({TYPE, b"content-disposition", b"content-id", b"content-transfer-encoding"})
_WANTED_LENGTHS = frozenset(map(len, _WANTED))
_NOTHING = parameters.parse("")
# What nearly every multipart says, and a part says alone: nothing in it is encoded or escaped
_MULTIPART_VALUE = (
    rb"[ \t]*+(multipart/[a-z]++);[ \t]*+(?:\r?\n[ \t]++)?"
    rb"boundary=\"([\w'()+,./:=-]++)\"[ \t\r\n]*+\Z"
)
_MULTIPART = re.compile(_MULTIPART_VALUE)
_MULTIPART_HEAD = re.compile(rb"[Cc]ontent-[Tt]ype:" + _MULTIPART_VALUE)


class Facts(msgspec.Struct, frozen=True):
    """What the Content fields of a part say (RFC 2045 sections 5 to 7, RFC 2183).

    ``media_type`` is None when there is no Content-Type, ``boundary`` is ``""`` when there is none;
    ``content_id`` has no angle brackets.
    """

    media_type: str | None
    boundary: str
    charset: str | None = None
    file_name: str | None = None
    disposition: str | None = None
    content_id: str | None = None
    transfer_encoding: str | None = None


def facts_of(fields: Iterable[header.Field]) -> Facts:
    """Return what ``fields`` say. Of one that is there several times the first counts."""
    values: dict[bytes, bytes] = {}
    for name, raw in fields:
        if len(name) in _WANTED_LENGTHS and (key := name.lower()) in _WANTED:
            values.setdefault(key, raw)
    type_, encoding = values.get(TYPE), values.get(b"content-transfer-encoding")
    if type_ is not None and len(values) == 1 and (usual := _MULTIPART.match(type_)):
        return _multipart(usual)
    said, disposed = _parsed(type_), _parsed(values.get(b"content-disposition"))
    content_id = values.get(b"content-id")
    name_ = disposed.parameters.get("filename") or said.parameters.get("name")
    return Facts(
        media_type=(said.value if _names_a_type(said) else TEXT) if type_ is not None else None,
        boundary=said.parameters.get("boundary", "").rstrip(),
        charset=said.parameters.get("charset"),
        file_name=header.one_line(name_).strip() or None if name_ else None,
        disposition=disposed.value or None,
        content_id=header.unfold(content_id).strip("<> \t") or None if content_id else None,
        transfer_encoding=_transfer_encoding(header.unfold(encoding)) if encoding else None,
    )


def _names_a_type(said: Parameterised) -> bool:
    """A multipart with a boundary is one, whatever stands behind the slash."""
    return said.is_media_type or (
        said.value.startswith("multipart/") and "boundary" in said.parameters
    )


def _multipart(usual: re.Match[bytes]) -> Facts:
    kind, boundary = usual.groups()
    return Facts(kind.decode(), boundary.decode())


def usual_multipart_in(head: bytes) -> Facts | None:
    """Return the facts of a header section that is but a multipart's usual Content-Type."""
    usual = _MULTIPART_HEAD.match(head)
    return _multipart(usual) if usual else None


# Most parts have one of a few heads; a multipart's boundary is its own, and not worth keeping.
@lru_cache(maxsize=256)
def facts_in(head: bytes) -> Facts | None:
    """Return the facts in a header section, or None when it is no whole one."""
    section = header.split(head, in_part=True)
    if not section.fields or section.end < len(head) or section.odd_line_end:
        return None
    return facts_of(section.fields)


def _parsed(raw: bytes | None) -> Parameterised:
    if not raw:
        return _NOTHING
    return _known(raw) if len(raw) <= CACHED_BYTES else parameters.parse(header.unfold(raw))


@lru_cache(maxsize=256)
def _known(raw: bytes) -> Parameterised:
    return parameters.parse(header.unfold(raw))


def _transfer_encoding(text: str) -> str | None:
    """In lower case without comments."""
    return comments.removed(text).partition(";")[0].strip("\"' \t,.").lower() or None
