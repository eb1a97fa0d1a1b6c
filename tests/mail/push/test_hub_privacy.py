"""Who is told of what: mail goes to whom it concerns, and never to whom it is hidden from."""

import pytest
import pytest_twisted

from mailsacd.core.event import Interest
from mailsacd.core.message import NewEnvelope
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.mail.hubs import Heard, NodeHub, in_inboxes, new_mail, node_hub, store
from tests.mail.owners import add_owner, reserve

PUBLIC = "any@public.example"
ANNS = "ann@public.example"  # reserved
IMPLICIT = "any@private.example"  # under a private domain of ann's
OPEN = "any@open.example"  # under a domain of ann's that is not private
BOBS = "bob@private.example"  # reserved by bob under ann's domain
END = "end@public.example"

CAUGHT = "caught.example"  # ann's domain with an enabled catch-all

LISTENERS = {
    "public inbox": in_inboxes(PUBLIC),
    "public inbox, ann": in_inboxes(PUBLIC, account="ann"),
    "reserved, the public": in_inboxes(ANNS),
    "reserved, ann": in_inboxes(ANNS, account="ann"),
    "reserved, bob": in_inboxes(ANNS, account="bob"),
    "implicit, the public": in_inboxes(IMPLICIT),
    "implicit, ann": in_inboxes(IMPLICIT, account="ann"),
    "private domain, ann": Interest("ann", domains=frozenset({"private.example"})),
    "private domain, bob": Interest("bob", domains=frozenset({"private.example"})),
    "open domain, ann": Interest("ann", domains=frozenset({"open.example"})),
    "all of ann": Interest("ann", everything_owned=True),
    "all of bob": Interest("bob", everything_owned=True),
    "all of nobody": Interest(None, everything_owned=True),
    "all public": Interest("bob", all_public=True),
    "catch-all, ann": in_inboxes(f"*@{CAUGHT}", account="ann"),
    "catch-all, bob": in_inboxes(f"*@{CAUGHT}", account="bob"),
    "catch-all that is off, ann": in_inboxes("*@private.example", account="ann"),
    "two reasons": Interest("ann", frozenset({ANNS}), frozenset({"public.example"}), True, True),
}

MAIL: dict[str, tuple[NewEnvelope, set[str]]] = {
    "to a public inbox": (
        new_mail(PUBLIC),
        {"public inbox", "public inbox, ann", "all public", "two reasons"},
    ),
    "to a reserved address": (
        new_mail(ANNS),
        {"reserved, ann", "all of ann", "two reasons"},
    ),
    "to an implicit address": (
        new_mail(IMPLICIT),
        {"implicit, ann", "private domain, ann", "all of ann", "two reasons"},
    ),
    "to another's address under a private domain": (
        new_mail(BOBS),
        {"private domain, bob", "all of bob"},
    ),
    "under an open domain": (
        new_mail(OPEN),
        {"open domain, ann", "all of ann", "all public", "two reasons"},
    ),
    "to a reserved address beside a catch-all": (
        new_mail(f"box@{CAUGHT}"), {"catch-all, ann", "all of ann", "two reasons"},
    ),
    "to another's address beside a catch-all": (
        new_mail(f"bob@{CAUGHT}"), {"all of bob"},
    ),
    "to a catch-all": (
        new_mail(f"*@{CAUGHT}"), {"catch-all, ann", "all of ann", "two reasons"},
    ),
    "starred for ann": (new_mail(PUBLIC, saved_by="ann"), {"public inbox, ann", "two reasons"}),
    "starred for bob, owned by ann": (
        new_mail(ANNS, saved_by="bob"),
        {"reserved, bob"},
    ),
    "forwarded from a reserved address to an implicit one": (
        new_mail(IMPLICIT, passed=(ANNS,)),
        {
            "reserved, ann", "implicit, ann", "private domain, ann", "all of ann", "two reasons",
        },
    ),
    "forwarded within the account, by its domains": (
        new_mail(ANNS, passed=("x@open.example", IMPLICIT)),
        {
            "reserved, ann", "implicit, ann", "private domain, ann", "open domain, ann",
            "all of ann", "two reasons",
        },
    ),
}  # fmt: skip


async def _owners(database: Database) -> None:
    await add_owner(database, "ann", ANNS, domains=("private.example",))
    await database.run(
        "insert into domain (name, owner, verified, is_private, verification_txt)"
        " values ('open.example', 'ann', true, false, '')"
    )
    await add_owner(database, "bob", BOBS, f"bob@{CAUGHT}")
    await database.run(
        "insert into domain (name, owner, verified, is_private, verification_txt)"
        " values (%s, 'ann', true, true, '')",
        (CAUGHT,),
    )
    for email in (f"box@{CAUGHT}", f"*@{CAUGHT}", "*@private.example"):
        await reserve(database, "ann", email)
    await database.run("update address set catch_all = true where email = %s", (f"*@{CAUGHT}",))


async def _listeners(node: NodeHub, since: str | None = None) -> dict[str, Heard]:
    """All of them, and one by which one sees that all are told."""
    return {
        name: (await node.listen(interest, since))[1]
        for name, interest in (LISTENERS | {"end": in_inboxes(END)}).items()
    }


@pytest.mark.parametrize("what", MAIL)
@pytest_twisted.ensureDeferred
async def test_mail_goes_to_whom_it_concerns(
    database: Database, database_dsn: str, what: str
) -> None:
    await _owners(database)
    mail, expected = MAIL[what]
    async with node_hub(database, database_dsn) as node:
        stream, _ = await node.listen(in_inboxes(PUBLIC))
        begin = stream.sequence
        live = await _listeners(node)
        ids = await store(database, mail)
        await store(database, new_mail(END))
        await live["end"].count(1)
        assert {name for name, heard in live.items() if ids[0] in heard.ids} == expected
        again = await _listeners(node, begin)
        for name in expected:
            await again[name].hears(ids[0])
        for name in ("public inbox", "all of ann", "two reasons"):  # each has ended its replay
            heard = (await node.listen(LISTENERS[name], begin))[1]
            await heard.at_least(int(name in expected))
        assert {name for name, heard in again.items() if ids[0] in heard.ids} == expected


@pytest_twisted.ensureDeferred
async def test_what_is_starred_by_another_meanwhile_is_not_told(
    database: Database, database_dsn: str
) -> None:
    await _owners(database)
    async with node_hub(database, database_dsn, listens=False) as node:
        _, heard = await node.listen(in_inboxes(PUBLIC))
        _, bob = await node.listen(in_inboxes(PUBLIC, account="bob"))

        async def work(transaction: Transaction) -> list[str]:  # in one: nobody looks in between
            ids = await store(transaction, new_mail(PUBLIC), new_mail(PUBLIC))
            await transaction.run("update message set saved_by = 'bob' where id = %s", (ids[0],))
            return ids

        starred, plain = await database.transaction(work)
        node.hub.wake()
        await heard.has(plain)
        await bob.has(starred, plain)
        assert bob.json(0)["savedBy"] == "bob"


@pytest_twisted.ensureDeferred
async def test_what_became_private_meanwhile_is_not_told(
    database: Database, database_dsn: str
) -> None:
    await _owners(database)
    async with node_hub(database, database_dsn, listens=False) as node:
        _, heard = await node.listen(in_inboxes(PUBLIC, END))

        async def work(transaction: Transaction) -> str:  # in one: nobody looks in between
            _, plain = await store(transaction, new_mail(PUBLIC), new_mail(END))
            await transaction.run(
                "update message set owner = 'bob', private = true where inbox = %s", (PUBLIC,)
            )
            return plain

        plain = await database.transaction(work)
        node.hub.wake()
        await heard.has(plain)


@pytest_twisted.ensureDeferred
async def test_an_inbox_that_changed_hands_shows_each_its_own(
    database: Database, database_dsn: str
) -> None:
    await _owners(database)
    async with node_hub(database, database_dsn) as node:
        stream, _ = await node.listen(in_inboxes(ANNS))
        begin = stream.sequence
        (anns,) = await store(database, new_mail(ANNS))
        await database.run("delete from address where email = %s", (ANNS,))
        (public,) = await store(database, new_mail(ANNS))
        await reserve(database, "bob", ANNS)
        (bobs,) = await store(database, new_mail(ANNS))
        for account, seen in (("ann", [anns, public]), ("bob", [public, bobs]), (None, [public])):
            _, heard = await node.listen(in_inboxes(ANNS, account=account), begin)
            await heard.has(*seen)
