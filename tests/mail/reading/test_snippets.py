"""The first words of messages: whose they are, and of whatever mail they are made."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import UnauthenticatedError
from mailsacd.mail.reading.marks import Marks
from mailsacd.mail.reading.snippets import MAX_SNIPPETS, Snippets
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.envelopes import envelope
from tests.mail.owners import add_owner

reactor: Any = the_reactor

ANN, BOB = Actor(account="ann"), Actor(account="bob")
PUBLIC, PRIVATE = "anybody@public.example", "ann@own.example"
BOTH_FORMS = True
LARGE = b"".join(b"line %d of a very long message\r\n" % n for n in range(80_000))  # 2.5 MB


@dataclass
class Reading:
    """Snippets, and mail to make them of."""

    ingest: Ingest
    marks: Marks
    snippets: Snippets

    async def store(self, content: bytes, inbox: str) -> str:
        new = envelope(self.ingest, content, inbox)
        await self.ingest.deliver(new)
        return f"{new.id}-0"


@pytest_twisted.async_yield_fixture
async def reading(database: Database) -> AsyncIterator[Reading]:
    await add_owner(database, "ann", PRIVATE)
    await add_owner(database, "bob")
    ingest = Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 24),
        reactor=reactor,
    )
    access = access_control(database)
    yield Reading(ingest, Marks(database, access), Snippets(database, access, LANES.readers))
    await ingest.finish()


@pytest_twisted.ensureDeferred
async def test_of_an_inbox_there_are_those_that_were_asked_for(reading: Reading) -> None:
    ids = [await reading.store(b"Subject: x\r\n\r\nWords %d\r\n" % n, PUBLIC) for n in range(3)]
    found = await reading.snippets.of_inbox(ANYONE, "Anybody@public.example", [ids[0], ids[2]])
    assert found == {ids[0]: "Words 0", ids[2]: "Words 2"}
    assert await reading.snippets.of_inbox(ANYONE, PUBLIC, []) == {}
    assert await reading.snippets.of_inbox(ANYONE, "other@public.example", ids) == {}
    assert await reading.snippets.of_inbox(ANYONE, PUBLIC, ["x" * 20, ids[1]]) == {
        ids[1]: "Words 1"
    }


@pytest_twisted.ensureDeferred
async def test_what_somebody_may_not_see_tells_nothing(reading: Reading) -> None:
    private = await reading.store(b"\r\nsecret", PRIVATE)
    starred = await reading.store(b"\r\nstarred", PUBLIC)
    await reading.marks.toggle_star(ANN, PUBLIC, starred)
    snippets = reading.snippets
    assert await snippets.of_inbox(ANN, PRIVATE, [private]) == {private: "secret"}
    assert await snippets.of_inbox(ANN, PUBLIC, [starred]) == {starred: "starred"}
    for actor in (ANYONE, BOB):
        assert await snippets.of_inbox(actor, PUBLIC, [starred]) == {}
    assert await snippets.of_inbox(BOB, PRIVATE, [private]) == {}
    with pytest.raises(UnauthenticatedError):
        await snippets.of_inbox(ANYONE, PRIVATE, [private])


@pytest_twisted.ensureDeferred
async def test_of_an_account_there_are_those_of_several_inboxes_that_are_its_own(
    reading: Reading,
) -> None:
    private = await reading.store(b"\r\nsecret", PRIVATE)
    starred = await reading.store(b"\r\nstarred", PUBLIC)
    public = await reading.store(b"\r\npublic", PUBLIC)
    await reading.marks.toggle_star(ANN, PUBLIC, starred)
    asked = [(PRIVATE, private), (PUBLIC, starred), (PUBLIC, public), (PUBLIC, private)]
    assert await reading.snippets.of_account(ANN, asked) == {
        (PRIVATE, private): "secret",
        (PUBLIC, starred): "starred",
    }
    assert await reading.snippets.of_account(BOB, asked) == {}
    with pytest.raises(UnauthenticatedError):
        await reading.snippets.of_account(ANYONE, asked)


@pytest_twisted.ensureDeferred
async def test_no_more_are_made_than_a_list_shows(reading: Reading) -> None:
    message_id = await reading.store(b"\r\nwords", PUBLIC)
    ids = ["x" * 20] * MAX_SNIPPETS
    assert await reading.snippets.of_inbox(ANYONE, PUBLIC, [*ids, message_id]) == {}
    assert await reading.snippets.of_inbox(ANYONE, PUBLIC, [message_id, *ids]) != {}


@pytest.mark.parametrize(
    ("content", "snippet"),
    [
        (b"Subject: x\r\n\r\n" + LARGE, "line 0 of a very long message line 1"),
        (b"Content-Type: text/html\r\n\r\n<p>Dear <b>Ann</b>" + b"<i>" * 800_000, "Dear Ann"),
        (b"\r\n" + "gr\u00fc\u00dfe, \r\n".encode() * 10_000, "gr\u00fc\u00dfe, gr"),
        (b"Subject: " + b"x" * 100_000 + b"\r\n\r\nbelow a large header", ""),
        (b"", ""),
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            b"--b\r\nContent-Type: application/pdf\r\n\r\n" + b"x" * 100_000 + b"\r\n"
            b"--b\r\n\r\nbehind it\r\n--b--\r\n",
            "",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            b"--b\r\n\r\nbefore it\r\n"
            b"--b\r\nContent-Type: application/pdf\r\n\r\n" + b"x" * 100_000 + b"\r\n--b--\r\n",
            "before it",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_of_large_mail_the_beginning_is_read(
    reading: Reading, content: bytes, snippet: str
) -> None:
    message_id = await reading.store(content, PUBLIC)
    found = await reading.snippets.of_inbox(ANYONE, PUBLIC, [message_id])
    assert found[message_id].startswith(snippet)
    assert bool(found[message_id]) is bool(snippet)
