"""What accounts are written to about: a new password that somebody asked for, and their usage."""

from typing import Any, Final
from urllib.parse import quote

from twisted.logger import Logger

from mailsacd.core.allowance import Allowance
from mailsacd.core.errors import UnavailableError
from mailsacd.core.peer import network_of
from mailsacd.mail.accounts.reset_links import reset_token
from mailsacd.mail.limits.warnings import UsageWarning
from mailsacd.mail.sending.letters import reset_letter, usage_letter
from mailsacd.mail.sending.own_mail import OwnMail
from mailsacd.store.accounts import find_account, find_login
from mailsacd.store.pool import Database
from mailsacd.work.tasks import Tasks

ASKED_AT_ONCE: Final = 10
ASKED_AGAIN_S: Final = 60.0
"""So many links for passwords may be asked for from a network at once, and then one a minute."""

AT_A_TIME: Final = 100
_PEERS: Final = 10_000

_log = Logger()


class AccountMail:
    """Letters are written beside whatever asks for them: who asks learns nothing from it."""

    def __init__(
        self, database: Database, own_mail: OwnMail, *, reset_hours: int, reactor: Any
    ) -> None:
        """Links for passwords are good for ``reset_hours``."""
        self._database = database
        self._own_mail = own_mail
        self._reset_hours = reset_hours
        self._asked = Allowance(
            reactor, at_once=ASKED_AT_ONCE, again_s=ASKED_AGAIN_S, remembered=_PEERS
        )
        self._tasks = Tasks("write to accounts", most=AT_A_TIME, clock=reactor)

    def ask_for_reset(self, name_or_email: str, *, peer: str) -> None:
        """Have the account of that name or mail address sent a link that sets its password.

        Returns at once, whether there is such an account or not. Raises ThrottledError for a
        ``peer`` (IP address) whose network has asked too often, whatever it asks for.
        """
        self._asked.spend(network_of(peer), "Too many new passwords were asked for of late")
        self._tasks.run(self._reset(name_or_email))

    def warn(self, warning: UsageWarning) -> None:
        """Tell an account of its usage, if it can be done now."""
        try:
            self._tasks.run(self._warn(warning))
        except UnavailableError as e:
            _log.warn("{account} is not told of its usage: {why}", account=warning.account, why=e)

    async def finish(self) -> None:
        """Return when no letter is being written any more."""
        await self._tasks.finish()

    async def _reset(self, name_or_email: str) -> None:
        if not name_or_email.isprintable():
            return
        login = await find_login(self._database, name_or_email.lower())
        if login is None or login.team or login.suspended:
            return  # a team user has no mail address: its account sets its password
        email = await self._email("password", login.account)
        if email is None:
            return
        token = await reset_token(self._database, login.name, self._reset_hours, by=None)
        rules = self._own_mail.rules
        letter = reset_letter(
            f"{rules.front()}/reset-password?token={quote(token)}",
            login=login.name,
            server=rules.server,
            hours=self._reset_hours,
        )
        await self._own_mail.send(letter, email)

    async def _warn(self, warning: UsageWarning) -> None:
        email = await self._email("usage", warning.account)
        if email is not None:
            letter = usage_letter(
                account=warning.account,
                server=self._own_mail.rules.server,
                percent=warning.percent,
                limit=warning.limit,
            )
            await self._own_mail.send(letter, email)

    async def _email(self, kind: str, account: str) -> str | None:
        """Where ``account`` is written to about that; None: it is not."""
        found = await find_account(self._database, account)
        if found is None or found.removing or found.suspended:
            return None
        return found.email if await self._own_mail.is_due(kind, account, found.email) else None
