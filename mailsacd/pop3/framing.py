"""Multi-line answers (RFC 1939 section 3): stuffed dots, and the line that ends them."""

import re
from typing import Final

from mailsacd.core.maildrop import on_the_wire

_MANY: Final = 1_000
_MANY_LINES: Final = re.compile(rb"(?:[^\n]*+\n){%d}+" % _MANY)
_LINE: Final = re.compile(rb"[^\n]*+\n")
_ENDS_OF_HEADER: Final = (b"\n\r\n", b"\n\n")


def retrieved(raw: bytes, *, plain: bool = False) -> bytes:
    """Return the whole answer to RETR, ``raw`` being the stored message.

    ``plain`` tells that there is nothing to change of it (see core.maildrop).
    """
    if plain:
        return b"+OK %d octets\r\n%b.\r\n" % (len(raw), raw)
    lines = on_the_wire(raw)
    return b"+OK %d octets\r\n%b" % (len(lines), stuffed(lines))


def top(raw: bytes, count: int) -> bytes:
    """Return the whole answer to TOP: header, empty line, and ``count`` lines of the body."""
    lines = on_the_wire(raw)
    return b"+OK\r\n" + stuffed(on_the_wire(lines[: _end_of_top(lines, count)]))


def stuffed(lines: bytes) -> bytes:
    """Return ``lines`` (each ended by CRLF, or none) with dots stuffed, and the end after them."""
    first = b"." if lines.startswith(b".") else b""
    return b"%b%b.\r\n" % (first, lines.replace(b"\n.", b"\n.."))


def _end_of_top(lines: bytes, count: int) -> int:
    found_at = [(lines.find(end), len(end)) for end in _ENDS_OF_HEADER]
    end = min((at + length for at, length in found_at if at >= 0), default=len(lines))
    for pattern, step in ((_MANY_LINES, _MANY), (_LINE, 1)):
        while count >= step:
            found = pattern.match(lines, end)
            if found is None:
                break
            count -= step
            end = found.end()
    return len(lines) if count else end
