"""Who watches is woken for what is stored on any node, without the hold, and told of a defect."""

from collections.abc import Iterable
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.event import Topic
from mailsacd.store.pool import Database
from tests.mail.hubs import new_mail, node_hub, store
from tests.patience import until

reactor: Any = the_reactor

BOX = "box@watched.example"


class Woken:
    """A Watch that counts how often it was woken."""

    def __init__(self, *inboxes: str) -> None:
        self.times = 0
        self.is_lost = False
        self._inboxes = inboxes

    def topics(self) -> Iterable[Topic]:
        """The inboxes."""
        return (("inbox", inbox) for inbox in self._inboxes)

    def wake(self) -> None:
        """Called by the hub."""
        self.times += 1

    def lost(self) -> None:
        """Called by the hub."""
        self.is_lost = True


@pytest_twisted.ensureDeferred
async def test_it_is_woken_for_its_inbox_alone_before_pushes_are(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn, hold_s=5.0) as node:
        woken, other = Woken(BOX), Woken("other@watched.example")
        await node.hub.watch(woken)
        await node.hub.watch(other)
        await store(database, new_mail(BOX))
        await until(lambda: woken.times > 0)
        assert (other.times, woken.is_lost) == (0, False)
        node.hub.unwatch(woken)
        node.hub.unwatch(other)
        node.hub.unwatch(other)
        assert not node.hub.is_listening


@pytest_twisted.ensureDeferred
async def test_what_may_have_been_missed_wakes_and_a_defect_ends(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn) as node:
        woken = Woken(BOX)
        await node.hub.watch(woken)
        node.hub.missed()
        assert (woken.times, woken.is_lost) == (1, False)
        node.hub.failed()
        assert woken.is_lost
        assert not node.hub.is_listening


@pytest_twisted.ensureDeferred
async def test_hundreds_who_come_at_once_begin_together(
    database: Database, database_dsn: str
) -> None:
    """None of them within the other, as deep as the stack is."""
    async with node_hub(database, database_dsn) as node:
        watches = [Woken(BOX) for _ in range(500)]
        await gatherResults([ensureDeferred(node.hub.watch(each)) for each in watches])
        await store(database, new_mail(BOX))
        await until(lambda: all(each.times for each in watches))
        for each in watches:
            node.hub.unwatch(each)
