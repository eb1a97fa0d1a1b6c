"""A stored message as it is examined: how it came, by our own trace headers, and its content."""

import re
from dataclasses import dataclass
from typing import Final

from mailsacd.core.peer import is_loopback
from mailsacd.mime.trace import end_of_trace

_RETURN_PATH: Final = re.compile(rb"^Return-Path: <([^<>\r\n]*)>\r$", re.MULTILINE)
_RECEIVED: Final = re.compile(
    rb"^Received: from (\S+) \(\[(?:IPv6:)?([0-9a-fA-F:.]+)\]\)\r\n\tby \S+ with (\w+)",
    re.MULTILINE,
)
_WITHIN: Final = re.compile(r"(?:.*A|LOCAL)\Z")  # RFC 3848: A is for who has logged in


@dataclass(frozen=True, slots=True)
class Arrival:
    """How mail from outside came: the peer's IP address, the reverse-path, and its HELO."""

    ip: str
    sender: str
    helo: str


def split_stored(raw: bytes) -> tuple[Arrival | None, bytes]:
    """Return how the stored message ``raw`` came, and its content.

    None is for who had logged in, for mail from here to here or from a program on this machine
    (docs/authentication.md says why), and where it is not known.
    """
    end = end_of_trace(raw)
    trace = raw[:end]
    path, received = _RETURN_PATH.search(trace), _RECEIVED.search(trace)
    if path is None or received is None:
        return None, raw[end:]
    sender, helo, ip, protocol = (
        text.decode("utf-8", "replace") for text in (path[1], *received.groups())
    )
    is_outside = not _WITHIN.match(protocol) and not is_loopback(ip)
    return Arrival(ip, sender, helo) if is_outside else None, raw[end:]
