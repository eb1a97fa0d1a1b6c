"""What follows from a push: it counts from the second of a message on, and is recorded."""

from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.activity import PUSHED
from mailsacd.core.actor import Actor
from mailsacd.mail.limits.pushes import Pushes
from mailsacd.mail.limits.usage import Usage
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.records.tracing import Tracing
from mailsacd.store.pool import Database
from tests.mail.people import people

reactor: Any = the_reactor


@pytest_twisted.ensureDeferred
async def test_pushes_count_from_the_second_of_each_message_and_are_recorded(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn) as node:
        for name in ("ann", "eve"):
            await node.accounts.add(name, f"{name}@example.net")
        activity = Activity(database, reactor=reactor)
        usage = Usage(database, node.accounts, activity, node.notices, reactor=reactor)
        tracing = Tracing(database, node.notices, reactor=reactor)
        Pushes(usage, activity, tracing).pushed(
            "bob@x.example", "id-0", [None, "ann", "ann", "ann", "eve", None]
        )
        assert (usage.unwritten("ann"), usage.unwritten("eve")) == (2, 0)
        for name in ("ann", "eve"):
            [event] = await activity.list(
                Actor(account=name), since_ms=None, until_ms=None, limit=9, skip=0
            )
            assert (event.kind, event.subject, event.detail, event.times) == (
                PUSHED, "bob@x.example", "id-0", 1,
            )  # fmt: skip
        await usage.write()
