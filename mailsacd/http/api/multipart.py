"""Bodies of the type multipart/form-data (RFC 7578), by which browsers send files.

They are read by the package of the same name, whose header fields are bounded and which takes
no step twice. Knows no URL.
"""

from typing import Any, Final

import pybase64
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from mailsacd.core.errors import InvalidInputError

KIND: Final = b"multipart/form-data"
DEFAULT_TYPE: Final = "application/octet-stream"

_MAX_BOUNDARY: Final = 70  # characters (RFC 2046 section 5.1.1)
_BAD: Final = "The body is not multipart/form-data with texts in UTF-8"


def read_multipart(body: bytes, content_type: bytes, *, most: int) -> list[tuple[str, Any]]:
    """The names and values of the parts of ``body``, in order, ``most`` of them.

    A file is what a JSON body has for an attachment: an object with ``filename``, ``contentType``,
    and ``content`` in the ``encoding`` base64. One that was not chosen is left out. Raises
    InvalidInputError. Runs in any thread; the time is linear in the size of the body.
    """
    _, options = parse_options_header(content_type.decode("latin-1"))
    boundary = options.get("boundary", "")
    if not 1 <= len(boundary) <= _MAX_BOUNDARY or not boundary.isascii():
        raise InvalidInputError(_BAD)
    try:
        with PushMultipartParser(boundary, strict=True, max_segment_count=most) as parser:
            return _pairs(parser, body)
    except ParserLimitReached as e:
        raise InvalidInputError(
            f"The body has more than {most} fields, or a long header field in one"
        ) from e
    except (MultipartError, ValueError) as e:
        raise InvalidInputError(_BAD) from e


def _pairs(parser: PushMultipartParser, body: bytes) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    content: list[bytes] = []
    part: MultipartSegment | None = None
    for event in parser.parse(body) if body else ():
        if isinstance(event, MultipartSegment):
            part, content = event, []
        elif event:
            content.append(bytes(event))
        elif part is not None:
            pairs += _pair(part, b"".join(content))
    return pairs


def _pair(part: MultipartSegment, content: bytes) -> list[tuple[str, Any]]:
    name = part.name or ""
    if part.filename is None:
        return [(name, content.decode("utf-8"))]
    if not part.filename and not content:
        return []
    file = {
        "filename": part.filename.replace("\\", "/").rpartition("/")[2],
        "contentType": part.content_type or DEFAULT_TYPE,
        "content": pybase64.b64encode(content).decode("ascii"),
        "encoding": "base64",
    }
    return [(name, file)]
