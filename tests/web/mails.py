"""Mail to look at, as bytes are sent."""

import secrets
import struct
import zlib
from email.message import EmailMessage
from typing import Final

PIXEL_RGB: Final = b"\x2a\x5f\x64"
_HEADER: Final = ">IIBBBBB"


def png(width: int, height: int, rows: int | None = None) -> bytes:
    """A picture in one colour; with ``rows`` it has only so many, whatever it says."""
    line = b"\0" + PIXEL_RGB * min(width, 1_000)
    pixels = zlib.compress(line * (height if rows is None else rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", struct.pack(_HEADER, width, height, 8, 2, 0, 0, 0)),
            (b"IDAT", pixels),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def letter(subject: str, text: str = "Hello", html: str = "") -> EmailMessage:
    """A mail of Ann's."""
    message = EmailMessage()
    message["From"] = "Ann <ann@example.net>"
    message["To"] = "Bob <bob@example.com>"
    message["Subject"] = subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def new_address(domain: str = "inbox.example") -> str:
    """An address that no other test has."""
    return f"box-{secrets.token_hex(4)}@{domain}"
