"""Which names and peers have faults: the plans of domains, all in memory, and the operator's.

While there are none `active` is false, and nobody asks for more. Plans are read again when a notice
says that one has changed; their number is bounded (store.faults.MAX_PLANS).
"""

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any, Final

from mailsacd.core.address import Address, parse_address
from mailsacd.core.domain_names import EVERY_DOMAIN, DomainNames
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import BadAddressError, ConfigurationError
from mailsacd.core.fault import ANSWERS, PlannedFault
from mailsacd.core.fault_grammar import parse_fault
from mailsacd.core.fault_plan import FaultPlan
from mailsacd.core.networks import Network
from mailsacd.fault_settings import FaultSettings
from mailsacd.store.faults import plans_in_force
from mailsacd.store.notices import DIRECTORY, FAULTS, Notices
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

READ_EVERY_S: Final = 60.0
"""How long until it is known at the latest that a domain's claim was proved or lost."""

_ALL: Final = ""
_NONE: Final[tuple[PlannedFault, ...]] = ()


class FaultPlans:
    """Tells which faults may be provoked; whether they are is decided by `Provoking`."""

    def __init__(
        self, database: Database, notices: Notices, settings: FaultSettings, *, reactor: Any
    ) -> None:
        """Raises ConfigurationError for a setting that makes no sense."""
        self._database = database
        self._is_enabled = settings.enabled
        self._plans: dict[str, tuple[str, FaultPlan]] = {}
        self._changed: set[str] = set()
        self._every_public = EVERY_DOMAIN in settings.public_domains
        self._public = DomainNames(settings.public_domains, setting="faults.public_domains")
        self._is_public = bool(settings.public_domains)
        self._peers = tuple(map(_peer_fault, settings.peers))
        self._loop = Loop("read plans of faults", self._read, every_s=READ_EVERY_S, clock=reactor)
        self.active = False
        """Whether there are any faults at all."""
        self._look()
        notices.subscribe(FAULTS, self._read_again, self._read_all)
        notices.subscribe(DIRECTORY, self._directory_changed, self._read_all)

    async def start(self) -> None:
        """Begin to know them; from now on all are known."""
        if self._is_enabled:
            await self._read()
            self._loop.start()

    async def finish(self) -> None:
        """Read no more plans, and forget none that are there."""
        await self._loop.stop()

    async def read_now(self, domain: str) -> None:
        """Return when a change of a domain's faults that has committed is known on this node."""
        if self._is_enabled:
            self._changed.add(domain)
            await self._loop.run_now()

    def of_peer(self, peer_ip: str) -> tuple[PlannedFault, ...]:
        """Return the operator's faults for whoever connects from that IP address."""
        if not self._is_enabled or not self._peers:
            return _NONE
        try:
            address = ip_address(peer_ip)
        except ValueError:
            return _NONE
        return tuple(planned for network, planned in self._peers if address in network)

    def of_host(self, name: str) -> tuple[PlannedFault, ...]:
        """Return the faults of what a client calls itself: its first label tells them."""
        label, _, domain = name.lower().rstrip(".").partition(".")
        if "@" in domain:
            return _NONE
        return self._by_name(label, lambda: Address(label, domain))

    def of_name(self, text: str) -> tuple[PlannedFault, ...]:
        """Return the faults of a sender, or of a name to log in by: those of its local part."""
        local = text.rpartition("@")[0].lower().partition("+")[0]
        return self._by_name(local, lambda: parse_address(text).without_tag())

    def of_recipient(self, sender: str, recipient: Recipient) -> tuple[PlannedFault, ...]:
        """Return the faults of a recipient: of its local part, and of the domain's rules."""
        original = recipient.original_inbox
        domain = original.rpartition("@")[2]
        found = self.of_name(original)
        known = self._plans.get(domain)
        if known is None or not known[1].rules:
            return found
        owner, plan = known
        rules = (
            PlannedFault(
                fault=rule.fault, when=rule.when, key=f"#{number}", domain=domain, owner=owner
            )
            for number, rule in enumerate(plan.rules)
            if rule.when.fits_envelope(sender, original)
            and (plan.answers or rule.fault.do not in ANSWERS)
        )
        return (*found, *rules)

    def owner_of(self, domain: str) -> str:
        """Return the account by whose plan mail for a domain fails; the domain where none does."""
        known = self._plans.get(domain)
        return domain if known is None else known[0]

    def _by_name(self, local: str, whole: Callable[[], Address]) -> tuple[PlannedFault, ...]:
        fault = parse_fault(local)
        if fault is None:
            return _NONE
        try:
            domain = whole().domain
        except BadAddressError:
            return _NONE
        known = self._plans.get(domain)
        owner = None
        if known is not None:
            owner, plan = known
            if not plan.byAddress or (fault.do in ANSWERS and not plan.answers):
                return _NONE
        elif fault.do in ANSWERS:
            return _NONE  # it would be nobody's mail
        elif not self._every_public and domain not in self._public:
            return _NONE
        return (PlannedFault(fault=fault, key=local, domain=domain, owner=owner),)

    def _directory_changed(self, name: str) -> None:
        domain = name.rpartition("@")[2]
        if not name:
            self._read_all()
        elif domain in self._plans:
            self._read_again(domain)

    def _read_again(self, domain: str) -> None:
        self._changed.add(domain)
        self._loop.wake()

    def _read_all(self) -> None:
        self._changed.add(_ALL)
        self._loop.wake()

    async def _read(self) -> None:
        """Read what has changed; where nothing is known to have, it is time to read all."""
        changed, self._changed = self._changed, set()
        try:
            if changed and _ALL not in changed:
                found = await plans_in_force(self._database, changed)
                kept = {d: plan for d, plan in self._plans.items() if d not in changed}
                self._plans = kept | found
            else:
                self._plans = await plans_in_force(self._database)
        except BaseException:
            self._changed |= changed
            raise
        self._look()

    def _look(self) -> None:
        has_any = bool(self._plans or self._peers or self._is_public)
        self.active = self._is_enabled and has_any


def _peer_fault(text: str) -> tuple[Network, PlannedFault]:
    """Read a line of the setting ``faults.peers``: ``192.0.2.0/24 connect-421-4.3.2``."""
    network, _, name = text.strip().partition(" ")
    fault = parse_fault(name.strip())
    if fault is None or fault.do in ANSWERS:
        raise ConfigurationError(f"faults.peers: {text!r} is no network and the name of a fault")
    try:
        found = ip_network(network)
    except ValueError as e:
        raise ConfigurationError(f"faults.peers: {e}") from e
    return found, PlannedFault(fault=fault, key=name.strip(), domain=str(found), owner=None)
