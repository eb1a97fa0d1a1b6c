"""The storing statement: what is put down with a message, whosever it is."""

import json
from typing import Any

import pytest
import pytest_twisted

from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.store.ownership import domain_facts
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes
from tests.mail.hubs import new_mail
from tests.mail.owners import add_owner, reserve

BOTH_FORMS = True
PUBLIC = "any@public.example"
ANNS = "ann@public.example"
IMPLICIT = "any@private.example"
HOOKED = "hooked@private.example"
BOTH = "both@private.example"
BOBS = "bob@private.example"

HOOK = "https://hooks.example/w"
SLACK = "https://hooks.example/s"


@pytest_twisted.async_fixture
async def _owners(database: Database) -> None:
    await add_owner(database, "ann", ANNS, domains=("private.example",))
    await add_owner(database, "bob")
    await reserve(database, "ann", HOOKED, webhook=HOOK)
    await reserve(database, "ann", BOTH, webhook=HOOK, webhook_slack=SLACK)
    await reserve(database, "bob", BOBS, webhook=HOOK)


async def _events(database: Database) -> list[Any]:
    """The messages of each event, in order of commits."""
    rows = await database.fetch("select messages from event order by xid")
    return [sorted(json.loads(messages)) for (messages,) in rows]


async def _deliveries(database: Database) -> list[tuple[Any, ...]]:
    return await database.fetch(
        "select id, account, address, kind, url, inbox, message_id from delivery order by id"
    )


NOBODYS = [None, False, None, None, False]


@pytest.mark.parametrize("public", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_commit_leaves_one_event_and_the_rows_bear_its_number(
    database: Database, public: bool
) -> None:
    batch = [new_mail(PUBLIC, "it's@public.example"), new_mail("\\ü@public.example")]
    assert await store_envelopes(database, batch, public=public) == {}
    ids = [(message.id, message.inbox) for new in batch for message in new.messages]
    assert await _events(database) == [
        sorted([id_, inbox, *([] if public else NOBODYS)] for id_, inbox in ids)
    ]
    rows = await database.fetch("select message.xid = event.xid from message, event")
    assert rows == [(True,)] * 3
    await store_envelopes(database, [new_mail(PUBLIC)], public=public)
    assert len(await _events(database)) == 2
    assert await _deliveries(database) == []


@pytest.mark.usefixtures("_owners")
@pytest_twisted.ensureDeferred
async def test_whose_a_message_is_is_in_its_event_and_in_the_answer(database: Database) -> None:
    new = new_mail(PUBLIC, ANNS, IMPLICIT, BOBS)
    public, anns, implicit, bobs = (message.id for message in new.messages)
    assert await store_envelopes(database, [new]) == {
        anns: Owned("ann", private=True, hooked=False),
        implicit: Owned("ann", private=True, hooked=False),
        bobs: Owned("bob", private=True, hooked=True),
    }
    assert await _events(database) == [
        [
            [public, PUBLIC, None, False, None, None, False],
            [anns, ANNS, "ann", True, None, None, False],
            [implicit, IMPLICIT, "ann", True, None, None, False],
            [bobs, BOBS, "bob", True, None, None, False],
        ]
    ]


@pytest.mark.usefixtures("_owners")
@pytest_twisted.ensureDeferred
async def test_what_is_stored_starred_says_so_everywhere(database: Database) -> None:
    starred = new_mail(PUBLIC, ANNS, saved_by="bob")
    plain = new_mail(PUBLIC)
    await store_envelopes(database, [starred, plain])
    found = await database.fetch("select id, saved_by from message order by id")
    assert found == [
        *((message.id, "bob") for message in starred.messages),
        (plain.messages[0].id, None),
    ]
    ((first, second, third),) = await _events(database)
    assert [first[4], second[4], third[4]] == ["bob", "bob", None]


@pytest.mark.usefixtures("_owners")
@pytest_twisted.ensureDeferred
async def test_the_way_that_a_message_went_is_kept(database: Database) -> None:
    new = new_mail(ANNS, passed=("o'neil@private.example", IMPLICIT))
    await store_envelopes(database, [new])
    assert await database.fetch("select passed from message") == [
        (["o'neil@private.example", IMPLICIT],)
    ]
    (((*_, passed, _),),) = await _events(database)
    assert passed == ["o'neil@private.example", IMPLICIT]


@pytest.mark.usefixtures("_owners")
@pytest.mark.parametrize(
    ("inbox", "owner", "private"),
    [
        (ANNS, "ann", True),
        (IMPLICIT, "ann", True),
        ("any@open.example", "ann", False),
        (PUBLIC, "ann", True),  # given up since
        (BOBS, "ann", True),  # another's since
        ("any@bobs.example", "ann", True),
    ],
)
@pytest_twisted.ensureDeferred
async def test_forwarded_mail_stays_the_account_s_whosever_the_target_is_by_now(
    database: Database, inbox: str, owner: str, private: bool
) -> None:
    await add_owner(database, "cec", domains=("bobs.example",), is_private=False)
    await add_owner(database, "dan", domains=("open.example",), is_private=False)
    await database.run("update domain set owner = 'ann' where name = 'open.example'")
    new = new_mail(inbox, passed=(HOOKED,), forwarder="ann")
    assert await store_envelopes(database, [new], hooks=False) == {
        new.messages[0].id: Owned(owner, private=private, hooked=False)
    }
    ((found,),) = await database.fetch("select subject from message")
    assert found is not None  # it is found by a search


@pytest.mark.usefixtures("_owners")
@pytest_twisted.ensureDeferred
async def test_mail_that_an_account_forwarded_which_is_gone_is_stored_all_the_same(
    database: Database,
) -> None:
    await add_owner(database, "cec")
    await database.run("update account set removing = true where name = 'cec'")
    batch = [new_mail(ANNS, PUBLIC, passed=("x@y.example",), forwarder=f) for f in ("cec", "gone")]
    await store_envelopes(database, batch)
    rows = await database.fetch("select distinct inbox, owner, private from message order by inbox")
    assert rows == [(ANNS, "ann", True), (PUBLIC, None, False)]


@pytest.mark.usefixtures("_owners")
@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (lambda: new_mail(ANNS), []),
        (lambda: new_mail(HOOKED), [("0-w1", "ann", HOOKED, "webhook", HOOK, HOOKED)]),
        (
            lambda: new_mail(BOTH),
            [
                ("0-s1", "ann", BOTH, "slack", SLACK, BOTH),
                ("0-w1", "ann", BOTH, "webhook", HOOK, BOTH),
            ],
        ),
        (
            lambda: new_mail(ANNS, HOOKED, BOBS),
            [
                ("1-w1", "ann", HOOKED, "webhook", HOOK, HOOKED),
                ("2-w1", "bob", BOBS, "webhook", HOOK, BOBS),
            ],
        ),
        # forwarded: the webhooks of all that it passed, in order, and of where it came to
        (
            lambda: new_mail(HOOKED, passed=(BOTH, IMPLICIT)),
            [
                ("0-s1", "ann", BOTH, "slack", SLACK, HOOKED),
                ("0-w1", "ann", BOTH, "webhook", HOOK, HOOKED),
                ("0-w3", "ann", HOOKED, "webhook", HOOK, HOOKED),
            ],
        ),
        # an address on the way that is another's by now is told nothing
        (lambda: new_mail(ANNS, passed=(BOBS,)), []),
        (lambda: new_mail(PUBLIC, passed=(HOOKED,)), []),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_delivery_is_put_down_for_each_hook(
    database: Database, mail: Any, expected: list[tuple[str, ...]]
) -> None:
    new: NewEnvelope = mail()
    owned = await store_envelopes(database, [new])
    found = await _deliveries(database)
    assert found == [
        (f"{new.id}-{id_}", *rest, f"{new.id}-{id_.partition('-')[0]}") for id_, *rest in expected
    ]
    hooked = {id_ for id_, whose in owned.items() if whose.hooked}
    assert hooked == {row[6] for row in found}
    due = await database.fetch("select due <= now() from delivery")
    assert due == [(True,)] * len(expected)


CAUGHT = "*@private.example"


@pytest.mark.usefixtures("_owners")
@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (lambda: new_mail(ANNS), []),
        (lambda: new_mail(HOOKED), [("w1", HOOKED, HOOKED), ("w2", CAUGHT, HOOKED)]),
        (lambda: new_mail(CAUGHT), [("w1", CAUGHT, CAUGHT)]),
        (
            lambda: new_mail(CAUGHT, passed=(HOOKED,)),
            [("w1", HOOKED, CAUGHT), ("w2", CAUGHT, CAUGHT)],
        ),
        (lambda: new_mail(BOBS), [("w1", BOBS, BOBS)]),
        (lambda: new_mail(PUBLIC), []),
    ],
)
@pytest.mark.parametrize("enabled", [True, False])
@pytest_twisted.ensureDeferred
async def test_an_enabled_catch_all_is_told_of_mail_to_reserved_addresses(
    database: Database, mail: Any, expected: list[tuple[str, str, str]], enabled: bool
) -> None:
    await reserve(database, "ann", CAUGHT, webhook=HOOK)
    await database.run("update address set catch_all = %s where email = %s", (enabled, CAUGHT))
    new: NewEnvelope = mail()
    await store_envelopes(database, [new])
    wanted = [e for e in expected if enabled or e[1] != CAUGHT or e[2] == CAUGHT]
    found = [(row[0].rpartition("-")[2], row[2], row[5]) for row in await _deliveries(database)]
    assert found == wanted
    (told,) = [each for event in await _events(database) for each in event]
    assert told[6] is (enabled and told[2] == "ann" and told[1].endswith("@private.example"))


@pytest.mark.usefixtures("_owners")
@pytest_twisted.ensureDeferred
async def test_whose_addresses_have_no_hooks_is_told_all_the_same(database: Database) -> None:
    new = new_mail(ANNS, PUBLIC)
    owned = await store_envelopes(database, [new], hooks=False)
    assert owned == {f"{new.id}-0": Owned("ann", True, False)}
    assert len(await _events(database)) == 1


@pytest.mark.usefixtures("_owners")
@pytest_twisted.ensureDeferred
async def test_a_domain_has_hooks_when_one_of_its_addresses_has(database: Database) -> None:
    for domain, hooks in (("public.example", False), ("private.example", True)):
        facts = await domain_facts(database, domain)
        assert facts is not None
        assert facts.hooks is hooks
    await reserve(database, "ann", "s@public.example", webhook_slack=SLACK)
    facts = await domain_facts(database, "public.example")
    assert facts is not None
    assert facts.hooks
