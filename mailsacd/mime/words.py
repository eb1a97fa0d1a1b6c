"""The words of HTML for a search: quick and rough, where mime.plain makes a text to be read."""

import re
from typing import Final

from mailsacd.mime import markup

_UNREAD: Final = (("<!--", "-->"), ("<style", "</style"), ("<script", "</script"))
_TAG: Final = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9]*)?[^<>]*>")
_WITHIN_WORDS: Final = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font",
    "i", "ins", "kbd", "mark", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "tt",
    "u", "var", "wbr",
})  # fmt: skip


def words_of_html(source: str) -> str:
    """Return the text of the HTML in ``source``, with no line as it is shown.

    Elements that stand within words leave nothing in their place, others a space. It takes a time
    that is linear in its input, and never raises.
    """
    for opening, closing in _UNREAD:
        source = _without(source, opening, closing)
    return markup.unescape(_TAG.sub(_in_place, source))


def _in_place(tag: re.Match[str]) -> str:
    name = tag[1]
    if name is None:  # a lone "<" is text
        return " " if tag[0][1] in "/!?" else tag[0]
    return "" if name.removeprefix("/").lower() in _WITHIN_WORDS else " "


def _without(source: str, opening: str, closing: str) -> str:
    """``source`` without what is between these, in any case of letters."""
    lower = source.lower()
    at = lower.find(opening)
    if at < 0 or len(lower) != len(source):
        return source
    kept, end = [], 0
    while at >= 0:
        kept.append(source[end:at])
        end = lower.find(closing, at)
        if end < 0:
            return "".join(kept)
        end += 0 if closing[0] == "<" else len(closing)  # an end tag is a tag
        at = lower.find(opening, end)
    return "".join([*kept, source[end:]])
