"""Content transfer encodings undone (RFC 2045 section 6), however badly they were applied."""

import binascii

import pybase64

from mailsacd.mime.pieces import lines

MAX_BASE64_RUNS = 1_000

_PADDED_ENDS = (b" \r\n", b" \n", b"\t\r\n", b"\t\n")

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
        return binascii.a2b_qp(_without_padding(content))
    return content


def base64_bytes(content: bytes) -> bytes:
    """Return the bytes that the base64 in ``content`` stands for (RFC 2045 section 6.8).

    Characters that are not of its alphabet are passed over. A last group that is cut short gives
    the bytes that it still holds. Several padded runs, joined by careless software, are read one
    after the other. The function never raises.
    """
    if b"=" in content.rstrip(b"\r\n \t=-"):
        runs = content.split(b"=", MAX_BASE64_RUNS)
        return b"".join(map(_base64_run, filter(None, runs)))
    return _base64_run(content)


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
