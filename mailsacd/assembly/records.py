"""What is counted, recorded and refused beside the mail."""

import time

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.pruning import Pruning
from mailsacd.core.message import Observer
from mailsacd.http.app import Group
from mailsacd.http.calls.activity import ActivityCalls
from mailsacd.http.calls.audit import AuditCalls
from mailsacd.http.calls.statistics import StatisticsCalls
from mailsacd.http.calls.usage import UsageCalls
from mailsacd.mail.limits.inbound import InboundCounts
from mailsacd.mail.limits.pushes import Pushes
from mailsacd.mail.limits.throttle import Throttle
from mailsacd.mail.limits.usage import Usage
from mailsacd.mail.limits.usage_report import UsageReports
from mailsacd.mail.ownership.mail_clients import MailClients
from mailsacd.mail.ownership.mail_login import MailLogins
from mailsacd.mail.receiving.denylist import Denylist
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.records.audit import AuditLog
from mailsacd.mail.records.mail_counts import MailCounts
from mailsacd.mail.records.public_counts import PublicCounts
from mailsacd.mail.records.statistics import Statistics
from mailsacd.mail.records.tracing import Tracing
from mailsacd.store.pool import Database


class Records:
    """A part. ``observers`` are told of all mail that is stored; ``logins`` are recorded when they
    fail, and ``clients`` log in by them."""

    def __init__(self, ground: Ground, owners: Ownership) -> None:
        """Raises ConfigurationError."""
        settings, database, reactor = ground.settings, ground.database, ground.reactor
        accounts, notices = owners.accounts, owners.notices
        self.activity = Activity(database, notices, kept=accounts, reactor=reactor)
        self.usage = Usage(database, accounts, self.activity, notices, reactor=reactor)
        self.logins = _logins(database, owners, self.activity)
        self.clients = MailClients(self.logins, accounts)
        self.tracing = Tracing(database, notices, reactor=reactor)
        self.pushes = Pushes(self.usage, self.activity, self.tracing)
        self._inbound = InboundCounts(database, notices, reactor=reactor)
        self.reports = UsageReports(accounts, reactor=reactor)
        self.throttle = _throttle(ground, self.activity)
        self.denylist = Denylist(
            database,
            notices,
            self.activity,
            allow_networks=settings.smtp.allow_networks,
            reactor=reactor,
        )
        self._public_counts = PublicCounts(database, reactor=reactor)
        self._statistics = _statistics(ground, self._public_counts)
        self._mail_counts = MailCounts(database, reactor=reactor)
        self.audit_log = AuditLog(database, days=settings.accounts.audit_days, reactor=reactor)
        self._pruning = self._make_pruning(reactor)
        self.observers: tuple[Observer, ...] = (
            self._public_counts,
            self.usage,
            self._inbound,
            self.activity,
        )

    def _make_pruning(self, clock: IReactorTime) -> Pruning:
        return Pruning(
            {
                "prune statistics": self._statistics.prune,
                "prune the record of events": self.activity.forget_old,
                "prune the audit log": self.audit_log.forget_old,
                "prune the counts of operations": self.usage.forget_old,
                "prune the counts of mail that came in": self._inbound.forget_old,
                "prune the counts of mail": self._mail_counts.forget_nothing,
            },
            clock,
        )

    def calls(self) -> tuple[Group, ...]:
        """Return the calls about statistics, the denylist, usage, activity and the audit log."""
        return (
            StatisticsCalls(self._statistics, self.denylist),
            UsageCalls(self.reports),
            ActivityCalls(self.activity),
            AuditCalls(self.audit_log),
        )

    async def start(self) -> None:
        """Begin to write down what is gathered, and to prune it; know the denylist."""
        await self.denylist.start()
        for part in (self.activity, self.usage, self._inbound, self._public_counts):
            part.start()
        self._mail_counts.start()
        self.tracing.start()
        self._pruning.start()

    async def finish(self) -> None:
        """Write down what was gathered since the last time."""
        await self._pruning.stop()
        await self._mail_counts.stop()
        await self.tracing.finish()
        await self.denylist.stop()
        # Usage first, for it warns: of that the record of events is to know
        await self.usage.finish()
        gathered = (self._public_counts, self._inbound, self.activity)
        await gatherResults([Deferred.fromCoroutine(part.finish()) for part in gathered])


def _logins(database: Database, owners: Ownership, activity: Activity) -> MailLogins:
    return MailLogins(
        database,
        owners.authenticator,
        owners.directory,
        owners.passwords,
        owners.guesses,
        activity,
    )


def _throttle(ground: Ground, activity: Activity) -> Throttle:
    throttle = Throttle(
        ground.settings.throttle,
        ground.limits,
        activity,
        reactor=ground.reactor,
        seconds=time.monotonic,
    )
    throttle.declare(ground.telemetry.figures)
    return throttle


def _statistics(ground: Ground, counts: PublicCounts) -> Statistics:
    return Statistics(
        ground.database,
        counts,
        ground.lanes.readers,
        anonymous_read=ground.settings.http.anonymous_read,
        reactor=ground.reactor,
        reads=ground.reads,
    )
