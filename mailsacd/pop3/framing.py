"""Multi-line answers (RFC 1939 section 3): stuffed dots, and the line that ends them."""

import re
from typing import Final

from mailsacd.core.maildrop import on_the_wire

_END_OF_HEADER: Final = re.compile(rb"\r?\n\r?\n")


def retrieved(raw: bytes, *, plain: bool = False) -> bytes:
    """The whole answer to RETR, ``raw`` being the stored message.

    ``plain`` tells that there is nothing to change of it (see core.maildrop).
    """
    if plain:
        return b"+OK %d octets\r\n%b.\r\n" % (len(raw), raw)
    lines = on_the_wire(raw)
    return b"+OK %d octets\r\n%b" % (len(lines), stuffed(lines))


def top(raw: bytes, count: int) -> bytes:
    """The whole answer to TOP: the header, the empty line, and ``count`` lines of the body."""
    lines = on_the_wire(raw)
    return b"+OK\r\n" + stuffed(on_the_wire(lines[: _end_of_top(lines, count)]))


def stuffed(lines: bytes) -> bytes:
    """``lines`` (each ended by CRLF, or none at all) with dots stuffed and the end after them."""
    first = b"." if lines.startswith(b".") else b""
    return b"%b%b.\r\n" % (first, lines.replace(b"\n.", b"\n.."))


def _end_of_top(lines: bytes, count: int) -> int:
    header = _END_OF_HEADER.search(lines)
    if header is None:
        return len(lines)
    end = header.end()
    while count > 0:
        count -= 1
        found = lines.find(b"\n", end)
        if found < 0:
            return len(lines)
        end = found + 1
    return end
