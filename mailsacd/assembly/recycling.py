"""What is kept of the mail, and who removes the rest."""

from mailsacd.assembly.part import Ground
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.recycling.recycler import Recycler
from mailsacd.mail.recycling.report import Report
from mailsacd.store.notices import Notices
from mailsacd.store.retention import keep_limits
from mailsacd.store.transaction import Transaction


class Recycling:
    """A part. Its ``recycler`` is an observer of all mail that is stored."""

    def __init__(self, ground: Ground, activity: Activity, notices: Notices) -> None:
        self._settings = ground.settings
        self._database = ground.database
        storage = ground.settings.storage
        report = Report(activity, storage)
        report.declare(ground.telemetry.figures)
        self.recycler = Recycler(ground.database, storage, report, notices, reactor=ground.reactor)

    async def start(self) -> None:
        """Have everybody go by the limits of the settings, and begin to remove what is beyond."""
        settings = self._settings
        limits = {name: plan.message_limit for name, plan in settings.plans.items()}

        async def work(transaction: Transaction) -> None:
            await keep_limits(
                transaction,
                per_inbox=settings.storage.public_per_inbox,
                days=settings.storage.public_days,
                plans=limits,
                default_plan=settings.accounts.default_plan,
            )

        await self._database.transaction(work)
        self.recycler.start()

    async def finish(self) -> None:
        """End what is removed just now."""
        await self.recycler.stop()
