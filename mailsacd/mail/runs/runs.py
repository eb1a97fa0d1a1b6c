"""Runs as accounts begin, list and end them."""

import re
from datetime import UTC, datetime
from typing import Final

from mailsacd.core.account import new_run_key
from mailsacd.core.activity import RUN
from mailsacd.core.actor import Actor, out_of_scope, unlimited_account, viewing_account
from mailsacd.core.address import MAX_DNS_CHARACTERS, is_domain, normal_domain
from mailsacd.core.errors import (
    ConfigurationError,
    Fault,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    OverloadedError,
    ThrottledError,
)
from mailsacd.core.run import ID_FORM, RUN_ID_CHARACTERS, Run, is_of_run, new_run_id
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.ownership.directory import Directory, announce
from mailsacd.mail.ownership.domains import normal_name
from mailsacd.mail.ownership.reservation import begin
from mailsacd.mail.records.activity import Activity
from mailsacd.run_settings import RunSettings
from mailsacd.store import runs as store
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

USUAL_S: Final = 3_600
"""So long does a run last where nobody says how long."""

ENDED_KNOWN: Final = 4
"""So many times as many runs as may be open may an account have with those that ended just now."""

MAX_NAME_CHARACTERS: Final = 100

_USUAL_DOMAIN: Final = "example.com"  # RFC 2606: programs take it for a domain like any other
_ID: Final = re.compile(rf"{ID_FORM}\Z")
_RETRY_S: Final = 60


class Runs:
    """Every call raises UnauthenticatedError for an actor without an account."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        directory: Directory,
        activity: Activity,
        settings: RunSettings,
        hosting: str,
    ) -> None:
        """``hosting`` is the domain that the operator lends names of, normal; empty: none.

        Raises ConfigurationError for a domain in the settings that is none.
        """
        self._database = database
        self._accounts = accounts
        self._directory = directory
        self._activity = activity
        self._settings = settings
        self._own = _own_domains(settings.domain, hosting)

    async def begin(
        self, actor: Actor, *, name: str, domain: str | None, ends: datetime | None
    ) -> tuple[Run, str]:
        """A new run and its key, which nobody can tell again.

        Its domain is below ``domain``: one of the operator's for runs, the first of them where it
        is None, or a verified one of the account. It lasts until ``ends``, else USUAL_S seconds.
        Raises ForbiddenError for a team user who is not elevated, and for any other domain;
        BadAddressError for what is none; InvalidInputError for a time that is not within the
        setting's bound; ThrottledError and OverloadedError when there are too many runs.
        """
        account = unlimited_account(actor)
        lasting_s = self._lasting_s(ends)
        parent = await self._parent(account, domain)
        run_id, key = new_run_id(), new_run_key()
        new = store.NewRun(
            id=run_id,
            domain=f"{run_id}.{parent}",
            owner=account,
            name=name,
            key_hash=hash_of(key),
            lasting_s=lasting_s,
        )

        async def work(transaction: Transaction) -> Run:
            await begin(transaction, account)
            await self._check_room(transaction, account)
            run = await store.add_run(transaction, new)
            await announce(transaction, run.domain)
            return run

        run = await self._database.transaction(work)
        self._changed(run, f"begun, until {run.ends:%Y-%m-%d %H:%M} UTC")
        return run, key

    async def list(self, actor: Actor) -> list[Run]:
        """The account's runs that have not ended, newest first; with a run's key that one."""
        account = viewing_account(actor)
        runs = await store.list_runs(self._database, account)
        return [run for run in runs if _is_seen(actor, run)]

    async def get(self, actor: Actor, run_id: str) -> Run:
        """A run of the account that has not ended. Raises NotFoundError.

        Raises ForbiddenError for the key of another run.
        """
        account = _account_for(actor, run_id)
        run = await store.find_run(self._database, account, run_id)
        if run is None:
            raise _not_there()
        return run

    async def end(self, actor: Actor, run_id: str) -> None:
        """End a run now: its mail is gone, and its key is good for nothing. Raises as `get` does.

        A team user who is not elevated may not end one (ForbiddenError).
        """
        account = _account_for(actor, run_id)
        if actor.scope is None:
            unlimited_account(actor)

        async def work(transaction: Transaction) -> Run:
            run = await store.end_run(transaction, account, run_id)
            if run is None:
                raise _not_there()
            await store.delete_mail(transaction, run)
            await announce(transaction, run.domain)
            return run

        run = await self._accounts.changing(account, work)
        self._changed(run, "ended")

    def _lasting_s(self, ends: datetime | None) -> int:
        most_s = self._settings.max_hours * 3_600
        if ends is None:
            return min(USUAL_S, most_s)
        lasting_s = int((ends - datetime.now(UTC)).total_seconds())
        if not 0 < lasting_s <= most_s:
            problem = f"is not within the next {self._settings.max_hours} hours"
            raise InvalidInputError(
                f"Bad request: expires {problem}", (Fault(field="expires", problem=problem),)
            )
        return lasting_s

    async def _parent(self, account: str, domain: str | None) -> str:
        if domain is None:
            return self._own[0]
        name = normal_name(domain)
        if not is_domain(name) or is_of_run(name) or len(name) > _MOST_CHARACTERS:
            problem = "cannot have runs"
            raise InvalidInputError(
                f"Bad request: domain {name} {problem}", (Fault(field="domain", problem=problem),)
            )
        if name not in self._own:
            facts = await self._directory.domain(name)
            if facts is None or facts.owner != account:
                raise ForbiddenError(f"{name} is not a verified domain of this account")
        return name

    async def _check_room(self, transaction: Transaction, account: str) -> None:
        counts = await store.count_runs(transaction, account)
        most = self._settings.max_open_per_account
        if counts.open >= most:
            text = f"The account has {most} runs, and may have no more at a time"
            raise ThrottledError(text, retry_after_s=_RETRY_S)
        if counts.known >= most * ENDED_KNOWN:
            text = "The account has ended very many runs just now, come back later"
            raise ThrottledError(text, retry_after_s=_RETRY_S)
        if counts.everybodys >= self._settings.max_open:
            raise OverloadedError("There are too many runs here", retry_after_s=_RETRY_S)

    def _changed(self, run: Run, how: str) -> None:
        self._directory.forget(run.domain)
        self._activity.record(RUN, account=run.owner, subject=run.domain, detail=how)


_MOST_CHARACTERS: Final = MAX_DNS_CHARACTERS - RUN_ID_CHARACTERS - 1


def _own_domains(setting: str, hosting: str) -> tuple[str, ...]:
    """The operator's domains that anybody's runs may be below, the usual one first."""
    if setting and not is_domain(setting):
        raise ConfigurationError(f"runs.domain: {setting!r} is not a domain name")
    named = (normal_domain(setting) if setting else "", hosting)
    return tuple(dict.fromkeys(filter(None, named))) or (_USUAL_DOMAIN,)


def _account_for(actor: Actor, run_id: str) -> str:
    account = viewing_account(actor)
    if not _ID.match(run_id):
        raise _not_there()
    if actor.scope is not None and not actor.scope.domain.startswith(f"{run_id}."):
        raise out_of_scope()
    return account


def _is_seen(actor: Actor, run: Run) -> bool:
    return actor.scope is None or actor.scope.domain == run.domain


def _not_there() -> NotFoundError:
    return NotFoundError("There is no such run, or it has ended")
