"""Mail that is stored before it is examined: readers see no difference, and a job examines it."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.logger import LogEvent

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.errors import UnavailableError
from mailsacd.core.message import NewEnvelope
from mailsacd.core.search import Terms
from mailsacd.core.token import time_of
from mailsacd.mail import backlog as backlog_module
from mailsacd.mail.backlog import GROUP, Backlog
from mailsacd.mail.contents import NOTHING, contents_of, is_unexamined
from mailsacd.mail.examination import Examination
from mailsacd.mail.push.payload import PushedForms
from mailsacd.mail.reading.account_mail import Inbox
from mailsacd.mail.reading.mailbox import Mailbox, Page
from mailsacd.mail.reading.marks import Marks
from mailsacd.mime.parse import parse
from mailsacd.mime.trace import end_of_trace
from mailsacd.store.compression import expand
from mailsacd.store.events import find_messages
from mailsacd.store.messages import delete_message, find_message, list_messages_json
from mailsacd.store.pool import Database, Transaction
from mailsacd.store.storing import store_envelopes
from tests.mail.gates import gate
from tests.mail.hubs import new_mail
from tests.mail.owners import add_owner, reserve

reactor: Any = the_reactor

BOB = "bob@example.com"
EVE = "eve@example.com"
ANN = Actor(account="ann")

_PART = b"Content-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\nxyz\r\n"
MIXED = (
    b"From: Ann <ann@example.net>\r\nSubject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    b"\r\n--b\r\n\r\nsee https://one.example/ and \"@\":\"0\"\r\n--b\r\n" + _PART + b"--b\r\n"
    + _PART + b"--b--\r\n"
)  # fmt: skip
NESTED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"

UNUSUAL = {
    "usual": b"From: ann@example.net\r\nSubject: hi\r\n\r\nhello\r\n",
    "attachments": MIXED,
    "nothing": b"",
    "no header": b"no header at all, https://one.example/",
    "empty header": b"\r\nhttps://one.example/",
    "nul": b"Subject: \x00\r\n\r\nhttps://one.example/\x00 \\u0000",
    "a header that looks like a trace": b"Received: from x\r\n\tMon, 01 Jan 2026 00:00:00 +0000\r\n"
    b"\r\nhttps://one.example/",
    "too many fields": b"X-A: b\r\n" * 1_200 + b"\r\nhello",
    "too many senders": b"From: " + b"a@example.net, " * 3_000 + b"\r\n\r\nhello",
    "too many links": b"\r\n" + b"".join(b"https://example/%d\r\n" % n for n in range(1_200)),
    "1,000 links": b"\r\n" + b"".join(b"https://example/%d\r\n" % n for n in range(1_000)),
    "nested too deep": NESTED * 40,
    "a placeholder": b'Subject: ","@":"00000000000000000000a"\r\n\r\nhttps://e/","@":"0a"',
    "any byte": bytes(range(256)) * 4,
    "large": b"\r\nhttps://one.example/ " + b"x" * 80_000,
}


@dataclass
class Counts:
    """What is counted of public mail."""

    examined_: list[tuple[datetime, tuple[str, ...], int]] = field(default_factory=list)

    def examined(self, received: datetime, attachments: tuple[str, ...], copies: int) -> None:
        """Counting."""
        self.examined_.append((received, attachments, copies))


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def backlog(database: Database, counts: Counts) -> Backlog:
    return Backlog(database, counts, reactor=reactor)


@pytest.fixture
def mailbox(database: Database) -> Mailbox:
    return Mailbox(database, gate(database), reactor=reactor)


def later(content: bytes, *inboxes: str, **how: Any) -> NewEnvelope:
    """A message that is stored before it is examined."""
    return new_mail(*(inboxes or (BOB,)), content=content, examine=False, **how)


def at_once(new: NewEnvelope) -> list[str]:
    """The facts that the copies would have, had the message been examined before."""
    raw = expand(new.raw)
    contents = contents_of(parse(raw[end_of_trace(raw) :]))
    return [m.facts.replace(f',"@":"{new.id}"', contents.json) for m in new.messages]


async def stored_facts(database: Database) -> list[str]:
    return [row[0] for row in await database.fetch("select facts from message order by id")]


async def left(database: Database) -> int:
    return int((await database.fetch("select count(*) from unexamined"))[0][0])


@pytest.mark.parametrize("content", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_a_head_and_contents_worked_out_later_are_all_there_is(content: bytes) -> None:
    deferred = later(content)
    (facts,) = at_once(deferred)
    envelope_now = new_mail(BOB, content=content)
    fields = json.loads(facts + "}")
    now = json.loads(envelope_now.messages[0].facts + "}")
    assert list(fields) == list(now)
    for each in ("_id", "received"):
        fields.pop(each), now.pop(each)
    assert fields == now
    assert deferred.sender == envelope_now.sender
    assert json.loads(deferred.messages[0].facts + "}")["@"] == deferred.id


@pytest_twisted.ensureDeferred
async def test_every_reader_sees_the_same_before_and_after(
    database: Database, mailbox: Mailbox, backlog: Backlog
) -> None:
    sent = [later(content, BOB, EVE) for content in UNUSUAL.values()]
    await store_envelopes(database, sent)
    assert await left(database) == len(sent)

    async def read() -> list[str]:
        lists = [await mailbox.list_json(ANYONE, inbox, Page(limit=1000)) for inbox in (BOB, EVE)]
        ones = [
            (await mailbox.get(ANYONE, message.inbox, message.id)).as_json()
            for new in sent
            for message in new.messages
        ]
        return [*lists, *ones]

    before = await read()
    assert not any(map(is_unexamined, before))
    assert not await backlog.examine_some()
    assert await read() == before
    assert await left(database) == 0
    assert await stored_facts(database) == [facts for new in sent for facts in at_once(new)]


@pytest_twisted.ensureDeferred
async def test_an_accounts_lists_stars_and_searches_are_filled(database: Database) -> None:
    await add_owner(database, "ann", BOB, domains=("private.example",))
    await add_owner(database, "eve")
    owned, of_domain, starred = (
        later(MIXED, BOB),
        later(MIXED, "a@private.example"),
        later(MIXED, "c@example.com"),
    )
    await store_envelopes(database, [owned, of_domain, starred])
    asked = gate(database)
    inbox = Inbox(database, asked, reactor=reactor)
    marks = Marks(database, asked, reactor=reactor)
    star = await marks.toggle_star(ANN, "c@example.com", starred.messages[0].id)
    assert star.facts == at_once(starred)[0]
    terms = Terms(anywhere="hi", subject=None, sender=None, recipients=None, read=None)
    found = [
        (await inbox.list(ANN, Page())).messages,
        await inbox.search(ANN, terms),
        await inbox.starred(ANN, Page()),
        await inbox.of_domain(ANN, "private.example", Page()),
    ]
    sums = ["d16fb36f0911f878998c136191af705e"] * 2
    for listed, count in zip(found, (2, 2, 1, 1), strict=True):
        messages = json.loads(listed)
        assert [m["attachments"] for m in messages] == [sums] * count, listed
        assert all(m["links"] == ["https://one.example/"] for m in messages)
        assert not any("@" in m for m in messages)


@pytest_twisted.ensureDeferred
async def test_the_pushed_form_is_filled(database: Database) -> None:
    forms = PushedForms(database, reactor=reactor)
    new = later(MIXED)
    await store_envelopes(database, [new])
    wanted = [(BOB, new.messages[0].id)]
    ((rendered,), _) = await forms.find(wanted, max_bytes=1 << 20)
    assert rendered.json is not None
    assert rendered.json.startswith(at_once(new)[0].encode())
    assert json.loads(rendered.json)["links"] == ["https://one.example/"]
    ((found,), _) = await find_messages(database, wanted, max_bytes=1, large_bytes=1 << 20)
    assert is_unexamined(found.message.facts)


@pytest_twisted.ensureDeferred
async def test_a_list_of_very_many_is_filled_in_groups(
    database: Database, mailbox: Mailbox
) -> None:
    sent = [later(MIXED) for _ in range(1_000)]
    await store_envelopes(database, sent)
    listed = await mailbox.list_json(ANYONE, BOB, Page(limit=1000))
    assert [m["attachments"] is None for m in json.loads(listed)] == [False] * 1_000


@pytest_twisted.ensureDeferred
async def test_what_was_worked_out_for_a_reader_is_not_worked_out_again(
    database: Database, mailbox: Mailbox
) -> None:
    small, large = later(MIXED), later(UNUSUAL["1,000 links"])
    await store_envelopes(database, [small, large])
    large_before, small_before = json.loads(await mailbox.list_json(ANYONE, BOB, Page()))
    await database.run("delete from raw_message")
    large_after, small_after = json.loads(await mailbox.list_json(ANYONE, BOB, Page()))
    assert small_after == small_before
    assert (len(large_before["links"]), large_after["links"]) == (1_000, [])


@pytest_twisted.ensureDeferred
async def test_what_was_deleted_in_between_is_passed_over(
    database: Database, mailbox: Mailbox, backlog: Backlog, counts: Counts
) -> None:
    whole, half = later(MIXED), later(MIXED, BOB, EVE)
    await store_envelopes(database, [whole, half])
    for new in (whole, half):
        assert await delete_message(database, BOB, new.messages[0].id)
    assert not await backlog.examine_some()
    assert await stored_facts(database) == [at_once(half)[1]]
    assert counts.examined_ == [(time_of(half.id), ("d16fb36f0911f878998c136191af705e",), 1)]


@pytest_twisted.ensureDeferred
async def test_a_raw_that_goes_while_somebody_reads_leaves_no_contents(
    database: Database, mailbox: Mailbox
) -> None:
    new = later(MIXED)
    await store_envelopes(database, [new])
    await database.run("delete from raw_message")
    (listed,) = json.loads(await mailbox.list_json(ANYONE, BOB, Page()))
    assert (listed["attachments"], listed["links"], listed["parseLimited"]) == (None, [], False)


@pytest_twisted.ensureDeferred
async def test_a_list_with_what_was_deleted_in_the_meantime_is_read_again(
    database: Database, mailbox: Mailbox
) -> None:
    stays, goes = later(MIXED), later(MIXED)
    await store_envelopes(database, [stays, goes])
    lists: list[str] = []

    async def read() -> str:
        lists.append(await list_messages_json(database, BOB, **Page().bounds()))
        if len(lists) == 1:
            assert await delete_message(database, BOB, goes.messages[0].id)
        return lists[-1]

    filled = await Examination(database, reactor=reactor).filled(read)
    assert [len(json.loads(listed)) for listed in lists] == [2, 1]
    assert filled == await mailbox.list_json(ANYONE, BOB, Page())
    assert not is_unexamined(filled)


@pytest_twisted.ensureDeferred
async def test_a_message_that_was_deleted_in_the_meantime_is_none(database: Database) -> None:
    new = later(MIXED)
    await store_envelopes(database, [new])
    found = await find_message(database, BOB, new.messages[0].id)
    assert found is not None
    assert await delete_message(database, BOB, found.id)
    assert await Examination(database, reactor=reactor).filled_message(found) is None


@pytest_twisted.ensureDeferred
async def test_marks_and_owners_that_came_in_between_stay(
    database: Database, backlog: Backlog, counts: Counts
) -> None:
    await add_owner(database, "ann")
    new = later(MIXED, BOB, EVE, "c@example.com")
    await store_envelopes(database, [new])
    marks = Marks(database, gate(database), reactor=reactor)
    await marks.toggle_star(ANN, BOB, new.messages[0].id)
    await marks.add_label(ANN, "c@example.com", new.messages[2].id, "x")
    await reserve(database, "ann", EVE)
    await database.run("update message set owner = 'ann', private = true where inbox = %s", (EVE,))
    await backlog.examine_some()
    assert await stored_facts(database) == at_once(new)
    rows = await database.fetch(
        "select saved_by, private, labels, cardinality(attachments) from message order by id"
    )
    assert rows == [("ann", False, [], 1), (None, True, [], 1), (None, False, ["x"], 1)]
    assert [copies for _, _, copies in counts.examined_] == [1]


@pytest_twisted.ensureDeferred
async def test_two_nodes_share_the_work_and_count_it_once(
    database: Database, backlog: Backlog, counts: Counts
) -> None:
    sent = [later(MIXED) for _ in range(2 * GROUP)]
    await store_envelopes(database, sent)
    other = Backlog(database, counts, reactor=reactor)
    nodes = (backlog, other, backlog)
    await gatherResults([ensureDeferred(node.examine_some()) for node in nodes])
    while await backlog.examine_some():
        pass
    assert await left(database) == 0
    assert len(counts.examined_) == 2 * GROUP
    assert await stored_facts(database) == [at_once(new)[0] for new in sent]


@pytest_twisted.ensureDeferred
async def test_what_breaks_off_is_done_again(
    database: Database, backlog: Backlog, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = later(MIXED)
    await store_envelopes(database, [new])

    async def breaking(*_: object) -> list[str]:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(backlog_module, "record_examined", breaking)
        with pytest.raises(ConnectionError):
            await backlog.examine_some()
    assert await left(database) == 1
    assert counts.examined_ == []
    assert not await backlog.examine_some()
    assert await stored_facts(database) == at_once(new)


@pytest_twisted.ensureDeferred
async def test_whatever_mark_is_made_the_message_that_is_answered_is_whole(
    database: Database,
) -> None:
    new = later(MIXED, BOB)
    await store_envelopes(database, [new])
    marks = Marks(database, gate(database), reactor=reactor)
    message = (ANYONE, BOB, new.messages[0].id)
    answered = [
        await marks.set_read(*message, read=True),
        await marks.move(*message, "trash"),
        await marks.add_label(*message, "a"),
        await marks.remove_label(*message, "a"),
        await marks.replace_labels(*message, ["b"]),
    ]
    assert {each.facts for each in answered} == {at_once(new)[0]}


async def assert_first_has_nothing(database: Database, second: NewEnvelope) -> None:
    """Of two messages that were examined nothing is known of the first, all of the second."""
    facts = await stored_facts(database)
    assert facts[0].endswith(NOTHING.json)
    assert facts[1] == at_once(second)[0]
    assert await left(database) == 0


@pytest_twisted.ensureDeferred
async def test_a_raw_that_cannot_be_read_holds_up_nothing(
    database: Database, mailbox: Mailbox, backlog: Backlog, logged_errors: list[LogEvent]
) -> None:
    broken, sound = later(MIXED), later(MIXED)
    await store_envelopes(database, [broken, sound])
    await database.run("update raw_message set body = '\\x00' where id = %s", (broken.id,))
    assert len(json.loads(await mailbox.list_json(ANYONE, BOB, Page()))) == 2
    assert not await backlog.examine_some()
    assert len(logged_errors) == 2
    logged_errors.clear()
    await assert_first_has_nothing(database, sound)


@pytest_twisted.ensureDeferred
async def test_what_the_database_refuses_has_no_contents_and_holds_up_nothing(
    database: Database, backlog: Backlog, logged_errors: list[LogEvent]
) -> None:
    refused, sound = later(MIXED), later(MIXED)
    await store_envelopes(database, [refused, sound])
    await database.run(
        f"""create function refuse() returns trigger language plpgsql as $$ begin
                if new.raw_id = '{refused.id}' and new.attachments is not null then
                    raise exception 'no';
                end if;
                return new;
            end $$;
            create trigger refusing before update on message
                for each row execute function refuse()"""
    )
    try:
        await backlog.examine_some()
        await backlog.examine_some()
    finally:
        await database.run("drop function refuse cascade")
    assert len(logged_errors) == 2
    logged_errors.clear()
    await assert_first_has_nothing(database, sound)


@pytest_twisted.ensureDeferred
async def test_who_changes_a_message_is_not_waited_for_long(
    database: Database, backlog: Backlog
) -> None:
    new = later(MIXED, BOB, EVE)
    await store_envelopes(database, [new])

    async def change(transaction: Transaction) -> None:
        await transaction.run("update message set read = true where inbox = %s", (EVE,))
        with pytest.raises(UnavailableError):
            await backlog.examine_some()

    await database.transaction(change)
    assert await left(database) == 1
    await backlog.examine_some()
    assert await stored_facts(database) == at_once(new)
    assert await database.fetch("select read from message order by id") == [(None,), (True,)]


@pytest_twisted.ensureDeferred
async def test_of_large_messages_fewer_are_examined_at_a_time(
    database: Database, backlog: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog_module, "GROUP_BYTES", 1_500)
    await store_envelopes(database, [later(b"\r\n" + b"x" * 1_000) for _ in range(5)])
    assert await backlog.examine_some()
    assert await left(database) == 3
    assert await backlog.examine_some()
    assert not await backlog.examine_some()
    assert await left(database) == 0
