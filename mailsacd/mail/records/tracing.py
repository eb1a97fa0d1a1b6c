"""Follows the mail of single recipients while an operator looks, and costs nothing while none does.

Who looks has a row in the store, with a lease; nodes hear of it by a notice. Whatever may be a step
on a recipient's way asks `followed` first, which is empty nearly always. For the operator alone: no
call of the API tells of it, and no content of mail is in it.
"""

from collections.abc import Iterable
from math import inf
from typing import Any, Final

from twisted.internet.task import deferLater

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.token import EnvelopeIds
from mailsacd.core.trace import TraceStep
from mailsacd.store.notices import TRACES, Notices
from mailsacd.store.pool import Database
from mailsacd.store.trace import add_steps, open_traces
from mailsacd.work.loop import Loop

READ_EVERY_S: Final = 5.0
"""While somebody looks: so soon after its lease is a trace over."""

GAP_S: Final = 0.2
ENVELOPES: Final = 1_000
MAX_GATHERED: Final = 2_000
MAX_DETAIL_CHARACTERS: Final = 1_000


class Tracing:
    """``followed`` are the addresses that are followed, each with the traces that follow it."""

    def __init__(self, database: Database, notices: Notices, *, reactor: Any) -> None:
        self.followed: dict[str, tuple[str, ...]] = {}
        self._database = database
        self._reactor = reactor
        self._ids = EnvelopeIds()
        self._envelopes: Recent[str, tuple[str, ...]] = Recent(ENVELOPES)
        self._gathered: list[tuple[str, TraceStep]] = []
        self._reading = Loop("read whom to trace", self._read, every_s=inf, clock=reactor)
        self._writing = Loop("write down what was traced", self._write, every_s=inf, clock=reactor)
        notices.subscribe(TRACES, lambda _: self._reading.wake(), self._reading.wake)

    def start(self) -> None:
        """Know whom to follow: from now on, and whenever a notice comes."""
        self._reading.start(0)
        self._writing.start()

    async def finish(self) -> None:
        """Write down what was seen, and follow nobody any more."""
        await self._reading.stop()
        await self._writing.finish()

    def step(
        self, names: Iterable[str], what: str, detail: str, session: str = "", envelope: str = ""
    ) -> None:
        """Something happened to mail for one of ``names``: told to whoever follows one of them.

        A name is an address, or the id of an ``envelope`` that an earlier step was about: so what
        was caught, or forwarded, is followed into the inbox where it went.
        """
        traces = {trace for name in names for trace in self._traces(name)}
        if traces and envelope:
            self._envelopes.remember(envelope, tuple(traces))
        for trace_id in traces:
            if len(self._gathered) >= MAX_GATHERED:
                return
            step_id = self._ids.next(int(self._reactor.seconds() * 1000))[0]
            told = detail.replace("\0", "\ufffd")[:MAX_DETAIL_CHARACTERS]
            self._gathered.append((trace_id, TraceStep(step_id, session, what, told)))
        if traces:
            self._writing.wake()

    def _traces(self, name: str) -> tuple[str, ...]:
        followed = self.followed.get(name)
        if followed is not None:
            return followed
        known = self._envelopes.get(name)
        return () if known is UNKNOWN else known

    async def _read(self) -> float:
        followed: dict[str, tuple[str, ...]] = {}
        for trace_id, names in await open_traces(self._database):
            for name in names:
                followed[name] = (*followed.get(name, ()), trace_id)
        self.followed = followed
        if not followed:
            self._envelopes.clear()
        return READ_EVERY_S if followed else inf

    async def _write(self) -> None:
        await deferLater(self._reactor, GAP_S)  # what comes meanwhile is written along
        gathered, self._gathered = self._gathered, []
        if gathered:
            await add_steps(self._database, gathered)
