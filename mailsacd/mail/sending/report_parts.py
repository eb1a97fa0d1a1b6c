"""What reports about mail are put together of: lines of a header, and parts (RFC 6522)."""

import re
from typing import Final

_LINE_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
_MAX_LINE: Final = 900  # octets, below the 998 of RFC 5322 section 2.1.1
_HEADER_END: Final = b"\r\n\r\n"
MAX_HEADER_BYTES: Final = 65_536


def one_line(text: str) -> str:
    """``text`` without line breaks and other controls, as it may stand in a field."""
    return _LINE_BREAKS.sub(" ", text).strip()


def cut(text: str) -> str:
    """``text`` as far as a line of a message may be long (RFC 5322 section 2.1.1)."""
    return text.encode()[:_MAX_LINE].decode(errors="ignore")


def part(boundary: str, content_type: str, content: bytes) -> bytes:
    """Return a part of a multipart, with the ``boundary`` before it (RFC 2046 section 5.1)."""
    encoding = "7bit" if content.isascii() else "8bit"
    head = f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}"
    end = b"" if content.endswith(b"\r\n") else b"\r\n"
    return head.encode() + b"\r\n\r\n" + content + end


def references(message_id: str) -> tuple[str, ...]:
    """Return fields by which mail programs show a report beside the message with that id.

    There are none for an overlong one.
    """
    clean = one_line(message_id).replace(" ", "").strip("<>")
    if not clean or not clean.isascii() or len(clean) > _MAX_LINE:
        return ()
    return (f"In-Reply-To: <{clean}>", f"References: <{clean}>")


def lines(*texts: str) -> bytes:
    """Return the lines of a header, each with its CRLF."""
    return "".join(f"{text}\r\n" for text in texts).encode()


def header_of(content: bytes) -> bytes:
    """Return the header of a message, up to MAX_HEADER_BYTES, cut at the end of a line."""
    head = content[: max(content.find(_HEADER_END), 0) + 2]
    if len(head) > MAX_HEADER_BYTES:
        head = head[: head.rindex(b"\r\n", 0, MAX_HEADER_BYTES) + 2]
    return head
