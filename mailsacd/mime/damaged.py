"""Header sections that no grammar allows, read as a reader would.

Software puts marks and lines of its own before the header, forgets the empty line after it, or ends
lines in ways of its own. None of that is to cost the subject, the sender or the text. Only what
`header.split` finds to be unusual comes here, and at most MAX_BYTES of it are looked at.
"""

import re
from itertools import islice
from typing import Final

MAX_BYTES: Final = 65_536
_MAX_DELIMITERS = 20

# A byte order mark in UTF-8, also one that was encoded twice, or in UTF-16; in UTF-8 a space of no
# width, a word joiner, and what stands for what could not be decoded
_MARKS = (
    b"\xef\xbb\xbf", b"\xc3\xaf\xc2\xbb\xc2\xbf", b"\xff\xfe", b"\xfe\xff",
    b"\xe2\x80\x8b", b"\xe2\x81\xa0", b"\xef\xbf\xbd",
)  # fmt: skip
_MBOX_STARTS = (b"From ", b">From ")
_FIELD_NAME = rb"[!-9;-~]{1,998}+[ \t]{0,998}+:(?!//)"
_FIRST_FIELD = re.compile(rb"^" + _FIELD_NAME, re.MULTILINE)
_FIELDS = re.compile(rb"(?:" + _FIELD_NAME + rb"[^\n]*+\n?+(?:[ \t][^\n]*+\n?+)*)+")
_OF_PARTS = rb"content-[!-9;-~]{1,60}+|mime-version|x-[!-9;-~]{1,200}+"
# Those of RFC 5322 and of mailers that are no words of a text, and what is written as a field is
_OF_MESSAGES = (
    rb"from|to|cc|bcc|subject|date|sender|received|comments|keywords|references|precedence"
    rb"|importance|priority|sensitivity|organi[sz]ation|status|lines|path|newsgroups|autocrypt"
    rb"|(?:message|list|return|reply|in-reply|resent|dkim|arc|authentication|delivered|user|thread"
    rb"|auto|feedback|errors|disposition|domainkey|envelope|apparently|original)-[!-9;-~]{1,60}+"
    rb"|(?-i:[A-Z][A-Za-z0-9]{1,30}(?:-[A-Z][A-Za-z0-9]{1,30}){1,6})"
)
_KNOWN_IN_PART = re.compile(rb"^(?:" + _OF_PARTS + rb")[ \t]*+:", re.MULTILINE | re.IGNORECASE)
_KNOWN = re.compile(
    rb"^(?:" + _OF_MESSAGES + rb"|" + _OF_PARTS + rb")[ \t]*+:", re.MULTILINE | re.IGNORECASE
)
_GREETING = re.compile(rb"^[!-9;-~]{1,40}+:[ \t]*+\r?$", re.MULTILINE)
_INVISIBLE = re.compile(rb"[ \t\0\xa0]++")
_DELIMITER = re.compile(rb"^--([^\r\n]{1,200}+)", re.MULTILINE)
_BLANK_LINES = re.compile(rb"(?:[ \t]*+\r*+\n)+")
_LF_CR = re.compile(rb"\n\r(?!\n)")


def odd_line_end(head: bytes) -> bytes | None:
    """Return CR CR LF, LF CR or CR if that ends the lines of ``head``, a header section."""
    returns, pairs = head.count(b"\r"), head.count(b"\r\n")
    if returns == pairs:
        return None
    if b"\r\r\n" in head:
        return b"\r\r\n"
    lines = head.count(b"\n")
    if 2 * len(_LF_CR.findall(head)) >= lines > 0:
        return b"\n\r"
    return b"\r" if returns - pairs > lines else None


def with_line_feeds(content: bytes, line_end: bytes) -> bytes:
    """Return ``content`` with a line feed for each ``line_end``, of those in `odd_line_end`."""
    if line_end == b"\n\r":
        return content.replace(b"\n\r", b"\n")
    if line_end == b"\r":
        return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    while b"\r\r" in content:  # of any run half is gone each time
        content = content.replace(b"\r\r", b"\r")
    return content.replace(b"\r\n", b"\n")


def after_mark(content: bytes, start: int, end: int, *, in_part: bool) -> int:
    """Return where ``content[start:end]`` begins without byte order marks.

    Blanks and NULs before a field that mail has are taken for marks, too.
    """
    while content.startswith(_MARKS, start, end):
        start += next(len(mark) for mark in _MARKS if content.startswith(mark, start, end))
    blank = _INVISIBLE.match(content, start, end)
    if blank is not None and _known(in_part=in_part).match(
        content[blank.end() : blank.end() + 300]
    ):
        return blank.end()
    return start


def header_start(content: bytes, start: int, end: int, *, in_part: bool) -> int:
    """Return where the header in ``content[start:end]`` starts, or -1 when there is none.

    Lines of mailboxes (``From somebody``) and lines that are no fields are passed over, and empty
    lines before two fields of a message (not of a part, whose header may be empty). Lines that are
    no fields count as a header's when two fields follow that mail has, or one and nothing but
    fields before the empty line.
    """
    if content.startswith(_MBOX_STARTS, start, end):
        start = content.find(b"\n", start, end) + 1 or start
        if _FIRST_FIELD.match(content, start, end):
            return start
    blank = _BLANK_LINES.match(content, start, min(end, start + MAX_BYTES))
    if blank is not None and not in_part:
        return _after_blank_lines(content, blank.end(), end)
    if content.startswith((b"\n", b"\r\n"), start, end):
        return -1
    stop = _first_empty_line(content, start, end)
    field = _FIRST_FIELD.search(content, start, stop)
    known = list(islice(_known(in_part=in_part).finditer(content, start, stop), 2))
    if field is None or not known:
        return -1
    fields = _FIELDS.match(content, field.start(), stop)
    is_header = len(known) == 2 or (fields is not None and fields.end() == stop)
    return field.start() if is_header else -1


def header_end(content: bytes, start: int, stop: int, *, in_part: bool) -> int:
    """Return where the header ends that ``content[start:stop]``, with no empty line, begins with.

    Without an empty line after it a header ends before the delimiter of its own multipart, or after
    the last field that mail has and those that follow it at once. What has none of these fields is
    no header: it ends at ``start``.
    """
    stop = min(stop, start + MAX_BYTES)
    fields = _FIELDS.match(content, start, stop)
    if fields is not None and fields.end() == stop:
        return stop
    for delimiter in islice(_DELIMITER.finditer(content, start, stop), _MAX_DELIMITERS):
        before = content[start : delimiter.start()]
        if b"boundary" in before.lower() and delimiter[1].strip() in before:
            return delimiter.start()
    last = None
    for last in _known(in_part=in_part).finditer(content, start, stop):  # noqa: B007  it is looked for
        pass
    fields = None if last is None else _FIELDS.match(content, last.start(), stop)
    if last is None or fields is None:
        return start
    # "Hello:" in a line of its own is no field
    greeting = _GREETING.search(content, last.end(), fields.end())
    return greeting.start() if greeting is not None else fields.end()


def _known(*, in_part: bool) -> re.Pattern[bytes]:
    return _KNOWN_IN_PART if in_part else _KNOWN


def _after_blank_lines(content: bytes, start: int, end: int) -> int:
    stop = _first_empty_line(content, start, end)
    fields = list(islice(_KNOWN.finditer(content, start, stop), 2))
    return start if len(fields) == 2 and fields[0].start() == start else -1


def _first_empty_line(content: bytes, start: int, end: int) -> int:
    """Where the first empty line is; at most MAX_BYTES after ``start``."""
    end = min(end, start + MAX_BYTES)
    places = (content.find(mark, start, end) + 1 for mark in (b"\n\r\n", b"\n\n"))
    return min((place for place in places if place), default=end)
