"""Encodes the parts of a message anew that cannot go as they are: RFC 2045 section 6.

The standard library takes the message apart and puts it together; header fields stay as they are,
byte for byte, and so do parts that nothing is wrong with.
"""

import base64
import binascii
import io
import re
from email.generator import BytesGenerator
from email.header import Header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from typing import Final

MAX_PART_LINE_OCTETS: Final = 998
MAX_COMPARISONS: Final = 5_000_000
"""Of lines with boundaries: the library compares each line with those of all parts around it. So
many take half a second."""

_ENCODING: Final = "Content-Transfer-Encoding"
_IDENTITIES: Final = frozenset({"", "7bit", "8bit", "binary"})
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
_NEWLINE: Final = re.compile(rb"\r\n|\r|\n")
_SEPARATORS: Final = re.compile(r"([\s<>,;:\"()@]+)")
"""What stands between the words of a header field, encoded ones among them."""


class CannotEncodeError(Exception):
    """The message cannot be taken apart, so it cannot be encoded anew."""


def reencode(content: bytes, *, eight_bit: bool, encode_headers: bool) -> bytes:
    """``content`` without NUL, long lines and, unless ``eight_bit``, other than 7-bit octets in it.

    Text becomes quoted-printable or base64, whichever is shorter, and everything else base64.
    Header fields that are not ASCII become encoded words (RFC 2047) unless ``eight_bit``, if
    ``encode_headers``. What stands between parts is not kept from being long, and has ``?`` for
    what is not ASCII. Raises CannotEncodeError.
    """
    boundaries = content.lower().count(b"boundary")
    if max(content.count(b"\n"), content.count(b"\r")) * boundaries > MAX_COMPARISONS:
        raise CannotEncodeError("The message has too many parts within parts to be converted")
    policy = _AsItStands(encodes=encode_headers and not eight_bit)
    try:
        message = BytesParser(policy=policy).parsebytes(content)
        encoded_any = [_mend(part, eight_bit=eight_bit) for part in message.walk()]
        if any(encoded_any) and "MIME-Version" not in message:
            message["MIME-Version"] = " 1.0"
        out = io.BytesIO()
        BytesGenerator(out, mangle_from_=False, policy=policy).flatten(message)
    except Exception as e:  # of hostile mail the library raises nearly anything
        raise CannotEncodeError("The message has a form that cannot be converted") from e
    encoded = out.getvalue()
    if eight_bit or not encode_headers or encoded.isascii():
        return encoded
    return encoded.decode("ascii", "replace").replace("\ufffd", "?").encode("ascii")


class _AsItStands(Compat32):
    """Keeps header fields as they came: the library's own policies write them anew."""

    def __init__(self, *, encodes: bool) -> None:
        super().__init__(linesep="\r\n", max_line_length=None, mangle_from_=False)
        object.__setattr__(self, "encodes", encodes)  # the library's policies are frozen

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """The name of a field, and all that follows its colon but NUL: no charset has one."""
        name, value = sourcelines[0].split(":", 1)
        return name, (value + "".join(sourcelines[1:])).rstrip("\r\n").replace("\0", "")

    def fold_binary(self, name: str, value: str) -> bytes:
        """The lines of a field, as they came or with encoded words."""
        value = _LINE_ENDS.sub("\r\n", str(value))
        field = f"{name}:{value}\r\n".encode("ascii", "surrogateescape")
        if field.isascii() or not self.__dict__["encodes"]:
            return field
        return _with_encoded_words(_decoded(field)).encode("ascii", "replace")


def _decoded(field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError:
        return field.decode("latin-1")


def _with_encoded_words(field: str) -> str:
    """Encode runs of words that are not ASCII: blanks between two encoded words are not read."""
    pieces = _SEPARATORS.split(field)  # each second one is a separator
    out: list[str] = []
    run: list[str] = []
    for place in range(0, len(pieces), 2):
        word, separator = pieces[place], "".join(pieces[place + 1 : place + 2])
        if word.isascii():
            out += [word, separator]
            continue
        run.append(word)
        following = "".join(pieces[place + 2 : place + 3])
        if following.isascii() or separator.strip():
            out += [Header("".join(run), "utf-8").encode(linesep="\r\n"), separator]
            run = []
        else:
            run.append(" ")
    return "".join(out)


def _mend(part: Message, *, eight_bit: bool) -> bool:
    """Encode ``part`` if it has to be; whether it had to."""
    encoding = str(part.get(_ENCODING, "")).strip().lower()
    if part.is_multipart():  # nothing but an identity encoding is allowed (RFC 2045 section 6.4)
        if encoding == "binary" or (encoding == "8bit" and not eight_bit):
            _set(part, _ENCODING, "8bit" if eight_bit else "7bit")
        return False
    text, data = part.get_payload(), part.get_payload(decode=True)
    if not (isinstance(text, str) and isinstance(data, bytes)):
        raise TypeError("a part that is neither one nor many")
    # what is encoded already has to be ASCII, or it is damaged
    raw = text.encode("ascii") if text.isascii() else data if encoding in _IDENTITIES else b"\0"
    if encoding != "binary" and _is_fit(raw, eight_bit=eight_bit):
        if encoding == "8bit" and not eight_bit:
            _set(part, _ENCODING, "7bit")
        return False
    _encode(part, data, is_binary=encoding == "binary")
    return True


def _is_fit(raw: bytes, *, eight_bit: bool) -> bool:
    if b"\0" in raw or not (eight_bit or raw.isascii()):
        return False
    return max(map(len, _NEWLINE.split(raw))) <= MAX_PART_LINE_OCTETS


def _encode(part: Message, data: bytes, *, is_binary: bool) -> None:
    encoding, encoded = "base64", base64.encodebytes(data)
    if part.get_content_maintype() == "text" and not is_binary:
        printable = binascii.b2a_qp(_NEWLINE.sub(b"\r\n", data), istext=True)
        if len(printable) <= len(encoded):
            encoding, encoded = "quoted-printable", printable
    if "Content-Type" not in part and not data.isascii():
        _set(part, "Content-Type", f'text/plain; charset="{_charset(data)}"')
    part.set_payload(encoded.decode("ascii"))
    _set(part, _ENCODING, encoding)


def _charset(data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError:
        return "unknown-8bit"  # RFC 1428
    return "utf-8"


def _set(part: Message, name: str, value: str) -> None:
    del part[name]
    part[name] = f" {value}"
