"""What a server offers: its answer to EHLO (RFC 5321 section 4.1.1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MECHANISMS: Final = ("PLAIN", "LOGIN")
"""Those that are spoken here, the better first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """The extensions that matter here. ``max_bytes`` is None where no size is told."""

    starttls: bool = False
    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    size: bool = False
    max_bytes: int | None = None
    mechanisms: tuple[str, ...] = ()


def extensions_of(lines: Sequence[str]) -> Extensions:
    """Read the lines of an answer to EHLO, of which the first has the server's name."""
    offered: dict[str, list[str]] = {}
    for line in lines[1:]:
        keyword, *values = line.upper().replace("AUTH=", "AUTH ", 1).split() or [""]
        offered.setdefault(keyword, []).extend(values)
    return Extensions(
        starttls="STARTTLS" in offered,
        pipelining="PIPELINING" in offered,
        chunking="CHUNKING" in offered,
        eight_bit="8BITMIME" in offered,
        smtputf8="SMTPUTF8" in offered,
        dsn="DSN" in offered,
        size="SIZE" in offered,
        max_bytes=_limit(offered.get("SIZE", [])),
        mechanisms=tuple(m for m in MECHANISMS if m in offered.get("AUTH", [])),
    )


def _limit(values: list[str]) -> int | None:
    """RFC 1870 section 3: 0 and nothing both mean that no limit is told."""
    text = values[0] if values else ""
    return (int(text) or None) if text.isascii() and text.isdigit() and len(text) <= 20 else None
