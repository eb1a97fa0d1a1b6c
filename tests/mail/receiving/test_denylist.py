"""Whose mail is refused: by domain, address and network; known on every node at once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.errors import ConfigurationError, InvalidInputError, NotFoundError
from mailsacd.mail.receiving.denylist import Denylist
from mailsacd.mail.receiving.denylist_entry import allow, denied, deny, entry_of, seconds_of
from mailsacd.mail.records.activity import Activity
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.patience import until

reactor: Any = the_reactor


@dataclass
class House:
    database: Database
    denylist: Denylist
    activity: Activity

    async def deny(self, *entries: str) -> None:
        for entry in entries:
            await deny(self.database, entry)
        await until(lambda: len(self.denylist.entries) == len(entries))


@pytest_twisted.async_yield_fixture
async def house(database: Database, database_dsn: str) -> AsyncIterator[House]:
    notices = Notices(database_dsn, LANES.rest, reactor=reactor)
    activity = Activity(database, reactor=reactor)
    denylist = Denylist(
        database, notices, activity, allow_networks=["10.9.0.0/16", "2001:db8:9::/48"],
        reactor=reactor,
    )  # fmt: skip
    notices.start()
    await until(lambda: notices.listening)
    await denylist.start()
    yield House(database, denylist, activity)
    await denylist.stop()
    await notices.stop()


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Spam.EXAMPLE", "spam.example"),
        (".spam.example.", "spam.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("[192.0.2.7]", "192.0.2.7"),
        ("192.0.2.7/32", "192.0.2.7"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("localhost", "localhost"),
    ],
)
def test_an_entry_has_a_normal_form(written: str, normal: str) -> None:
    assert entry_of(written, "x") == normal


@pytest.mark.parametrize(
    "text",
    ["", " ", "a b", "bob@spam.example", "https://google.com", "300.1.2.3", "192.0.2.1/33",
     "a..b", "*", "\0", "a" * 300, "192.0.2", "x\ny"],
)  # fmt: skip
def test_what_is_neither_is_a_fault_of_its_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        entry_of(text, "domainOrIP")
    assert [fault.field for fault in refused.value.faults] == ["domainOrIP"]


@pytest.mark.parametrize(
    ("peer", "sender", "refused"),
    [
        ("192.0.2.1", "a@spam.example", True),
        ("192.0.2.1", "a@SPAM.example", True),
        ("192.0.2.1", "a@deep.below.spam.example", True),
        ("192.0.2.1", "a@notspam.example", False),
        ("192.0.2.1", "a@example", False),
        ("192.0.2.1", "a@xn--mnchen-3ya.example", True),
        ("192.0.2.1", "a@münchen.example", True),
        ("192.0.2.1", "", False),
        ("192.0.2.1", "nonsense", False),
        ("198.51.100.7", "", True),
        ("198.51.100.8", "a@ham.example", False),
        ("203.0.113.200", "a@ham.example", True),
        ("2001:db8:1::5", "", True),
        ("2001:db8:2::5", "", False),
        ("10.9.1.1", "a@spam.example", False),
        ("2001:db8:9::1", "a@spam.example", False),
    ],
)
@pytest_twisted.ensureDeferred
async def test_mail_is_refused_by_peer_or_sender(
    house: House, peer: str, sender: str, refused: bool
) -> None:
    assert not house.denylist.refuses(peer, sender)
    await house.deny(
        "spam.example", "münchen.example", "198.51.100.7", "203.0.113.128/25", "2001:db8:1::/48",
        "10.0.0.0/8",
    )  # fmt: skip
    assert house.denylist.refuses(peer, sender) is refused
    recorded = [what[1:4] for what in house.activity._gathered]
    assert (recorded[0][:2] == ("refused", 554)) if refused else not recorded


@pytest_twisted.ensureDeferred
async def test_asked_about_one_it_tells(house: House) -> None:
    await house.deny("spam.example", "203.0.113.128/25")
    told = {
        text: house.denylist.has(text)
        for text in ("spam.example", "A.spam.example", "example", "203.0.113.129", "203.0.113.1")
    }
    assert list(told.values()) == [True, True, False, True, False]
    assert house.denylist.entries == ("203.0.113.128/25", "spam.example")


@pytest_twisted.ensureDeferred
async def test_entries_are_added_renamed_and_taken_back(house: House) -> None:
    await house.deny("spam.example")
    assert await deny(house.database, "SPAM.example", "for good\0reason"[:8]) == "spam.example"
    assert [(d.entry, d.reason) for d in await denied(house.database)] == [
        ("spam.example", "for good")
    ]
    assert await allow(house.database, "spam.EXAMPLE") == "spam.example"
    await until(lambda: not house.denylist.entries)
    assert not house.denylist.refuses("192.0.2.1", "a@spam.example")
    with pytest.raises(NotFoundError):
        await allow(house.database, "spam.example")


@pytest.mark.parametrize(
    ("peer", "sender", "refused"),
    [
        ("192.0.2.1", "Bad.Guy@ham.example", True),
        ("192.0.2.1", "bad.guy+tag@ham.example", True),
        ("192.0.2.1", "good.guy@ham.example", False),
        ("192.0.2.1", "bad.guy@below.ham.example", False),
        ("10.9.1.1", "bad.guy@ham.example", False),
    ],
)
@pytest_twisted.ensureDeferred
async def test_one_sender_is_refused(house: House, peer: str, sender: str, refused: bool) -> None:
    await deny(house.database, "bad.guy@HAM.example")
    await until(lambda: bool(house.denylist._senders))
    assert house.denylist.refuses(peer, sender) is refused
    assert house.denylist.entries == ()  # of people it is not told in public
    assert not house.denylist.has("ham.example")


@pytest_twisted.ensureDeferred
async def test_mail_to_recipients_is_refused(house: House) -> None:
    await deny(house.database, "Left@gone.example", "has left", recipient=True)
    await deny(house.database, "closed.example", recipient=True)
    await until(lambda: len(house.denylist._recipients) == 2)
    refuses = house.denylist.refuses_recipient
    assert refuses("left@gone.example", "left@gone.example")
    assert refuses("left+x@gone.example", "left@gone.example")
    assert refuses("inbox-0@other.example", "left@gone.example")
    assert refuses("a@below.closed.example")
    assert not refuses("right@gone.example", "right@gone.example")
    assert not house.denylist.refuses("192.0.2.1", "left@gone.example")
    assert house.denylist.entries == ()
    what = [(w[3], w[4]) for w in house.activity._gathered]
    assert ("left@gone.example", "on the denylist: has left") in what
    with pytest.raises(NotFoundError):
        await allow(house.database, "closed.example")
    await allow(house.database, "closed.example", recipient=True)
    await until(lambda: not refuses("a@closed.example"))


@pytest.mark.parametrize(
    "text", ["192.0.2.1", "192.0.2.0/24", "", "a b", "@x", "x@", "2001:db8::1"]
)
@pytest_twisted.ensureDeferred
async def test_a_recipient_is_an_address_or_a_domain(house: House, text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await deny(house.database, text, recipient=True)
    assert [fault.field for fault in refused.value.faults] == ["entry"]


@pytest_twisted.ensureDeferred
async def test_an_entry_expires_by_itself(house: House) -> None:
    await deny(house.database, "for-ever.example")
    await deny(house.database, "198.51.100.0/24", "for a moment", for_s=1)
    await until(lambda: len(house.denylist.entries) == 2)
    assert house.denylist.refuses_peer("198.51.100.7")
    await until(lambda: not house.denylist.refuses_peer("198.51.100.7"))
    assert house.denylist.entries == ("for-ever.example",)
    assert [d.entry for d in await denied(house.database)] == ["for-ever.example"]
    rows, _ = await house.database.run("select entry from denylist")
    assert [entry for (entry,) in rows] == ["for-ever.example"]
    with pytest.raises(NotFoundError):
        await allow(house.database, "198.51.100.0/24")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5_400), ("1d12h", 129_600), ("5s", 5), ("2w", 1_209_600)]
)
def test_a_time_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "5", "m", "-5m", "5 m", "1.5h", "99999d", "5mx"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(InvalidInputError, match="for has to be a time"):
        seconds_of(text)


def test_an_allowed_network_that_is_none_is_told(database: Database) -> None:
    notices = Notices("", LANES.rest, reactor=reactor)
    activity = Activity(database, reactor=reactor)
    with pytest.raises(ConfigurationError, match=r"smtp\.allow_networks"):
        Denylist(database, notices, activity, allow_networks=["x"], reactor=reactor)
