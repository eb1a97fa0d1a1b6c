"""What the operator writes into the denylist, and takes out of it."""

import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Final

from mailsacd.core.address import normal_domain, parse_address
from mailsacd.core.errors import BadAddressError, Fault, InvalidInputError, NotFoundError
from mailsacd.store import denylist as store
from mailsacd.store.denylist import Denied
from mailsacd.store.notices import DENYLIST, give_notice
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

MAX_REASON_CHARACTERS: Final = 500
MAX_FOR_S: Final = 10 * 365 * 86_400

Also = Callable[[Transaction, str], Awaitable[None]]
"""What is done together with a change of the list, given the entry in its normal form."""

_UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"([0-9]{1,9})([smhdw])", re.ASCII)


async def deny(
    database: Database,
    text: str,
    reason: str = "",
    *,
    recipient: bool = False,
    for_s: int | None = None,
    also: Also | None = None,
) -> str:
    """Put an entry on the list, for so many seconds; its normal form, which ``also`` is given.

    A domain, mail address, IP address or network from which no mail is taken; with ``recipient`` a
    mail address or domain for which none is. Raises InvalidInputError.
    """
    entry = _entry(text, recipient=recipient)

    async def work(transaction: Transaction) -> None:
        cut = reason[:MAX_REASON_CHARACTERS]
        await store.add_denied(transaction, entry, cut, recipient=recipient, for_s=for_s)
        if also is not None:
            await also(transaction, entry)
        await give_notice(transaction, DENYLIST, "")

    await database.transaction(work)
    return entry


async def allow(
    database: Database, text: str, *, recipient: bool = False, also: Also | None = None
) -> str:
    """Take it off the list. Raises InvalidInputError, and NotFoundError when it was not there."""
    entry = _entry(text, recipient=recipient)

    async def work(transaction: Transaction) -> None:
        if not await store.remove_denied(transaction, entry, recipient=recipient):
            raise NotFoundError(f"{entry} is not on the denylist")
        if also is not None:
            await also(transaction, entry)
        await give_notice(transaction, DENYLIST, "")

    await database.transaction(work)
    return entry


async def denied(database: Database) -> list[Denied]:
    """Return the whole list, in the order of the entries' texts."""
    return await store.list_denied(database)


def seconds_of(text: str) -> int:
    """How long ``text`` is, such as ``90m`` or ``1d12h``: MAX_FOR_S at most.

    Raises InvalidInputError with a fault of ``for``.
    """
    parts = _SPAN.findall(text)
    total = sum(int(number) * _UNITS_S[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not 0 < total <= MAX_FOR_S:
        raise _fault("for", f"has to be a time such as 90m, 12h or 7d, {MAX_FOR_S} s at most")
    return total


def entry_of(text: str, field: str) -> str:
    """The normal form of a domain, an IP address or a network (``192.0.2.0/24``).

    A network of one address is that address. Raises InvalidInputError with a fault of ``field``.
    """
    bare = text.strip().strip("[]")
    try:
        network = ip_network(bare, strict=False)
    except ValueError:
        return _domain_entry(bare, field, "is neither a domain nor an IP address or network")
    if network.version == 6 and (mapped := network.network_address.ipv4_mapped):
        network = ip_network(f"{mapped}/{max(network.prefixlen - 96, 0)}")
    is_one = network.prefixlen == network.max_prefixlen
    return str(network.network_address if is_one else network)


def is_domain(entry: str) -> bool:
    """Whether an entry in normal form is a domain."""
    return not {":", "@"} & set(entry) and not _ends_in_number(entry.partition("/")[0])


def _entry(text: str, *, recipient: bool) -> str:
    bare = text.strip()
    if "@" in bare:
        try:
            return str(parse_address(bare))
        except BadAddressError as e:
            raise _fault("entry", e.public) from e
    if recipient:
        return _domain_entry(bare, "entry", "is neither a mail address nor a domain")
    return entry_of(bare, "entry")


def _domain_entry(text: str, field: str, problem: str) -> str:
    try:
        domain = normal_domain(text.lstrip("."))
    except BadAddressError:
        domain = ""
    if not domain or _ends_in_number(domain):  # ``300.1.2.3`` is meant to be an address
        raise _fault(field, problem)
    return domain


def _fault(field: str, problem: str) -> InvalidInputError:
    return InvalidInputError(
        f"Bad request: {field} {problem}", (Fault(field=field, problem=problem),)
    )


def _ends_in_number(name: str) -> bool:
    return name.rpartition(".")[2].isdecimal()
