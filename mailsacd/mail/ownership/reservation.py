"""The rules by which an address may be reserved or set up, checked within one transaction."""

from collections.abc import Sequence
from typing import Final

from mailsacd.core.account import Account
from mailsacd.core.address import Address, inbox_of
from mailsacd.core.audit import Act, Author
from mailsacd.core.errors import InvalidInputError, NotFoundError, UnauthenticatedError
from mailsacd.core.ownership import CATCH_ALL_LOCAL, PrivateAddress
from mailsacd.mail.ownership.address_settings import AddressSettings, check_forward
from mailsacd.mail.ownership.directory import announce
from mailsacd.mail.records.audit import audit
from mailsacd.store import addresses as store
from mailsacd.store.accounts import lock_account
from mailsacd.store.notices import TRANSCRIPTS, give_notice
from mailsacd.store.ownership import domain_facts
from mailsacd.store.transaction import Transaction

ANOTHERS: Final = "The address {0} is owned by another account"


def reservable(email: str) -> Address:
    """The inbox of that address.

    Raises BadAddressError, and InvalidInputError for an alternate, or an address of a run.
    """
    inbox = inbox_of(email)
    if inbox.is_of_run:
        raise InvalidInputError("The addresses of a run are all private until it ends")
    if inbox.is_alternate:
        raise InvalidInputError("An address of that form stands for another one")
    return inbox


async def begin(transaction: Transaction, account: str) -> Account:
    """Make changes of one account's property take turns. Raises UnauthenticatedError."""
    found = await lock_account(transaction, account)
    if found is None or found.removing:
        raise UnauthenticatedError("The account is no longer there")
    return found


async def check_domains(transaction: Transaction, account: str, inboxes: Sequence[Address]) -> None:
    """Raises UnauthenticatedError for an address of somebody else's domain.

    Raises InvalidInputError for the catch-all of a domain that is not proved to be the account's.
    """
    for inbox in inboxes:
        facts = await domain_facts(transaction, inbox.domain)
        owner = facts.owner if facts else None
        if owner not in {None, account}:
            raise UnauthenticatedError(f"The domain {inbox.domain} is owned by another account")
        if inbox.local == CATCH_ALL_LOCAL and owner != account:
            raise InvalidInputError(
                f"A catch-all needs a verified domain, which {inbox.domain} is not"
            )


async def check_free(transaction: Transaction, account: str, emails: Sequence[str]) -> None:
    """Raises UnauthenticatedError for what is another's, and InvalidInputError for its own."""
    owners = await store.owners_of(transaction, emails)
    for email, owner in sorted(owners.items()):
        if owner != account:
            raise UnauthenticatedError(ANOTHERS.format(email))
    if owners:
        raise InvalidInputError(f"The account owns {', '.join(sorted(owners))} already")


async def write_settings(
    transaction: Transaction,
    address: PrivateAddress,
    settings: AddressSettings,
    password_hash: str | None,
    by: Author,
) -> PrivateAddress:
    """The address with ``settings`` written. Raises InvalidInputError for a bad forward."""
    if names := settings.names():  # their values may be secrets, as a webhook's URL often is
        act = Act("address", "changed", address.email, ", ".join(names))
        await audit(transaction, address.owner, by, act)
    if settings.forward:
        await check_forward(transaction, address, settings.forward)
    if settings.sets_password:
        await store.set_address_password(transaction, address.owner, address.email, password_hash)
    changed = await store.update_address(transaction, address, settings.columns())
    if changed is None:
        raise NotFoundError(f"The address {address.email} was released just now")
    await announce(transaction, address.email)
    if changed.transcript is not address.transcript:
        await give_notice(transaction, TRANSCRIPTS, "")
    return changed
