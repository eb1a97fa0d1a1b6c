"""The encodings that mail declares, by their labels, and how the bytes of each are decoded.

Labels are those of the Encoding Standard (https://encoding.spec.whatwg.org), which `webencodings`
knows, and beyond these the charsets of Python. The codecs are Python's; where the standard decodes
otherwise, as browsers and mail programs do, what is missing there is added, and what differs
corrected.
"""

import codecs
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import webencodings

from mailsacd.mime import big5
from mailsacd.mime.pieces import PIECE, slices

_MAX_LABEL_CHARS = 60
_NOTHING: Final[Mapping[bytes, str]] = MappingProxyType({})

# Python's codecs also hold what is no charset (zlib, rot13) or is quadratic (punycode, idna).
_CHARSETS = re.compile(
    r"utf|cp\d|iso8859|iso2022|koi8|mac-|gb|big5|euc|shift_jis|hz|johab|kz1048|hp-roman8|ascii|tis-620"
)
# Which Python codec stands for another: what mailers mean, and the larger set of two
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso2022_jp_1": "iso2022_jp",
    "iso2022_jp_2": "iso2022_jp",
    "iso2022_jp_3": "iso2022_jp",
    "iso2022_jp_2004": "iso2022_jp",
    "iso2022_jp_ext": "iso2022_jp",
    "utf-8-sig": "utf-8",
}
_LABELS = {"utf8mb4": "utf-8", "unicode-1-1-utf-7": "utf-7"}
_CODE_PAGE = re.compile(r"(?:x-)?(?:windows|win|ibm|ms|cp)[-_]?(\d{3,5})")
_ISO_8859 = re.compile(r"(?:x-)?(?:iso[-_ ]?)?8859[-_ ]?(\d{1,2})(?:-[ei])?")
_EITHER_ORDER = frozenset(
    {"utf-16", "ucs-2", "iso-10646-ucs-2", "unicode", "csunicode", "unicodefeff"}
)

_OF_JIS: Final = {
    0x301C: 0xFF5E,
    0x2016: 0x2225,
    0x2212: 0xFF0D,
    0xA2: 0xFFE0,
    0xA3: 0xFFE1,
    0xAC: 0xFFE2,
}
_CORRECTIONS: Final[Mapping[str, Mapping[int, int]]] = {
    "koi8-u": {0x255D: 0x45E, 0x256C: 0x40E},
    "euc_jp": _OF_JIS,
    "iso2022_jp": _OF_JIS,
    "big5hkscs": {
        0x2022: 0x2027, 0xFF64: 0xFE51, 0x203E: 0xAF, 0x223C: 0xFF5E, 0x2641: 0x2295,
        0x2609: 0x2299, 0xA5: 0xFFE5, 0xA2: 0xFFE0, 0xA3: 0xFFE1,
    },
    "gb18030": {
        0xE5E5: 0x3000, 0xE78D: 0xFE10, 0xE78E: 0xFE12, 0xE78F: 0xFE11, 0xE790: 0xFE13,
        0xE791: 0xFE14, 0xE792: 0xFE15, 0xE793: 0xFE16, 0xE794: 0xFE17, 0xE795: 0xFE18,
        0xE796: 0xFE19, 0xE7C7: 0x1E3F, 0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6,
        0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE864: 0x9FBB,
    },
    "x-user-defined": {byte: 0xF700 + byte for byte in range(0x80, 0x100)},
}  # fmt: skip


class Encoding(NamedTuple):
    """An encoding: its name here, and the codec of Python that it is based on."""

    name: str
    codec: str


@lru_cache(maxsize=256)
def find(label: str) -> Encoding | None:
    """Return the encoding of a label, in any case and with blanks or quotes around it, or None."""
    name = label.partition(";")[0].strip(" \t\r\n\f\"'").lower()
    if len(name) > _MAX_LABEL_CHARS or not name.isascii() or not name.isprintable():
        return None
    name = _LABELS.get(name, name)
    if name in _EITHER_ORDER:
        return Encoding("utf-16", "utf-16")
    known = webencodings.lookup(name)
    if known is not None and known.name == "x-user-defined":
        return Encoding(known.name, "latin-1")
    if known is not None and known.name != "replacement":
        return _encoding(known.codec_info.name)
    numbered = _CODE_PAGE.fullmatch(name) or _ISO_8859.fullmatch(name)
    for candidate in (name, numbered and f"cp{numbered[1]}", numbered and f"iso8859-{numbered[1]}"):
        try:
            found = codecs.lookup(candidate or "")
        except (LookupError, ValueError):
            continue
        if _CHARSETS.match(found.name):
            return _encoding(found.name)
    return None


def _encoding(codec: str) -> Encoding:
    name = _MEANT.get(codec, codec)
    return Encoding(name, "iso2022_jp_ext" if name == "iso2022_jp" else name)


def decode(content: bytes, encoding: Encoding, *, strict: bool = True) -> str:
    """Return ``content`` as text; what cannot be decoded raises UnicodeDecodeError.

    It becomes U+FFFD instead where ``strict`` is false.
    """
    if encoding.name != "iso2022_jp":
        text = decoded(content, encoding.codec, _errors(encoding.name, strict=strict))
    else:
        try:
            text = decoded(content, encoding.codec)
        except ValueError:
            return _iso_2022_jp(content, strict=strict)
    for pythons, right in _CORRECTIONS.get(encoding.name, {}).items():
        if chr(pythons) in text:  # in far less time than str.translate takes
            text = text.replace(chr(pythons), chr(right))
    return text


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


@cache
def _errors(name: str, *, strict: bool) -> str:
    """The name of the error handler that knows what Python does not of an encoding."""
    additions = _additions(name)
    if not additions:
        return "strict" if strict else "replace"

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        start = error.start
        for size in (2, 1):
            sequence = error.object[start : start + size]
            if sequence in additions:
                return additions[sequence], start + len(sequence)
        if strict:
            raise error
        return "\ufffd", error.end

    handler = f"mailsacd-{name}-{'strict' if strict else 'replace'}"
    codecs.register_error(handler, handle)
    return handler


def _additions(name: str) -> Mapping[bytes, str]:
    """What an encoding has beyond Python's codec: characters by their bytes."""
    if name == "euc_jp":
        return _beyond_jis()
    if name == "big5hkscs":
        return big5.additions()
    if name == "gb18030":
        return {b"\x80": "\u20ac"}
    if name.startswith("cp125") or name == "cp874":
        controls = {bytes((byte,)): chr(byte) for byte in range(0x80, 0xA0)}
        return controls | ({b"\xca": "\u05ba"} if name == "cp1255" else {})
    return _NOTHING


def _beyond_jis() -> Mapping[bytes, str]:
    """The rows of NEC and IBM, which JIS X 0208 does not have, from Shift_JIS as Windows has it."""
    found: dict[bytes, str] = {}
    for row in (13, *range(89, 93)):
        for cell in range(1, 95):
            lead = (row - 1) // 2 + (0x81 if row < 63 else 0xC1)
            trail = cell + (0x3F + (cell >= 64) if row % 2 else 0x9E)
            try:
                found[bytes((row + 0xA0, cell + 0xA0))] = bytes((lead, trail)).decode("cp932")
            except UnicodeDecodeError:
                continue
    return found


# What an escape sequence begins, by its codec when the highest bit is set (RFC 1468, 1554, 2237)
_ESCAPE = re.compile(rb"\x1b(\([BIJ]|\$[@BA]|\$\([CDOPQ])")
_EUC = Encoding("euc_jp", "euc_jp")
_SETS: Final[Mapping[bytes, Encoding]] = {
    b"$@": _EUC,
    b"$B": _EUC,
    b"$(D": _EUC,
    b"$A": Encoding("gb18030", "gb18030"),
    b"$(C": Encoding("cp949", "cp949"),
    b"$(O": Encoding("euc_jis_2004", "euc_jis_2004"),
    b"$(P": Encoding("euc_jis_2004", "euc_jis_2004"),
    b"$(Q": Encoding("euc_jis_2004", "euc_jis_2004"),
}
_HIGH = bytes(byte + 0x80 if 0x21 <= byte <= 0x7E else byte for byte in range(256))
_PAIR = re.compile(rb"[\xa1-\xfe]{2}")
_SECOND_PLANE = (b"$(D", b"$(P")
_ROMAN = {0x5C: 0xA5, 0x7E: 0x203E}
_KATAKANA = {code: code - 0x21 + 0xFF61 for code in range(0x21, 0x60)}


def _iso_2022_jp(content: bytes, *, strict: bool) -> str:
    parts: list[str] = []
    designated, start = b"(B", 0
    for escape in _ESCAPE.finditer(content):
        parts.append(_of_set(content[start : escape.start()], designated, strict=strict))
        designated, start = escape[1], escape.end()
    parts.append(_of_set(content[start:], designated, strict=strict))
    return "".join(parts)


def _of_set(content: bytes, designated: bytes, *, strict: bool) -> str:
    """What ``content`` stands for while a set of characters is designated."""
    encoding = _SETS.get(designated)
    if encoding is not None:
        content = content.translate(_HIGH)
        if designated in _SECOND_PLANE:
            content = b"".join([_PAIR.sub(b"\x8f\\g<0>", piece) for piece in slices(content)])
        return decode(content, encoding, strict=strict)
    text = decoded(content, "ascii", "strict" if strict else "replace")
    if designated == b"(B":
        return text
    table = _ROMAN if designated == b"(J" else _KATAKANA
    return "".join([piece.translate(table) for piece in slices(text)])
