"""The parts of a message, found by a walk of our own that nothing can make slow or deep.

The second of two ways to the same leaves (see mime.native for the first): it takes any bytes, and
its limits on depth, parts and delimiters hold whatever the message says.
"""

import binascii
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from mailsacd.mime import header, parameters

MAX_DEPTH = 32
MAX_PARTS = 1_000
MAX_DELIMITERS = 20_000  # lines that begin like a delimiter, in the whole message

_MESSAGE = "message/rfc822"
_TEXT = "text/plain"


class Leaf(NamedTuple):
    """A part that holds no others, its transfer encoding undone.

    ``media_type`` is in lower case; ``charset``, ``file_name``, ``disposition``, ``content_id``
    (no angle brackets) and ``transfer_encoding`` are None when the part does not say.
    ``position`` is ``root``, ``alternative`` (a child of multipart/alternative) or ``other``.
    """

    media_type: str
    charset: str | None
    file_name: str | None
    disposition: str | None
    content_id: str | None
    transfer_encoding: str | None
    position: str
    content: bytes


class Facts(NamedTuple):
    """What the Content fields of a part say, decoded but not judged."""

    type: str | None = None
    disposition: str | None = None
    id: str | None = None
    encoding: str | None = None


class _Range(NamedTuple):
    """A part still to be looked at: ``start`` to ``end`` of the message, headers included."""

    start: int
    end: int
    depth: int
    parent: str


def facts(fields: Iterable[header.Field]) -> Facts:
    """The Content fields among ``fields``; of each the first counts."""
    found: dict[str, str] = {}
    for name, raw in fields:
        if len(name) in _LENGTHS and (key := _CONTENT_FIELDS.get(name.lower())) is not None:
            found.setdefault(key, header.unfold(raw))
    return Facts(**found)


_CONTENT_FIELDS = {
    b"content-type": "type",
    b"content-disposition": "disposition",
    b"content-id": "id",
    b"content-transfer-encoding": "encoding",
}
_LENGTHS = frozenset(map(len, _CONTENT_FIELDS))
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
_POSITIONS = {"": "root", "multipart/alternative": "alternative"}


def media_type(text: str | None, parent: str = "") -> str:
    """The media type that a Content-Type value means; absent or invalid, the default.

    RFC 2045 section 5.2, RFC 2046 section 5.1.5.
    """
    if text is not None:
        said = parameters.parse(text)
        return said.value if said.is_media_type else _TEXT
    return _MESSAGE if parent == "multipart/digest" else _TEXT


def boundary_of(text: str | None) -> str:
    """The boundary parameter of a Content-Type value, ``""`` when there is none."""
    return parameters.parse(text).parameters.get("boundary", "").rstrip() if text else ""


def leaf(said: Facts, parent: str, content: bytes) -> Leaf:
    """The leaf with these facts in a ``parent`` type, ``""`` for none; ``content`` is decoded."""
    type_parameters = parameters.parse(said.type).parameters if said.type else _NO_PARAMETERS
    name = type_parameters.get("name")
    disposition = None
    if said.disposition:
        disposition, disposition_parameters, _ = parameters.parse(said.disposition)
        name = disposition_parameters.get("filename") or name
    return Leaf(
        media_type=media_type(said.type, parent),
        charset=type_parameters.get("charset"),
        file_name=header.one_line(name).strip() or None if name else None,
        disposition=disposition or None,
        content_id=said.id.strip("<> \t") or None if said.id else None,
        transfer_encoding=transfer_encoding(said.encoding),
        position=_POSITIONS.get(parent, "other"),
        content=content,
    )


def transfer_encoding(text: str | None) -> str | None:
    """A Content-Transfer-Encoding value in lower case without comments."""
    return text.partition("(")[0].partition(";")[0].strip().lower() or None if text else None


def undo_transfer(content: bytes, encoding: str | None) -> bytes:
    """``content`` as it was before its transfer encoding (RFC 2045 section 6); others stay."""
    if encoding == "base64":
        return header.base64_bytes(content)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(_without_padding(content))
    return content


def _without_padding(content: bytes) -> bytes:
    """``content`` without white space at the ends of lines (RFC 2045 section 6.7, rule 3)."""
    if not any(end in content for end in (b" \r\n", b"\t\r\n", b" \n", b"\t\n")):
        return content
    return b"\n".join(
        line[:-1].rstrip(b" \t") + b"\r" if line.endswith(b"\r") else line.rstrip(b" \t")
        for line in content.split(b"\n")
    )


def leaves(content: bytes, root: Facts, body_start: int) -> tuple[tuple[Leaf, ...], bool]:
    """The leaves of the message in order, and whether a limit cut in. Never raises."""
    return _Walk(content).run(root, body_start)


class _Walk:
    """One pass over a message, depth first."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.found: list[Leaf] = []
        self.todo: list[_Range] = []
        self.delimiters = 0
        self.limited = False

    def run(self, root: Facts, body_start: int) -> tuple[tuple[Leaf, ...], bool]:
        self._look(root, body_start, _Range(0, len(self.content), 0, ""))
        while self.todo:
            part = self.todo.pop()
            if len(self.found) >= MAX_PARTS:
                self.limited = True
                break
            section = header.split(self.content, part.start, part.end)
            self.limited = self.limited or section.limited
            self._look(facts(section.fields), section.body_start, part)
        return tuple(self.found), self.limited

    def _look(self, said: Facts, body_start: int, part: _Range) -> None:
        kind = media_type(said.type, part.parent)
        if kind.startswith("multipart/"):
            boundary = boundary_of(said.type)
            if part.depth >= MAX_DEPTH:
                self.limited = True
            elif boundary and self._divide(boundary, body_start, part, kind):
                return
            # nothing divides it: what it holds is shown as text rather than lost
            said = said._replace(type=_TEXT)
        body = undo_transfer(self.content[body_start : part.end], transfer_encoding(said.encoding))
        self.found.append(leaf(said, part.parent, body))

    def _divide(self, boundary: str, start: int, part: _Range, kind: str) -> bool:
        """Put the parts between the delimiters on the list; whether there was a delimiter."""
        ranges: list[_Range] = []
        opened = -1
        for line_start, line_end, closing in self._delimiter_lines(boundary, start, part.end):
            if opened >= 0:
                ranges.append(_Range(opened, max(line_start, opened), part.depth + 1, kind))
            opened = -1 if closing else line_end
            if closing:
                break
            if len(ranges) + len(self.found) + len(self.todo) > MAX_PARTS:
                self.limited = True
                opened = -1
                break
        else:
            if (
                0 <= opened < part.end
            ):  # RFC 2046 section 5.1.2: the end of the whole ends its parts
                ranges.append(_Range(opened, part.end, part.depth + 1, kind))
        self.todo.extend(reversed(ranges))
        return bool(ranges)

    def _delimiter_lines(
        self, boundary: str, start: int, end: int
    ) -> Iterable[tuple[int, int, bool]]:
        """Each delimiter line: where the part before ends, where the next one starts, closing."""
        content = self.content
        mark = b"\n--" + boundary.encode("utf-8", "replace")
        place = start - 1 if content.startswith(mark[1:], start, end) else -1
        if place < 0:
            place = content.find(mark, start, end)
        while place >= 0:
            self.delimiters += 1
            if self.delimiters > MAX_DELIMITERS:
                self.limited = True
                return
            after = place + len(mark)
            line_end = content.find(b"\n", after, end)
            line_end = end if line_end < 0 else line_end + 1
            rest = content[after : min(line_end, after + 80)].strip()
            if rest in (b"", b"--"):
                before = place - 1 if content[place - 1 : place] == b"\r" else place
                yield max(before, start), line_end, rest == b"--"
            # the line end may at once be the one before the next delimiter
            place = content.find(mark, line_end - 1 if rest in (b"", b"--") else after, end)
