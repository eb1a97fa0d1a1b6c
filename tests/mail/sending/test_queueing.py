"""Queueing: all of a message is there or nothing is, and credits are taken with it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.errors import NotEnoughCreditsError, NotFoundError, ThrottledError
from mailsacd.core.outgoing import NewOutgoing, OutgoingRecipient
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.store.compression import expand
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.mail.people import people

NEW = NewOutgoing(
    account="ann",
    origin="api",
    reverse_path="ann@example.com",
    header_from="ann@example.com",
    subject="Hello",
    message_id="1@example.com",
    content=b"Subject: Hello\r\n\r\nHi\r\n",
    recipients=(
        OutgoingRecipient(address="Bob@a.example", notify="NEVER", orcpt="rfc822;Bob@a.example"),
        OutgoingRecipient(address="eve@b.example"),
    ),
)
LARGE = replace(NEW, content=b"Subject: Hello\r\n\r\n" + b"word " * 200_000 + b"\r\n")


@pytest_twisted.async_yield_fixture
async def queueing(database: Database, database_dsn: str) -> AsyncIterator[Queueing]:
    async with people(database, database_dsn) as made:
        await made.accounts.add("ann", "ann@example.net")
        await made.accounts.change("ann", {"overrides": {"sends": 5}})
        yield Queueing(made.accounts, LANES.rest, reactor=reactor)


async def sends(database: Database) -> list[tuple[int]]:
    return await database.fetch("select count from usage where kind = 'send'")


@pytest.mark.parametrize("new", [NEW, LARGE], ids=["small", "large"])
@pytest_twisted.ensureDeferred
async def test_a_message_is_queued_with_its_recipients(
    queueing: Queueing, database: Database, new: NewOutgoing
) -> None:
    queued = await queueing.queue(new, charged=True)
    [(found, size, body)] = await database.fetch("select id, size, body from outgoing_message")
    assert (found, size, expand(bytes(body))) == (queued, len(new.content), new.content)
    rows = await database.fetch(
        "select place, account, address, domain, state, ready, notify, orcpt"
        " from outgoing_recipient order by place"
    )
    assert rows == [
        (0, "ann", "Bob@a.example", "a.example", "queued", True, "NEVER", "rfc822;Bob@a.example"),
        (1, "ann", "eve@b.example", "b.example", "queued", True, None, None),
    ]
    assert await sends(database) == [(2,)]


@pytest_twisted.ensureDeferred
async def test_of_many_at_the_same_time_so_many_are_queued_as_there_are_credits(
    queueing: Queueing, database: Database
) -> None:
    async def queue() -> str:
        try:
            return await queueing.queue(NEW, charged=True)
        except NotEnoughCreditsError:
            return ""

    queued = await gatherResults([ensureDeferred(queue()) for _ in range(12)])
    assert len(queued) - queued.count("") == 2
    assert await database.fetch("select count(*) from outgoing_recipient") == [(4,)]
    assert await sends(database) == [(4,)]


@pytest_twisted.ensureDeferred
async def test_nothing_is_charged_for_what_is_free_or_undone(
    queueing: Queueing, database: Database
) -> None:
    async def fail(transaction: Transaction) -> None:
        await queueing.queue_in(transaction, NEW)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await database.transaction(fail)
    assert await database.fetch("select count(*) from outgoing_message") == [(0,)]
    await database.transaction(lambda transaction: queueing.queue_in(transaction, NEW))
    await queueing.queue(NEW, charged=False)
    assert await database.fetch("select count(*) from outgoing_message") == [(2,)]
    assert await sends(database) == []


@pytest_twisted.ensureDeferred
async def test_the_daemon_itself_may_send_and_an_account_that_goes_may_not(
    queueing: Queueing, database: Database
) -> None:
    await database.run("update account set removing = true")
    with pytest.raises(NotEnoughCreditsError):
        await queueing.queue(NEW, charged=True)
    with pytest.raises(NotFoundError):
        await queueing.queue(NEW, charged=False)
    assert await queueing.queue(replace(NEW, account=None), charged=False)


@pytest_twisted.ensureDeferred
async def test_so_many_bytes_of_an_account_wait_and_no_more(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn) as made:
        await made.accounts.add("ann", "ann@example.net")
        most = 2 * len(NEW.content)
        queueing = Queueing(made.accounts, LANES.rest, reactor=reactor, max_open_bytes=most)
        first = await queueing.queue(NEW, charged=True)
        await queueing.queue(NEW, charged=True)
        with pytest.raises(ThrottledError):
            await queueing.queue(NEW, charged=True)
        assert await sends(database) == [(4,)]
        await queueing.queue(NEW, charged=False)
        await database.run("update outgoing_message set ended = now() where id = %s", (first,))
        await database.run("delete from outgoing_message where ended is null and id > %s", (first,))
        assert await queueing.queue(NEW, charged=True)


class Stamp:
    """A signer."""

    async def sign(self, header_from_domain: str, content: bytes) -> bytes:
        return f"X-Signed: {header_from_domain}\r\n".encode() + content


@pytest_twisted.ensureDeferred
async def test_what_is_queued_is_signed_for_the_domain_of_its_from(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn) as made:
        queueing = Queueing(made.accounts, LANES.rest, reactor=reactor, signer=Stamp())
        await queueing.queue(replace(NEW, account=None), charged=False)
    [(body, size)] = await database.fetch("select body, size from outgoing_message")
    assert expand(bytes(body)) == b"X-Signed: example.com\r\n" + NEW.content
    assert size == len(expand(bytes(body)))
