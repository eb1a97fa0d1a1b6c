"""What somebody may listen to: decided when a listener comes, and again when rights change.

By WebSocket an account listens to what is its own and has enablews, to everything that it owns, or
to all public mail where its plan has the firehose. Whoever may list an inbox may also listen to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailsacd.core.actor import Actor, Scope
from mailsacd.core.address import inbox_of, normal_domain
from mailsacd.core.errors import BadAddressError, Fault, ForbiddenError, InvalidInputError
from mailsacd.core.event import Interest
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.reading.access import AccessControl
from mailsacd.store.domains import find_domain
from mailsacd.store.listening import listened_addresses
from mailsacd.store.pool import Database

MAX_NAMES: Final = 500
"""So many addresses and domains may one listener name."""

FIREHOSE: Final = "*"
"""Instead of an address: all public mail."""

_SHOWN_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listener gets. ``addresses`` and ``domains`` are normal, in the order asked for."""

    interest: Interest
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    @property
    def depends_on(self) -> frozenset[str]:
        """The addresses and domains on whose owners and settings it rests."""
        of_addresses = {address.rpartition("@")[2] for address in self.addresses}
        return frozenset({*self.addresses, *of_addresses, *self.domains})


def wanted_of_all_mail(actor: Actor, *, public: bool) -> Wanted:
    """What ``actor`` gets who is shown one mailbox with the mail of all inboxes.

    That is what its account owns and captures, within its scope alone if it has one, and where
    ``public`` all public mail.
    """
    if actor.scope is not None:
        return Wanted(Interest(actor.account, domains=frozenset({actor.scope.domain})))
    everything = Interest(
        actor.account, everything_owned=True, starred_at_once=True, all_public=public
    )
    return Wanted(everything)


class ListenPermission:
    """Raises UnavailableError, too, when the database is away."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        accounts: Accounts,
        access_control: AccessControl,
    ) -> None:
        self._database = database
        self._directory = directory
        self._accounts = accounts
        self._access_control = access_control

    async def of_account(self, account: str, names: Sequence[str]) -> Wanted:
        """What ``account`` gets that names addresses, domains or the FIREHOSE; without any of
        them everything that it owns.

        Raises InvalidInputError and ForbiddenError; the text names each address at fault.
        """
        if not names:
            return Wanted(Interest(account=account, everything_owned=True))
        addresses, domains = _parsed(names)
        faults = await self._faults(account, addresses, domains)
        firehose = FIREHOSE in names
        if firehose and not (await self._accounts.limits(account)).firehose:
            faults.append(f"{FIREHOSE} (all public mail) is not in the plan of this account")
        if faults:
            raise ForbiddenError("; ".join(faults))
        interest = Interest(
            account=account,
            inboxes=frozenset(addresses),
            domains=frozenset(domains),
            all_public=firehose,
        )
        return Wanted(interest, addresses, domains)

    def of_scope(self, account: str, scope: Scope, names: Sequence[str]) -> Wanted:
        """What ``account`` gets of a ``scope`` that names addresses or domains in it; without any
        of them all that is in it.

        Raises InvalidInputError and ForbiddenError; the text names each address at fault.
        """
        addresses, domains = _parsed(names or (scope.domain,))
        outside = [name for name in addresses if name.rpartition("@")[2] != scope.domain]
        outside += [name for name in domains if name != scope.domain]
        outside += [FIREHOSE] if FIREHOSE in names else []
        if outside:
            raise ForbiddenError("; ".join(f"{name} is not of the run" for name in outside))
        interest = Interest(
            account=account, inboxes=frozenset(addresses), domains=frozenset(domains)
        )
        return Wanted(interest, addresses, domains)

    async def of_domain(self, actor: Actor, domain: str) -> Wanted:
        """What ``actor`` gets of a domain (normal) that is the account's.

        Raises UnauthenticatedError and ForbiddenError.
        """
        account = await self._access_control.owned_domain(actor, domain)
        return Wanted(Interest(account=account, domains=frozenset({domain})), (), (domain,))

    async def of_inbox(self, actor: Actor, email: str) -> Wanted:
        """What ``actor`` gets of one inbox: what it may list there.

        Raises BadAddressError, UnauthenticatedError and ForbiddenError.
        """
        inbox = await self._access_control.inbox(actor, email)
        return Wanted(Interest(account=actor.account, inboxes=frozenset({inbox})), (inbox,))

    async def _faults(
        self, account: str, addresses: Sequence[str], domains: Sequence[str]
    ) -> list[str]:
        reserved = await listened_addresses(self._database, addresses) if addresses else {}
        faults: list[str] = []
        for email in addresses:
            owner, enablews = reserved.get(email) or await self._implied(email)
            if owner != account:
                faults.append(f"{email} is not an address of this account")
            elif not enablews:
                faults.append(f"{email} does not have enablews")
        for name in domains:
            faults += await self._domain_faults(account, name)
        return faults

    async def _implied(self, email: str) -> tuple[str | None, bool]:
        """An address that nobody reserved goes with its domain."""
        facts = await self._directory.domain(email.rpartition("@")[2])
        return (facts.owner, facts.enablews) if facts else (None, False)

    async def _domain_faults(self, account: str, name: str) -> list[str]:
        facts = await self._directory.domain(name)
        if facts is not None and facts.owner == account:
            return [] if facts.enablews else [f"{name} does not have enablews"]
        claim = await find_domain(self._database, account, name)
        if claim is not None:
            return [f"{name} is not verified"]
        return [f"{name} is not a domain of this account"]


def _parsed(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Normal addresses and domains, each once. Raises InvalidInputError."""
    if len(names) > MAX_NAMES:
        problem = f"names more than {MAX_NAMES} addresses and domains"
        raise InvalidInputError(
            f"addresses {problem}", (Fault(field="addresses", problem=problem),)
        )
    addresses: dict[str, None] = {}
    domains: dict[str, None] = {}
    faults: list[str] = []
    for name in names:
        try:
            if "@" in name:
                addresses[str(inbox_of(name))] = None
            elif name != FIREHOSE:
                domains[normal_domain(name)] = None
        except BadAddressError:
            faults.append(f"{name[:_SHOWN_CHARACTERS]} is neither a mail address nor a domain")
    if faults:
        told = tuple(Fault(field="addresses", problem=fault) for fault in faults)
        raise InvalidInputError("; ".join(faults), told)
    return tuple(addresses), tuple(domains)
