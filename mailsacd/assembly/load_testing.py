"""Load tests of domains."""

from typing import Final

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.http.app import Group
from mailsacd.http.calls.load_tests import LoadTestCalls
from mailsacd.mail.load_testing.load_tests import LoadTests
from mailsacd.mail.load_testing.recorder import Recorder
from mailsacd.work.loop import Loop

PRUNE_EVERY_S: Final = 3_600.0


class LoadTesting:
    """A part. ``recorder`` counts the mail of tests."""

    def __init__(self, ground: Ground, owners: Ownership, records: Records) -> None:
        self.recorder = Recorder(ground.database, reactor=ground.reactor)
        self.tests = LoadTests(
            ground.database,
            owners.directory,
            self.recorder,
            records.activity,
            ground.lanes.readers,
        )
        self._pruning = Loop(
            "prune load tests",
            self.tests.forget_old,
            every_s=PRUNE_EVERY_S,
            clock=ground.reactor,
            cancels=True,
        )

    def calls(self) -> tuple[Group, ...]:
        """Return the calls about load tests."""
        return (LoadTestCalls(self.tests),)

    async def start(self) -> None:
        """Begin to write down what is counted, and to prune it."""
        self.recorder.start()
        self._pruning.start()

    async def finish(self) -> None:
        """Write down what was counted since the last time."""
        await self._pruning.stop()
        await self.recorder.finish()
