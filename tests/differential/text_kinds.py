"""Kinds of differences in what a text says, and in HTML."""

import re
from typing import Final

from tests.differential.differences import Difference
from tests.differential.kind import (
    TEXTS,
    Kind,
    ascii_of,
    has_controls,
    holds,
    is_in,
    is_undecoded,
    packed,
    packed_lines,
    same,
    without_controls,
)

_LABEL: Final = re.compile(rb"charset\s*=\s*\"?([\w.:-]{1,40})|=\?([\w.:-]{1,40})\?", re.IGNORECASE)
_OF_TEXTS: Final = re.compile(r"<br ?/>|</?(?:div|pre)>")
_C1: Final = re.compile("[\x80-\x9f]")


def _controls(difference: Difference) -> bool:
    return has_controls(difference.there) and same(difference, without_controls)


def _line_ends(difference: Difference) -> bool:
    return same(difference, lambda text: "\n".join(line.rstrip() for line in text.splitlines()))


def _blank_lines(difference: Difference) -> bool:
    return packed_lines(difference.here) == packed_lines(difference.there)


def _flowed(difference: Difference) -> bool:
    return holds(difference.content, b"flowed") and same(
        difference, lambda text: packed(text.replace(">", ""))
    )


def _undecoded(difference: Difference) -> bool:
    here, there = difference.here, difference.there
    return is_undecoded(there) and not is_undecoded(here) and same(difference, ascii_of)


def _utf8_under_another_name(difference: Difference) -> bool:
    labels = {"cp1252", "latin-1", *(
        (one or other).decode() for one, other in _LABEL.findall(difference.content)
    )}  # fmt: skip
    here, there = packed_lines(difference.here), packed_lines(difference.there)
    return len(here) == len(there) and all(
        one == other or any(_read_as(one, label) == _legible(other) for label in labels)
        for one, other in zip(here, there, strict=True)
    )


def _read_as(line: str, label: str) -> str:
    """What a line in UTF-8 looks like in another charset."""
    try:
        return _legible(line.encode().decode(label.removeprefix("x-"), "ignore"))
    except LookupError:
        return ""


def _legible(line: str) -> str:
    """Without what windows-1252 has no character for, and with what Mac's Cyrillic had for ¢."""
    return without_controls(line.replace("\ufffd", "").replace("\xa2", "\u0490"))


def _windows(difference: Difference) -> bool:
    """ISO-8859-1 is read as windows-1252, whose characters stand where it has controls."""
    there = _C1.sub(lambda c: c[0].encode("latin-1").decode("cp1252", "ignore"), difference.there)
    return without_controls(there) == without_controls(difference.here)


def _text_in_html(difference: Difference) -> bool:
    """Texts beside HTML are shown with it, in elements of each parser's own, or they are not."""
    here, there = (
        packed_lines(_OF_TEXTS.sub("\n", side)) for side in (difference.here, difference.there)
    )
    if "<pre>" in difference.here:
        return is_in(there, here)
    return difference.parser in ("postal-mime", "mailparser") and is_in(here, there)


def _not_encoded(difference: Difference) -> bool:
    """What is no base64, or stands below some, is shown as it is, and not decoded."""
    there = difference.there
    decoded = is_undecoded(there) or there.startswith(difference.here)
    return decoded and holds(difference.content, b"base64")


def _open_quote(difference: Difference) -> bool:
    """A URL that runs on over the next tags, as the quote around it is never closed."""
    return any("<" in url for url in difference.there)


def _blank_in_url(difference: Difference) -> bool:
    return {url.replace(" ", "%20") for url in difference.there} <= set(difference.here)


def _nothing_to_see(difference: Difference) -> bool:
    """A page without a word beside a text is none."""
    return not difference.here and not re.sub(r"<[^<>]*>|\s", "", difference.there)


TEXT_KINDS: Final = (
    Kind("control characters", (*TEXTS, "attachments"), _controls),
    Kind("white space at the ends of lines", TEXTS, _line_ends),
    Kind("blank lines between texts", TEXTS, _blank_lines),
    Kind("format=flowed", TEXTS, _flowed),
    Kind("bytes that are not of the charset", (*TEXTS, "attachments"), _undecoded),
    Kind("UTF-8 under another name", TEXTS, _utf8_under_another_name),
    Kind("windows-1252 for ISO-8859-1", TEXTS, _windows),
    Kind("a transfer encoding that was not applied", TEXTS, _not_encoded),
    Kind("a blank in a URL", ("links",), _blank_in_url),
    Kind("a quote around a URL that is never closed", ("links",), _open_quote),
    Kind("a page with nothing on it", ("html",), _nothing_to_see),
    Kind("text and HTML beside each other", TEXTS, _text_in_html),
)
