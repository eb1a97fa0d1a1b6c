"""How values are written for people: times, sizes, numbers, mailboxes, URL segments."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

_KILO: Final = 1024
_UNITS: Final = ("B", "KB", "MB", "GB", "TB")
_DAY_S: Final = 86_400
_SAFE: Final = "@"


def moment(value: datetime | str) -> datetime:
    """A time as the API writes it, or as the store has it, in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC)


def when(value: datetime | str, now: datetime | None = None) -> str:
    """A time shortly: that of today, else the day, with the year where it is another one. UTC."""
    at, today = moment(value), (now or datetime.now(UTC))
    if at.date() == today.date():
        return at.strftime("%H:%M")
    if at.year == today.year:
        return f"{at.day} {at.strftime('%b')}"
    return at.strftime("%Y-%m-%d")


def full_time(value: datetime | str) -> str:
    """A time to the second, as ``2026-11-29 18:05:12 UTC``."""
    return moment(value).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(value: datetime | str) -> str:
    """A time for the ``datetime`` of HTML."""
    return moment(value).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(value: datetime | str, now: datetime | None = None) -> str:
    """How long ago, as ``3 min ago``."""
    seconds = max(((now or datetime.now(UTC)) - moment(value)).total_seconds(), 0)
    for size_s, unit in ((_DAY_S, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size_s:
            return f"{int(seconds // size_s)} {unit} ago"
    return "just now"


def size(count: int) -> str:
    """Bytes as ``1.4 KB``; a KB has 1,024 of them."""
    amount = float(count)
    for unit in _UNITS:
        if amount < _KILO or unit == _UNITS[-1]:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= _KILO
    raise AssertionError("the last unit takes all")


def number(count: int) -> str:
    """A number with commas between its thousands."""
    return f"{count:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """``1 message``, ``2 messages``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def segment(text: str) -> str:
    """``text`` as one segment of a URL's path."""
    return quote(text, safe=_SAFE)


def host(url: str) -> str:
    """The host that ``url`` leads to, in lower case; empty where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets that are no address
        return ""


def shell_word(text: str) -> str:
    """``text`` as one word of a POSIX shell."""
    return shlex.quote(text)


def person(mailbox: Mapping[str, Any]) -> str:
    """The name of a mailbox, or its address where it has none."""
    return str(mailbox["name"] or mailbox["address"])


def mailbox(value: Mapping[str, Any]) -> str:
    """A mailbox with name and address."""
    return f"{value['name']} <{value['address']}>" if value["name"] else str(value["address"])


def mailboxes(values: Sequence[Mapping[str, Any]] | None) -> str:
    """Mailboxes with commas between them."""
    return ", ".join(map(mailbox, values or ()))


ALL: Final[Mapping[str, Callable[..., Any]]] = {
    each.__name__: each
    for each in (
        when,
        full_time,
        iso,
        ago,
        size,
        number,
        plural,
        segment,
        host,
        shell_word,
        person,
        mailboxes,
    )
}
