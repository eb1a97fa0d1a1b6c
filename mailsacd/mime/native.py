"""The parts of a message by the Rust parser: the fast way, taken where it is known to be right.

It refuses what is broken, which costs nothing. But it overflows the native stack on deep nesting,
is quadratic in the encoded words of a field, reads nested messages anew at each level, takes any
line that begins like a delimiter for one, and reads quoted-printable in a way of its own. So it
gets only the Content fields and the body, and not the messages that could show these faults: for
those `leaves` answers None, and mime.structure reads them instead.
"""

from collections.abc import Iterable, Iterator

from fast_mail_parser import ParseError, PyMimePart, parse_email_tree

from mailsacd.mime import header, structure
from mailsacd.mime.structure import Facts, Leaf

# A level of nesting takes two hyphens at least, and costs the Rust parser stack and a pass.
_MAX_HYPHENS = 4_000
_MAX_NESTING = 256  # its own limit
_MAX_PASSES_BYTES = 128_000_000
_MIN_BOUNDARY_CHARS = 8
_MAX_QUESTION_MARKS = 100
_EQUALS_SIGN = ord("=")

# as nearly all mail spells them, in the order of Facts
_USUAL_NAMES = (
    "Content-Type",
    "Content-Disposition",
    "Content-ID",
    "Content-Transfer-Encoding",
)


class _NotCertainError(Exception):
    """The Rust parser gave an answer, but one that it is known to get wrong."""


def leaves(
    content: bytes, fields: Iterable[header.Field], body_start: int
) -> tuple[Leaf, ...] | None:
    """The leaves of a multipart message in order, or None when this is not the way to them.

    ``fields`` are its Content fields.
    """
    body = content[body_start:]
    if not _harmless(body):
        return None
    head = b"".join([b"%b:%b\r\n" % (name, value.rstrip(b"\r")) for name, value in fields])
    if b"=?" in head:
        return None
    try:
        root = parse_email_tree(head + b"\r\n" + body)
        found = tuple(_walk(root))
    except (ParseError, _NotCertainError):
        return None
    return found


def _harmless(body: bytes) -> bool:
    hyphens = body.count(b"-")
    return (
        hyphens <= _MAX_HYPHENS
        and min(hyphens, _MAX_NESTING) * len(body) <= _MAX_PASSES_BYTES
        and b"quoted-printable" not in body
        and not _has_encoded_word(body)
    )


def _has_encoded_word(body: bytes) -> bool:
    """Whether ``=?`` is in ``body``: single bytes are found much faster than pairs."""
    place = body.find(b"?")
    for _ in range(_MAX_QUESTION_MARKS):
        if place < 0:
            return False
        if body[place - 1] == _EQUALS_SIGN:
            return True
        place = body.find(b"?", place + 1)
    return b"=?" in body


def _walk(root: PyMimePart) -> Iterator[Leaf]:
    """The leaves below ``root``; raises _NotCertainError for shapes that are read differently."""
    todo = [(root, "", 0)]
    boundaries: list[str] = []
    count = 0
    while todo:
        node, parent, depth = todo.pop()
        said = _facts(node)
        content = node.content
        if content is not None:
            count += 1
            if count > structure.MAX_PARTS or not node.headers:
                raise _NotCertainError  # where a part without fields begins is anyone's guess
            yield structure.leaf(said, parent, content)
            continue
        boundary = structure.boundary_of(said.type)
        children = node.children
        if not children or depth >= structure.MAX_DEPTH or len(boundary) < _MIN_BOUNDARY_CHARS:
            raise _NotCertainError
        if any(b.startswith(boundary) or boundary.startswith(b) for b in boundaries):
            raise _NotCertainError
        boundaries.append(boundary)
        kind = structure.media_type(said.type, parent)
        todo.extend((child, kind, depth + 1) for child in reversed(children))


def _facts(node: PyMimePart) -> Facts:
    headers = node.headers
    values = [headers[name][0].strip() if name in headers else None for name in _USUAL_NAMES]
    if len(headers) + values.count(None) != len(values):  # others too, or in another spelling
        first: dict[str, str] = {}
        for name, found in headers.items():
            if " " in name:  # a line of text that ends in a colon
                raise _NotCertainError
            first.setdefault(name.lower(), found[0].strip())
        values = [first.get(name.lower()) for name in _USUAL_NAMES]
    together = "".join(filter(None, values))
    if not together.isascii() or not together.isprintable():
        raise _NotCertainError
    encoding = values[-1]
    if encoding and structure.transfer_encoding(encoding) == "quoted-printable":
        raise _NotCertainError
    return Facts(*values)
