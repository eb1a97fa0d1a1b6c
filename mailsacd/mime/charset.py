"""Bytes in a declared charset become text, also when the declaration lies or means nothing.

Mail declares ``us-ascii`` and carries UTF-8, declares ``gb2312`` and carries GBK, or names charsets
that nobody knows. A reader wants text all the same, and never an error. The text that comes out can
be stored by PostgreSQL and written as JSON: it has no NUL and no lone surrogate.
"""

import codecs
import re
from contextlib import suppress
from functools import cache

from mailsacd.mime import encodings
from mailsacd.mime.encodings import Encoding, find
from mailsacd.mime.pieces import slices

_REPLACEMENT = "\ufffd"
_SURROGATES = re.compile("[\ud800-\udfff]")

# In these even ASCII bytes may mean something else, so the declaration goes first.
_NOT_ASCII = re.compile(
    r"utf-7|utf-16|utf-32|iso2022|hz|cp037|cp500|cp875|cp1026|cp1140|cp424|cp273"
)
# Without its byte order mark it is in one of two orders
_MARKS = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}
_MULTIBYTE = re.compile(r"gb|big5|euc|shift_jis|cp932|cp949|johab")
_MOSTLY = 20  # so many bytes that are no UTF-8 for a character that is: by chance it seems to be
_UTF_8 = Encoding("utf-8", "utf-8")
_WINDOWS = Encoding("cp1252", "cp1252")


def decode(content: bytes, declared: str | None) -> str:
    """Return ``content`` as text; what cannot be decoded becomes U+FFFD. The function never raises.

    ``declared`` is the charset's name as the message gives it (RFC 2045 section 5.1), or None.
    """
    encoding = find(declared) if declared else None
    if encoding is not None and _NOT_ASCII.match(encoding.name):
        text = _decode_stateful(content, encoding)
        return _clean("".join([_SURROGATES.sub("", piece) for piece in slices(text)]))
    if content.isascii():
        return _clean(content.decode("ascii"))
    if content.startswith(_MARKS["utf-16"]) and b"\0" in content:
        return decode(content, "utf-16")
    return _clean(_decode_8bit(content, encoding))


def decode_undeclared(content: bytes, hint: str | None) -> str:
    """Return ``content``, which has no way to declare its charset, as text. It never raises.

    ``hint`` is the charset that something near it declares, or None. The hint is followed when
    ``content`` is not UTF-8 and all of it can be decoded in that charset.
    """
    encoding = find(hint) if hint else None
    # nearly everything is in windows-1252, also UTF-8 that was damaged
    if (
        encoding is not None
        and encoding != _WINDOWS
        and not _NOT_ASCII.match(encoding.name)
        and not is_utf8(content)
    ):
        try:
            return _clean(encodings.decode(content, encoding))
        except ValueError:
            pass
    return decode(content, None)


def is_utf8(content: bytes) -> bool:
    """Return whether all of ``content`` is valid UTF-8; text in ASCII is."""
    if content.isascii():
        return True
    try:
        content.decode()
    except ValueError:
        return False
    return True


def _clean(text: str) -> str:
    text = text.removeprefix("\ufeff")
    return text.replace("\0", "") if "\0" in text else text


def _decode_stateful(content: bytes, encoding: Encoding) -> str:
    name = encoding.name
    if not content.startswith(_MARKS.get(name, b"")):
        name = f"{name}-be" if content[:1] == b"\0" else f"{name}-le"
        encoding = Encoding(name, name)
    for candidate in (encoding,) if content.isascii() else (encoding, _UTF_8):
        try:
            return encodings.decode(content, candidate)
        except ValueError:
            continue
    return encodings.decode(content, encoding, strict=False)


def _decode_8bit(content: bytes, encoding: Encoding | None) -> str:
    # Text in another charset is hardly ever valid UTF-8 by chance, unless it is in a multibyte one
    # and short: so UTF-8 goes first, except where a multibyte charset is declared.
    if encoding is not None and _MULTIBYTE.match(encoding.name):
        with suppress(ValueError):
            return encodings.decode(content, encoding)
    with suppress(ValueError):
        return encodings.decoded(content, "utf-8")
    if encoding is None or encoding == _UTF_8:
        return _decode_damaged(content)
    return encodings.decode(content, encoding, strict=False)


def _decode_damaged(content: bytes) -> str:
    """What is declared as nothing or UTF-8, and is not: damaged, or mixed with or in another."""
    damaged = encodings.decode(content, _UTF_8, strict=False)
    bad = damaged.count(_REPLACEMENT)
    ascii_ = sum(len(piece.encode("ascii", "ignore")) for piece in slices(damaged))
    good = len(damaged) - ascii_ - bad
    if bad <= good:
        return damaged
    if bad > _MOSTLY * good:
        return encodings.decode(content, _WINDOWS, strict=False)
    return encodings.decoded(content, "utf-8", _mixed())


@cache
def _mixed() -> str:
    """The name of the error handler by which each byte that is no UTF-8 is windows-1252."""

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        foreign = error.object[error.start : error.end]
        return encodings.decode(foreign, _WINDOWS, strict=False), error.end

    codecs.register_error("mailsacd-mixed", handle)
    return "mailsacd-mixed"
