"""Those who wait for mail that is like they say."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.http.app import Group
from mailsacd.http.calls.waiting import WaitCalls
from mailsacd.mail.push.hub import Hub
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.mail.waiting.bodies import Bodies
from mailsacd.mail.waiting.hints import Hints, Sources
from mailsacd.mail.waiting.looks import Looks
from mailsacd.mail.waiting.place_waits import Tools
from mailsacd.mail.waiting.seats import Seats
from mailsacd.mail.waiting.waits import Rights, Waits
from mailsacd.work.tasks import Tasks


class Waiting:
    """A part. ``waits`` is for whatever else lets people wait, ``hints`` what tells why in vain;
    ``wait_calls`` answers calls that wait."""

    def __init__(
        self,
        ground: Ground,
        owners: Ownership,
        records: Records,
        hub: Hub,
        policy: RecipientPolicy,
    ) -> None:
        """``policy`` knows where mail goes that comes in."""
        settings, database, reactor = ground.settings, ground.database, ground.reactor
        tools = Tools(
            hub=hub,
            looks=Looks(database, reactor=reactor),
            bodies=Bodies(database, ground.lanes.readers, reactor=reactor),
            tasks=Tasks("look for mail", most=settings.wait.max_open, clock=reactor),
            reactor=reactor,
        )
        rights = Rights(owners.access_control, owners.authenticator)
        self.waits = Waits(rights, Seats(settings.wait, ground.limits), tools)
        self.waits.declare(ground.telemetry.figures)
        sources = Sources(
            policy=policy,
            denylist=records.denylist,
            throttle=records.throttle,
            directory=owners.directory,
            activity=records.activity,
            public_per_inbox=settings.storage.public_per_inbox,
        )
        self.hints = Hints(sources, reactor=reactor)
        self._answering = Tasks("answer who waits", most=settings.wait.max_open, clock=reactor)
        self.wait_calls = WaitCalls(self.waits, self.hints, self._answering)

    def calls(self) -> tuple[Group, ...]:
        """Return the call that waits."""
        return (self.wait_calls,)

    async def start(self) -> None:
        """Do nothing: the part has nothing to do before somebody calls."""

    async def drain(self) -> None:
        """Send all away who wait."""
        await self.waits.stop()
        await self._answering.finish()

    async def finish(self) -> None:
        """Do nothing: `drain` leaves nothing."""
