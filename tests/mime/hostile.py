"""Messages that are made to take long, and what each way of reading one costs.

A shape is a short piece of syntax, repeated until the message is large, at one of the places where
a message has that syntax.
"""

import gc
import hashlib
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

import nh3

from mailsacd.core.maildrop import is_plain, octets_on_the_wire
from mailsacd.mime.extract import links, snippet_of_beginning, text_of, text_of_stored
from mailsacd.mime.parse import parse
from mailsacd.mime.sanitise import page_as_sent, sanitised_page
from mailsacd.mime.trace import header_section, loops, parse_stored

Place = Callable[[bytes, int], bytes]
"""From a piece and a size in bytes to a message of about that size."""

_PICTURE: Final = (
    b"--b\r\nContent-Type: image/png\r\nContent-ID: <x>\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b--\r\n"
)
_FORMATTED: Final = b"".join(b"<p><b class=%d>" % number for number in range(90))


def _repeated(piece: bytes, size: int) -> bytes:
    return piece * max(size // len(piece), 1)


def body(fields: str, start: bytes = b"", unit: bytes = b"%b") -> Place:
    """A body that begins with ``start``; ``%b`` in ``unit``, which is repeated, is the piece."""
    head = f"{fields}\r\n\r\n".encode()
    return lambda piece, size: head + start + _repeated(unit.replace(b"%b", piece), size)


def field(name: str) -> Place:
    """One field of all the size."""
    return lambda piece, size: f"{name}: ".encode() + _repeated(piece, size) + b"\r\n\r\nx"


def fields(name: str, each: int) -> Place:
    """Many fields of a name, each of so many bytes."""
    return lambda piece, size: (
        (f"{name}: ".encode() + _repeated(piece, each) + b"\r\n") * (size // each) + b"\r\nx"
    )


def _in_base64(piece: bytes, size: int) -> bytes:
    encoded = b64encode(_repeated(piece, size * 3 // 4))
    return b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded


def _related(piece: bytes, size: int) -> bytes:
    head = (
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    )
    return head + _repeated(piece, size) + b"\r\n" + _PICTURE


_HTML: Final = "Content-Type: text/html; charset=utf-8"
_MIXED: Final = "Content-Type: multipart/mixed; boundary=b"

PLACES: Final[dict[str, Place]] = {
    "text": body("Content-Type: text/plain; charset=utf-8"),
    "page": body(_HTML),
    "page in base64": _in_base64,
    "page with pictures": _related,
    "attribute": body(_HTML, b'<p title="'),
    "short attributes": body(_HTML, b"", b"<p title='" + b"%b" * 300 + b"'>x</p>"),
    "styles": body(_HTML, b"", b"<p style='color:" + b"%b" * 300 + b"'>x</p>"),
    "formatted": body(_HTML, _FORMATTED),
    "link": body(_HTML, b"<a href=http://a.example/"),
    "picture": body(_HTML, b"<img src='"),
    "preformatted": body(_HTML, b"<blockquote><pre>"),
    "script": body(_HTML, b"<script>"),
    "subject": field("Subject"),
    "recipients": field("To"),
    "recipient fields": fields("To", 2_000),
    "long recipient fields": fields("Cc", 60_000),
    "type": field("Content-Type"),
    "other fields": fields("X-Other", 2_000),
    "long fields": fields("X-Other", 60_000),
    "header": lambda piece, size: b"A: b\r\n" + _repeated(piece, size),
    "no header": _repeated,
    "part's header": body(_MIXED, b"--b\r\nA: b\r\n"),
    "parts' types": body(_MIXED, b"", b"--b\r\nContent-Type: " + b"%b" * 40 + b"\r\n\r\n"),
    "parts": body(_MIXED),
    "quoted-printable": body("Content-Transfer-Encoding: quoted-printable"),
    "base64": body("Content-Transfer-Encoding: base64"),
    **{
        name: body(f"Content-Type: text/plain; charset={name}")
        for name in ("utf-7", "utf-16", "utf-32", "iso-2022-jp", "iso-2022-kr", "hz", "gb18030",
                     "big5", "euc-jp", "iso-8859-6", "windows-1255", "cp037", "unknown")
    },
}  # fmt: skip


def renderings(raw: bytes) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every way of reading a message, by name."""
    yield "parse", lambda: parse(raw)
    parsed = parse(raw)
    yield "parse as stored", lambda: parse_stored(raw)
    yield "links", lambda: links(parsed)
    yield "text", lambda: text_of_stored(raw)
    yield "snippet", lambda: snippet_of_beginning(raw)
    yield "text of the page", lambda: text_of(parsed)
    yield "page, sanitised", lambda: sanitised_page(parsed)
    yield "page as sent", lambda: page_as_sent(parsed)
    yield "headers", lambda: parsed.headers
    yield "header section", lambda: header_section(raw)
    yield "loops", lambda: loops(raw, "mx.example")
    yield "facts", lambda: (parsed.date, parsed.message_id, parsed.priority)
    yield "attachments", lambda: [(a.checksum, a.file_name) for a in parsed.attachments]
    yield "wire", lambda: (is_plain(raw), octets_on_the_wire(raw))


# While they work, other threads have the interpreter.
_RELEASING: Final = (nh3.clean, hashlib.md5)


def cpu_s(work: Callable[[], object]) -> float:
    """The processor's time that ``work`` takes, in seconds; others on the machine do not count."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


_SAMPLED_EVERY_S: Final = 0.002


def longest_hold_s(work: Callable[[], object]) -> float:
    """The longest step of ``work`` in which no other thread can have the interpreter, in seconds.

    It is looked for between the events that a profiler gets, in the processor's time: what others
    on the machine do does not count. It may be too long by _SAMPLED_EVERY_S.
    """
    longest = last_cpu = 0.0
    last = 0.0

    def event(_frame: FrameType, _what: str, of: Any) -> None:
        nonlocal longest, last, last_cpu
        now = time.perf_counter()
        if now - last > _SAMPLED_EVERY_S:  # telling the processor's time takes ten times as long
            cpu = time.thread_time()
            if of not in _RELEASING:
                longest = max(longest, cpu - last_cpu)
            last, last_cpu = now, cpu

    gc.disable()
    last, last_cpu = time.perf_counter(), time.thread_time()
    sys.setprofile(event)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return longest
