"""Long texts in pieces, for work that is one call into C.

Such a call keeps all other threads of the process waiting for the interpreter until it is done. For
a piece it takes a few milliseconds, whatever the text.
"""

import re
from collections.abc import Iterator
from typing import AnyStr, Final

PIECE: Final = 65_536
"""So many characters, or bytes, are given to one call; a piece may be twice as long."""

_REFERENCE_CHARS: Final = 40  # no character reference of HTML is longer
_BETWEEN: Final = re.compile(r"[\s<>]")


def slices(whole: AnyStr) -> Iterator[AnyStr]:
    """Yield ``whole`` in pieces of PIECE characters or bytes, the last of which may be shorter."""
    return (whole[start : start + PIECE] for start in range(0, len(whole), PIECE))


def texts(source: str, start: int, end: int) -> Iterator[str]:
    """Yield ``source[start:end]`` in pieces of at most PIECE characters.

    No character reference of HTML is cut in two.
    """
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
    """Yield ``source`` in pieces that end after white space or an angle bracket.

    Pieces have at most two times PIECE characters; where such a character is too far away, the cut
    is anywhere.
    """
    start, end = 0, len(source)
    while end - start > PIECE:
        between = _BETWEEN.search(source, start + PIECE, min(start + 2 * PIECE, end))
        cut = between.end() if between else min(start + 2 * PIECE, end)
        yield source[start:cut]
        start = cut
    yield source[start:end]


def lines(content: bytes) -> Iterator[bytes]:
    """Yield ``content`` in pieces of whole lines.

    Pieces have about PIECE bytes, and more only where a single line is longer.
    """
    start, end = 0, len(content)
    while end - start > PIECE:
        cut = content.rfind(b"\n", start, start + PIECE) + 1
        cut = cut or content.find(b"\n", start + PIECE) + 1 or end
        yield content[start:cut]
        start = cut
    yield content[start:end]
