"""Kinds of differences in attachments, and in what is one."""

import re
from collections import Counter
from typing import Final

from tests.differential.differences import Difference
from tests.differential.kind import TEXTS, Kind, holds, packed, same
from tests.differential.view import Part

_TWICE: Final = re.compile(  # a field of a part twice in a section
    rb"^(content-(?:type|disposition|transfer-encoding))\s*:[^\n]*\n(?:[^\r\n][^\n]*\n)*?\1\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_DISPOSITION: Final = re.compile(
    rb"^content-disposition[ \t]*:\s*([^;\s]*)", re.IGNORECASE | re.MULTILINE
)
# A name that should be quoted, or is cut into pieces that it should not be
_NAME: Final = re.compile(rb"name\*?\d*\*?=[^\"\s;][^;\r\n]*[=,()<>@:\\/?\[\] ]", re.IGNORECASE)
_TYPE: Final = re.compile(rb"^content-type[ \t]*:\s*([^;\s]*)", re.IGNORECASE | re.MULTILINE)
_MEDIA_TYPE: Final = re.compile(r"[!#$%&'*+.^_`{|}~\w-]+/[!#$%&'*+.^_`{|}~\w-]+\Z", re.ASCII)


def _repeated(difference: Difference) -> bool:
    return _TWICE.search(difference.content) is not None


def _unknown_disposition(difference: Difference) -> bool:
    found = _DISPOSITION.findall(difference.content)
    return any(each.lower() not in (b"inline", b"attachment") for each in found)


def _named_text(difference: Difference) -> bool:
    """A text with a file name, which is shown or attached, or both."""
    ours, theirs = (
        difference.ours.attachments or (),
        difference.views[difference.parser].attachments or (),
    )
    moved = (Counter(theirs) - Counter(ours)) + (Counter(ours) - Counter(theirs))
    return bool(moved) and all(part[0].startswith("text/") and part[1] for part in moved)


def _anew(difference: Difference) -> bool:
    """postal-mime decodes attached texts and encodes them in UTF-8, with a line end more."""
    return difference.parser == "postal-mime" and (
        _but_for(difference, ("text/", "message/"))
        or [(*part[:2], part[2] + 1) for part in difference.here]
        == [part[:3] for part in difference.there]
    )


def _empty(difference: Difference) -> bool:
    """mail-parser leaves out attachments without content."""
    return difference.parser == "mail-parser" and difference.there == tuple(
        part for part in difference.here if part[2]
    )


def _status_anew(difference: Difference) -> bool:
    """Python's email parses what is attached of messages and writes it again."""
    return difference.parser == "email" and _but_for(difference, ("message/",))


def _but_for(difference: Difference, types: tuple[str, ...]) -> bool:
    """Whether attachments are the same but for the content of those of some types."""

    def simpler(parts: tuple[Part, ...]) -> list[object]:
        return [part[:2] if part[0].startswith(types) else part for part in parts]

    return simpler(difference.here) == simpler(difference.there)


def _broken_name(difference: Difference) -> bool:
    def others(parts: tuple[Part, ...]) -> list[object]:
        return [(part[0], *part[2:]) for part in parts]

    return others(difference.here) == others(difference.there) and (
        _NAME.search(difference.content) is not None
    )


def _no_media_type(difference: Difference) -> bool:
    parts = (difference.ours.attachments or ()) + (
        difference.views[difference.parser].attachments or ()
    )
    types = _TYPE.findall(difference.content)
    return any(not _MEDIA_TYPE.match(part[0]) for part in parts) or any(
        not _MEDIA_TYPE.match(each.decode("latin-1")) for each in types
    )


def _broken_encoding(difference: Difference) -> bool:
    here, there = difference.here, difference.there
    return holds(difference.content, b"base64", b"quoted-printable") and [
        part[:2] for part in here
    ] == [part[:2] for part in there]


def _file_name_unread(difference: Difference) -> bool:
    """A file name that should have been quoted, or is encoded words, is read in part."""
    return all(
        (mine[1].startswith(other[1]) or other[1].startswith(mine[1]))
        for mine, other in zip(difference.here, difference.there, strict=False)
    ) and [(part[0], *part[2:]) for part in difference.here] == [
        (part[0], *part[2:]) for part in difference.there
    ]


def _file_name(difference: Difference) -> bool:
    return same(difference, packed)


ATTACHMENT_KINDS: Final = (
    Kind("a field that is repeated", (*TEXTS, "attachments"), _repeated),
    Kind("a disposition that is unknown", (*TEXTS, "attachments"), _unknown_disposition),
    Kind("no media type", (*TEXTS, "attachments", "links"), _no_media_type),
    Kind("a text with a file name", (*TEXTS, "attachments"), _named_text),
    Kind("an attachment without content", ("attachments",), _empty),
    Kind("attached texts encoded anew", ("attachments",), _anew),
    Kind("attached messages written anew", ("attachments",), _status_anew),
    Kind("a file name that is not read", ("attachments",), _file_name_unread),
    Kind("a file name that is not read", ("attachments",), _broken_name),
    Kind("white space in a file name", ("attachments",), _file_name),
    Kind("a transfer encoding that is broken", ("attachments",), _broken_encoding),
)
