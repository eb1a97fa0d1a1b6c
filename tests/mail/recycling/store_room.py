"""A store with limits, mail that is stored at any time, and what is there of it."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from twisted.internet.task import Clock

from mailsacd.core.message import NewEnvelope, NewMessage
from mailsacd.core.token import EnvelopeIds, milliseconds, utc_from_ms
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.recycling.recycler import Recycler
from mailsacd.mail.recycling.report import Report
from mailsacd.settings import StorageSettings
from mailsacd.store.counts import add_up
from mailsacd.store.inbox import list_owned, list_starred
from mailsacd.store.messages import count_messages, list_messages_json
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from mailsacd.store.retention import keep_limits
from mailsacd.store.storing import store_envelopes
from tests.lanes import LANES

ALL: Any = {"before_id": None, "from_id": None, "limit": 10_000, "skip": 0}


@dataclass
class StoreRoom:
    """Each message gets a later id than the one before; those at a time of their own aside."""

    database: Database
    dsn: str
    now: datetime
    activity: Activity
    ids: EnvelopeIds = field(default_factory=EnvelopeIds)

    async def limit(
        self, *, per_inbox: int = 6, days: int = 4, messages: int = 100, **plans: int
    ) -> None:
        """Have these limits in force; ``messages`` is that of the plan `free`."""
        await self.database.transaction(
            lambda transaction: keep_limits(
                transaction,
                per_inbox=per_inbox,
                days=days,
                plans={"free": messages, **plans},
                default_plan="free",
            )
        )

    async def store(
        self,
        *inboxes: str,
        count: int = 1,
        ago: timedelta = timedelta(),
        saved_by: str | None = None,
        size: int = 1_000,
    ) -> list[str]:
        """Store ``count`` envelopes with a copy for each inbox; the ids of all copies."""
        ids = self.ids if not ago else EnvelopeIds()
        envelopes = []
        for _ in range(count):
            id_, received_ms = ids.next(milliseconds(self.now - ago))
            envelopes.append(_envelope(id_, received_ms, inboxes, saved_by, size))
        for start in range(0, count, 50):
            await store_envelopes(self.database, envelopes[start : start + 50])
        return [message.id for new in envelopes for message in new.messages]

    async def listed(self, inbox: str, viewer: str | None = None) -> list[str]:
        """The ids of what ``viewer`` sees of an inbox, oldest first; the count has to agree."""
        text = await list_messages_json(self.database, inbox, viewer, **ALL)
        ids = [message["_id"] for message in json.loads(text)][::-1]
        assert len(ids) == await count_messages(self.database, inbox, viewer)
        return ids

    async def owned(self, account: str) -> list[str]:
        """The ids of what an account owns, oldest first."""
        return _ids(await list_owned(self.database, account, **ALL))

    async def starred(self, account: str) -> list[str]:
        """The ids of what an account has starred, oldest first."""
        return _ids(await list_starred(self.database, account, **ALL))

    async def held(self, account: str) -> list[str]:
        """The ids of all that counts for an account and is there for it, oldest first."""
        return sorted({*await self.owned(account), *await self.starred(account)})

    async def stored(self) -> list[str]:
        """The ids of all rows, oldest first; each has its raw, and there are no others."""
        rows = await self.database.fetch('select id, raw_id from message order by id collate "C"')
        raws = await self.database.fetch("select id, refs from raw_message")
        copies: dict[str, int] = {}
        for _, raw_id in rows:
            copies[raw_id] = copies.get(raw_id, 0) + 1
        assert dict(raws) == copies
        return [id_ for id_, _ in rows]

    def recycler(self, another: Database | None = None, **settings: Any) -> Recycler:
        """One that does nothing before it is told to; by ``another`` node's connections."""
        database = another or self.database
        clock, chosen = Clock(), StorageSettings(**settings)
        self.activity = Activity(database, reactor=clock)
        notices = Notices(self.dsn, LANES.rest, reactor=clock)
        return Recycler(database, chosen, Report(self.activity, chosen), notices, reactor=clock)

    async def told(self) -> list[tuple[str, str | None, str]]:
        """Kind, account and detail of what the last recycler, which was stopped, has recorded."""
        await self.activity.finish()
        return await self.database.fetch("select kind, account, detail from activity order by id")

    async def add_up(self) -> None:
        """Have the counts of accounts where the recycler goes through them."""
        await add_up(self.database)

    async def recycle(self, **settings: Any) -> None:
        """Remove all that is to be removed."""
        await self.recycler(**settings).run_now()


async def store_room(database: Database, dsn: str) -> StoreRoom:
    """With the limits of the manual, and plans of 100 messages; nothing is to be recycled."""
    ((ms,),) = await database.fetch("select (extract(epoch from now()) * 1000)::bigint")
    room = StoreRoom(database, dsn, utc_from_ms(ms), Activity(database, reactor=Clock()))
    await room.limit()
    await room.recycle()
    return room


def _envelope(
    id_: str, received_ms: int, inboxes: tuple[str, ...], saved_by: str | None, size: int
) -> NewEnvelope:
    return NewEnvelope(
        id=id_,
        received_ms=received_ms,
        raw=b"raw",
        size=size,
        saved_by=saved_by,
        messages=tuple(
            NewMessage(
                inbox=inbox,
                id=f"{id_}-{place}",
                domain=inbox.rpartition("@")[2],
                facts=json.dumps({"_id": f"{id_}-{place}", "subject": "x", "size": size})[:-1],
            )
            for place, inbox in enumerate(inboxes)
        ),
    )


def _ids(text: str) -> list[str]:
    return [message["_id"] for message in json.loads(text)][::-1]
