"""Bytes in a declared charset become text, also when the declaration lies or means nothing.

Mail declares ``us-ascii`` and carries UTF-8, declares ``gb2312`` and carries GBK, or names charsets
that nobody knows. A reader wants text all the same, and never an error. The text that comes out can
be stored by PostgreSQL and written as JSON: it has no NUL and no lone surrogate.
"""

import codecs
import re
from functools import lru_cache

from mailsacd.mime.pieces import PIECE, slices

_MAX_NAME_CHARS = 40
_REPLACEMENT = "\ufffd"
_SURROGATES = re.compile("[\ud800-\udfff]")

# What mailers mean when they write the name on the left.
_MEANT = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "iso-8859-8-i": "iso-8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "x-mac-cyrillic": "mac-cyrillic",
    "macintosh": "mac-roman",
}
# Python's codecs also hold what is no charset (zlib, rot13) or is quadratic (punycode, idna).
_CHARSETS = re.compile(
    r"utf|cp\d|iso8859|iso2022|koi8|mac-|gb|big5|euc|shift_jis|hz|johab|ascii|tis|kz1048|hp-roman8"
)
# In these even ASCII bytes may mean something else, so the declaration goes first.
_NOT_ASCII = re.compile(
    r"utf-7|utf-16|utf-32|iso2022|hz|cp037|cp500|cp875|cp1026|cp1140|cp424|cp273"
)
# Without its byte order mark it is in one of two orders
_MARKS = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}
_MULTIBYTE = re.compile(r"gb|big5|euc|shift_jis|cp932|cp949|cp950|johab")


def decode(content: bytes, declared: str | None) -> str:
    """Return ``content`` as text; what cannot be decoded becomes U+FFFD. The function never raises.

    ``declared`` is the charset's name as the message gives it (RFC 2045 section 5.1), or None.
    """
    codec = _codec(declared) if declared else None
    if codec is not None and _NOT_ASCII.match(codec):
        text = _decode_stateful(content, codec)
        return _clean("".join([_SURROGATES.sub("", piece) for piece in slices(text)]))
    if content.isascii():
        return _clean(content.decode("ascii"))
    return _clean(_decode_8bit(content, codec))


def decode_undeclared(content: bytes, hint: str | None) -> str:
    """Return ``content``, which has no way to declare its charset, as text. It never raises.

    ``hint`` is the charset that something near it declares, or None. The hint is followed when
    ``content`` is not UTF-8 and all of it can be decoded in that charset.
    """
    codec = _codec(hint) if hint else None
    # nearly everything is in windows-1252, also UTF-8 that was damaged
    if codec not in (None, "cp1252") and not _NOT_ASCII.match(codec) and not is_utf8(content):
        try:
            return _clean(content.decode(codec))
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


def decoded(content: bytes, codec: str, errors: str = "strict") -> str:
    """Return the same as ``content.decode(codec, errors)``, decoded piece by piece.

    In one call, 2 MB that are undecodable throughout would hold the interpreter for a quarter of a
    second. Raises UnicodeError as ``decode`` does.
    """
    if len(content) <= PIECE:
        return content.decode(codec, errors)
    decoder = codecs.getincrementaldecoder(codec)(errors)
    parts = [decoder.decode(piece) for piece in slices(content)]
    return "".join((*parts, decoder.decode(b"", final=True)))


def _decode_stateful(content: bytes, codec: str) -> str:
    if not content.startswith(_MARKS.get(codec, b"")):
        codec = f"{codec}-be" if content[:1] == b"\0" else f"{codec}-le"
    try:
        return decoded(content, codec)
    except ValueError:
        pass
    try:
        if not content.isascii():
            return decoded(content, "utf-8")
    except ValueError:
        pass
    return decoded(content, codec, "replace")


def _decode_8bit(content: bytes, codec: str | None) -> str:
    # Text in another charset is hardly ever valid UTF-8 by chance, unless it is in a multibyte one
    # and short: so UTF-8 goes first, except where a multibyte charset is declared.
    order = ["utf-8"] if codec in (None, "utf-8") else ["utf-8", codec]
    if codec is not None and _MULTIBYTE.match(codec):
        order.reverse()
    for candidate in order:
        try:
            return decoded(content, candidate)
        except ValueError:
            continue
    if codec not in (None, "utf-8"):
        return decoded(content, codec, "replace")
    damaged = decoded(content, "utf-8", "replace")
    bad = damaged.count(_REPLACEMENT)
    ascii_ = sum(len(piece.encode("ascii", "ignore")) for piece in slices(damaged))
    good = len(damaged) - ascii_ - bad
    return damaged if bad <= good else decoded(content, "cp1252", "replace")


@lru_cache(maxsize=256)
def _codec(declared: str) -> str | None:
    """The name of Python's codec for a charset, or None when there is none."""
    name = declared.strip(" \t\"'").lower()
    if len(name) > _MAX_NAME_CHARS or not name.isascii() or not name.isprintable():
        return None
    try:
        found = codecs.lookup(_MEANT.get(name, name)).name
    except (LookupError, ValueError):
        return None
    return found if _CHARSETS.match(found) else None
