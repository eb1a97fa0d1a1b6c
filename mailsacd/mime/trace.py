"""The trace fields that a message gets when it is taken in, and how a mail loop is told.

RFC 5321 section 4.4. This runs on every message, so it is kept to a few string operations.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from msgspec.structs import replace

from mailsacd.core.envelope import Envelope, Reception
from mailsacd.mime import header
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.parse import parse
from mailsacd.mime.results import MAX_BYTES, results_field

MAX_RECEIVED_FIELDS = 50
MAX_OWN_LOOP_FIELDS = 1
LOOP_FIELD = "X-Mailsacd-Loop"

_MAX_HELO_CHARS = 255
_UNSAFE = re.compile(r"[^!-'*-:=?-\[\]-~]")  # no space, control, parenthesis, angle, ; or backslash
_UNSAFE_UTF8 = re.compile(r"[\x00- ();<>\\\x7f-\xa0\u2028\u2029\ud800-\udfff]")
_UNSAFE_PATH = re.compile(r"[^ -~]|[<>]")
_UNSAFE_PATH_UTF8 = re.compile(r"[\x00-\x1f\x7f-\x9f<>\u2028\u2029\ud800-\udfff]")
_MAX_FIELD_NAME_BYTES = 998  # with white space after it: no line may be longer
_MAX_TRACE_BYTES = 4_096 + MAX_BYTES
# the date, alone on its line, as nothing before it can be
_END_OF_TRACE = re.compile(
    rb"\n\t[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [+]0000\r\n"
)


def trace_headers(envelope: Envelope, hostname: str) -> bytes:
    """Return ``Return-Path`` and ``Received`` as they go before the message, in CRLF lines.

    Between them is ``Authentication-Results``, if it is known by now. ``hostname`` is our own.
    What the peer said is made safe: it has no control character and nothing that could be taken
    for syntax, and characters beyond ASCII only where the protocol is one of RFC 6531.
    """
    utf8 = envelope.reception.protocol.startswith("UTF8")
    unsafe_path = _UNSAFE_PATH_UTF8 if utf8 else _UNSAFE_PATH
    return_path = f"Return-Path: <{unsafe_path.sub('?', envelope.reverse_path)}>\r\n"
    found = envelope.authentication
    results = b"" if found is None else results_field(found, hostname)
    return return_path.encode() + results + received_field(envelope, hostname)


def received_field(envelope: Envelope, hostname: str, *, hides_client: bool = False) -> bytes:
    """Return ``Received`` alone, as `trace_headers` has it.

    With ``hides_client`` neither the address of the peer is in it nor its name.
    """
    reception = envelope.reception
    utf8 = reception.protocol.startswith("UTF8")
    unsafe_path = _UNSAFE_PATH_UTF8 if utf8 else _UNSAFE_PATH
    by = f"by {hostname} with {_token(reception.protocol)}{_tls(reception)}"
    lines = [f"Received: {by}", f"\tid {envelope.id}"]
    if not hides_client:
        helo = _helo(reception.helo, utf8=utf8)
        lines[:1] = [f"Received: from {helo} ({_literal(reception.peer_ip)})", f"\t{by}"]
    if len(envelope.recipients) == 1:
        recipient = unsafe_path.sub("?", envelope.recipients[0].original_inbox)
        lines.append(f"\tfor <{recipient}>")
    lines[-1] += ";"
    lines.append(f"\t{_date(envelope.received_ms // 1000)}\r\n")
    return "\r\n".join(lines).encode("utf-8")


def loops(content: bytes, loop_id: str) -> bool:
    """Return whether the message came through too many hosts, or through this one before.

    That is so with more than MAX_RECEIVED_FIELDS Received fields, or with more than
    MAX_OWN_LOOP_FIELDS of our own loop field with ``loop_id``. Only the header section is read.
    """
    end, _ = header.section_end(content, 0, len(content))
    # most messages have too few lines with a colon for the rest to be worth a look
    own_id = loop_id.encode()
    if content.count(b":", 0, end) <= MAX_RECEIVED_FIELDS and content.find(own_id, 0, end) < 0:
        return False
    head = b"\n" + content[:end].lower()
    if sum(1 for _ in _values(head, b"received")) > MAX_RECEIVED_FIELDS:
        return True
    own = 0
    for start in _values(head, LOOP_FIELD.lower().encode()):
        line_end = head.find(b"\n", start)
        line = head[start : line_end if line_end >= 0 else len(head)]
        own += line.strip(b" \t\r") == own_id.lower()
    return own > MAX_OWN_LOOP_FIELDS


def _values(head: bytes, name: bytes) -> Iterator[int]:
    """Where the value of each field ``name`` starts in ``head``, which has a line end before it.

    Both are in lower case.
    """
    mark = b"\n" + name
    place = head.find(mark)
    while place >= 0:
        place += len(mark)
        colon = head.find(b":", place, place + _MAX_FIELD_NAME_BYTES)
        if colon >= 0 and not head[place:colon].strip(b" \t"):
            yield colon + 1
        place = head.find(mark, place)


def parse_stored(raw: bytes) -> ParsedMessage:
    """Return what is in a stored message, which `trace_headers` stand before.

    The message is read as it would be without them, because a message may have no header of its
    own, and the trace must not become the header of its text. The fields of the trace are the first
    of ``fields`` all the same.
    """
    end = end_of_trace(raw)
    parsed = parse(raw[end:])
    return replace(parsed, fields=header.split(raw, 0, end).fields + parsed.fields)


def end_of_trace(raw: bytes) -> int:
    """Return the index at which the message begins that `trace_headers` stand before.

    It is 0 when there are no trace headers.
    """
    trace = _END_OF_TRACE.search(raw, 0, _MAX_TRACE_BYTES)
    return trace.end() if trace else 0


def header_section(raw: bytes) -> bytes:
    """Return the fields of `trace_headers` and those of the message, as they are stored.

    Where CR CR LF, LF CR or CR alone end lines of the message, a line feed stands for each.
    """
    start = end_of_trace(raw)
    content, section = header.read(raw[start:])
    if not section.fields:  # all of it is body
        return raw[:start]
    return raw[:start] + content[: section.end]


def _helo(text: str, *, utf8: bool) -> str:
    safe = (_UNSAFE_UTF8 if utf8 else _UNSAFE).sub("?", text[:_MAX_HELO_CHARS])
    return safe or "unknown"


@lru_cache(maxsize=4)  # many messages come in within one second
def _date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))


def _token(text: str) -> str:
    return _UNSAFE.sub("", text)


def _literal(ip: str) -> str:
    """An address literal (RFC 5321 section 4.1.3)."""
    return f"[IPv6:{_token(ip)}]" if ":" in ip else f"[{_token(ip)}]"


def _tls(reception: Reception) -> str:
    tls = reception.tls
    if tls is None:
        return ""
    return f"\r\n\t({_token(tls.version)} {_token(tls.cipher)} {tls.bits}/{tls.bits} bits)"
