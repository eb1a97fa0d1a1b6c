"""Mail that was stored unexamined is examined for good, by any number of nodes together.

A row tells of each; it is claimed, worked out and deleted in one transaction. So nothing is done
twice, and a crash loses nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from twisted.logger import Logger

from mailsacd.core.errors import StatementError
from mailsacd.core.token import time_of
from mailsacd.mail.contents import NOTHING, Contents
from mailsacd.mail.examination import examine
from mailsacd.store.examination import (
    WorkedOut,
    claim_unexamined,
    find_raws,
    record_examined,
)
from mailsacd.store.pool import Database, Transaction

GROUP: Final = 64
"""How many are examined in one transaction: 20 KB each, that is 12 ms of work, in turns."""

GROUP_BYTES: Final = 1_310_720
"""How large they are together, before compression."""

_log = Logger()


class Counting(Protocol):
    """Counts what public inboxes received (mail.records.public_counts)."""

    def examined(self, received: datetime, attachments: tuple[str, ...], copies: int) -> None:
        """A message with these attachments has so many public copies."""


class Backlog:
    """Examines what is unexamined. Raises UnavailableError when the database is away."""

    def __init__(self, database: Database, counting: Counting, *, reactor: Any) -> None:
        self._database = database
        self._counting = counting
        self._reactor = reactor

    async def examine_some(self) -> bool:
        """Examine some of the oldest; whether there may be more that no other node is at."""
        try:
            return await self._examine(GROUP)
        except StatementError:
            _log.failure("a group of messages could not be examined: the oldest goes alone")
        try:
            return await self._examine(1)
        except StatementError:
            _log.failure("a message could not be examined: it has no contents now")
        return await self._examine(1, readable=False)

    async def _examine(self, limit: int, *, readable: bool = True) -> bool:
        async def work(transaction: Transaction) -> tuple[list[WorkedOut], Mapping[str, int], bool]:
            claimed = await claim_unexamined(transaction, limit)
            ids = _within(claimed, GROUP_BYTES)
            raws = await find_raws(transaction, ids) if readable else []
            found = await examine(raws, reactor=self._reactor)
            done = [_worked_out(id_, found.get(id_, NOTHING)) for id_ in ids]
            public = Counter(await record_examined(transaction, done))
            return done, public, len(claimed) == limit or len(ids) < len(claimed)

        done, public, more = await self._database.transaction(work)
        for each in done:
            if each.attachments and (copies := public[each.raw_id]):
                self._counting.examined(time_of(each.raw_id), each.attachments, copies)
        return more


def _within(claimed: Sequence[tuple[str, int]], max_bytes: int) -> list[str]:
    """The first of them, ``max_bytes`` together and one more at most."""
    ids = []
    for raw_id, size in claimed:
        ids.append(raw_id)
        max_bytes -= size
        if max_bytes <= 0:
            break
    return ids


def _worked_out(raw_id: str, contents: Contents) -> WorkedOut:
    return WorkedOut(raw_id, contents.json, contents.attachments)
