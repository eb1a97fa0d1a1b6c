"""Long texts in pieces, for work that is one call into C.

Such a call keeps all other threads of the process waiting until it is done. On a piece it is done
within a few milliseconds, whatever the text.
"""

import re
from collections.abc import Iterator
from typing import AnyStr, Final

PIECE: Final = 65_536
"""So many characters, or bytes, are given to one call; a piece may be twice as long."""

_REFERENCE_CHARS: Final = 40  # no character reference of HTML is longer
_BETWEEN: Final = re.compile(r"[\s<>]")


def slices(whole: AnyStr) -> Iterator[AnyStr]:
    """``whole`` in pieces of PIECE characters or bytes, the last one shorter."""
    return (whole[start : start + PIECE] for start in range(0, len(whole), PIECE))


def texts(source: str, start: int, end: int) -> Iterator[str]:
    """``source[start:end]`` in pieces of at most PIECE characters; no reference is cut in two."""
    while end - start > PIECE:
        cut = start + PIECE
        ampersand = source.rfind("&", cut - _REFERENCE_CHARS, cut)
        if ampersand > start:
            cut = ampersand
        yield source[start:cut]
        start = cut
    if start < end:
        yield source[start:end]


def words(source: str) -> Iterator[str]:
    """``source`` in pieces that end after white space or an angle bracket.

    Where there is none within PIECE characters, the cut is anywhere.
    """
    start, end = 0, len(source)
    while end - start > PIECE:
        between = _BETWEEN.search(source, start + PIECE, min(start + 2 * PIECE, end))
        cut = between.end() if between else min(start + 2 * PIECE, end)
        yield source[start:cut]
        start = cut
    yield source[start:end]


def lines(content: bytes) -> Iterator[bytes]:
    """``content`` in pieces of whole lines, each of about PIECE bytes unless a line is longer."""
    start, end = 0, len(content)
    while end - start > PIECE:
        cut = content.rfind(b"\n", start, start + PIECE) + 1
        cut = cut or content.find(b"\n", start + PIECE) + 1 or end
        yield content[start:cut]
        start = cut
    yield content[start:end]
