"""An account that uses up its operations is written to."""

from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

from mailsacd.store.pool import Database
from tests.http.society import OWNER, society
from tests.patience import PATIENCE_S

reactor: Any = the_reactor


@pytest_twisted.ensureDeferred
async def test_at_each_mark_once(database: Database, database_dsn: str) -> None:
    settings = ("plans.default.ops_per_month=5", "relay.smarthost=127.0.0.1:1")
    async with society(database, database_dsn, *settings) as house:
        await database.run("update account set email = name || '@example.net', plan = 'default'")
        for _ in range(5):
            await house.ask("owner", "GET", "/api/me")
        deadline_s = reactor.seconds() + PATIENCE_S
        subjects: list[str] = []
        while len(subjects) < 2:
            assert reactor.seconds() < deadline_s, subjects
            await deferLater(reactor, 0.05)
            rows = await database.fetch("select subject from outgoing_message order by subject")
            subjects = [subject.partition(" operations")[0] for (subject,) in rows]
        assert subjects == [f"{OWNER} has used {n} % of its" for n in (100, 80)]
