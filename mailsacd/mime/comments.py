"""Comments in the values of fields (RFC 5322 section 3.2.2), where they are comments."""

import re
from typing import Final

MAX_COMMENTS: Final = 100

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*"?+|\(|[^"(]++', re.DOTALL)
_PIECE = re.compile(r"[()]|\\.|[^()\\]++|\\", re.DOTALL)
_NEXT = re.compile(r"\s*+(.?)", re.DOTALL)
_DIVIDERS = frozenset({"", ";", "=", ",", "/"})


def read(text: str, start: int) -> tuple[str, int]:
    """Return the comment that begins after a parenthesis, and where the text goes on after it.

    ``start`` is the place after the parenthesis. A comment that is never closed ends with the text.
    Comments stand in each other with their parentheses, escaped characters as themselves.
    """
    depth = 1
    parts: list[str] = []
    for token in _PIECE.finditer(text, start):
        piece = token[0]
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            return "".join(parts).strip(), token.end()
        parts.append(piece[1:] if len(piece) == 2 and piece[0] == "\\" else piece)
    return "".join(parts).strip(), len(text)


def removed(text: str) -> str:
    """Return ``text``, a value with parameters, without its comments; MAX_COMMENTS are looked at.

    A comment has a divider before or after it: what is in parentheses within an unquoted file name
    stays.
    """
    if "(" not in text:
        return text
    out: list[str] = []
    position, before, count = 0, "", 0
    while (token := _TOKEN.match(text, position)) is not None and position < len(text):
        piece, position = token[0], token.end()
        if piece == "(" and count < MAX_COMMENTS:
            count += 1
            _, end = read(text, position)
            following = _NEXT.match(text, end)
            after = following[1] if following else ""
            if before.rstrip()[-1:] in _DIVIDERS or (after in _DIVIDERS and not _is_named(before)):
                piece, position = " ", end
        out.append(piece)
        before = piece if not piece.isspace() else before
    return "".join(out)


def _is_named(before: str) -> bool:
    """Whether a file name goes on at once after ``before``."""
    name, equals, _ = before.rpartition(";")[2].partition("=")
    return bool(equals) and "name" in name.lower() and not before[-1:].isspace()
