"""From whom, and to whom, the operator lets no mail in.

All of the list is in memory, on every node; a change is known everywhere as soon as it commits,
and what a node missed it reads again from time to time.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Final

from mailsacd.core.activity import REFUSED
from mailsacd.core.address import normal_domain, parse_address
from mailsacd.core.errors import BadAddressError
from mailsacd.core.networks import Networks, networks_of_setting
from mailsacd.mail.receiving.denylist_entry import entry_of, is_domain
from mailsacd.mail.records.activity import Activity
from mailsacd.store import denylist as store
from mailsacd.store.denylist import Denied
from mailsacd.store.notices import DENYLIST, Notices
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

READ_EVERY_S: Final = 30.0

_REFUSED_CODE: Final = 554


class Denylist:
    """The list as this node knows it. ``allow_networks`` are never refused.

    What `refuses_peer`, `refuses` and `refuses_recipient` ask comes with every message, so they
    look into memory alone.
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
        self._reactor = reactor
        self._allowed = networks_of_setting(allow_networks, "smtp.allow_networks")
        self.entries: tuple[str, ...] = ()
        """The domains, IP addresses and networks from which no mail is taken, in order.

        Those of people are for the operator alone.
        """
        self._senders: dict[str, str] = {}
        self._recipients: dict[str, str] = {}
        self._networks = Networks(())
        self._reading = Loop("read the denylist", self._read, every_s=READ_EVERY_S, clock=reactor)
        self.stop = self._reading.stop
        notices.subscribe(DENYLIST, self._changed, lambda: None)

    async def start(self) -> None:
        """Read the list now, and again from time to time."""
        await self._reading.run_now()
        self._reading.start()

    def allows(self, peer_ip: str) -> bool:
        """Whether mail from that IP address is taken whatever the list says."""
        return bool(self._allowed) and ip_address(peer_ip) in self._allowed

    def refuses_peer(self, peer_ip: str) -> bool:
        """Whether mail from that IP address is refused, whoever sends it."""
        if not self._networks or ip_address(peer_ip) not in self._networks:
            return False
        return not self.allows(peer_ip) and self._refused(peer_ip, "")

    def refuses(self, peer_ip: str, reverse_path: str) -> bool:
        """Whether mail from that IP address, or with that sender, is refused."""
        if self.refuses_peer(peer_ip):
            return True
        if not self._senders or not reverse_path or self.allows(peer_ip):
            return False
        found = _entry_for(self._senders, reverse_path)
        return found is not None and self._refused(found, self._senders[found])

    def refuses_recipient(self, *addresses: str) -> bool:
        """Whether mail is refused that is for one of these addresses, or goes there."""
        for address in addresses if self._recipients else ():
            found = _entry_for(self._recipients, address)
            if found is not None:
                return self._refused(found, self._recipients[found])
        return False

    def names_sender(self, address: str) -> bool:
        """Whether mail with that reverse-path is refused, wherever it comes from."""
        return _entry_for(self._senders, address) is not None

    def names_recipient(self, *addresses: str) -> bool:
        """As `refuses_recipient`, for who only asks: nothing was refused."""
        return any(_entry_for(self._recipients, address) is not None for address in addresses)

    def has(self, text: str) -> bool:
        """Whether mail from that domain or IP address is refused. Raises InvalidInputError."""
        entry = entry_of(text, "domainOrIP")
        if is_domain(entry):
            return _domain_entry(self._senders, entry) is not None
        return ip_network(entry).network_address in self._networks

    def _refused(self, subject: str, reason: str) -> bool:
        detail = f"on the denylist: {reason}" if reason else "on the denylist"
        self._activity.record(
            REFUSED, account=None, subject=subject, code=_REFUSED_CODE, detail=detail
        )
        return True

    def _changed(self, _: str) -> None:
        self._reading.wake()

    async def _read(self) -> float:
        """Read it all; when to do so again: at the latest when the first entry expires."""
        await store.forget_expired(self._database)
        found = await store.list_denied(self._database)
        senders = [denied for denied in found if not denied.recipient]
        named = [denied for denied in senders if is_domain(denied.entry) or "@" in denied.entry]
        networks = [denied.entry for denied in senders if denied not in named]
        self._senders = {denied.entry: denied.reason for denied in named}
        self._recipients = {denied.entry: denied.reason for denied in found if denied.recipient}
        self._networks = Networks(map(ip_network, networks))
        self.entries = tuple(denied.entry for denied in senders if "@" not in denied.entry)
        return self._again_s(found)

    def _again_s(self, found: Iterable[Denied]) -> float:
        now = datetime.fromtimestamp(self._reactor.seconds(), UTC)
        left_s = [(denied.expires - now).total_seconds() for denied in found if denied.expires]
        return min(READ_EVERY_S, max(min(left_s, default=READ_EVERY_S), 1.0))


def _entry_for(entries: dict[str, str], address: str) -> str | None:
    """The entry that a mail address is under: itself, without its tag, or its domain."""
    try:
        normal = parse_address(address)
    except BadAddressError:
        return _domain_entry(entries, address.rpartition("@")[2])
    for email in (str(normal), str(normal.without_tag())):
        if email in entries:
            return email
    return _domain_entry(entries, normal.domain)


def _domain_entry(entries: dict[str, str], domain: str) -> str | None:
    """The entry of the domain, or of one that it is below."""
    try:
        domain = normal_domain(domain)
    except BadAddressError:
        return None
    while domain:
        if domain in entries:
            return domain
        domain = domain.partition(".")[2]
    return None
