"""What is *in* a message, of its JSON form: attachments, links, and whether a limit cut in."""

from dataclasses import dataclass
from typing import Final

import msgspec

from mailsacd.mime.extract import links
from mailsacd.mime.message import ParsedMessage

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Contents:
    """``json`` goes at the end of a message's facts.

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
    """What is in ``parsed``."""
    found, links_limited = links(parsed)
    sums = [attachment.checksum for attachment in parsed.attachments]
    return _contents(_Fields(sums or None, found, parsed.limited or links_limited))


def _contents(fields: _Fields) -> Contents:
    json = "," + _encoder.encode(fields)[1:-1].decode()
    return Contents(json, tuple(dict.fromkeys(fields.attachments or ())))


NOTHING: Final = _contents(_Fields(None, (), False))
"""Stands for what is in a message that cannot be read."""
