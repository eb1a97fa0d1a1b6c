"""Content transfer encodings undone (RFC 2045 section 6), however badly they were applied."""

import binascii
import re
from collections.abc import Iterator
from itertools import chain

import pybase64

from mailsacd.mime.pieces import lines

MAX_BASE64_RUNS = 1_000

_PADDED_ENDS = (b" \r\n", b" \n", b"\t\r\n", b"\t\n")

_LONG = 20  # a line of so many characters of the alphabet is no word
_EDGE_BYTES = 100
_OF_LINES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_LINE = re.compile(rb"[A-Za-z0-9+/]++={0,2}")
_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)


def decode(content: bytes, encoding: str | None) -> bytes:
    """Return the body ``content`` as it was before ``encoding`` was applied. It never raises.

    ``encoding`` is the value of Content-Transfer-Encoding in lower case, or None. Only ``base64``
    and ``quoted-printable`` change anything; for any other, ``content`` is returned as it is.
    """
    if encoding == "base64":
        return base64_bytes(content)
    if encoding == "quoted-printable":
        return quoted_printable_bytes(_without_padding(content))
    return content


def quoted_printable_bytes(content: bytes, *, header: bool = False) -> bytes:
    """Return the bytes that the quoted-printable in ``content`` stands for. It never raises.

    An equals sign that begins nothing stands for itself (RFC 2045 section 6.7, note 2). With
    ``header`` an underscore is a space (RFC 2047 section 4.2).
    """
    if b"==" in content:  # which the decoder would take for one
        content = content.replace(b"==", b"=3D=").replace(b"==", b"=3D=")  # twice for longer runs
    return binascii.a2b_qp(content, header=header)


def base64_bytes(content: bytes) -> bytes:
    """Return the bytes that the base64 in ``content`` stands for (RFC 2045 section 6.8).

    Characters that are not of its alphabet are passed over, and lines above or below the data that
    are none of it, such as the footer of a list. A last group that is cut short gives the bytes
    that it still holds. Several padded runs, joined by careless software, are read one after the
    other. What is no base64 at all is returned as it is. The function never raises.
    """
    if _is_odd(content):
        found = list(_data_lines(content))
        data = b"\n".join(found) if found else content
        decoded = base64_runs(data)
        if any(map(_is_sure, found)):
            return decoded
        is_base64 = _is_text(decoded) and 4 * len(decoded) >= len(data)
        return decoded if is_base64 or not _is_text(content) else content
    return _base64_run(content)


def _is_odd(content: bytes) -> bool:
    """Whether it has padding that something follows, or begins or ends with no base64."""
    edges = content[:_EDGE_BYTES] + content[-_EDGE_BYTES:]
    return bool(edges.translate(None, _OF_LINES)) or b"=" in content.rstrip(b"\r\n \t=-")


def _data_lines(content: bytes) -> Iterator[bytes]:
    """The lines of data in it. A word may look like data: near other text it is none."""
    is_begun = is_padded = is_near_text = False
    for line in chain.from_iterable(piece.split(b"\n") for piece in lines(content)):
        stripped = line.strip(b"> \t\r")
        if not stripped:
            is_near_text = is_near_text or is_padded  # a footer may follow
            continue
        if b" " in stripped and not (is_near_text or is_padded):
            first = stripped.split(None, 1)[0]
            if _is_sure(first) and _LINE.fullmatch(first):  # words in the same line
                is_begun = is_near_text = True
                yield first
                continue
        is_long = len(stripped) >= _LONG
        if _LINE.fullmatch(stripped):
            is_data = is_long or not is_near_text
        else:
            is_data = not (is_near_text or is_padded) and (is_long or not is_begun)
            is_data = is_data and _has_strays(stripped)
        is_near_text = not is_data
        if is_data:
            is_begun, is_padded = True, stripped.endswith(b"=")
            yield stripped


def _is_sure(line: bytes) -> bool:
    """Whether it is no word."""
    return len(line) >= _LONG or line.endswith(b"=")


def _has_strays(line: bytes) -> bool:
    """Whether it is data with a few characters that are not of the alphabet."""
    data = line.translate(None, _NOT_BASE64)
    strays = len(line) - line.count(b"=") - len(data)
    return strays <= max(1, len(data) // 16) and b" " not in line


def base64_runs(content: bytes) -> bytes:
    """Return what the characters of base64 in ``content`` stand for, whatever else is in it.

    Several padded runs are read one after the other. The function never raises.
    """
    runs = content.split(b"=", MAX_BASE64_RUNS)
    return b"".join(map(_base64_run, filter(None, runs)))


def _is_text(content: bytes) -> bool:
    try:
        return _CONTROL.search(content.decode()) is None
    except ValueError:
        return False


def _base64_run(content: bytes) -> bytes:
    try:
        return pybase64.b64decode(content)
    except binascii.Error:
        letters = content.translate(None, _NOT_BASE64)
        rest = len(letters) % 4
        letters = letters[:-1] if rest == 1 else letters + b"=" * (-rest % 4)
        return binascii.a2b_base64(letters)


def _without_padding(content: bytes) -> bytes:
    """``content`` without white space at the ends of lines (RFC 2045 section 6.7, rule 3)."""
    # bytes are gone through backwards in a quarter of the time
    if not any(content.rfind(end) >= 0 for end in _PADDED_ENDS):
        return content
    return b"".join(map(_stripped, lines(content)))


def _stripped(lines_: bytes) -> bytes:
    return b"\n".join(
        line[:-1].rstrip(b" \t") + b"\r" if line.endswith(b"\r") else line.rstrip(b" \t")
        for line in lines_.split(b"\n")
    )
