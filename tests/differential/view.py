"""What a parser says of a message, in a form in which parsers can be compared."""

import hashlib
from datetime import datetime
from html.parser import HTMLParser
from typing import Final

import msgspec

Person = tuple[str, str]
"""Address in lower case, and name; either is ``""`` where there is none."""

Part = tuple[str, str, int, str]
"""An attachment: media type in lower case, file name (or ``""``), bytes and MD5 of its content."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A message as one parser sees it.

    ``date`` is ``YYYY-MM-DDTHH:MM:SSZ``. ``text`` and ``html`` are as sent, and have lines that end
    in ``\\n``. ``links`` are those of the HTML that can be clicked.
    What the message does not have is ``""`` or empty; what the parser does not tell is None.
    """

    subject: str | None
    sender: tuple[Person, ...] | None
    to: tuple[Person, ...] | None
    cc: tuple[Person, ...] | None
    bcc: tuple[Person, ...] | None
    date: str | None
    message_id: str | None
    text: str | None
    html: str | None
    attachments: tuple[Part, ...] | None
    links: tuple[str, ...] | None


NOTHING: Final = View(**dict.fromkeys(View.__struct_fields__))
"""What a parser tells that gives a message up."""


def part(media_type: str, file_name: str | None, content: bytes) -> Part:
    """Return what is compared of an attachment."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return media_type.lower(), file_name or "", len(content), digest


def lines(text: str | None) -> str:
    """Return ``text`` with lines that end in ``\\n``."""
    return (text or "").replace("\r\n", "\n")


def utc(date: datetime | None) -> str:
    """Return ``date``, which is in UTC, as a view has it."""
    return "" if date is None else f"{date.replace(tzinfo=None, microsecond=0).isoformat()}Z"


def links(html: str | None) -> tuple[str, ...]:
    """Return the http and https URLs that ``html`` refers to, each once, by Python's own parser."""
    found = _References()
    found.feed(html or "")
    found.close()
    return tuple(found.urls)


class _References(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            url = (value or "").strip()
            if (tag, name) == ("a", "href") and url.lower().startswith(("http://", "https://")):
                self.urls[url] = None
