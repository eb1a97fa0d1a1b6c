"""Parameters of calls: each declares its name, its schema, and how its text becomes a value.

The specification is generated from the same declarations that requests are read with.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mailsacd.core.errors import NotFoundError
from mailsacd.core.time_text import milliseconds_of

MAX_LIMIT: Final = 1_000
DEFAULT_LIMIT: Final = 20
MAX_SKIP: Final = 1_000_000

_NUMBER: Final = re.compile(r"[0-9]{1,10}\Z")
_MESSAGE_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_YES: Final = frozenset({"1", "true", "yes"})
_NO: Final = frozenset({"", "0", "false", "no"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """``convert`` takes the decoded text and raises ValueError with what is wrong with it.

    ``default`` stands for a parameter that is not given, or empty, unless it is ``required``
    (those in a path are there in any case). ``schema`` is JSON Schema. ``older_name`` is one that
    a query may have it under as well.
    """

    name: str
    where: Literal["path", "query", "header"]
    description: str
    schema: Mapping[str, Any]
    convert: Callable[[str], Any]
    default: Any = None
    required: bool = False
    older_name: str | None = None


def whole_number(most: int, *, least: int = 0) -> Callable[[str], int]:
    """Makes a conversion for whole numbers from ``least`` to ``most``."""

    def convert(text: str) -> int:
        if not _NUMBER.match(text) or not least <= int(text) <= most:
            raise ValueError(f"is not a whole number from {least} to {most}")
        return int(text)

    return convert


def yes_or_no(text: str) -> bool:
    """`1`, `true` and `yes`, or `0`, `false`, `no` and nothing; ValueError for others."""
    lowered = text.lower()
    if lowered not in _YES and lowered not in _NO:
        raise ValueError("is neither true nor false")
    return lowered in _YES


def text_up_to(most: int) -> Callable[[str], str]:
    """Makes a conversion for texts of 1 to ``most`` characters without control characters."""

    def convert(text: str) -> str:
        if not 1 <= len(text) <= most:
            raise ValueError(f"does not have 1 to {most} characters")
        if _CONTROL.search(text):
            raise ValueError("has a control character")
        return text

    return convert


def message_id(text: str) -> str:
    """``text`` if it has the form of a message's id; NotFoundError for any other."""
    if not _MESSAGE_ID.match(text):  # no message ever has such an id: the database need not look
        raise NotFoundError("There is no such message in this inbox")
    return text


def place_in_list(text: str) -> str:
    """``text`` if it has the form of a message's id, behind which a list goes on."""
    if not _MESSAGE_ID.match(text):
        raise ValueError("is no id of a message")
    return text


def one_of(*choices: str) -> Callable[[str], str]:
    """Makes a conversion for texts that are one of ``choices``."""

    def convert(text: str) -> str:
        if text not in choices:
            raise ValueError(f"is none of {', '.join(choices)}")
        return text

    return convert


EMAIL: Final = Parameter(
    name="email",
    where="path",
    description="The mail address, URL-encoded (`@` may stay as it is). Case does not matter; "
    "a tag is dropped: `jeff+x@example.com` reads `jeff@example.com`.",
    schema={"type": "string", "format": "email", "examples": ["jeff@example.com"]},
    convert=str,
)
MESSAGE_ID: Final = Parameter(
    name="messageId",
    where="path",
    description="The message's `_id`.",
    schema={
        "type": "string",
        "pattern": "^[0-9A-Za-z_-]{1,64}$",
        "examples": ["01m8fvk2qt000k5d8gr1w-0"],
    },
    convert=message_id,
)
ATTACHMENT: Final = Parameter(
    name="attachmentIdentifier",
    where="path",
    description="The attachment's MD5 checksum, its content-id (without angle brackets) or its "
    "file name; the first that fits, in this order.",
    schema={"type": "string", "examples": ["5ecf8d25a4d2ef4fcb8e4c4e9a0d7b0e"]},
    convert=str,
)
DOMAIN: Final = Parameter(
    name="domain",
    where="path",
    description="The domain's name. Case does not matter.",
    schema={"type": "string", "examples": ["example.com"]},
    convert=str,
)
LIMIT: Final = Parameter(
    name="limit",
    where="query",
    description="At most so many messages.",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    convert=whole_number(MAX_LIMIT),
    default=DEFAULT_LIMIT,
)
PURGE_LIMIT: Final = Parameter(
    name="limit",
    where="query",
    description="Delete so many of the newest at most; all where it is left out.",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_LIMIT},
    convert=whole_number(MAX_LIMIT),
)
SKIP: Final = Parameter(
    name="skip",
    where="query",
    description="Leave out so many of the newest first.",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_SKIP, "default": 0},
    convert=whole_number(MAX_SKIP),
    default=0,
)
_TIME_FORMS = (
    "an ISO 8601 date or date and time (UTC where it names no zone), "
    "or milliseconds since the epoch"
)
_TIME_SCHEMA: Final = {
    "type": "string",
    "anyOf": [
        {"format": "date"},
        {"format": "date-time"},
        {"pattern": "^-?[0-9]{1,15}$"},
        {"maxLength": 0},
    ],
}
SINCE: Final = Parameter(
    name="since",
    where="query",
    description=f"Only messages received at this time or later: {_TIME_FORMS}.",
    schema={**_TIME_SCHEMA, "examples": ["2018-03-29", "2018-03-29T18:28:07.732Z"]},
    convert=milliseconds_of,
)
UNTIL: Final = Parameter(
    name="until",
    where="query",
    description=f"Only messages received before this time: {_TIME_FORMS}.",
    schema={**_TIME_SCHEMA, "examples": ["2018-03-30", "1522348087732"]},
    convert=milliseconds_of,
)
DOWNLOAD: Final = Parameter(
    name="download",
    where="query",
    description="`1` has the answer saved as a file instead of shown.",
    schema={"type": "string", "enum": ["1", "0", "true", "false"], "default": "0"},
    convert=yes_or_no,
    default=False,
)
HEADERS_FORMAT: Final = Parameter(
    name="messageHeadersFormat",
    older_name="format",
    where="query",
    description="`json`: name in lower case to its values; `json-ordered`: every field in its "
    "place, its name in lower case; `plain`: the header section as it was received.",
    schema={"type": "string", "enum": ["json", "json-ordered", "plain"], "default": "json"},
    convert=one_of("json", "json-ordered", "plain"),
    default="json",
)
