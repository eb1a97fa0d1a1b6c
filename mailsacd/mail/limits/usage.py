"""Counts what accounts use in a month, and says when that is all that their plan allows.

Counting never waits: it happens in memory, and is written down in batches. So that a limit holds
on all nodes each asks from time to time what the others have counted; between that, an account may
go over its limit by what others let it do in as many seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from mailsacd.core.activity import THROTTLED
from mailsacd.core.actor import Actor
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import NotFoundError, ThrottledError
from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.core.token import utc_from_ms
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.limits.warnings import UsageWarnings, recording
from mailsacd.mail.records.activity import Activity
from mailsacd.store.notices import ACCOUNTS, Notices
from mailsacd.store.pool import Database
from mailsacd.store.usage import API, INBOUND, OPS, NewUse, add_uses, count_ops, forget_uses
from mailsacd.work.loop import Loop

WRITE_EVERY_S: Final = 3.0
ASK_EVERY_S: Final = 15.0
REMEMBERED: Final = 10_000
KEPT_DAYS: Final = 400

_THROTTLED_CODE: Final = 429

_Key = tuple[str, date, str, str]  # account, month, kind, name of the API key


@dataclass(slots=True)
class _Standing:
    """What an account has used of its limit, as far as this node knows."""

    month: date
    used: int
    limit: int
    asked_s: float


@dataclass(slots=True)
class _Counted:
    """What was counted since a time, and is not yet written down."""

    since: datetime
    n: int = 0


class Usage:
    """An observer of ingest, too: what is stored for an account counts."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        activity: Activity,
        notices: Notices,
        *,
        reactor: Any,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._activity = activity
        self._reactor = reactor
        self._counted: dict[_Key, _Counted] = {}
        self._being_written: dict[_Key, _Counted] = {}
        self._to_warn: set[str] = set()
        self.warnings = UsageWarnings(database, self._limit_of, (recording(activity),))
        self._standings: Recent[str, _Standing] = Recent(REMEMBERED)
        self._changes = 0  # counts what may have made a standing stale that is being looked up
        self._writing = Loop("count operations", self._write, every_s=WRITE_EVERY_S, clock=reactor)
        self.start = self._writing.start
        self.finish = self._writing.finish
        self.write = self._writing.run_now
        notices.subscribe(ACCOUNTS, self.forget, self.forget_all)

    def count(self, account: str, kind: str, n: int = 1, *, key: str = "") -> None:
        """``account`` has used ``n`` of ``kind`` (see store.usage), with the API key ``key``."""
        now = self._now()
        what = (account, _month_of(now), kind, key)
        counted = self._counted.get(what)
        if counted is None:
            counted = self._counted[what] = _Counted(now)
        counted.n += n
        standing = self._standings.get(account)
        if standing is not UNKNOWN and kind in OPS:
            standing.used += n

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:  # noqa: ARG002  an Observer
        """Each message that is an account's counts as one operation."""
        for whose in owned.values():
            self.count(whose.owner, INBOUND)

    async def call(self, account: str, key: str = "") -> None:
        """Count a call of the API, with a key of that name. Raises as `check`."""
        await self.check(account)
        self.count(account, API, key=key)

    def unwritten(self, account: str) -> int:
        """How many operations of this month this node has counted, and not written down yet."""
        month = self._month()
        return sum(
            counted.n
            for counts in (self._counted, self._being_written)
            for (whose, when, kind, _), counted in counts.items()
            if whose == account and when == month and kind in OPS
        )

    async def check(self, account: str) -> None:
        """Raises ThrottledError when the month's operations are used up; and UnavailableError."""
        standing = await self._standing(account)
        if standing.used >= standing.limit:
            self._activity.record(
                THROTTLED, account=account, subject=account, code=_THROTTLED_CODE,
                detail=f"{standing.limit} operations a month",
            )  # fmt: skip
            raise ThrottledError(
                f"The {standing.limit} operations of this month are used up",
                retry_after_s=self._rest_of_month_s(),
            )

    def forget(self, account: str) -> None:
        """Forget what is known of ``account``: it has changed, or is gone."""
        self._changes += 1
        self._standings.forget(account)
        self.warnings.forget(account)
        self._writing.wake()  # what comes from now on may be of another account of that name

    def forget_all(self) -> None:
        """Forget every account's limits: anybody's may have changed."""
        self._changes += 1
        self._standings.clear()
        self.warnings.forget_all()
        self._writing.wake()

    async def forget_old(self) -> None:
        """Delete the counts of months that are long over."""
        await forget_uses(self._database, (self._now() - timedelta(days=KEPT_DAYS)).date())

    async def _standing(self, account: str) -> _Standing:
        known = self._standings.get(account)
        now_s = self._reactor.seconds()
        if known is not UNKNOWN and known.month == self._month() and known.asked_s > now_s:
            return known
        if known is not UNKNOWN:
            known.asked_s = now_s + ASK_EVERY_S  # others who come now go on with what is known
        changes = self._changes
        await self._writing.run_now()
        month = self._month()
        try:
            limits = await self._accounts.limits(account)
        except NotFoundError:  # removed since: the call will find that out
            return _Standing(month, 0, 1, now_s)
        used = await count_ops(self._database, account, month)
        used += self.unwritten(account)
        standing = _Standing(month, used, limits.ops_per_month, now_s + ASK_EVERY_S)
        if changes == self._changes:
            self._standings.remember(account, standing)
        return standing

    async def _write(self) -> None:
        counted, self._counted = self._counted, {}
        if counted:
            await self._add(counted)
            self._to_warn |= {account for account, *_ in counted}
        if self._to_warn:
            await self.warnings.look(self._to_warn, self._month())
            self._to_warn = set()

    async def _add(self, counted: dict[_Key, _Counted]) -> None:
        uses = [
            NewUse(account, month, kind, c.n, key, c.since)
            for (account, month, kind, key), c in counted.items()
        ]
        self._being_written = counted
        try:
            await add_uses(self._database, uses)
        except BaseException:
            newer, self._counted = self._counted, counted
            for key, later in newer.items():
                if (known := counted.setdefault(key, later)) is not later:
                    known.n += later.n
            raise
        finally:
            self._being_written = {}

    async def _limit_of(self, account: str) -> int | None:
        try:
            return (await self._accounts.limits(account)).ops_per_month
        except NotFoundError:  # removed since
            return None

    def _now(self) -> datetime:
        return utc_from_ms(int(self._reactor.seconds() * 1000))

    def _month(self) -> date:
        return _month_of(self._now())

    def _rest_of_month_s(self) -> int:
        now = self._now()
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        return int((following - now).total_seconds()) + 1


def _month_of(time: datetime) -> date:
    return time.date().replace(day=1)


class Metered:
    """An Authenticator for the API: each call with an API key counts, unless it is one too many.

    What somebody does on the web pages, with a session, does not.
    """

    def __init__(self, authenticator: Authenticator, usage: Usage) -> None:
        self._authenticator = authenticator
        self._usage = usage

    async def authenticate(self, key: str, peer: str = "") -> Actor:
        """As of the Authenticator. Raises ThrottledError, too, when the month is used up."""
        actor = await self._authenticator.authenticate(key, peer)
        if actor.account is not None:
            await self._usage.call(actor.account, actor.key_name or "")
        return actor

    async def check(self, key: str) -> Actor:
        """As of the Authenticator: this is neither a call nor a guess."""
        return await self._authenticator.check(key)

    async def session(self, token: str) -> Actor | None:
        """Return the actor who signed in with ``token`` (see Authenticator.session)."""
        return await self._authenticator.session(token)
