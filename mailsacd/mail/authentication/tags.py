"""Lists of tags, ``v=1; a=rsa-sha256``, as DKIM, ARC and DMARC have (RFC 6376 section 3.2)."""

import base64
import binascii
import re
from typing import Final

from mailsacd.mail.authentication.evaluation import UnusableError

MAX_CHARACTERS: Final = 16_384
"""Of a longer list nothing is read."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_SPACE: Final = re.compile(r"[ \t\r\n]+")


def parse_tags(text: str, what: str) -> dict[str, str]:
    """Return the values of ``text`` by their names, without the white space around them.

    Raises UnusableError, in which ``what`` names the list.
    """
    if len(text) > MAX_CHARACTERS:
        raise UnusableError("permerror", f"{what} is too long")
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip(" \t\r\n")
        if not name and not equals:
            continue
        if not equals or not _NAME.match(name) or name in tags:
            raise UnusableError("permerror", f"{what} is no list of tags")
        tags[name] = value.strip(" \t\r\n")
    return tags


def without_space(text: str) -> str:
    """Return ``text`` without the white space that lists and base64 may be folded with."""
    return _SPACE.sub("", text)


def split_list(text: str) -> list[str]:
    """Return the elements of ``text``, a list with colons, in lower case."""
    return without_space(text).lower().split(":")


def decoded(text: str, what: str) -> bytes:
    """Return what the base64 ``text`` stands for. Raises UnusableError."""
    try:
        return base64.b64decode(without_space(text), validate=True)
    except (binascii.Error, ValueError) as e:
        raise UnusableError("permerror", f"{what} is not base64") from e
