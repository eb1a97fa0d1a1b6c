"""Accounts, those who sign in to them, and their API keys, as they are stored.

Names are lower case and share one name space: that of logins. An account's own login bears its
name; team users have names of their own.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

KEY_FORM: Final = re.compile(r"k_[A-Za-z0-9]{32}\Z")
RUN_KEY_FORM: Final = re.compile(r"r_[A-Za-z0-9]{32}\Z")
TOKEN_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
NAME_FORM: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?\Z")

_KEY_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_KEY_CHARACTERS: Final = 32  # of 62 each: 190 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``overrides`` are limits of this account that go before those of its ``plan``.

    One that is ``suspended`` may do nothing; one that is ``removing`` is on its way out. That of an
    ``operator`` looks after the server.
    """

    name: str
    email: str
    plan: str
    overrides: Mapping[str, int]
    labels: tuple[str, ...]
    recents: tuple[str, ...]
    capture_private: bool
    disable_spam: bool
    suspended: bool
    removing: bool
    operator: bool
    created: datetime
    updated: datetime

    @property
    def identity(self) -> "AccountIdentity":
        """Return what tells this account from a later one of the same name."""
        return AccountIdentity(self.name, self.created)


@dataclass(frozen=True, slots=True)
class AccountIdentity:
    """One account, and no other that gets its name when it is gone.

    Whoever keeps an account in mind for longer than a moment keeps this. ``address`` is that of who
    has only the password of one address of the account: as no other may he send.
    """

    name: str
    created: datetime
    address: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Somebody who signs in. ``password_hash`` is argon2id; None until a password is set.

    ``suspended`` is whether the account is.
    """

    name: str
    account: str
    team: bool
    password_hash: str | None
    suspended: bool


@dataclass(frozen=True, slots=True)
class TeamUser:
    """A team user, who manages the account until ``elevated_until``; None: does not."""

    name: str
    elevated_until: datetime | None


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its login is shown it; ``id`` is neither its token nor the token's hash.

    ``last_used`` is to an hour; ``peer`` is the IP address that signed in, ``agent`` its program.
    ``current`` tells whether it is the one that asks.
    """

    id: str
    created: datetime
    last_used: datetime
    expires: datetime
    peer: str
    agent: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key without its value, of which only a hash is kept."""

    id: str
    account: str
    name: str
    created: datetime
    last_used: datetime | None


def new_key() -> str:
    """A new API key: ``k_`` and 32 random characters."""
    return f"k_{_new_secret()}"


def new_run_key() -> str:
    """A new key of a run: ``r_`` and 32 random characters."""
    return f"r_{_new_secret()}"


def _new_secret() -> str:
    return "".join(secrets.choice(_KEY_ALPHABET) for _ in range(_KEY_CHARACTERS))


def new_token() -> str:
    """A new token for a session, a reset or an invitation: 43 URL-safe characters, 256 bits."""
    return secrets.token_urlsafe(32)
