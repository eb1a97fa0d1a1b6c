"""Mail gets its owner as it is stored, and texts to be found by."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_twisted

from mailsacd.core.message import NewEnvelope, NewMessage, Owned
from mailsacd.core.token import milliseconds
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes
from tests.mail.property import add_accounts

BOTH_FORMS = True
RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = json.dumps(
    {
        "inbox": "x@a.example",
        "originalInbox": "X@a.example",
        "subject": "Grüße a\0b \\u0000",
        "from": [{"address": "ann@example.net", "name": "Ann"}],
        "to": None,
        "cc": [{"address": "c@example.net", "name": ""}],
    }
)[:-1]


def _envelope(place: int, *inboxes: str) -> NewEnvelope:
    return NewEnvelope(
        id=f"e{place}",
        received_ms=milliseconds(RECEIVED),
        raw=b"x",
        size=1,
        messages=tuple(
            NewMessage(
                inbox=inbox, id=f"e{place}-{n}", domain=inbox.rpartition("@")[2], facts=FACTS
            )
            for n, inbox in enumerate(inboxes)
        ),
    )


async def _property(database: Database) -> None:
    await add_accounts(database, "ann", "bob")
    await database.run(
        """insert into address (email, domain, owner) values
               ('x@a.example', 'a.example', 'ann'), ('x@private.example', 'private.example', 'ann');
           insert into domain (name, owner, verified, is_private, verification_txt) values
               ('private.example', 'bob', true, true, ''),
               ('shown.example', 'bob', true, false, ''),
               ('claimed.example', 'bob', false, true, ''),
               ('claimed.example', 'ann', false, true, '')"""
    )


WHOSE = {
    "x@a.example": Owned("ann", True, False),
    "y@a.example": None,
    "x@private.example": Owned("ann", True, False),
    "y@private.example": Owned("bob", True, False),
    "y@shown.example": Owned("bob", False, False),
    "y@claimed.example": None,
    "y@nobody.example": None,
}


@pytest.mark.parametrize("together", [True, False])
@pytest_twisted.ensureDeferred
async def test_an_address_goes_before_its_domain(database: Database, *, together: bool) -> None:
    await _property(database)
    batches = (
        [[_envelope(0, *WHOSE)]]
        if together
        else [[_envelope(n, inbox)] for n, inbox in enumerate(WHOSE)]
    )
    owned: dict[str, Any] = {}
    for batch in batches:
        stored = await store_envelopes(database, batch)
        owned |= {m.inbox: stored.get(m.id) for new in batch for m in new.messages}
    assert owned == WHOSE
    rows = await database.fetch("select inbox, owner, private, subject is null from message", ())
    assert {inbox: rest for inbox, *rest in rows} == {
        inbox: [o.owner, o.private, False] if o else [None, False, True]
        for inbox, o in WHOSE.items()
    }


@pytest_twisted.ensureDeferred
async def test_the_searched_texts_come_out_of_the_facts(database: Database) -> None:
    await _property(database)
    await store_envelopes(database, [_envelope(0, "x@a.example")])
    (texts,) = await database.fetch("select subject, sender, recipients from message", ())
    assert texts == (
        "grüße a\ufffdb \\ufffd",
        "ann ann@example.net",
        "x@a.example x@a.example  c@example.net",
    )


SOMEBODY = '{"name":"Some One","address":"some.one@somewhere.example"},'


@pytest.mark.parametrize(
    "facts",
    [
        "{",
        '{"subject":null,"from":null,"to":null,"cc":null,"inbox":"a@b","originalInbox":"A@b"',
        '{"subject":"ÄÖ \\u0000","from":[],"to":[{}],"cc":[{"name":null,"address":"X@Y"}]',
        '{"subject":7,"from":"nobody","to":{"name":"Ä"},"cc":[{"name":"Ä","address":""}]',
        f'{{"subject":"{"S" * 2_000}","from":[{SOMEBODY * 200}{{"name":"last"}}],"inbox":"i"',
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_searched_texts_are_those_of_older_versions(
    database: Database, facts: str
) -> None:
    rows = await database.fetch(
        "select (old).subject, (old).sender, (old).recipients, new.*"
        " from searched_texts(%(facts)s) as old, search_texts(%(facts)s) as new",
        {"facts": facts},
    )
    ((*old, subject, sender, recipients),) = rows
    assert old == [subject, sender, recipients]


@pytest_twisted.ensureDeferred
async def test_what_is_known_to_be_public_is_stored_without_an_owner(database: Database) -> None:
    await _property(database)
    stored = await store_envelopes(database, [_envelope(0, "y@nobody.example")], public=True)
    assert stored == {}
    assert await database.fetch("select owner, private, subject from message", ()) == [
        (None, False, None)
    ]
