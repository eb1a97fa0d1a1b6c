"""Everything about accounts as one node has it, on a database of the test's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from twisted.internet import reactor as the_reactor

from mailsacd.core.actor import by_command
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.keys import Keys
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.accounts.sessions import Sessions
from mailsacd.mail.accounts.team import Team
from mailsacd.plan_settings import PlanSettings
from mailsacd.settings import AccountSettings
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.patience import until

reactor: Any = the_reactor

PLANS = Plans({"default": PlanSettings(keys=3, users=2), "big": PlanSettings()}, "default")


@dataclass(frozen=True)
class People:
    """The objects of a node."""

    database: Database
    notices: Notices
    guesses: Guesses
    authenticator: Authenticator
    accounts: Accounts
    keys: Keys
    passwords: Passwords
    sessions: Sessions
    team: Team

    async def key(self, account: str = "ann") -> str:
        """A new key of an account, which is made if it is not there."""
        if account not in [found.name for found in await self.accounts.list()]:
            await self.accounts.add(account, f"{account}@example.net")
        return (await self.keys.add(by_command(account)))[1]


@asynccontextmanager
async def people(
    database: Database, dsn: str, *, listens: bool = True, **settings: Any
) -> AsyncIterator[People]:
    """A node; ``settings`` are of accounts."""
    notices = Notices(dsn, LANES.rest, reactor=reactor)
    guesses = Guesses(reactor)
    authenticator = Authenticator(database, notices, guesses, reactor=reactor)
    accounts = Accounts(database, PLANS, authenticator.forget)
    passwords = Passwords(LANES.passwords)
    sessions = Sessions(accounts, passwords, guesses, AccountSettings(**settings))
    if listens:
        notices.start()
        await until(lambda: notices.listening)
    yield People(
        database,
        notices,
        guesses,
        authenticator,
        accounts,
        Keys(accounts),
        passwords,
        sessions,
        Team(accounts, passwords),
    )
    await notices.stop()
