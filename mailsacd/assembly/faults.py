"""Mail that fails on purpose."""

from typing import Final

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.pruning import Pruning
from mailsacd.http.app import Group
from mailsacd.http.calls.faults import FaultCalls
from mailsacd.mail.faults.answered_senders import AnsweredSenders, Examines
from mailsacd.mail.faults.answering import Answering, Queues
from mailsacd.mail.faults.domain_faults import DomainFaults
from mailsacd.mail.faults.due import DueFaults
from mailsacd.mail.faults.notes import ProvokedNotes
from mailsacd.mail.faults.plans import FaultPlans
from mailsacd.mail.faults.provoking import Provoking

DELAYED_PART: Final = 8
"""Of the memory for mail that comes in one part in so many may be held by mail that waits."""


class Faults:
    """A part. ``provoking`` is what SMTP sessions ask."""

    def __init__(
        self, ground: Ground, owners: Ownership, queueing: Queues, examine: Examines | None
    ) -> None:
        """``queueing`` sends what answers mail, and ``examine`` finds out who sent that mail.

        Raises ConfigurationError.
        """
        settings = ground.settings.faults
        self._plans = FaultPlans(ground.database, owners.notices, settings, reactor=ground.reactor)
        directory = owners.directory.asking(ground.intake)
        self._notes = ProvokedNotes(ground.database, reactor=ground.reactor)
        due = DueFaults(ground.database, directory, self._notes)
        self._answering = Answering(
            due,
            AnsweredSenders(directory, settings, examine),
            queueing,
            hostname=ground.hostname,
            reactor=ground.reactor,
        )
        self.provoking = Provoking(
            self._plans,
            due,
            settings,
            accepted=self._answering.accepted,
            max_delayed_bytes=ground.settings.message.buffer_bytes // DELAYED_PART,
        )
        self._domains = DomainFaults(ground.database, self._plans, self._notes)
        self._is_enabled = settings.enabled
        self._pruning = Pruning(
            {"forget counts of faults": self._domains.forget_old}, ground.reactor
        )

    def calls(self) -> tuple[Group, ...]:
        """Return the calls about faults, where there may be any."""
        return (FaultCalls(self._domains),) if self._is_enabled else ()

    async def start(self) -> None:
        """Know what is set up, and forget old counts."""
        await self._plans.start()
        self._notes.start()
        self._pruning.start()

    async def finish(self) -> None:
        """End what goes on by itself."""
        await self._answering.finish()
        await self._notes.finish()
        await self._pruning.stop()
        await self._plans.finish()
