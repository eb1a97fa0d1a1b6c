"""Reads the replies of a server (RFC 5321 section 4.2) with bounds on what it may send."""

import re
from dataclasses import dataclass
from typing import Final

MAX_LINE_BYTES: Final = 2_048
"""RFC 5321 section 4.5.3.1.5 allows 512; servers are known that write more."""

MAX_LINES: Final = 128
MAX_REPLY_BYTES: Final = 32_768
MAX_TEXT_CHARS: Final = 500
"""So much of a reply's text is kept."""

_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r?\Z")
_STATUS: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")  # RFC 2034 section 4
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class BadReplyError(Exception):
    """What the server sent is no reply, or longer than one may be; the text says which."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its code, and its lines without code, CRLF and the mark after the code."""

    code: int
    lines: tuple[str, ...]

    @property
    def is_positive(self) -> bool:
        """Whether what was asked is done (2yz)."""
        return 200 <= self.code <= 299

    @property
    def status(self) -> str:
        """The enhanced code (RFC 3463); empty when there is none, or one of another class."""
        found = _STATUS.match(self.lines[0])
        return found[1] if found and found[1][0] == str(self.code)[0] else ""

    @property
    def text(self) -> str:
        """The text in one line of MAX_TEXT_CHARS at most, without enhanced codes and controls."""
        told = " ".join(_STATUS.sub("", line, count=1) for line in self.lines)
        return " ".join(_CONTROLS.sub(" ", told).split())[:MAX_TEXT_CHARS]


class ReplyReader:
    """Bytes in, as they come; replies out, one at a time."""

    __slots__ = ("_buffer", "_bytes", "_lines", "_searched")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._lines: list[str] = []
        self._bytes = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was received that is not in a reply already taken."""
        return not self._buffer and not self._lines

    def receive(self, data: bytes) -> None:
        """Take ``data``. Whoever feeds it asks for replies in between: only so it is bounded."""
        self._buffer += data

    def forget(self) -> None:
        """Throw away what was received (RFC 3207 section 4.2)."""
        self._buffer.clear()
        self._lines.clear()
        self._searched = self._bytes = 0

    def next_reply(self) -> Reply | None:
        """The next reply, None while it is not whole. Raises BadReplyError."""
        while (end := self._buffer.find(b"\n", self._searched)) >= 0:
            line = bytes(memoryview(self._buffer)[:end])
            del self._buffer[: end + 1]
            self._searched = 0
            reply = self._add(line)
            if reply is not None:
                return reply
        self._searched = len(self._buffer)
        if self._searched > MAX_LINE_BYTES:
            raise BadReplyError("A line of its reply is too long")
        return None

    def _add(self, line: bytes) -> Reply | None:
        self._bytes += len(line)
        if len(line) > MAX_LINE_BYTES:
            raise BadReplyError("A line of its reply is too long")
        if len(self._lines) >= MAX_LINES or self._bytes > MAX_REPLY_BYTES:
            raise BadReplyError("Its reply is too long")
        found = _LINE.match(line)
        if found is None:
            raise BadReplyError("It sent something that is no reply of SMTP")
        self._lines.append((found[3] or b"").decode("utf-8", "replace"))
        if found[2] == b"-":
            return None
        # The codes of all lines are the same, or it is the last one's that counts
        reply = Reply(int(found[1]), tuple(self._lines))
        self._lines.clear()
        self._bytes = 0
        return reply
