"""The parts of a message, found by a walk that nothing can make slow or deep.

The walk takes any bytes and looks at each about once a level. Its limits on depth, parts and
delimiters hold whatever the message says. It runs on every message that is taken in.
"""

import msgspec

from mailsacd.mime import damaged, header, transfer
from mailsacd.mime.content_fields import (
    CACHED_BYTES,
    TEXT,
    TYPE,
    Facts,
    facts_in,
    facts_of,
    usual_multipart_in,
)  # fmt: skip

MAX_DEPTH = 32
MAX_PARTS = 1_000
MAX_DELIMITERS = 20_000  # lines that begin like a delimiter, in the whole message

_MESSAGE = "message/rfc822"
_ALTERNATIVE = "multipart/alternative"
_POSITIONS = {"": "root", _ALTERNATIVE: "alternative"}


class Leaf(msgspec.Struct, frozen=True):
    """A part that holds no other parts. ``body`` is as it was sent.

    ``media_type`` is in lower case. ``charset``, ``file_name``, ``disposition``, ``content_id``
    (without angle brackets) and ``transfer_encoding`` are None when the part does not say.
    ``position`` is ``root``, ``alternative`` (for a child of multipart/alternative) or ``other``.
    ``branches`` are the alternatives that it is in, the outermost first: each a number that the
    alternatives to it have as well, and its place among them.
    """

    media_type: str
    charset: str | None
    file_name: str | None
    disposition: str | None
    content_id: str | None
    transfer_encoding: str | None
    position: str
    branches: "Branches"
    body: bytes

    @property
    def content(self) -> bytes:
        """The body with its transfer encoding undone; it is decoded at each access."""
        return transfer.decode(self.body, self.transfer_encoding)


Branches = tuple[tuple[int, int], ...]

_Range = tuple[int, int, int, str, Branches]
"""A part to be looked at: where it starts, with its header, and ends; depth; its parent's type;
the alternatives that it is in."""


def leaves(content: bytes, section: header.Section) -> tuple[tuple[Leaf, ...], bool]:
    """Return the leaves of the message ``content`` in order, and whether a limit cut in.

    ``content`` and ``section``, its header section, are as `header.read` returns them. The function
    never raises.
    """
    walk = _Walk(content)
    found = walk.run(section)
    if walk.odd_line_end is None:
        return found
    content = damaged.with_line_feeds(content, walk.odd_line_end)
    return _Walk(content).run(header.split(content))


class _Walk:
    """One pass over a message, depth first."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.found: list[Leaf] = []
        self.todo: list[_Range] = []
        self.delimiters = 0
        self.limited = False
        self.odd_line_end: bytes | None = None  # of a part's header

    def run(self, root: header.Section) -> tuple[tuple[Leaf, ...], bool]:
        """Return the leaves in order, and whether a limit cut in."""
        whole = (0, len(self.content), 0, "", ())
        self._look(facts_of(root.fields), root.body_start, whole)
        while self.todo:
            part = self.todo.pop()
            if len(self.found) >= MAX_PARTS:
                self.limited = True
                break
            said, body_start = self._read(part)
            self._look(said, body_start, part)
        return tuple(self.found), self.limited

    def _read(self, part: _Range) -> tuple[Facts, int]:
        """What a part says of itself, and where its body starts."""
        content = self.content
        start, end, *_ = part
        stop, body_start = header.section_end(content, start, end)
        if stop - start <= CACHED_BYTES:
            head = content[start:stop]
            said = usual_multipart_in(head) if b"boundary" in head else facts_in(head)
            if said is not None:
                return said, body_start
        section = header.split(content, start, end, in_part=True)
        self.limited = self.limited or section.limited
        self.odd_line_end = self.odd_line_end or section.odd_line_end
        return facts_of(section.fields), section.body_start

    def _look(self, said: Facts, body_start: int, part: _Range) -> None:
        start, end, depth, parent, branches = part
        kind = said.media_type or (_MESSAGE if parent == "multipart/digest" else TEXT)
        if kind.startswith("multipart/"):
            if depth >= MAX_DEPTH:
                self.limited = True
            elif said.boundary and self._divide(said.boundary, body_start, part, kind):
                return
            # nothing divides it: what it holds is shown as text rather than lost
            fields = header.split(self.content, start, end).fields
            said = facts_of(field for field in fields if field[0].lower() != TYPE)
            kind = TEXT
        leaf = Leaf(
            kind,
            said.charset,
            said.file_name,
            said.disposition,
            said.content_id,
            said.transfer_encoding,
            _POSITIONS.get(parent, "other"),
            branches,
            self.content[body_start:end],
        )
        self.found.append(leaf)

    def _divide(self, boundary: str, body_start: int, part: _Range, kind: str) -> bool:
        """Put the parts between the delimiters on the list; whether there are any."""
        _, end, depth, *_ = part
        mark = b"\n--" + boundary.encode("utf-8", "replace")
        spans = self._between(mark, body_start, end) or self._following(mark[1:], end, depth)
        self._put(spans, part, kind)
        return bool(spans)

    def _following(self, mark: bytes, end: int, depth: int) -> list[tuple[int, int]]:
        """The parts that follow one without any, which has the boundary of what it is in itself.

        They are taken from the list, up to the delimiter that closes.
        """
        spans: list[tuple[int, int]] = []
        while self.todo and self.todo[-1][2] == depth:
            start, stop, *_ = self.todo[-1]
            if self.content[end : min(start, end + 4 * len(mark))].strip() != mark:
                break
            spans.append((start, stop))
            self.todo.pop()
            end = stop
        return spans

    def _put(self, spans: list[tuple[int, int]], parent: _Range, kind: str) -> None:
        """Put the parts of ``parent``, which is of this kind, on the list."""
        from_, _, depth, _, branches = parent
        if kind != _ALTERNATIVE:
            self.todo.extend((*span, depth + 1, kind, branches) for span in reversed(spans))
            return
        for number in range(len(spans) - 1, -1, -1):
            self.todo.append((*spans[number], depth + 1, kind, (*branches, (from_, number))))

    def _is_inner(self, mark: bytes, opened: int, place: int) -> bool:
        """Whether the part that is open has this boundary with two hyphens for its own."""
        if opened < 0:
            return False
        inner = mark[3:] + b"--"
        head = self.content[opened : min(place, opened + CACHED_BYTES)]
        return b'"%b"' % inner in head or b"=" + inner in head

    def _between(self, mark: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts start and end that lines which begin with ``mark`` divide."""
        content = self.content
        room = MAX_PARTS - len(self.found) - len(self.todo)
        spans: list[tuple[int, int]] = []
        opened = -1  # where the part at hand starts
        at_once = content.startswith(mark[1:], start, end)
        place = start - 1 if at_once else content.find(mark, start, end)
        while place >= 0:
            self.delimiters += 1
            if self.delimiters > MAX_DELIMITERS:
                self.limited = True
                break
            after = place + len(mark)
            line_end = content.find(b"\n", after, end) + 1 or end
            rest = content[after : min(line_end, after + 80)].strip()
            is_delimiter = not rest or (rest == b"--" and not self._is_inner(mark, opened, place))
            if is_delimiter:
                if opened >= 0:
                    before = place - 1 if content[place - 1 : place] == b"\r" else place
                    spans.append((opened, max(before, opened)))
                if len(spans) > room:
                    self.limited = True
                    opened = -1
                    break
                # who uses a boundary again closes what is inside, and goes on
                opened = -1 if rest else line_end
                after = line_end - 1  # it may at once be the one before the next delimiter
            place = content.find(mark, after, end)
        if 0 <= opened < end:  # RFC 2046 section 5.1.2: the end of the whole ends its parts
            spans.append((opened, end))
        return spans
