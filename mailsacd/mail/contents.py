"""What is *in* a message, of its JSON form: worked out when it is stored, or later.

Working it out is a third of what the daemon does with a message. While mail comes faster than it
can be stored, it is stored with a placeholder instead: who reads it has that filled, and a job
fills it for good (docs/adr/0009-examination-after-commit.md).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from mailsacd.mime.extract import links
from mailsacd.mime.message import ParsedMessage

# Nothing in mail makes these characters: in a JSON string a quote stands after a backslash, and no
# other key is this one.
_MARK: Final = '"@":"'
_PLACEHOLDER: Final = re.compile(r',"@":"([0-9a-z]+)"')

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Contents:
    """``json`` goes at the end of a message's facts, in the place of its placeholder.

    ``attachments`` are the MD5 sums in hex, each once.
    """

    json: str
    attachments: tuple[str, ...]


class _Fields(msgspec.Struct, frozen=True):
    """In the API's names and order."""

    attachments: list[str] | None
    links: tuple[str, ...]
    parseLimited: bool  # noqa: N815  the API's spelling


def contents_of(parsed: ParsedMessage) -> Contents:
    """What is in a message that was parsed as a whole."""
    found, links_limited = links(parsed)
    sums = [attachment.checksum for attachment in parsed.attachments]
    return _contents(_Fields(sums or None, found, parsed.limited or links_limited))


def _contents(fields: _Fields) -> Contents:
    json = "," + _encoder.encode(fields)[1:-1].decode()
    return Contents(json, tuple(dict.fromkeys(fields.attachments or ())))


NOTHING: Final = _contents(_Fields(None, (), False))
"""Stands for what is in a message that is not there any more, or cannot be read."""


def unexamined(raw_id: str) -> Contents:
    """Stands for what is in a raw message until it is examined: a placeholder with its id."""
    return Contents(f',"@":"{raw_id}"', ())


def is_unexamined(text: str) -> bool:
    """Whether there is a placeholder in ``text``: facts, or the JSON of any number of messages."""
    return _MARK in text


def unexamined_in(text: str) -> list[str]:
    """The ids of the raw messages that ``text`` has placeholders for, in order, each once."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def fill(text: str, found: Mapping[str, Contents]) -> str:
    """``text`` with all placeholders filled; ``found`` has contents by the ids of raw messages."""
    return _PLACEHOLDER.sub(lambda place: found.get(place[1], NOTHING).json, text)


def fill_one(facts: str, contents: Contents) -> str:
    """The facts of an unexamined message with its ``contents``."""
    return _PLACEHOLDER.sub(lambda _: contents.json, facts)
