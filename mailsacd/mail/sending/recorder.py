"""What became of mail is written down, with all that follows from it, in one transaction.

What the sender is told is queued in the transaction that ends the recipient, so that it is neither
lost nor told twice. Commits are grouped as in mail.receiving.ingest: what ends while one is under
way goes into the next. While the database is away outcomes wait; none is forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mailsacd.core.activity import SEND_DELAYED, SEND_FAILED, SENT
from mailsacd.core.errors import StatementError
from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import NewOutgoing
from mailsacd.core.relay import Claim, QueuedMessage
from mailsacd.core.token import utc_from_ms
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.sending.endings import Consequence, consequence
from mailsacd.mail.sending.relay_figures import RelayFigures
from mailsacd.mail.sending.rules import RelayRules
from mailsacd.store.pool import Database
from mailsacd.store.relay import record_endings
from mailsacd.store.sql import Executor
from mailsacd.store.suppression import Suppression, add_suppression
from mailsacd.work.loop import Loop

AGAIN_AFTER_S: Final = 1.0
"""While the database is away it is tried again so often."""

_MAX_BATCH: Final = 200
_KINDS: Final = {"delivered": SENT, "failed": SEND_FAILED, "queued": SEND_DELAYED}

_log = Logger()


class Queue(Protocol):
    """Queues messages (mail.sending.queueing)."""

    async def queue_in(self, transaction: Executor, new: NewOutgoing) -> str:
        """Queue ``new`` as it is. Returns its id."""


class Reporting(Protocol):
    """Writes reports (mail.sending.reporting)."""

    async def report(self, message: QueuedMessage, told: Consequence) -> NewOutgoing:
        """Return what the sender of ``message`` is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be written down of one recipient, with the ``report`` of it, if there is one."""

    consequence: Consequence
    report: NewOutgoing | None


class Recorder:
    """Writes down outcomes. Each call may be made at any time until `finish`."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        reporting: Reporting,
        activity: Activity,
        rules: RelayRules,
        *,
        reactor: Any,
    ) -> None:
        """Nothing is begun before `start`."""
        self._database = database
        self._queue = queue
        self._reporting = reporting
        self._activity = activity
        self._rules = rules
        self._suppressed_for = timedelta(days=rules.suppressed_days)
        self._reactor = reactor
        self._forming: list[tuple[Entry, Deferred[None]]] = []
        self._writing = Loop("record sent mail", self._write, every_s=AGAIN_AFTER_S, clock=reactor)
        self.declare(Telemetry())
        self.start = self._writing.start
        self.finish = self._writing.finish

    def declare(self, telemetry: Telemetry) -> None:
        """Have ``telemetry`` tell of each attempt."""
        self._figures = RelayFigures(telemetry)

    async def entries(
        self, message: QueuedMessage, outcomes: Sequence[tuple[Claim, Outcome]]
    ) -> list[Entry]:
        """Return what is to be written down of attempts that ended now, with reports about them."""
        entries = []
        for claim, outcome in outcomes:
            follows = consequence(claim, message, outcome, self._now(), self._rules)
            told = None if follows.told is None else await self._reporting.report(message, follows)
            entries.append(Entry(consequence=follows, report=told))
        return entries

    async def record(self, entries: Sequence[Entry]) -> None:
        """Return when ``entries`` are committed, however long the database is away."""
        waiting: list[Deferred[None]] = []
        for entry in entries:
            waiting.append(Deferred())
            self._forming.append((entry, waiting[-1]))
        self._writing.wake()
        for done in waiting:
            await done

    async def record_in(self, transaction: Executor, entries: Sequence[Entry]) -> list[Entry]:
        """Write down ``entries`` in somebody's transaction.

        Returns those of which the claim was still held: only they count. When the transaction has
        committed, `tell` is to be called with them.
        """
        now = self._now()
        endings = [entry.consequence.ending for entry in entries]
        ended = await record_endings(transaction, endings, now)
        counted = [one for one in entries if one.consequence.ending.claim.key in ended]
        for entry in counted:
            if entry.report is not None:
                await self._queue.queue_in(transaction, entry.report)
            if entry.consequence.ending.suppress and self._suppressed_for:
                await add_suppression(transaction, self._suppression(entry, now))
        return counted

    def tell(self, entries: Sequence[Entry]) -> None:
        """Put ``entries``, which are committed, into the record of events."""
        for entry in entries:
            ending = entry.consequence.ending
            self._figures.ended(ending)
            who = f"{ending.host}: " if ending.host else ""
            self._activity.record(
                _KINDS[ending.state],
                account=ending.claim.account or None,
                subject=ending.claim.recipient.address,
                code=ending.code,
                detail=f"{ending.claim.message_id} {who}{ending.status} {ending.reply}",
            )

    async def _write(self) -> float | None:
        batch, self._forming = self._forming[:_MAX_BATCH], self._forming[_MAX_BATCH:]
        if not batch:
            return None
        try:
            await self._commit_all([entry for entry, _ in batch])
        except BaseException:
            self._forming = batch + self._forming
            raise
        for _, done in batch:
            if not done.called:  # it is, when whoever waited gave up
                done.callback(None)
        return 0 if self._forming else None

    async def _commit_all(self, entries: Sequence[Entry]) -> None:
        try:
            await self._commit(entries)
        except StatementError:
            # One was refused for its contents: the others are not to suffer for it
            for entry in entries:
                await self._commit_alone(entry)

    async def _commit_alone(self, entry: Entry) -> None:
        """Write it down, if need be without what follows from it: so nothing is sent twice."""
        try:
            await self._commit([entry])
        except StatementError:
            _log.failure("what follows from an outcome could not be stored")
            try:
                await self._bare(entry)
            except StatementError:  # its lease ends
                _log.failure("an outcome could not be stored")

    async def _commit(self, entries: Sequence[Entry]) -> None:
        async def work(transaction: Executor) -> list[Entry]:
            return await self.record_in(transaction, entries)

        self.tell(await self._database.transaction(work))

    async def _bare(self, entry: Entry) -> None:
        async def work(transaction: Executor) -> None:
            await record_endings(transaction, [entry.consequence.ending], self._now())

        await self._database.transaction(work)

    def _suppression(self, entry: Entry, now: datetime) -> Suppression:
        ending = entry.consequence.ending
        return Suppression(
            account=ending.claim.account,
            address=ending.claim.recipient.address,
            reason=f"{ending.code or ''} {ending.status} {ending.reply}".strip(),
            created=now,
            expires=now + self._suppressed_for,
        )

    def _now(self) -> datetime:
        return utc_from_ms(int(self._reactor.seconds() * 1000))
