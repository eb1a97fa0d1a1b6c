"""Private addresses: reserved, set up and released by the accounts that own them.

What changes of an address changes of its stored messages in the same transaction.
"""

from collections.abc import Sequence
from typing import Final

from mailsacd.core.account import Account
from mailsacd.core.actor import Actor, account_of
from mailsacd.core.address import Address, alternate_local, inbox_of
from mailsacd.core.audit import Act, Author, author_of
from mailsacd.core.errors import (
    Fault,
    InvalidInputError,
    MailsacdError,
    NotFoundError,
    UnauthenticatedError,
)
from mailsacd.core.ownership import PrivateAddress
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.ownership.address_settings import AddressSettings
from mailsacd.mail.ownership.address_view import AddressView, Availability, view_of
from mailsacd.mail.ownership.alternates import Alternates
from mailsacd.mail.ownership.directory import Directory, announce
from mailsacd.mail.ownership.erasing import delete_owned_mail
from mailsacd.mail.ownership.reservation import (
    ANOTHERS,
    begin,
    check_domains,
    check_free,
    reservable,
    write_settings,
)
from mailsacd.mail.ownership.transcript_wishes import TranscriptWishes
from mailsacd.mail.records.audit import audit
from mailsacd.store import addresses as store
from mailsacd.store.alternates import remember_alternate
from mailsacd.store.domains import share_domain
from mailsacd.store.ownership import adopt_messages
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

MAX_BULK: Final = 100


class Addresses:
    """Every call takes addresses as the caller wrote them and raises BadAddressError for others.

    All may raise UnavailableError; those that change something, and `of_account`, raise
    UnauthenticatedError for an actor without an account.
    """

    def __init__(
        self,
        database: Database,
        directory: Directory,
        plans: Plans,
        passwords: Passwords,
        alternates: Alternates,
        wishes: TranscriptWishes | None = None,
    ) -> None:
        """``wishes`` hears at once, not only by a notice, where an owner wants transcripts."""
        self._database = database
        self._directory = directory
        self._plans = plans
        self._passwords = passwords
        self._alternates = alternates
        self._wishes = wishes

    async def of_account(self, actor: Actor) -> list[AddressView]:
        """Return the private addresses of an account."""
        account = account_of(actor)
        secret = await self._alternates.secret()
        return [view_of(a, secret) for a in await store.list_addresses(self._database, account)]

    async def search(
        self, actor: Actor, query: str = "", *, limit: int, skip: int = 0
    ) -> list[PrivateAddress]:
        """Return private addresses of an account that have a text in address or note, by address.

        Raises UnauthenticatedError as `of_account` does.
        """
        account = account_of(actor)
        return await store.search_addresses(self._database, account, query, limit=limit, skip=skip)

    async def get(self, actor: Actor, email: str, *, peer: str = "") -> AddressView:
        """An address that the actor's account owns, or nobody.

        Raises UnauthenticatedError when it is another account's, and ThrottledError when too many
        are asked for, by an account or from the IP address ``peer``.
        """
        inbox = inbox_of(email)
        found = await store.find_address(self._database, str(inbox))
        holding = await self._directory.holder(inbox)
        owner = found.owner if found else holding.owner
        if owner is not None and owner != actor.account:
            raise UnauthenticatedError(ANOTHERS.format(inbox))
        if found:
            return view_of(found, await self._alternates.secret())
        local = await self._alternates.hand_out(inbox, account=actor.account, peer=peer)
        return AddressView(
            email=str(inbox),
            owner=owner,
            implicit=owner is not None,
            alternate=f"{local}@{inbox.domain}",
            address=None,
        )

    async def availability(self, actor: Actor, email: str) -> Availability:
        """Whether the actor could reserve the address."""
        inbox = inbox_of(email)
        holding = await self._directory.holder(inbox)
        facts = await self._directory.domain(inbox.domain)
        reserved = holding.owner is not None and not holding.implicit
        theirs = facts is not None and facts.owner not in {None, actor.account}
        free = not reserved and not theirs and not inbox.is_alternate
        return Availability(email=str(inbox), available=free, owned=holding.owner is not None)

    async def reserve(
        self, actor: Actor, email: str, settings: AddressSettings | None = None
    ) -> AddressView:
        """Make the address the account's own, and its public messages with it.

        Raises InvalidInputError when it is already, or when the plan allows no further one, and
        UnauthenticatedError when it is another account's.
        """
        views = await self._reserve(actor, [reservable(email)], settings)
        return views[0]

    async def reserve_all(self, actor: Actor, emails: Sequence[str]) -> list[AddressView]:
        """As `reserve` with up to MAX_BULK addresses: all of them, or none."""
        if not 1 <= len(emails) <= MAX_BULK:
            raise InvalidInputError(
                f"From 1 to {MAX_BULK} addresses are reserved at a time",
                (Fault(field="addresses", problem=f"should be 1 to {MAX_BULK} addresses"),),
            )
        wanted: dict[str, Address] = {}
        faults = []
        for place, email in enumerate(emails):
            try:
                inbox = reservable(email)
            except InvalidInputError as e:
                faults.append(Fault(field=f"addresses[{place}]", problem=e.public))
            else:
                wanted[str(inbox)] = inbox
        if faults:
            raise InvalidInputError("Some of them cannot be reserved", tuple(faults))
        return await self._reserve(actor, list(wanted.values()), None)

    async def change(self, actor: Actor, email: str, settings: AddressSettings) -> AddressView:
        """Write the given settings of an address of the account's own.

        Raises InvalidInputError for bad settings, NotFoundError for an address that nobody
        reserved, UnauthenticatedError for another account's.
        """
        account = account_of(actor)
        inbox = inbox_of(email)
        password_hash = await self._hashed(settings)

        async def work(transaction: Transaction) -> PrivateAddress | None:
            await begin(transaction, account)
            found = await store.find_address(transaction, str(inbox))
            if found is None:
                return None
            if found.owner != account:
                raise UnauthenticatedError(ANOTHERS.format(inbox))
            return await write_settings(
                transaction, found, settings, password_hash, author_of(actor)
            )

        changed = await self._database.transaction(work)
        if changed is None:
            raise await self._not_reserved(account, inbox)
        self._directory.forget(str(inbox))
        self._note(changed)
        return view_of(changed, await self._alternates.secret())

    async def release(self, actor: Actor, email: str, *, delete_messages: bool) -> AddressView:
        """Give an address up. Returns it as it was; its mail stays the account's, unless deleted.

        Raises InvalidInputError when it is not the account's, and UnauthenticatedError when it is
        another's.
        """
        account = account_of(actor)
        inbox = inbox_of(email)

        async def work(transaction: Transaction) -> tuple[PrivateAddress, list[str]] | None:
            await begin(transaction, account)
            await share_domain(transaction, inbox.domain)
            found = await store.find_address(transaction, str(inbox))
            sources = await store.release_address(transaction, account, str(inbox))
            if found is None or sources is None:
                return None
            # What was stored while the address was being reserved
            await adopt_messages(transaction, str(inbox), account, around=found.created)
            if delete_messages:
                await delete_owned_mail(transaction, str(inbox), account)
            changed = [str(inbox), *sources]
            act = Act("address", "released", str(inbox), "with its mail" if delete_messages else "")
            await audit(transaction, account, author_of(actor), act)
            await announce(transaction, *changed)
            return found, changed

        released = await self._database.transaction(work)
        if released is None:
            holding = await self._directory.holder(inbox)
            if holding.owner not in {None, account}:
                raise UnauthenticatedError(ANOTHERS.format(inbox))
            raise InvalidInputError(f"The address {inbox} is not one that the account has reserved")
        address, changed = released
        for name in changed:
            self._directory.forget(name)
        return view_of(address, await self._alternates.secret())

    async def _reserve(
        self, actor: Actor, inboxes: Sequence[Address], settings: AddressSettings | None
    ) -> list[AddressView]:
        account = account_of(actor)
        emails = [str(inbox) for inbox in inboxes]
        secret = await self._alternates.secret()
        password_hash = await self._hashed(settings) if settings else None

        async def work(transaction: Transaction) -> list[PrivateAddress]:
            by = author_of(actor)
            reserved = await self.take(transaction, account, inboxes, by)
            if settings:
                return [await write_settings(transaction, reserved[0], settings, password_hash, by)]
            return reserved

        reserved = await self._database.transaction(work)
        await self.taken(account, emails)
        self._note(*reserved)
        order = {email: place for place, email in enumerate(emails)}
        return [view_of(a, secret) for a in sorted(reserved, key=lambda a: order[a.email])]

    async def take(
        self, transaction: Transaction, account: str, inboxes: Sequence[Address], by: Author
    ) -> list[PrivateAddress]:
        """Reserve ``inboxes``, normal addresses, within a transaction, as `reserve_all` does.

        Once it has committed, `taken` is to be called.
        """
        reserved = await self._take(transaction, account, inboxes)
        secret = await self._alternates.secret(transaction)
        for address in inboxes:
            await adopt_messages(transaction, str(address), account)
            await remember_alternate(transaction, alternate_local(secret, address), str(address))
            await audit(transaction, account, by, Act("address", "reserved", str(address)))
        await announce(transaction, *map(str, inboxes))
        return reserved

    async def taken(self, account: str, emails: Sequence[str]) -> None:
        """The transaction has committed in which `take` reserved ``emails``."""
        for email in emails:
            self._directory.forget(email)
            # Once more, for what was being stored when the address was still public
            found = await store.find_address(self._database, email)
            if found is not None and found.owner == account:
                await adopt_messages(self._database, email, account, around=found.created)
        # Once more, for one that was being forgotten when its address was not reserved yet
        await self._alternates.remember(emails)

    async def _take(
        self, transaction: Transaction, account: str, inboxes: Sequence[Address]
    ) -> list[PrivateAddress]:
        emails = [str(inbox) for inbox in inboxes]
        owner = await begin(transaction, account)
        for domain in sorted({inbox.domain for inbox in inboxes}):
            await share_domain(transaction, domain)
        await check_domains(transaction, account, inboxes)
        await check_free(transaction, account, emails)
        await self._check_credits(transaction, owner, len(emails))
        reserved = await store.reserve_addresses(transaction, account, emails)
        if len(reserved) < len(emails):  # somebody was faster by a moment
            await check_free(transaction, account, emails)
            raise UnauthenticatedError("Another account is reserving one of them just now")
        return reserved

    async def _check_credits(self, transaction: Transaction, owner: Account, more: int) -> None:
        limit = self._plans.limits_of(owner).private_addresses
        left = max(limit - await store.count_addresses(transaction, owner.name), 0)
        if more > left:
            raise InvalidInputError(
                f"The account does not have enough private address credits: {left} left of {limit}"
            )

    def _note(self, *changed: PrivateAddress) -> None:
        if self._wishes is not None and any(address.transcript for address in changed):
            self._wishes.add()

    async def _not_reserved(self, account: str, inbox: Address) -> MailsacdError:
        holding = await self._directory.holder(inbox)
        if holding.owner not in {None, account}:
            return UnauthenticatedError(ANOTHERS.format(inbox))
        return NotFoundError(f"The address {inbox} is not reserved: it has no settings")

    async def _hashed(self, settings: AddressSettings) -> str | None:
        return await self._passwords.hash(settings.password) if settings.password else None
