"""The form that a message has on its way: what is sent, byte for byte.

`canonical` makes the form that never has to be changed again, whatever host it goes to: 7-bit, with
CRLF, in short lines. It is made before a message is signed. What comes here in another form is sent
as it is to a host that takes it, and else encoded anew, which breaks a signature that was made
before.

Nothing that is sent has a CR or an LF outside of a CRLF, and dots are stuffed over the whole: a
message cannot become two at any server (RFC 5321 sections 2.3.8 and 4.5.2).
"""

import re
from typing import Final

from mailsacd.outbound.smtp.reencode import CannotEncodeError, reencode

MAX_LINE_OCTETS: Final = 998
"""Of text, without its CRLF (RFC 5321 section 4.5.3.1.6)."""

_CRLF: Final = b"\r\n"
_NEWLINE: Final = re.compile(rb"\r\n|\r|\n")
_BINARY: Final = re.compile(
    rb"^content-transfer-encoding:[ \t]*binary", re.IGNORECASE | re.MULTILINE
)


def canonical(content: bytes) -> bytes:
    """``content`` in the form that transmission does not change.

    A header that is not ASCII stays so: such a message goes only to hosts that take it (RFC 6531).
    So does a message that the standard library cannot take apart. May take seconds for one that
    `has_to_be_encoded`.
    """
    try:
        return prepared(content, eight_bit=False, encode_headers=False)
    except CannotEncodeError:
        return with_crlf(content)


def prepared(content: bytes, *, eight_bit: bool, encode_headers: bool = True) -> bytes:
    """``content`` as it may be sent: CRLF only, no NUL, lines of MAX_LINE_OCTETS at most.

    With ``eight_bit`` other octets stay, as the host takes them (RFC 6152); without, there are
    none, but for those of headers unless ``encode_headers``. Raises CannotEncodeError.
    """
    if not has_to_be_encoded(content, eight_bit=eight_bit):
        return with_crlf(content)
    encoded = reencode(content, eight_bit=eight_bit, encode_headers=encode_headers)
    return _with_short_lines(with_crlf(encoded.replace(b"\0", b"")))


def has_to_be_encoded(content: bytes, *, eight_bit: bool = False) -> bool:
    """Whether `prepared` has to take ``content`` apart, which is work for a thread."""
    text = with_crlf(content)
    return not _is_fit(text, eight_bit=eight_bit) or _is_cut_binary(content, text)


def with_crlf(content: bytes) -> bytes:
    """``content`` with CRLF for each CRLF, CR and LF, and at its end."""
    pairs = content.count(_CRLF)
    if content.count(b"\n") != pairs or content.count(b"\r") != pairs:
        content = _NEWLINE.sub(_CRLF, content)
    return content if content.endswith(_CRLF) else content + _CRLF


def stuffed(text: bytes) -> bytes:
    """What follows DATA for ``text``, which has CRLF only: dots stuffed, and the end."""
    if text.startswith(b"."):
        text = b"." + text
    return text.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _is_fit(text: bytes, *, eight_bit: bool) -> bool:
    if not (eight_bit or text.isascii()) or b"\0" in text:
        return False
    return max(map(len, text.split(_CRLF))) <= MAX_LINE_OCTETS


def _is_cut_binary(content: bytes, text: bytes) -> bool:
    """Whether something in it that is no text lost newlines of its own in ``text``."""
    return content != text and _BINARY.search(content) is not None


def _with_short_lines(text: bytes) -> bytes:
    """Fold what no encoding reaches: header fields, and what stands between the parts."""
    lines = text.split(_CRLF)
    if max(map(len, lines)) <= MAX_LINE_OCTETS:
        return text
    return _CRLF.join(
        line if len(line) <= MAX_LINE_OCTETS else _CRLF.join(_folded(line)) for line in lines
    )


def _folded(line: bytes) -> list[bytes]:
    """At white space where there is some (RFC 5322 section 2.2.3), else before a character."""
    pieces = []
    while len(line) > MAX_LINE_OCTETS:
        at = max(line.rfind(b" ", 1, MAX_LINE_OCTETS), line.rfind(b"\t", 1, MAX_LINE_OCTETS))
        if at > 0 and line[:at].strip():
            pieces.append(line[:at])
            line = line[at:]
            continue
        at = MAX_LINE_OCTETS
        while at > MAX_LINE_OCTETS - 3 and 0x80 <= line[at] <= 0xBF:  # within one of UTF-8
            at -= 1
        pieces.append(line[:at])
        line = b" " + line[at:]
    return [*pieces, line]
