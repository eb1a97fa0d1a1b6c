"""Load tests as their owners declare, end and look at them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from mailsacd.core.activity import LOAD_TEST
from mailsacd.core.actor import Actor, account_of, unlimited_account
from mailsacd.core.errors import ConflictError, NotFoundError
from mailsacd.core.load_test import MAX_HOURS, Figures, LoadTest
from mailsacd.core.sampled_ids import SampledIds, unpacked
from mailsacd.core.token import EnvelopeIds
from mailsacd.mail.load_testing.recorder import Recorder
from mailsacd.mail.ownership.directory import Directory, announce
from mailsacd.mail.ownership.domains import normal_name
from mailsacd.mail.ownership.reservation import begin
from mailsacd.mail.records.activity import Activity
from mailsacd.store import load_tests as store
from mailsacd.store.domains import find_domain, lock_domain
from mailsacd.store.ownership import has_others_addresses
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.work.threads import Lane

MAX_RUNNING_OF_ACCOUNT: Final = 4
MAX_RUNNING: Final = 16
"""So many tests may be under way at a time, of one account and in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of a test at the time ``now``; ``figures`` are of all processes together."""

    test: LoadTest
    figures: Figures
    different_ids: int
    duplicates: int
    now: datetime

    @property
    def running(self) -> bool:
        """Whether mail is counted and not kept."""
        return self.now < self.test.ends


class LoadTests:
    """Every call takes a domain as the caller wrote it.

    Raises BadAddressError for what is none, UnauthenticatedError for an actor without an account,
    NotFoundError for a domain that the account has not claimed, or without any test.
    """

    def __init__(
        self,
        database: Database,
        directory: Directory,
        recorder: Recorder,
        activity: Activity,
        lane: Lane,
    ) -> None:
        """What was counted is added up in ``lane``."""
        self._database = database
        self._directory = directory
        self._recorder = recorder
        self._activity = activity
        self._lane = lane
        self._ids = EnvelopeIds()

    async def start(self, actor: Actor, name: str, *, hours: float, header: str) -> Report:
        """Declare the domain for load testing: its mail is counted from now on, and not kept.

        Raises ForbiddenError for a team user who is not elevated; ConflictError for a domain that
        is not verified, that is tested already, or where others have addresses, and when there are
        too many tests.
        """
        account, domain = unlimited_account(actor), normal_name(name)

        async def work(transaction: Transaction) -> LoadTest:
            await begin(transaction, account)
            await lock_domain(transaction, domain)
            await self._check(transaction, account, domain)
            id_, _ = self._ids.next(int(datetime.now(UTC).timestamp() * 1000))
            lasting_s = int(min(hours, MAX_HOURS) * 3600)
            test = await store.add_load_test(
                transaction, id_, domain, account, header=header, lasting_s=lasting_s
            )
            await announce(transaction, domain)
            return test

        test = await self._database.transaction(work)
        self._changed(test, f"begun, for {hours:g} hours")
        return await self._report(test)

    async def end(self, actor: Actor, name: str) -> Report:
        """End the test under way now: mail is kept again. Of one that has ended it is the report.

        Raises ForbiddenError for a team user who is not elevated.
        """
        account, domain = unlimited_account(actor), normal_name(name)

        async def work(transaction: Transaction) -> LoadTest | None:
            ended = await store.end_load_test(transaction, domain, account)
            await announce(transaction, domain)
            return ended

        ended = await self._database.transaction(work)
        if ended is None:
            return await self.get(actor, name)
        self._changed(ended, "ended")
        return await self._report(ended)

    async def get(self, actor: Actor, name: str) -> Report:
        """What was counted of the test under way, else of the last one."""
        account, domain = account_of(actor), normal_name(name)
        if await find_domain(self._database, account, domain) is None:
            raise NotFoundError(f"The account has no domain {domain}")
        test = await store.latest_load_test(self._database, domain, account)
        if test is None:
            raise NotFoundError(f"{domain} has had no load test")
        return await self._report(test)

    async def forget_old(self) -> None:
        """Delete what was counted long ago."""
        await store.forget_old_load_tests(self._database)

    async def _check(self, transaction: Transaction, account: str, domain: str) -> None:
        claim = await find_domain(transaction, account, domain)
        if claim is None:
            raise NotFoundError(f"The account has no domain {domain}")
        if not claim.verified:
            raise ConflictError(f"{domain} is not verified")
        if await has_others_addresses(transaction, domain, account):
            raise ConflictError(f"Others have addresses of {domain}, whose mail would be lost")
        latest = await store.latest_load_test(transaction, domain, account)
        if latest is not None and latest.ends > datetime.now(UTC):
            raise ConflictError(f"{domain} is tested already")
        ours, everybodys = await store.count_running(transaction, account)
        if ours >= MAX_RUNNING_OF_ACCOUNT or everybodys >= MAX_RUNNING:
            raise ConflictError(
                f"There may be {MAX_RUNNING_OF_ACCOUNT} load tests of an account at a time, "
                f"and {MAX_RUNNING} in all"
            )

    def _changed(self, test: LoadTest, how: str) -> None:
        self._directory.forget(test.domain)
        self._activity.record(LOAD_TEST, account=test.owner, subject=test.domain, detail=how)

    async def _report(self, test: LoadTest) -> Report:
        await self._recorder.write()
        now, figures, ids = await store.read_counted(self._database, test.id)
        size = sum(len(text) for _, text in figures) + sum(len(piece) for _, piece in ids)

        def add_up() -> Report:
            return _added_up(test, now, [text for _, text in figures], [piece for _, piece in ids])

        return await self._lane.run(size, add_up)


def _added_up(test: LoadTest, now: datetime, texts: list[str], pieces: list[bytes]) -> Report:
    total, ids = Figures(), SampledIds()
    for text in texts:
        part: Any = msgspec.json.decode(text, type=Figures)
        total.merge(part)
        ids.halve(part.halvings)
    total.halvings = ids.halvings
    ids.merge(unpacked(pieces), ids.halvings)
    return Report(
        test=test,
        figures=total,
        different_ids=ids.different,
        duplicates=ids.duplicates,
        now=now,
    )
