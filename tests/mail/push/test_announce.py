"""Stored mail is announced to all nodes: at once, and not more often than there is need."""

from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.mail.push.announce import Announcer
from mailsacd.store.notices import MAIL, Notices, give_notice
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.hubs import new_mail
from tests.patience import until

reactor: Any = the_reactor

_LAST = "the last notice"


@pytest_twisted.ensureDeferred
async def test_a_burst_is_announced_at_once_and_once_more(
    database: Database, database_dsn: str
) -> None:
    notices = Notices(database_dsn, LANES.rest, reactor=reactor)
    came: list[str] = []
    notices.subscribe(MAIL, came.append, lambda: None)
    notices.start()
    await until(lambda: notices.listening)
    woken: list[None] = []
    announcer = Announcer(database, lambda: woken.append(None), reactor=reactor)
    for _ in range(50):
        announcer.stored([new_mail("bob@example.com")], {})
    assert len(woken) == 50  # the hub of the same node waits for nothing
    await announcer.finish()
    announcer.stored([new_mail("bob@example.com")], {})
    await give_notice(database, MAIL, _LAST)
    await until(lambda: _LAST in came)
    assert came == ["", "", _LAST]
    await notices.stop()


@pytest_twisted.ensureDeferred
async def test_a_notice_that_cannot_be_given_is_left_to_the_hubs(
    stopped_database: Database,
) -> None:
    announcer = Announcer(stopped_database, lambda: None, reactor=reactor)
    announcer.stored([new_mail("bob@example.com")], {})
    await announcer.finish()
