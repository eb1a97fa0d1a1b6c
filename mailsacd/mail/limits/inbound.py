"""Counts the mail that comes in, messages and bytes, by account and domain.

Counting happens in memory and is written down every few seconds: what a node that is killed has
counted since the last time is lost, and nothing else.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.core.run import outside_of_run
from mailsacd.core.token import utc_from_ms
from mailsacd.store.inbound import PUBLIC, NewInbound, add_inbound, forget_inbound
from mailsacd.store.notices import ACCOUNTS, Notices
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

WRITE_EVERY_S: Final = 3.0
MAX_COUNTED: Final = 20_000
"""So many accounts and domains are counted apart while the database is away; of more, domains are
counted together."""

DAYS_KEPT: Final = 62
MONTHS_KEPT_DAYS: Final = 400

_DAY_MS: Final = 86_400_000

_Key = tuple[str, int, str]  # account, day counted from the epoch, domain


class InboundCounts:
    """An observer of ingest. Public mail is counted for ``""``, without its domain."""

    def __init__(self, database: Database, notices: Notices, *, reactor: Any) -> None:
        """``notices`` tell of accounts that change, or go."""
        self._database = database
        self._reactor = reactor
        self._counted: dict[_Key, list[int]] = {}  # messages, bytes, time of the first in ms
        self._writing = Loop(
            "count mail that came in", self._write, every_s=WRITE_EVERY_S, clock=reactor
        )
        self.start = self._writing.start
        self.finish = self._writing.finish
        self.write = self._writing.run_now
        # What comes from then on may be of another account of that name
        notices.subscribe(ACCOUNTS, lambda _: self._writing.wake(), self._writing.wake)

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:
        """Count the messages of ``batch``: each copy, for whose it is or who starred it."""
        for new in batch:
            day = new.received_ms // _DAY_MS
            if not owned and new.saved_by is None:
                self._count((PUBLIC, day, ""), len(new.messages), new)
                continue
            for message in new.messages:
                whose = owned.get(message.id)
                account = new.saved_by if whose is None else whose.owner
                if account is None:
                    key = (PUBLIC, day, "")
                else:  # of each run for itself there would be rows long after it has ended
                    key = (account, day, outside_of_run(message.domain))
                self._count(key, 1, new)

    def _count(self, key: _Key, messages: int, new: NewEnvelope) -> None:
        counted = self._counted.get(key)
        if counted is None:
            if len(self._counted) >= MAX_COUNTED:
                key = (key[0], key[1], "")
            counted = self._counted.setdefault(key, [0, 0, new.received_ms])
        counted[0] += messages
        counted[1] += messages * new.size

    async def forget_old(self) -> None:
        """Delete the counts of days and months that are long over."""
        today = utc_from_ms(int(self._reactor.seconds() * 1000)).date()
        for monthly, days in ((False, DAYS_KEPT), (True, MONTHS_KEPT_DAYS)):
            while await forget_inbound(
                self._database, today - timedelta(days=days), monthly=monthly
            ):
                pass

    async def _write(self) -> None:
        counted, self._counted = self._counted, {}
        if not counted:
            return
        came = [
            NewInbound(account, _date(day), domain, messages, size, _time(first_ms))
            for (account, day, domain), (messages, size, first_ms) in counted.items()
        ]
        try:
            await add_inbound(self._database, came)
        except BaseException:
            newer, self._counted = self._counted, counted
            for key, later in newer.items():
                if (known := counted.setdefault(key, later)) is not later:
                    known[0] += later[0]
                    known[1] += later[1]
            raise


def _date(day: int) -> date:
    return _time(day * _DAY_MS).date()


def _time(ms: int) -> datetime:
    return utc_from_ms(ms)
