"""Messages in and out of the store: order, pages, raws and their counts, odd contents."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.errors import StatementError
from mailsacd.core.message import Message, NewEnvelope, NewMessage
from mailsacd.core.message_form import UNTOUCHED
from mailsacd.core.token import milliseconds
from mailsacd.store.messages import (
    count_messages,
    delete_message,
    delete_messages,
    find_message,
    find_raw,
    list_messages_json,
)
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes

BOTH_FORMS = True
INBOX = "bob@example.com"
RECEIVED = datetime(2018, 3, 29, 18, 28, 7, 732_000, tzinfo=UTC)
PAGE: dict[str, Any] = {"before_id": None, "from_id": None, "limit": 20, "skip": 0}


def envelope(id_: str, *inboxes: str, raw: bytes = b"raw", facts: str = "") -> NewEnvelope:
    return NewEnvelope(
        id=id_,
        received_ms=milliseconds(RECEIVED),
        raw=raw,
        size=len(raw) * 2,
        messages=tuple(
            NewMessage(
                inbox=inbox,
                id=f"{id_}-{place}",
                domain="example.com",
                facts=facts or f'{{"_id":"{id_}-{place}","subject":"x"',
            )
            for place, inbox in enumerate(inboxes or (INBOX,))
        ),
    )


async def listed(database: Database, inbox: str = INBOX, **page: Any) -> list[str]:
    text = await list_messages_json(database, inbox, **(PAGE | page))
    return [message["_id"] for message in json.loads(text)]


async def raws(database: Database) -> list[tuple[Any, ...]]:
    return await database.fetch("select id, refs from raw_message order by id")


@pytest_twisted.ensureDeferred
async def test_what_is_stored_comes_back(database: Database) -> None:
    await store_envelopes(database, [envelope("e1", INBOX, raw=b"\x00\xff'\\ raw")])
    assert await find_message(database, INBOX, "e1-0") == Message(
        inbox=INBOX,
        id="e1-0",
        facts='{"_id":"e1-0","subject":"x"',
        marks=UNTOUCHED,
    )
    assert await find_raw(database, INBOX, "e1-0") == b"\x00\xff'\\ raw"
    assert await database.fetch("select received, size, refs from raw_message") == [
        (RECEIVED, 16, 1)
    ]
    assert await database.fetch("select domain, received from message") == [
        ("example.com", RECEIVED)
    ]


@pytest.mark.parametrize(
    "facts",
    [
        '{"subject":"it\'s 100% \\\\ \\"quoted\\""',
        '{"subject":"é \U0001f600 \\u0000 %(id)s $1 %s"',
        '{"subject":"' + "x" * 100_000 + '"',
        "'); delete from message; --",
        "\\'; delete from message; --",
    ],
)
@pytest_twisted.ensureDeferred
async def test_texts_are_kept_to_the_letter(database: Database, facts: str) -> None:
    await store_envelopes(database, [envelope("e1", "o'neil\\@example.com", facts=facts)])
    found = await find_message(database, "o'neil\\@example.com", "e1-0")
    assert found is not None
    assert found.facts == facts


@pytest.mark.parametrize("size", [0, 1, 8_000, 300_000, 2_621_440])
@pytest_twisted.ensureDeferred
async def test_a_raw_of_any_size_is_kept_to_the_byte(database: Database, size: int) -> None:
    raw = bytes(range(256)) * (size // 256) + b"\0" * (size % 256)
    await store_envelopes(database, [envelope("e1", raw=raw)])
    assert await find_raw(database, INBOX, "e1-0") == raw


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
@pytest_twisted.ensureDeferred
async def test_a_batch_with_a_text_that_cannot_be_kept_is_refused_whole(
    database: Database, text: str
) -> None:
    with pytest.raises(StatementError):
        await store_envelopes(database, [envelope("e1"), envelope("e2", facts=text)])
    assert await raws(database) == []


@pytest_twisted.ensureDeferred
async def test_a_batch_is_stored_whole_or_not_at_all(database: Database) -> None:
    await store_envelopes(database, [envelope("e2")])
    with pytest.raises(StatementError):
        await store_envelopes(database, [envelope("e1"), envelope("e2"), envelope("e3")])
    assert await raws(database) == [("e2", 1)]
    assert await listed(database) == ["e2-0"]


@pytest_twisted.ensureDeferred
async def test_a_message_to_a_hundred_recipients_is_one_raw(database: Database) -> None:
    inboxes = [f"u{n}@example.com" for n in range(100)]
    await store_envelopes(database, [envelope("e1", *inboxes)])
    assert await raws(database) == [("e1", 100)]
    assert await listed(database, "u99@example.com") == ["e1-99"]


@pytest_twisted.ensureDeferred
async def test_a_recipient_named_twice_has_two_messages(database: Database) -> None:
    await store_envelopes(database, [envelope("e1", INBOX, INBOX)])
    assert await listed(database) == ["e1-1", "e1-0"]
    assert await raws(database) == [("e1", 2)]


@pytest.mark.parametrize(
    ("page", "ids"),
    [
        ({}, ["e4-0", "e3-0", "e2-0", "e1-0"]),
        ({"limit": 2}, ["e4-0", "e3-0"]),
        ({"limit": 0}, []),
        ({"limit": 2, "skip": 1}, ["e3-0", "e2-0"]),
        ({"skip": 4}, []),
        ({"before_id": "e3"}, ["e2-0", "e1-0"]),
        ({"from_id": "e3"}, ["e4-0", "e3-0"]),
        ({"before_id": "e4", "from_id": "e2", "limit": 1, "skip": 1}, ["e2-0"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_page_is_newest_first_and_within_its_bounds(
    database: Database, page: dict[str, Any], ids: list[str]
) -> None:
    await store_envelopes(database, [envelope(f"e{n}") for n in (3, 1, 4, 2)])
    await store_envelopes(database, [envelope("e5", "alice@example.com")])
    assert await listed(database, **page) == ids


@pytest_twisted.ensureDeferred
async def test_the_json_of_a_list_is_that_of_its_messages(database: Database) -> None:
    owner = 'a"b'
    await store_envelopes(database, [envelope(f"e{n}") for n in range(4)])
    await database.run(
        "update message set saved_by = %s, folder = 'spam', labels = %s, read = true"
        " where id = 'e1-0'",
        (owner, ['é"\\', "tab\t\n\x01\x7f/<", "\U0001f600", ""]),
    )
    await database.run("update message set read = false where id = 'e2-0'")
    for page in (PAGE, PAGE | {"limit": 0}, PAGE | {"skip": 2}):
        text = await list_messages_json(database, INBOX, owner, **page)
        ids = [message["_id"] for message in json.loads(text)]
        messages = [await find_message(database, INBOX, each, owner) for each in ids]
        assert text.encode() == b"[%b]" % b",".join([each.as_json() for each in messages if each])
        assert ids == ["e3-0", "e2-0", "e1-0", "e0-0"][page["skip"] :][: page["limit"]]


@pytest_twisted.ensureDeferred
async def test_messages_of_another_inbox_are_not_there(database: Database) -> None:
    await store_envelopes(database, [envelope("e1", INBOX, "alice@example.com")])
    assert await find_message(database, INBOX, "e1-1") is None
    assert await find_raw(database, INBOX, "e1-1") is None
    assert not await delete_message(database, INBOX, "e1-1")
    assert await count_messages(database, INBOX) == 1
    assert await count_messages(database, "nobody@example.com") == 0


@pytest_twisted.ensureDeferred
async def test_a_raw_goes_with_its_last_copy(database: Database) -> None:
    await store_envelopes(database, [envelope("e1", INBOX, "alice@example.com")])
    assert await delete_message(database, INBOX, "e1-0")
    assert await raws(database) == [("e1", 1)]
    assert await find_raw(database, "alice@example.com", "e1-1") == b"raw"
    assert await delete_message(database, "alice@example.com", "e1-1")
    assert await raws(database) == []


@pytest_twisted.ensureDeferred
async def test_many_copies_are_deleted_at_once(database: Database) -> None:
    await store_envelopes(database, [envelope("e1", INBOX, INBOX, INBOX), envelope("e2")])
    assert await delete_messages(database, INBOX, ["e1-0", "e1-2", "e2-0", "e9-0"]) == 3
    assert await raws(database) == [("e1", 1)]
    assert await delete_messages(database, INBOX, []) == 0
    assert await listed(database) == ["e1-1"]


@pytest_twisted.ensureDeferred
async def test_the_last_copies_deleted_at_the_same_time_take_the_raw_along(
    database: Database,
) -> None:
    ids = [f"e{n:03}" for n in range(100)]
    inboxes = ("a@example.com", "b@example.com", "c@example.com")
    await store_envelopes(database, [envelope(id_, *inboxes) for id_ in ids])
    deleting = [
        ensureDeferred(delete_message(database, inbox, f"{id_}-{place}"))
        for id_ in ids
        for place, inbox in enumerate(inboxes)
    ]
    assert await gatherResults(deleting) == [True] * 300
    assert await raws(database) == []


@pytest_twisted.ensureDeferred
async def test_whole_inboxes_deleted_at_the_same_time_take_the_raws_along(
    database: Database,
) -> None:
    ids = [f"e{n:03}" for n in range(200)]
    inboxes = ("a@example.com", "b@example.com", "c@example.com")
    await store_envelopes(database, [envelope(id_, *inboxes) for id_ in ids])
    deleting = [
        ensureDeferred(delete_messages(database, inbox, [f"{id_}-{place}" for id_ in order]))
        for place, (inbox, order) in enumerate(
            zip(inboxes, (ids, ids[::-1], ids[100:] + ids[:100]), strict=True)
        )
    ]
    assert await gatherResults(deleting) == [200] * 3
    assert await raws(database) == []


@pytest_twisted.ensureDeferred
async def test_one_message_deleted_by_two_at_once_is_deleted_once(database: Database) -> None:
    await store_envelopes(database, [envelope("e1", INBOX, INBOX)])
    deleting = [ensureDeferred(delete_message(database, INBOX, "e1-0")) for _ in range(4)]
    assert sorted(await gatherResults(deleting)) == [False, False, False, True]
    assert await raws(database) == [("e1", 1)]
