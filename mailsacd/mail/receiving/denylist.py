"""Whose mail the operator refuses: domains, IP addresses and networks.

All of the list is in memory, on every node; a change is known everywhere as soon as it commits,
and what a node missed it reads again from time to time.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from mailsacd.core.activity import REFUSED
from mailsacd.core.address import normal_domain
from mailsacd.core.errors import (
    BadAddressError,
    ConfigurationError,
    Fault,
    InvalidInputError,
    NotFoundError,
)
from mailsacd.mail.records.activity import Activity
from mailsacd.store import denylist as store
from mailsacd.store.denylist import Denied
from mailsacd.store.notices import DENYLIST, Notices, give_notice
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.work.loop import Loop

READ_EVERY_S: Final = 30.0
MAX_REASON_CHARACTERS: Final = 500

_REFUSED_CODE: Final = 554

Network = IPv4Network | IPv6Network


class Networks:
    """A set of networks that is quick to ask: one look for each prefix length in it."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._by_mask: dict[tuple[int, int], set[int]] = {}
        for network in networks:
            key = (network.version, int(network.netmask))
            self._by_mask.setdefault(key, set()).add(int(network.network_address))

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        number, version = int(address), address.version
        return any(
            number & mask in addresses
            for (of_version, mask), addresses in self._by_mask.items()
            if of_version == version
        )

    def __bool__(self) -> bool:
        return bool(self._by_mask)


class Denylist:
    """The list as this node knows it. ``allow_networks`` are never refused.

    ``refuses`` is asked at every MAIL command, so it looks into memory alone.
    """

    def __init__(
        self,
        database: Database,
        notices: Notices,
        activity: Activity,
        *,
        allow_networks: Iterable[str],
        reactor: Any,
    ) -> None:
        """Raises ConfigurationError for a network that is none."""
        self._database = database
        self._activity = activity
        self._allowed = Networks(_allowed(text) for text in allow_networks)
        self.entries: tuple[str, ...] = ()
        """Return the whole list, in the order of its entries."""
        self._domains: frozenset[str] = frozenset()
        self._networks = Networks(())
        self._reading = Loop("read the denylist", self._read, every_s=READ_EVERY_S, clock=reactor)
        self.stop = self._reading.stop
        notices.subscribe(DENYLIST, self._changed, lambda: None)

    async def start(self) -> None:
        """Read the list now, and again from time to time."""
        await self._reading.run_now()
        self._reading.start()

    def refuses(self, peer_ip: str, reverse_path: str) -> bool:
        """Whether mail from that IP address, or with that sender, is refused."""
        if not self._domains and not self._networks:
            return False
        peer = ip_address(peer_ip)
        if self._allowed and peer in self._allowed:
            return False
        subject = peer_ip
        if peer not in self._networks:
            subject = reverse_path.rpartition("@")[2]
            if not subject or not self._has_domain(subject):
                return False
        self._activity.record(
            REFUSED, account=None, subject=subject, code=_REFUSED_CODE, detail="on the denylist"
        )
        return True

    def has(self, text: str) -> bool:
        """Whether mail from that domain or IP address is refused. Raises InvalidInputError."""
        entry = entry_of(text, "domainOrIP")
        if _is_domain(entry):
            return self._has_domain(entry)
        return ip_network(entry).network_address in self._networks

    def _has_domain(self, domain: str) -> bool:
        """Whether the domain, or one that it is below, is on the list."""
        try:
            domain = normal_domain(domain)
        except BadAddressError:
            return False
        while domain:
            if domain in self._domains:
                return True
            domain = domain.partition(".")[2]
        return False

    def _changed(self, _: str) -> None:
        self._reading.wake()

    async def _read(self) -> None:
        found = tuple(denied.entry for denied in await store.list_denied(self._database))
        self.entries = found
        self._domains = frozenset(entry for entry in found if _is_domain(entry))
        self._networks = Networks(ip_network(entry) for entry in found if not _is_domain(entry))


async def deny(database: Database, text: str, reason: str = "") -> str:
    """Put a domain, IP address or network on the list; its normal form. InvalidInputError."""
    entry = entry_of(text, "entry")

    async def work(transaction: Transaction) -> None:
        await store.add_denied(transaction, entry, reason[:MAX_REASON_CHARACTERS])
        await give_notice(transaction, DENYLIST, "")

    await database.transaction(work)
    return entry


async def allow(database: Database, text: str) -> str:
    """Take it off the list. Raises InvalidInputError, and NotFoundError when it was not there."""
    entry = entry_of(text, "entry")

    async def work(transaction: Transaction) -> None:
        if not await store.remove_denied(transaction, entry):
            raise NotFoundError(f"{entry} is not on the denylist")
        await give_notice(transaction, DENYLIST, "")

    await database.transaction(work)
    return entry


async def denied(database: Database) -> list[Denied]:
    """Return the whole list, in the order of the entries' texts."""
    return await store.list_denied(database)


def entry_of(text: str, field: str) -> str:
    """The normal form of a domain, an IP address or a network (``192.0.2.0/24``).

    A network of one address is that address. Raises InvalidInputError with a fault of ``field``.
    """
    bare = text.strip().strip("[]")
    try:
        network = ip_network(bare, strict=False)
    except ValueError:
        return _domain_entry(bare, field)
    if network.version == 6 and (mapped := network.network_address.ipv4_mapped):
        network = ip_network(f"{mapped}/{max(network.prefixlen - 96, 0)}")
    is_one = network.prefixlen == network.max_prefixlen
    return str(network.network_address if is_one else network)


def _domain_entry(text: str, field: str) -> str:
    try:
        domain = normal_domain(text.lstrip("."))
    except BadAddressError:
        domain = ""
    if not domain or _ends_in_number(domain):  # ``300.1.2.3`` is meant to be an address
        problem = "is neither a domain nor an IP address or network"
        raise InvalidInputError(
            f"Bad request: {field} {problem}", (Fault(field=field, problem=problem),)
        )
    return domain


def _is_domain(entry: str) -> bool:
    return ":" not in entry and not _ends_in_number(entry.partition("/")[0])


def _ends_in_number(name: str) -> bool:
    return name.rpartition(".")[2].isdecimal()


def _allowed(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as e:
        raise ConfigurationError(f"smtp.allow_networks: {e}") from e
