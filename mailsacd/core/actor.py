"""Who asks for something: edges find it out (mail.accounts.auth) and tell the use cases."""

from dataclasses import dataclass, field, replace
from typing import Final

from mailsacd.core.address import Address
from mailsacd.core.errors import ForbiddenError, UnauthenticatedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A part of an account's mail: that of the ``domain`` of a run."""

    domain: str

    def includes(self, address: Address) -> bool:
        """Whether the mail of a normal address belongs to it."""
        return address.domain == self.domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who asks for something; ``account`` is None for a caller without credentials.

    ``login`` is who signed in: the account's own name or a team user's; with an API key it is
    None, for a key stands for the account but manages neither the account nor its keys. A ``team``
    user who is ``elevated`` manages the account for a while.
    ``is_operator`` tells that it is the own login of an account that looks after the server;
    ``by_command`` that it is whoever looks after it, at its command line.
    ``key_name`` is what the account calls the API key, ``peer`` the IP address that the request
    came from.
    Who has a ``scope`` acts for the account within that alone: calls that are not made for it
    refuse him, and so does `account_of`.
    """

    account: str | None
    login: str | None = None
    team: bool = False
    elevated: bool = False
    is_operator: bool = False
    by_command: bool = False
    key_name: str | None = None
    scope: Scope | None = None
    peer: str = field(default="", compare=False)

    def at(self, peer: str) -> "Actor":
        """Return the actor as one who asks from the IP address ``peer``."""
        return replace(self, peer=peer)

    @property
    def owns(self) -> bool:
        """Whether the actor is the account's own login, or acts for it at the command line."""
        return self.by_command or (self.login is not None and not self.team)

    @property
    def manages(self) -> bool:
        """Whether the actor may manage the account."""
        return self.owns or (self.login is not None and not self.is_limited)

    @property
    def is_limited(self) -> bool:
        """Whether the actor is a team user who is not elevated."""
        return self.team and not self.elevated


ANYONE: Final = Actor(account=None)


def by_command(account: str) -> Actor:
    """Who looks after the server, and acts at its command line for the account of that name."""
    return Actor(account=account, by_command=True)


def account_of(actor: Actor) -> str:
    """The account that ``actor`` stands for, with all that it has.

    Raises UnauthenticatedError when there is none, ForbiddenError for who has a part of it alone.
    """
    if actor.scope is not None:
        raise out_of_scope()
    return viewing_account(actor)


def viewing_account(actor: Actor) -> str:
    """The account whose mail ``actor`` sees, all of it or within a scope.

    Raises UnauthenticatedError when there is none.
    """
    if actor.account is None:
        raise UnauthenticatedError("An API key is needed, or a session")
    return actor.account


def out_of_scope() -> ForbiddenError:
    """The error for who asks for something outside of his scope."""
    return ForbiddenError("The key of a run is good for the mail of that run, and nothing else")


def unlimited_account(actor: Actor) -> str:
    """The account that ``actor`` acts for without a team user's limits.

    That is by an API key, a session of its own login or an elevated user's: for what programs set
    up, too, such as domains. Raises UnauthenticatedError without credentials, ForbiddenError for
    any other team user.
    """
    account = account_of(actor)
    if actor.is_limited:
        raise ForbiddenError("This is not for team users, unless one manages the account")
    return account


def managed_account(actor: Actor) -> str:
    """The account that ``actor`` may manage: by a session of its own login or an elevated user's.

    Raises UnauthenticatedError without credentials, ForbiddenError with a key or a team user's.
    """
    account = account_of(actor)
    if not actor.manages:
        raise ForbiddenError(_OWN_LOGIN)
    return account


def own_account(actor: Actor) -> str:
    """The account whose own login ``actor`` is: for what outlasts an elevation.

    That is what gives the account away, its mail address and its end, and whoever else may act for
    it: API keys and team users. Raises as `managed_account` does, and ForbiddenError for every team
    user.
    """
    account = account_of(actor)
    if not actor.owns:
        raise ForbiddenError(_OWN_LOGIN)
    return account


def operators_account(actor: Actor) -> str:
    """The account of an operator who has signed in: never by an API key, nor as a team user.

    Raises UnauthenticatedError without credentials, ForbiddenError for everybody else.
    """
    account = account_of(actor)
    if not actor.is_operator:
        raise ForbiddenError("This is for operators of the server, by a session of their own login")
    return account


_OWN_LOGIN: Final = "This needs a session of the account's own login"
