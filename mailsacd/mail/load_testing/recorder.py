"""Counts the mail of load tests, and writes down every second what was counted.

Each process has figures of its own, which are added up when somebody asks. What was counted since
they were written last, a second ago at most, is lost when the process is killed.
"""

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.load_test import Figures
from mailsacd.core.sampled_ids import SampledIds, packed, unpacked
from mailsacd.store.load_tests import Counted, write_counted
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

WRITE_EVERY_S: Final = 1.0
FORGET_AFTER_S: Final = 60.0
"""What is written down is kept in memory for so long after the last message."""
MAX_TESTS: Final = 32
"""Of so many are there figures in memory; more never run at a time (MAX_RUNNING)."""

_SPARE_IDS: Final = 20_000


class _Counting:
    """What is counted of one test, from a time on: figures of their own, under a name of their own.

    After a pause it is another one, with another name.
    """

    def __init__(self) -> None:
        self.figures = Figures()
        self.ids = SampledIds()
        self.changed = False
        self.last_s = 0.0
        self._name = secrets.token_hex(8)
        self._piece = 0
        self._written_ids = 0

    def take(self, test: str) -> Counted:
        """What is to be written: of the ids what is new, or all when too much has been written."""
        anew = self._written_ids > 2 * len(self.ids.counts) + _SPARE_IDS
        self.figures.halvings = self.ids.halvings
        self.changed = False
        fresh, self.ids.fresh = self.ids.fresh, {}
        return Counted(
            test=test,
            process=self._name,
            figures=msgspec.json.encode(self.figures).decode(),
            piece=self._piece,
            ids=packed(self.ids.counts if anew else fresh),
            anew=anew,
        )

    def written(self, taken: Counted) -> None:
        """It is written: what is new from now on is the next piece."""
        ids = len(unpacked((taken.ids,)))
        self._written_ids = ids if taken.anew else self._written_ids + ids
        self._piece += 1

    def not_written(self, taken: Counted) -> None:
        """Maybe it is not written: it is a part of what is taken next, in the same piece."""
        self.changed = True
        for number, n in ({} if taken.anew else unpacked((taken.ids,))).items():
            if number in self.ids.counts:
                self.ids.fresh[number] = self.ids.fresh.get(number, 0) + n


class Recorder:
    """Counts, in memory that MAX_TESTS bounds; ``write`` writes it down now."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._reactor = reactor
        self._counting: dict[str, _Counting] = {}
        self._writing = Loop("write load tests", self._write, every_s=WRITE_EVERY_S, clock=reactor)
        self.start = self._writing.start
        self.finish = self._writing.finish
        self.write = self._writing.run_now

    def count(self, envelope: Envelope, recipients: Sequence[Recipient]) -> None:
        """Count a message for the tests of these of its recipients."""
        runs = {r.load_test.id: r.load_test for r in recipients if r.load_test is not None}
        for run in runs.values():
            counting = self._counting.get(run.id)
            if counting is None:
                if len(self._counting) >= MAX_TESTS:
                    return
                counting = self._counting[run.id] = _Counting()
            of_run = sum(r.load_test is not None and r.load_test.id == run.id for r in recipients)
            figures = counting.figures
            name = figures.add(envelope.content, run.header, envelope.received_ms, of_run)
            if name is not None:
                counting.ids.add(name)
            counting.changed = True
            counting.last_s = self._reactor.seconds()

    async def _write(self) -> None:
        taken = [(c, c.take(test)) for test, c in self._counting.items() if c.changed]
        if taken:
            try:
                await write_counted(self._database, [each for _, each in taken])
            except BaseException:
                for counting, each in taken:
                    counting.not_written(each)
                raise
            for counting, each in taken:
                counting.written(each)
        now_s = self._reactor.seconds()
        for test, counting in list(self._counting.items()):
            if not counting.changed and now_s - counting.last_s > FORGET_AFTER_S:
                del self._counting[test]
