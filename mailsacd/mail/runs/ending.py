"""Deletes the mail of runs that have ended, and forgets them after a while."""

from typing import Any, Final

from mailsacd.core.activity import RUN
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.ownership.directory import Directory, announce
from mailsacd.mail.records.activity import Activity
from mailsacd.store.notices import ACCOUNTS, give_notice
from mailsacd.store.pool import Database
from mailsacd.store.runs import EndedRun, claim_ended_runs, delete_mail, forget_run
from mailsacd.store.transaction import Transaction
from mailsacd.work.loop import Loop

LOOK_EVERY_S: Final = 5.0
AT_A_TIME: Final = 20


class EndingRuns:
    """Any number of nodes may do this: each run is one node's, and what a crash undoes is done
    again. All mail of a run is gone with one row (store.erasures); what comes after that, of
    senders who had begun before, is when the run is forgotten.
    """

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        directory: Directory,
        activity: Activity,
        *,
        reactor: Any,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._directory = directory
        self._activity = activity
        self._loop = Loop("end runs", self.step, every_s=LOOK_EVERY_S, clock=reactor, cancels=True)

    def start(self) -> None:
        """Begin, with those that ended while no daemon ran."""
        self._loop.start(0)

    async def stop(self) -> None:
        """End: what is left is done later, or by another node."""
        await self._loop.stop()

    async def step(self) -> float | None:
        """Look after some runs, and return after how many seconds to look again, if it is soon."""
        ended = await self._database.transaction(_delete_some)
        for run in ended:
            self._directory.forget(run.domain)
            self._accounts.forget(run.owner)
            if run.is_new:
                self._activity.record(
                    RUN, account=run.owner, subject=run.domain, detail="its time is over"
                )
        return 0 if len(ended) == AT_A_TIME else None


async def _delete_some(transaction: Transaction) -> list[EndedRun]:
    ended = await claim_ended_runs(transaction, limit=AT_A_TIME)
    for run in ended:
        await delete_mail(transaction, run)
        if run.is_over:
            await forget_run(transaction, run.id)
        await announce(transaction, run.domain)
    for owner in {run.owner for run in ended if run.is_new}:
        await give_notice(transaction, ACCOUNTS, owner)
    return list(ended)
