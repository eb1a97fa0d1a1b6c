"""The messages that are sent: the same bytes in every run, and for every server."""

import base64
import random
from collections.abc import Callable, Mapping
from typing import Final

SENDER: Final = "sender@bench.example"
RECIPIENT: Final = "inbox@bench.example"

_HEADERS: Final = (
    f"From: Load Generator <{SENDER}>\r\n"
    f"To: Bench <{RECIPIENT}>\r\n"
    "Subject: {subject}\r\n"
    "Date: Thu, 29 Mar 2018 18:28:07 +0000\r\n"
    "Message-ID: <{message_id}@bench.example>\r\n"
    "MIME-Version: 1.0\r\n"
)
_SENTENCE: Final = (
    "Please confirm your account at https://bench.example/confirm?token=0123456789 \r\n"
)
_PARAGRAPH: Final = (
    '<p style="color:#333">Hello, <a href="https://bench.example/a">here</a>.</p>\r\n'
)
_TEXT_SHARE: Final = 0.1
_HTML_SHARE: Final = 0.25


def text_message(size_bytes: int, subject: str = "A plain text", message_id: str = "1") -> bytes:
    """A text/plain message of about ``size_bytes``, lines ended by CRLF, without a final dot."""
    head = _HEADERS.format(subject=subject, message_id=message_id)
    head += "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    return (head + _filled(_SENTENCE, size_bytes - len(head))).encode()


def multipart_message(
    size_bytes: int, subject: str = "An account was made", message_id: str = "1"
) -> bytes:
    """A message of about ``size_bytes`` with a text, an HTML page and an attachment in base64.

    The attachment is noise, as a picture or a PDF is to a compressor.
    """
    head = _HEADERS.format(subject=subject, message_id=message_id)
    text = _filled(_SENTENCE, int(size_bytes * _TEXT_SHARE))
    html = _filled(_PARAGRAPH, int(size_bytes * _HTML_SHARE))
    frame = _multipart(head, text, html, "")
    room = max(size_bytes - len(frame), 0) * 3 // 4 * 76 // 78
    noise = base64.encodebytes(random.Random(size_bytes).randbytes(room)).decode()
    return _multipart(head, text, html, noise.replace("\n", "\r\n")).encode()


SHAPES: Final[Mapping[str, Callable[[int], bytes]]] = {
    "text": text_message,
    "multipart": multipart_message,
}


def _filled(line: str, size_bytes: int) -> str:
    return line * max(size_bytes // len(line), 1)


def _multipart(head: str, text: str, html: str, noise: str) -> str:
    return (
        f"{head}"
        'Content-Type: multipart/mixed; boundary="outer"\r\n\r\n'
        "--outer\r\n"
        'Content-Type: multipart/alternative; boundary="inner"\r\n\r\n'
        "--inner\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        "--inner\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n{html}</body></html>\r\n"
        "--inner--\r\n"
        "--outer\r\n"
        'Content-Type: application/pdf; name="invoice.pdf"\r\n'
        'Content-Disposition: attachment; filename="invoice.pdf"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{noise}\r\n"
        "--outer--\r\n"
    )
