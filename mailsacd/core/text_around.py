"""What is shown of a text around something that was found in it."""

import re
from typing import Final

CONTEXT_CHARS: Final = 40
"""So many characters are shown on each side, at most."""

_UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ud800-\udfff]"
)


def without_unseen(text: str) -> str:
    """Return ``text`` without controls, marks of direction, fillers and halves of characters."""
    return _UNSEEN.sub("", text)


def in_context(text: str, start: int, end: int) -> str:
    """Return the words of ``text`` from ``start`` to ``end`` and those beside them, in one line."""
    before = text[max(start - CONTEXT_CHARS - 1, 0) : start]
    after = text[end : end + CONTEXT_CHARS + 1]
    if len(before) > CONTEXT_CHARS:
        before = before[before.find(" ") + 1 :] if " " in before else before[1:]
    if len(after) > CONTEXT_CHARS:
        after = after[: after.rfind(" ")] if " " in after else after[:-1]
    return " ".join(f"{before}{text[start:end]}{after}".split())
