"""Header fields: cutting a section into fields, unfolding them, and RFC 2047 encoded words.

Every function here takes a time that is linear in its input, and is bounded by the constants.
"""

import binascii
import re
from contextlib import suppress
from itertools import chain

import msgspec
from msgspec.structs import replace

from mailsacd.mime import charset, damaged, encodings, transfer
from mailsacd.mime.encodings import Encoding

MAX_FIELDS = 1_000
MAX_FIELD_BYTES = 65_536

Field = tuple[bytes, bytes]
"""A field's name and its raw value, still folded and encoded."""

# No longer than a line may be (RFC 5322 section 2.1.1)
_FIELD = re.compile(rb"^([!-9;-~]{1,998}+)[ \t]{0,998}+:([^\n]*+(?:\n[ \t][^\n]*+)*)", re.MULTILINE)
_FIELD_NAME = re.compile(rb"[!-9;-~]{1,998}+[ \t]{0,998}+:")
# A question mark may stand in it as it is
_ENCODED_WORD = re.compile(
    r"=\?([^?*\s]{0,60}+)(?:\*[^?\s]{0,60}+)?\?(?:([bB])|[qQ])\?([^?]*+(?:(?<!=)\?(?!=)[^?]*+)*)\?="
)
_BYTES_WORD = re.compile(rb"=\?([^?*\s]{0,60}+)((?:\*[^?\s]{0,60}+)?\?)([bBqQ]\?)([^?]*+)(?=\?=)")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]++")
_CONTROLS = {
    **dict.fromkeys((*range(32), *range(127, 160), *range(0xD800, 0xE000)), None),
    **dict.fromkeys((9, 10, 13, 0x85), " "),
}


class Section(msgspec.Struct, frozen=True):
    """A header section of a message.

    ``fields`` are its fields in order. ``end`` is the index in the message at which they end, and
    ``body_start`` that at which the body starts. ``limited`` says that MAX_FIELDS or
    MAX_FIELD_BYTES left something out. ``odd_line_end`` is what ends its lines if that is neither
    CRLF nor LF.
    """

    fields: tuple[Field, ...]
    end: int
    body_start: int
    limited: bool = False
    odd_line_end: bytes | None = None


def read(content: bytes) -> tuple[bytes, Section]:
    """Return ``content``, a message, and its header section.

    Where CR CR LF, LF CR or CR alone end the lines of the header, each line of what is returned
    ends in a line feed. The function never raises.
    """
    section = split(content)
    if section.odd_line_end is None:
        return content, section
    content = damaged.with_line_feeds(content, section.odd_line_end)
    return content, split(content)


def split(
    content: bytes, start: int = 0, end: int | None = None, *, in_part: bool = False
) -> Section:
    """Return the header section that ``content[start:end]`` begins with (RFC 5322 section 2.2).

    A line that is no field is passed over; `damaged` tells where the header begins and ends when
    such lines are first or last. What has no header is all body. Indexes in the result are those
    of ``content``. ``in_part`` says that it is not a whole message. The function never raises.
    """
    end = len(content) if end is None else end
    if _FIELD_NAME.match(content, start, end) is None:
        marked, start = start, damaged.after_mark(content, start, end, in_part=in_part)
        if start > marked:
            return _moved(split(content[start:end], in_part=in_part), start)
        first = damaged.header_start(content, start, end, in_part=in_part)
        if first < 0:
            head = content[start : min(end, start + damaged.MAX_BYTES)]
            odd = damaged.odd_line_end(head)
            return Section((), start, _after_blank_line(content, start, end), odd_line_end=odd)
        start = first
    stop, body_start = section_end(content, start, end)
    if stop - start > MAX_FIELDS and (
        stop - start > MAX_FIELD_BYTES or content.count(b"\n", start, stop) > MAX_FIELDS
    ):
        return _large(content, start, stop, body_start)
    fields = _FIELD.findall(content, start, stop)
    # of each field the colon and the last line feed are missing; the section's last may be
    size = sum(map(len, chain.from_iterable(fields))) + 2 * len(fields)
    if size == stop - start and stop < end:
        return Section(tuple(fields), stop, body_start)
    odd = damaged.odd_line_end(content[start:stop])
    true_end = damaged.header_end(content, start, stop, in_part=in_part)
    if true_end < stop:
        fields = _FIELD.findall(content, start, true_end)
        stop = body_start = true_end
    return Section(tuple(fields), stop, body_start, odd_line_end=odd)


def _moved(section: Section, distance: int) -> Section:
    """The same with its indexes so much higher."""
    end, body_start = section.end + distance, section.body_start + distance
    return replace(section, end=end, body_start=body_start)


def _large(content: bytes, start: int, stop: int, body_start: int) -> Section:
    """The section when it is large. Its fields are read in pieces."""
    odd = damaged.odd_line_end(content[start : start + damaged.MAX_BYTES])
    fields, limited = _large_fields(content, start, stop)
    return Section(fields, stop, body_start, limited, odd)


def _large_fields(content: bytes, start: int, stop: int) -> tuple[tuple[Field, ...], bool]:
    """The fields of a large section, read in pieces, and whether a limit cut in."""
    fields: list[Field] = []
    limited = False
    while start < stop:
        after = _next_field(content, start + MAX_FIELD_BYTES, stop)
        # a field that is longer than the piece has all that is kept of it in the next bytes
        piece_end = min(after, start + 2 * MAX_FIELD_BYTES)
        for name, raw in _FIELD.findall(content, start, piece_end):
            limited = limited or len(raw) > MAX_FIELD_BYTES
            fields.append((name, raw[:MAX_FIELD_BYTES]))
        if len(fields) > MAX_FIELDS:
            return tuple(fields[:MAX_FIELDS]), True
        start = after
    return tuple(fields), limited


def _next_field(content: bytes, position: int, stop: int) -> int:
    """Where the first line after ``position`` begins that is no continuation; else ``stop``."""
    end = content.find(b"\n", position, stop)
    while end >= 0 and content[end + 1 : end + 2] in (b" ", b"\t"):
        end = content.find(b"\n", end + 1, stop)
    return end + 1 if end >= 0 else stop


def section_end(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the fields in ``content[start:end]`` end, and where the body starts.

    The first empty line divides them; without an empty line both indexes are ``end``.
    """
    crlf = content.find(b"\n\r\n", start, end)
    # a bare newline pair counts only before that
    lf = content.find(b"\n\n", start, end if crlf < 0 else crlf + 1)
    if lf >= 0:
        return lf + 1, lf + 2
    return (crlf + 1, crlf + 3) if crlf >= 0 else (end, end)


def unfold(raw: bytes, hint: str | None = None) -> str:
    """Return the raw value of a field as one line of text without control characters.

    Bytes beyond ASCII are read as UTF-8 if they are, else in the charset ``hint`` if they fit it,
    else as windows-1252. Encoded words stay encoded.
    """
    if b"\n" in raw:
        raw = b" ".join([line.strip() for line in raw.split(b"\n")])
    if raw.isascii():
        return one_line(raw.decode("ascii").strip())
    if b"=?" in raw:
        raw = _BYTES_WORD.sub(_escaped_word, raw)
    return one_line(charset.decode_undeclared(raw, hint).strip())


def decode(raw: bytes, hint: str | None = None) -> str:
    """Return the raw value of a field as it is meant to be read.

    It is unfolded as by `unfold`, and its encoded words are decoded.
    """
    return decode_words(unfold(raw, hint))


def decode_words(text: str) -> str:
    """Return ``text`` with its encoded words decoded (RFC 2047); broken ones stay as they are.

    The bytes of neighbouring words in one charset are joined before they are decoded, because
    mailers cut multibyte characters in two.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: list[bytes] = []
    pending_charset, position = "", 0
    for match in _ENCODED_WORD.finditer(text):
        content = _word_bytes(match[3], base64=match[2] is not None)
        if content is None:
            continue
        between = text[position : match.start()]
        name = match[1].lower()
        if pending and (name != pending_charset or (not between.isspace() and between)):
            out.append(charset.decode(b"".join(pending), pending_charset))
            pending = []
            out.append("" if between.isspace() else between)
        elif not pending:
            out.append(between)
        pending.append(content)
        pending_charset, position = name, match.end()
    out.append(charset.decode(b"".join(pending), pending_charset))
    out.append(text[position:])
    return one_line("".join(out))


def one_line(text: str) -> str:
    """Return ``text`` with line ends and tabs as spaces and without other control characters."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def _word_bytes(text: str, *, base64: bool) -> bytes | None:
    try:
        encoded = text.encode("ascii")
    except UnicodeEncodeError:
        return None
    if base64:
        try:
            return binascii.a2b_base64(encoded, strict_mode=True)
        except binascii.Error:
            return transfer.base64_runs(encoded) or None
    return transfer.quoted_printable_bytes(encoded, header=True)


def _escaped_word(word: re.Match[bytes]) -> bytes:
    """An encoded word without its ``?=``, its bytes beyond ASCII escaped (RFC 2047 section 4.2)."""
    name, language, encoding, content = word.groups()
    if content.isascii():
        return word[0]
    if encoding[:1] in b"bB":
        content = _HIGH_BYTES.sub(b"", content)
    else:
        declared = encodings.find(name.decode("latin-1"))
        if charset.is_utf8(binascii.a2b_qp(content, header=True)):
            declared = None
        content = _HIGH_BYTES.sub(lambda high: _escaped(high[0], declared), content)
    return b"".join((b"=?", name, language, encoding, content))


def _escaped(high: bytes, declared: Encoding | None) -> bytes:
    """Bytes beyond ASCII in quoted-printable; in UTF-8 they become the same in ``declared``."""
    if declared is not None and charset.is_utf8(high):
        with suppress(ValueError):
            high = high.decode().encode(declared.codec)
    return b"".join([b"=%02X" % byte for byte in high])


def _after_blank_line(content: bytes, start: int, end: int) -> int:
    for blank in (b"\r\n", b"\n"):
        if content.startswith(blank, start, end):
            return start + len(blank)
    return start
