"""Who may look into an inbox: the first half of deciding about a message.

The second half is the row's own (see store.views): a starred message is there for who starred it
alone, a private one for its owner alone. Its neighbours `mailbox`, `maildrop`, `marks`, `search`,
`snippets`, `transcripts` and `account_mail` read messages, and all of them ask here; `all_mail`
has a rule of its own (store.all_mail.Sight): what is public, and what the account has.
"""

from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from mailsacd.core.actor import Actor, out_of_scope
from mailsacd.core.address import Address, inbox_of
from mailsacd.core.errors import (
    ForbiddenError,
    MailsacdError,
    NotFoundError,
    UnauthenticatedError,
)
from mailsacd.core.ownership import DomainFacts, Holding

T = TypeVar("T")

_KEY_NEEDED: Final = "An API key is needed to read mail here"
_ANOTHERS: Final = "This inbox belongs to another account"
_NO_RUN: Final = "There is no such run, or it has ended"


class Holders(Protocol):
    """Knows who holds what (mail.ownership.directory)."""

    async def holder(self, address: Address) -> Holding:
        """Who holds the inbox of a normal address."""

    async def domain(self, name: str) -> DomainFacts | None:
        """What is known of a domain; None when nobody has claimed it."""


@dataclass(frozen=True, slots=True)
class Access:
    """``inbox`` is the normal address; ``refusal`` is None where the actor may look into it."""

    inbox: str
    refusal: MailsacdError | None

    @property
    def is_open(self) -> bool:
        """Whether the actor may look into it."""
        return self.refusal is None

    def found(self, value: T | None) -> T:
        """``value``, what there was for the actor. Raises NotFoundError, or the refusal."""
        if value is None:
            raise self.refusal or NotFoundError("There is no such message in this inbox")
        return value


class AccessControl:
    """Decides by who holds the inbox. Raises BadAddressError for what is no address."""

    def __init__(self, holders: Holders, *, anonymous_read: bool) -> None:
        self._holders = holders
        self._anonymous_read = anonymous_read

    async def inbox(self, actor: Actor, email: str) -> str:
        """The normal address of an inbox that the actor may look into.

        Raises UnauthenticatedError where a key would help, ForbiddenError where it is another's.
        """
        access = await self.access(actor, email)
        if access.refusal is not None:
            raise access.refusal
        return access.inbox

    async def access(self, actor: Actor, email: str) -> Access:
        """As `inbox`, but that it is another account's is only told in ``refusal``.

        Single messages in there may be the actor's own all the same, unless it is outside of his
        scope, or of a run that has ended (ForbiddenError).
        """
        address = _within_scope(actor, email)
        if actor.account is None and not self._anonymous_read:
            raise UnauthenticatedError(_KEY_NEEDED)
        holding = await self._holders.holder(address)
        if holding.owner is None and address.is_of_run:
            raise ForbiddenError(_NO_RUN)
        if holding.owner is None or holding.owner == actor.account:
            return Access(str(address), None)
        if actor.account is None:
            raise UnauthenticatedError(_KEY_NEEDED)
        return Access(str(address), ForbiddenError(_ANOTHERS))

    async def owned_inbox(self, actor: Actor, email: str) -> str:
        """The normal address of an inbox that is the actor's own, or under a domain of its own.

        Raises UnauthenticatedError for any other inbox, and without an account; ForbiddenError for
        one outside of his scope.
        """
        address = _within_scope(actor, email)
        if actor.account is None:
            raise UnauthenticatedError("An API key of the address's owner is needed")
        holding = await self._holders.holder(address)
        owner = holding.owner
        if owner is None:
            domain = await self._holders.domain(address.domain)
            owner = domain.owner if domain else None
        if owner != actor.account:
            raise UnauthenticatedError("Only the owner of an address or of its domain may do this")
        return str(address)

    async def owned_domain(self, actor: Actor, name: str) -> str:
        """The account, where it is the owner of a verified domain (normal form).

        Raises UnauthenticatedError without an account, ForbiddenError for any other domain.
        """
        if actor.account is None:
            raise UnauthenticatedError("An API key of the domain's owner is needed")
        if actor.scope is not None and actor.scope.domain != name:
            raise out_of_scope()
        domain = await self._holders.domain(name)
        if domain is None or domain.owner != actor.account:
            raise ForbiddenError("Only the owner of a verified domain may do this")
        return actor.account


def _within_scope(actor: Actor, email: str) -> Address:
    address = inbox_of(email)
    if actor.scope is not None and not actor.scope.includes(address):
        raise out_of_scope()
    return address
