"""What befalls one listener befalls no other."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from mailsacd.core.actor import ANYONE
from mailsacd.core.errors import ForbiddenError, MailsacdError, UnavailableError
from mailsacd.core.event import Pushed
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.sequence import Sequences
from mailsacd.listening_settings import WebsocketSettings
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.limits.paced import Paced
from mailsacd.mail.limits.throttle import Throttle
from mailsacd.mail.limits.usage import Usage
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.push.hub import Hub
from mailsacd.mail.push.listener import Asker, Listening
from mailsacd.mail.push.listeners import Listeners
from mailsacd.mail.push.payload import Payloads
from mailsacd.mail.push.permission import ListenPermission
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.records.activity import Activity
from mailsacd.store.events import event_epoch
from mailsacd.store.notices import DIRECTORY, Notices, give_notice
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.throttle_settings import ThrottleSettings
from tests.lanes import LANES
from tests.mail.property import PLANS, add_accounts
from tests.patience import until

reactor: Any = the_reactor

BOX = "box@a.example"
PEER = "192.0.2.1"


@dataclass
class Told:
    """A listener that remembers what it was told, and fails at what it ``fails_at``."""

    fails_at: str = ""
    told: list[str] = field(default_factory=list)
    full: bool = False

    def push(self, pushed: Pushed) -> None:  # noqa: ARG002  a Listener's
        self._tell("push")

    def lost(self, reason: str) -> None:  # noqa: ARG002  a Listener's
        self._tell("lost")

    def beat(self) -> None:
        self._tell("beat")

    def revoked(self, error: MailsacdError) -> None:  # noqa: ARG002  a Listener's
        self._tell("revoked")

    def stopping(self) -> None:
        self._tell("stopping")

    def _tell(self, what: str) -> None:
        self.told.append(what)
        if what == self.fails_at:
            raise RuntimeError("a defect")


@dataclass
class Node:
    """All who listen on a node."""

    database: Database
    listeners: Listeners

    def come(self, listener: Told, box: str = BOX) -> Deferred[Listening]:
        asker = Asker(peer=PEER)
        rules = self.listeners.rules
        coming = self.listeners.listen(
            asker, ANYONE, lambda actor: rules.of_inbox(actor, box), "", listener
        )
        return Deferred.fromCoroutine(coming)


@pytest_twisted.async_yield_fixture
async def node(database: Database, database_dsn: str) -> AsyncIterator[Node]:
    await add_accounts(database, "ann")
    notices = Notices(database_dsn, LANES.rest, reactor=reactor)
    accounts = Accounts(database, PLANS, lambda _: None)
    activity = Activity(database, reactor=reactor)
    usage = Usage(database, accounts, activity, notices, reactor=reactor)
    throttle = Throttle(
        ThrottleSettings(), LimitMemory(), activity, reactor=reactor, seconds=time.monotonic
    )
    authenticator = Authenticator(database, notices, Guesses(reactor), reactor=reactor)
    directory = Directory(database, notices)
    access = AccessControl(directory, anonymous_read=True)
    forms = Payloads(database, LANES.rest, reactor=reactor)
    sequences = Sequences(await event_epoch(database))
    hub = Hub(database, notices, forms, sequences, reactor=reactor)
    listeners = Listeners(
        WebsocketSettings(heartbeat_s=0.3),
        hub,
        ListenPermission(database, directory, accounts, access),
        Paced(authenticator, usage, throttle),
        notices,
        reactor,
    )
    notices.start()
    await until(lambda: notices.listening)
    hub.start()
    listeners.start()
    yield Node(database, listeners)
    await listeners.stop()
    await hub.stop()
    await notices.stop()


def expect_defects(count: int, logged_errors: list[LogEvent]) -> None:
    assert len(logged_errors) == count
    logged_errors.clear()


@pytest_twisted.ensureDeferred
async def test_at_the_stop_all_are_told_and_who_is_just_coming_is_refused(
    node: Node, logged_errors: list[LogEvent]
) -> None:
    failing, other, coming = Told(fails_at="stopping"), Told(), Told()
    await node.come(failing)
    await node.come(other)

    async def stop_before_it_is_looked_up(holding: Transaction) -> Deferred[Listening]:
        await holding.run("lock table address, domain in access exclusive mode")
        refused = node.come(coming, "new@public.example")
        await node.listeners.stop()
        assert failing.told[-1] == other.told[-1] == "stopping"
        return refused

    refused = await node.database.transaction(stop_before_it_is_looked_up)
    with pytest.raises(UnavailableError):
        await refused
    assert coming.told == []
    with pytest.raises(UnavailableError):
        await node.come(Told())
    expect_defects(1, logged_errors)


@pytest_twisted.ensureDeferred
async def test_rights_that_are_gone_are_taken_from_all(
    node: Node, logged_errors: list[LogEvent]
) -> None:
    failing, other = Told(fails_at="revoked"), Told()
    for listener in (failing, other):
        await node.come(listener)
    await node.database.run(
        f"insert into address (email, domain, owner) values ('{BOX}', 'a.example', 'ann')"
    )
    await give_notice(node.database, DIRECTORY, BOX)
    await until(lambda: "revoked" in other.told)
    assert "revoked" in failing.told
    expect_defects(1, logged_errors)


@pytest_twisted.ensureDeferred
async def test_signs_of_life_are_shown_by_all(node: Node, logged_errors: list[LogEvent]) -> None:
    failing, other = Told(fails_at="beat"), Told()
    for listener in (failing, other):
        await node.come(listener)
    await until(lambda: other.told.count("beat") > 2)
    assert failing.told == ["beat"]
    expect_defects(1, logged_errors)


@pytest_twisted.ensureDeferred
async def test_who_is_refused_while_it_comes_in_is_not_let_in(node: Node) -> None:
    listening = Listening(Told(), PEER, lambda _: None)
    listening.refusal = ForbiddenError("not any more")
    stream = (await node.come(Told()))._stream
    assert stream is not None
    with pytest.raises(ForbiddenError):
        listening.follow(stream)
    listening.close()
    assert not stream.is_open
