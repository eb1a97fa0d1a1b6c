"""Where a message ends: DATA's CRLF.CRLF and BDAT's counted octets.

Bytes go in as they come off the wire, in pieces of any size; the work is proportional to their
number whatever the pieces. Only CRLF is a line's end here (RFC 5321 section 2.3.8): bare CR and
bare LF are ordinary bytes of the message. A reader that is over its limit keeps no bytes, and
still finds the true end.
"""

from typing import Final

_END: Final = b"\r\n.\r\n"
_DOT_LINE: Final = b"\r\n."
_CRLF: Final = b"\r\n"
_KEPT_OF_END: Final = len(_END) - 1


def has_bare_newlines(content: bytes) -> bool:
    """Tell whether a CR or an LF of ``content`` stands outside of a CRLF."""
    pairs = content.count(_CRLF)
    return content.count(b"\n") != pairs or content.count(b"\r") != pairs


def _is_whole(data: bytes) -> bool:
    """Whether ``data``, which follows DATA, is a message without stuffing, its end, and no more.

    There is no need to search behind the last dot before the end: often all of an attachment.
    """
    if not data.endswith(_END) or data.startswith(b"."):
        return False
    last_dot = data.rfind(b".", 0, -len(_END) + len(_CRLF))
    return data.find(_DOT_LINE, 0, last_dot + 1) < 0


class TextReader:
    """Reads what follows DATA up to its end (RFC 5321 section 4.1.1.4), and undoes dot-stuffing."""

    __slots__ = (
        "_buffer",
        "_counted",
        "_has_stuffing",
        "_max_bytes",
        "_stuffed",
        "content",
        "refused",
    )

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        # DATA's own CRLF is the first half of the end when the message is empty
        self._buffer = bytearray(_CRLF)
        self._has_stuffing = False
        self._stuffed = 0
        self._counted = 0
        self.content = b""
        """The message without stuffing, once its end is found; empty when refused."""
        self.refused = False
        """Whether the bytes are thrown away: it grew too large, or `refuse` was called."""

    @property
    def held_bytes(self) -> int:
        """How many bytes of the message are in memory."""
        return len(self._buffer) - len(_CRLF) if not self.refused else 0

    def refuse(self) -> None:
        """Keep nothing from here on; the end is found nevertheless."""
        if not self.refused:
            self.refused = True
            del self._buffer[:-_KEPT_OF_END]

    def receive(self, data: bytes) -> bytes | None:
        """Take ``data``. Returns what follows the end of the message, or None while it goes on."""
        buffer = self._buffer
        if len(buffer) == len(_CRLF) and not self.refused and _is_whole(data):
            self._finish(data[: -len(_END) + len(_CRLF)])  # no need to gather it
            return b""
        searched = max(len(buffer) - _KEPT_OF_END, 0)
        buffer += data
        end = self._find_end(searched)
        if end < 0:
            self._keep_within_limit()
            return None
        rest = bytes(buffer[end + len(_END) :])
        if not self.refused:
            self._finish(bytes(memoryview(buffer)[len(_CRLF) : end + len(_CRLF)]))
        return rest

    def _find_end(self, start: int) -> int:
        """Where the end is, -1 for nowhere; and whether there is a dot that is not of the end.

        In one search for nearly all messages, since there is none.
        """
        buffer = self._buffer
        if not self._has_stuffing:
            start = buffer.find(_DOT_LINE, start)
            if start < 0 or buffer.startswith(_END, start):
                return start
            self._has_stuffing = True
        return buffer.find(_END, start)

    def _keep_within_limit(self) -> None:
        if self.refused:
            del self._buffer[:-_KEPT_OF_END]
        elif len(self._buffer) > self._max_bytes:
            # stuffed dots do not count (RFC 1870 section 5); each byte is looked at once
            self._stuffed += self._buffer.count(_DOT_LINE, self._counted)
            self._counted = len(self._buffer) - 2
            # up to two bytes may yet turn out to be of the end
            if len(self._buffer) - self._stuffed - len(_CRLF) > self._max_bytes + 2:
                self.refuse()

    def _finish(self, stuffed: bytes) -> None:
        """``stuffed`` is the message up to and with the CRLF before the last dot."""
        content = stuffed
        if self._has_stuffing:
            content = content.removeprefix(b".").replace(_DOT_LINE, _CRLF)
        if len(content) > self._max_bytes:
            self.refused = True
        else:
            self.content = content


class ChunkReader:
    """Gathers the chunks of BDAT (RFC 3030 section 2) into one message."""

    __slots__ = ("_buffer", "_left", "_max_bytes", "refused")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._left = 0
        self.refused = False
        """Whether the bytes are thrown away: there are too many, or `refuse` was called."""

    @property
    def held_bytes(self) -> int:
        """How many bytes of the message are in memory."""
        return len(self._buffer)

    @property
    def content(self) -> bytes:
        """The message, once its last chunk is in; empty when refused."""
        return bytes(self._buffer)

    def refuse(self) -> None:
        """Keep nothing from here on; the chunk is counted to its end nevertheless."""
        self.refused = True
        self._buffer.clear()

    def begin(self, size: int) -> None:
        """Read a chunk of ``size`` octets next. One that is too large is refused."""
        self._left = size
        if len(self._buffer) + size > self._max_bytes:
            self.refuse()

    def receive(self, data: bytes) -> bytes | None:
        """Take ``data``. Returns what follows the chunk, or None while it goes on."""
        taken = min(self._left, len(data))
        if not self.refused:
            self._buffer += data[:taken]
        self._left -= taken
        return data[taken:] if not self._left else None
