"""Captured mail: stored whatever its domain, starred if that is wanted, counted and recorded."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_twisted
from msgspec.structs import replace
from twisted.internet import reactor as the_reactor

from mailsacd.assembly.receiving import captures_all
from mailsacd.core.account import AccountIdentity
from mailsacd.core.activity import CAPTURED, RECEIVED
from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import ThrottledError, UnauthenticatedError
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.limits.usage import Usage
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.mail_clients import MailClients
from mailsacd.mail.ownership.mail_login import MailLogins
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.mailbox import Mailbox, Page
from mailsacd.mail.receiving.capture import Capture
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.forwarding import Forwarding
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.records.activity import Activity
from mailsacd.store.pool import Database
from mailsacd.store.usage import CAPTURE
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.people import People, people

reactor: Any = the_reactor

CONTENT = b"Subject: to a customer\r\n\r\nhello\r\n"
ANN, BOB = Actor(account="ann"), Actor(account="bob")


@dataclass(frozen=True)
class _Port:
    people: People
    directory: Directory
    ingest: Ingest
    usage: Usage
    activity: Activity
    capture: Capture
    mailbox: Mailbox

    async def take(self, *inboxes: str) -> None:
        ann = (await self.people.accounts.get("ann")).identity
        await self.capture.deliver(envelope(self.ingest, CONTENT, *inboxes), ann)

    async def seen(self, actor: Actor, inbox: str) -> list[str]:
        found = json.loads(await self.mailbox.list_json(actor, inbox, Page()))
        return [message["savedBy"] or "" for message in found]


@pytest_twisted.async_yield_fixture
async def port(database: Database, database_dsn: str) -> AsyncIterator[_Port]:
    """Accounts ann and bob."""
    async with people(database, database_dsn) as node:
        for name in ("ann", "bob"):
            await node.accounts.add(name, f"{name}@example.net")
        directory = Directory(database, node.notices)
        activity = Activity(database, reactor=reactor)
        usage = Usage(database, node.accounts, activity, node.notices, reactor=reactor)
        ingest = Ingest(
            database,
            composer=Composer("mx.example", LANES.mail_in),
            budget=ByteBudget(1 << 20),
            reactor=reactor,
            observers=(usage, activity),
            ownership=directory,
        )
        logins = MailLogins(
            database, node.authenticator, directory, node.passwords, Guesses(reactor)
        )
        capture = Capture(MailClients(logins, node.accounts), ingest, usage, activity)
        access_control = AccessControl(directory, anonymous_read=True)
        mailbox = Mailbox(database, access_control, LANES.readers)
        yield _Port(node, directory, ingest, usage, activity, capture, mailbox)
        await ingest.finish()


@pytest_twisted.ensureDeferred
async def test_a_key_or_an_address_logs_in_to_the_account(port: _Port) -> None:
    key = await port.people.key("ann")
    assert (await port.capture.log_in("ann", key, "192.0.2.1")).name == "ann"
    with pytest.raises(UnauthenticatedError):
        await port.capture.log_in("bob", key, "192.0.2.1")


@pytest_twisted.ensureDeferred
async def test_every_domain_is_taken(port: _Port) -> None:
    accept = captures_all(
        port.people.database, port.directory, Forwarding(port.directory, port.activity)
    )
    answer: Any = accept.recipient("Real+x@Customer.example")
    found = await answer
    assert (found.inbox, found.original_inbox) == (
        "real@customer.example",
        "real+x@customer.example",
    )


@pytest_twisted.ensureDeferred
async def test_captured_mail_is_public_unless_the_account_wants_it_starred(port: _Port) -> None:
    await port.take("a@customer.example")
    for actor in (ANN, BOB, ANYONE):
        assert await port.seen(actor, "a@customer.example") == [""]
    await port.people.accounts.change("ann", {"capture_private": True})
    await port.take("a@customer.example", "b@customer.example")
    assert await port.seen(ANN, "a@customer.example") == ["ann", ""]
    assert await port.seen(ANN, "b@customer.example") == ["ann"]
    for actor in (BOB, ANYONE):
        assert await port.seen(actor, "a@customer.example") == [""]
        assert await port.seen(actor, "b@customer.example") == []


@pytest_twisted.ensureDeferred
async def test_a_message_is_one_operation_and_an_event_a_recipient(port: _Port) -> None:
    await port.take("a@customer.example", "b@customer.example")
    await port.usage.write()
    rows = await port.people.database.fetch("select account, kind, count from usage")
    assert rows == [("ann", CAPTURE, 1)]
    events = await port.activity.list(ANN, since_ms=None, until_ms=None, limit=9, skip=0)
    assert [(e.kind, e.code, e.subject, e.detail[-2:]) for e in events] == [
        (CAPTURED, 250, "b@customer.example", "-1"),
        (CAPTURED, 250, "a@customer.example", "-0"),
    ]


@pytest_twisted.ensureDeferred
async def test_mail_to_what_another_account_owns_is_received_there(port: _Port) -> None:
    await port.people.database.run(
        "insert into address (email, domain, owner) values ('x@bob.example', 'bob.example', 'bob')"
    )
    await port.take("x@bob.example")
    events = await port.activity.list(BOB, since_ms=None, until_ms=None, limit=9, skip=0)
    assert [e.kind for e in events] == [RECEIVED]


@pytest_twisted.ensureDeferred
async def test_one_message_more_than_the_month_allows_is_not_stored(port: _Port) -> None:
    await port.people.accounts.change("ann", {"overrides": {"ops_per_month": 2}})
    for _ in range(2):
        await port.take("a@customer.example")
    with pytest.raises(ThrottledError, match="2 operations of this month are used up"):
        await port.take("a@customer.example")
    assert len(await port.seen(ANN, "a@customer.example")) == 2


@pytest_twisted.ensureDeferred
async def test_who_is_suspended_or_removed_meanwhile_is_refused(port: _Port) -> None:
    accounts = port.people.accounts
    ann = (await accounts.get("ann")).identity
    await accounts.change("ann", {"suspended": True})
    await _refused(port, ann)
    await accounts.remove("ann")
    await _refused(port, ann)
    await accounts.add("ann", "another@example.net")
    await _refused(port, ann)
    await port.take("b@customer.example")
    assert len(await port.seen(ANYONE, "b@customer.example")) == 1


async def _refused(port: _Port, who: AccountIdentity) -> None:
    with pytest.raises(UnauthenticatedError):
        await port.capture.deliver(envelope(port.ingest, CONTENT, "a@customer.example"), who)
    assert await port.seen(ANYONE, "a@customer.example") == []


@pytest_twisted.ensureDeferred
async def test_what_is_starred_for_an_account_that_goes_just_then_is_seen_by_nobody(
    port: _Port,
) -> None:
    new = replace(envelope(port.ingest, CONTENT, "a@customer.example"), saved_by="gone")
    await port.ingest.deliver(new)
    await port.people.accounts.add("gone", "another@example.net")
    for actor in (ANYONE, ANN, Actor(account="gone")):
        assert await port.seen(actor, "a@customer.example") == []
