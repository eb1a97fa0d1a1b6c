"""Mail that was stored unexamined is examined for good, by any number of nodes together.

A row tells of each; it is claimed, worked out and deleted in one transaction. So a crash loses
nothing, and nothing is done twice.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from twisted.logger import Logger

from mailsacd.core.errors import StatementError
from mailsacd.core.token import time_of
from mailsacd.mail.contents import NOTHING, Contents
from mailsacd.mail.examination import examine
from mailsacd.store.examination import WorkedOut, claim_unexamined, record_examined
from mailsacd.store.pool import Database, Transaction

GROUP: Final = 32
"""How many are examined in one transaction: 20 KB each, that is 6 ms of work for the daemon."""

_log = Logger()


class Counting(Protocol):
    """Counts what public inboxes received (mail.tally)."""

    def examined(self, received: datetime, attachments: tuple[str, ...], copies: int) -> None:
        """A message with these attachments has so many public copies."""


class Backlog:
    """Examines what is unexamined. Raises UnavailableError when the database is away."""

    def __init__(self, database: Database, counting: Counting, *, reactor: Any) -> None:
        self._database = database
        self._counting = counting
        self._reactor = reactor

    async def examine_some(self) -> int:
        """Examine up to GROUP of the oldest; how many there were that no other node was at."""
        try:
            return await self._examine(GROUP)
        except StatementError:
            _log.failure("a group of messages could not be examined: the oldest goes alone")
        try:
            return await self._examine(1)
        except StatementError:
            _log.failure("a message could not be examined: it has no contents now")
        return await self._examine(1, readable=False)

    async def _examine(self, limit: int, *, readable: bool = True) -> int:
        async def work(
            transaction: Transaction,
        ) -> tuple[Mapping[str, Contents], Mapping[str, int]]:
            raws = await claim_unexamined(transaction, limit)
            found = (
                await examine(raws, reactor=self._reactor)
                if readable
                else {raw.id: NOTHING for raw in raws}
            )
            public = await record_examined(
                transaction,
                [WorkedOut(id_, each.json, each.attachments) for id_, each in found.items()],
            )
            return found, Counter(public)

        found, public = await self._database.transaction(work)
        for id_, copies in public.items():
            if attachments := found[id_].attachments:
                self._counting.examined(time_of(id_), attachments, copies)
        return len(found)
