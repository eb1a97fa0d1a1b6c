"""Counts are what is there, whatever is done to messages in whatever order."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, ClassVar

import pytest_twisted
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.threads import blockingCallFromThread, deferToThread

from mailsacd.core.message import NewEnvelope
from mailsacd.core.search import Terms
from mailsacd.store import counts, erasures, marks, removal
from mailsacd.store.addresses import release_address, reserve_addresses
from mailsacd.store.counts import Counts
from mailsacd.store.inbox import (
    list_of_domain,
    list_owned,
    list_starred,
    purge_domain,
    purge_inbox,
    purge_owned,
)
from mailsacd.store.marks import Place
from mailsacd.store.messages import delete_message, list_messages_json
from mailsacd.store.ownership import adopt_messages, hide_domain_messages
from mailsacd.store.pool import Database
from mailsacd.store.search import search
from mailsacd.store.storing import store_envelopes
from mailsacd.store.transaction import Transaction
from mailsacd.store.views import IdPage
from tests.conftest import Open
from tests.mail.hubs import new_mail
from tests.mail.owners import add_owner
from tests.store.stored import stored_by_older_version

reactor: Any = the_reactor

BOTH_FORMS = True
ACCOUNTS = ("ann", "bob")
INBOXES = (
    "p@public.example",
    "q@public.example",
    "a@anns.example",
    "b@anns.example",
    "c@bobs.example",
)
DOMAINS = ("anns.example", "bobs.example")

WHOLE: IdPage = {"before_id": None, "from_id": None, "limit": 1_000, "skip": 0}

some_account = st.sampled_from(ACCOUNTS)
some_inbox = st.sampled_from(INBOXES)
some_inboxes = st.lists(some_inbox, min_size=1, max_size=4)


def run(work: Awaitable[Any]) -> Any:
    """Wait in a thread for ``work``, which the reactor does."""

    async def whole() -> Any:
        return await work

    return blockingCallFromThread(reactor, lambda: ensureDeferred(whole()))


def ids(messages: str) -> list[str]:
    """The ids in a JSON array of messages."""
    return [message["_id"] for message in json.loads(messages)]


def starred(new: NewEnvelope, account: str | None) -> NewEnvelope:
    """The envelope, its copies starred for an account."""
    return NewEnvelope(
        id=new.id,
        received_ms=new.received_ms,
        raw=new.raw,
        size=new.size,
        messages=new.messages,
        saved_by=account,
    )


class Changes(RuleBasedStateMachine):
    """Everything that changes messages. Ann has a private domain, Bob one that all may read."""

    database: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        self.run(
            "delete from message; delete from raw_message; delete from account;"
            " delete from mail_count; delete from count_change; delete from erasure"
        )
        run(add_owner(self.database, "ann", domains=("anns.example",)))
        run(add_owner(self.database, "bob", domains=("bobs.example",), is_private=False))
        self.gone: set[str] = set()

    def run(self, sql: str) -> None:
        """Run statements."""
        run(self.database.run(sql))

    def message(self, place: int) -> tuple[str, str] | None:
        """Inbox and id of one of the messages that are there."""
        rows = run(self.database.fetch("select inbox, id from message order by id, inbox"))
        return rows[place % len(rows)] if rows else None

    @rule(inboxes=some_inboxes, saver=st.none() | some_account, envelopes=st.integers(1, 3))
    def store(self, inboxes: list[str], saver: str | None, envelopes: int) -> None:
        """Mail comes, to several addresses, some of it starred as it comes."""
        batch = [starred(new_mail(*inboxes), saver) for _ in range(envelopes)]
        run(store_envelopes(self.database, batch))

    @rule(inbox=st.sampled_from(INBOXES[:2]))
    def store_public(self, inbox: str) -> None:
        """Mail comes to where nobody owns anything."""
        run(store_envelopes(self.database, [new_mail(inbox, inbox)], public=True))

    @rule(place=st.integers(0, 20), account=some_account, what=st.integers(0, 4))
    def mark(self, place: int, account: str, what: int) -> None:
        """A message is starred or not, read or not, moved, labelled."""
        found = self.message(place)
        if found:
            at = Place(inbox=found[0], id=found[1], viewer=account, open=True)
            work: list[Callable[[], Awaitable[Any]]] = [
                lambda: marks.toggle_star(self.database, at),
                lambda: marks.set_read(self.database, at, read=True),
                lambda: marks.set_read(self.database, at, read=False),
                lambda: marks.move(self.database, at, "trash"),
                lambda: marks.add_label(self.database, at, "x"),
            ]
            run(work[what]())

    @rule(place=st.integers(0, 20), account=some_account)
    def delete(self, place: int, account: str) -> None:
        """One message is deleted."""
        found = self.message(place)
        if found:
            run(delete_message(self.database, *found, account))

    @rule(inbox=some_inbox, account=some_account, limit=st.none() | st.integers(1, 2))
    def purge(self, inbox: str, account: str, limit: int | None) -> None:
        """An inbox is purged."""
        run(purge_inbox(self.database, inbox, account, None, limit))

    @rule(domain=st.sampled_from(DOMAINS), account=some_account)
    def purge_domain(self, domain: str, account: str) -> None:
        """All mail of a domain is deleted."""
        run(purge_domain(self.database, domain, account))

    @rule(domain=st.sampled_from(DOMAINS), account=some_account)
    def erase_domain(self, domain: str, account: str) -> None:
        """All mail of a domain is gone, and will be removed."""
        listed = run(list_of_domain(self.database, account, domain, **WHOLE))
        run(erasures.erase_domain(self.database, domain, account))
        self.gone.update(ids(listed))

    @rule(inbox=some_inbox, account=some_account, limit=st.none() | st.integers(0, 3))
    def erase_unstarred(self, inbox: str, account: str, limit: int | None) -> None:
        """An inbox is purged, and will be emptied."""
        seen = run(list_messages_json(self.database, inbox, account, **WHOLE))
        unstarred = [m["_id"] for m in json.loads(seen) if m["savedBy"] is None]
        run(erasures.erase_unstarred(self.database, inbox, account, None, limit))
        self.gone.update(unstarred[:limit])

    @rule(inbox=some_inbox, account=some_account)
    def erase_owned(self, inbox: str, account: str) -> None:
        """All that an account owns in an inbox is gone, and will be removed."""
        listed = json.loads(run(list_owned(self.database, account, **WHOLE)))
        run(erasures.erase_owned(self.database, inbox, account))
        self.gone.update(m["_id"] for m in listed if m["inbox"] == inbox)

    @rule()
    def remove_erased(self) -> None:
        """Some of what is gone is removed."""
        run(self.database.transaction(erasures.remove_erased))

    @rule(inbox=some_inbox, account=some_account)
    def reserve(self, inbox: str, account: str) -> None:
        """An address is reserved, with its mail."""

        async def work(transaction: Transaction) -> None:
            if await reserve_addresses(transaction, account, [inbox]):
                await adopt_messages(transaction, inbox, account)

        run(self.database.transaction(work))

    @rule(inbox=some_inbox, account=some_account, deletes=st.booleans())
    def release(self, inbox: str, account: str, deletes: bool) -> None:
        """An address is given up, with or without its mail."""

        async def work(transaction: Transaction) -> None:
            if await release_address(transaction, account, inbox) is not None and deletes:
                await purge_owned(transaction, inbox, account)

        run(self.database.transaction(work))

    @rule()
    def make_private(self) -> None:
        """A domain's mail is hidden from others."""
        run(hide_domain_messages(self.database, "bobs.example", "bob"))

    @rule(account=some_account)
    def remove_account(self, account: str) -> None:
        """An account is removed, and made anew."""

        async def work() -> None:
            while await self.database.transaction(erasures.remove_erased):
                pass
            await self.database.transaction(
                lambda transaction: removal.begin_removal(transaction, account)
            )
            await removal.finish_removal(self.database, account)
            await add_owner(
                self.database,
                account,
                domains=(f"{account}s.example",),
                is_private=account == "ann",
            )

        run(work())

    @rule()
    def add_up(self) -> None:
        """What changed is added up."""
        run(counts.add_up(self.database))

    @rule()
    def undone(self) -> None:
        """A transaction is undone."""

        async def work(transaction: Transaction) -> None:
            await store_envelopes(transaction, [new_mail(*INBOXES)])
            raise _GivenUpError

        with suppress(_GivenUpError):
            run(self.database.transaction(work))

    @invariant()
    def counts_are_true(self) -> None:
        """Every count is what is there."""
        assert run(counts.differences(self.database)) == []

    @invariant()
    def what_is_seen_is_what_is_counted(self) -> None:
        """What is gone is in no list, and the counts are those of the lists."""
        for account in ACCOUNTS:
            owned = json.loads(run(list_owned(self.database, account, **WHOLE)))
            starred = json.loads(run(list_starred(self.database, account, **WHOLE)))
            found = ids(run(search(self.database, account, Terms(anywhere="example"), limit=1_000)))
            assert found == [m["_id"] for m in owned]
            there = {m["_id"]: m for m in (*owned, *starred)}
            assert not self.gone & there.keys()
            counted = run(counts.count_of(self.database, account))
            assert counted == Counts(
                held=len(there),
                starred=len(starred),
                owned=len(owned),
                unread=sum(m["read"] is not True for m in owned),
                bytes=sum(m["size"] for m in there.values()),
                owned_bytes=sum(m["size"] for m in owned),
            )
            for domain in DOMAINS:
                of_domain = [m for m in owned if m["domain"] == domain]
                counted = run(counts.count_of_domain(self.database, account, domain))
                assert counted.owned == len(of_domain)
        for inbox in INBOXES:
            public = run(list_messages_json(self.database, inbox, None, **WHOLE))
            assert not self.gone & set(ids(public))


class _GivenUpError(Exception):
    """A transaction is not to be committed."""


@pytest_twisted.ensureDeferred
async def test_counts_are_true_whatever_is_done(database: Database) -> None:
    Changes.database = database
    bounds = settings(
        max_examples=25, stateful_step_count=25, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    await deferToThread(lambda: run_state_machine_as_test(Changes, settings=bounds))


@pytest_twisted.ensureDeferred
async def test_what_is_purged_is_gone_for_its_owner_too(database: Database) -> None:
    """Public mail of Bob's domain, which Ann purges as she owns the domain now."""
    await add_owner(database, "ann")
    await add_owner(database, "bob", domains=("bobs.example",), is_private=False)
    await store_envelopes(database, [new_mail("c@bobs.example"), new_mail("d@bobs.example")])
    await erasures.erase_unstarred(database, "c@bobs.example", "ann", None, None)
    left = json.loads(await list_owned(database, "bob", **WHOLE))
    assert [message["inbox"] for message in left] == ["d@bobs.example"]
    assert (await counts.count_of(database, "bob")).held == 1
    while await database.transaction(erasures.remove_erased):
        pass
    assert (await counts.count_of(database, "bob")).held == 1
    assert await counts.differences(database) == []


@pytest_twisted.ensureDeferred
async def test_a_count_says_what_counts_for_whom(database: Database) -> None:
    await add_owner(database, "ann", "ann@x.example", domains=("anns.example",))
    await add_owner(database, "bob", domains=("bobs.example",), is_private=False)
    mine = new_mail("ann@x.example", "any@anns.example")
    others, public = new_mail("any@bobs.example"), new_mail("p@public.example")
    await store_envelopes(database, [mine, others, public])
    for new in (mine, others, public):
        message = new.messages[0]
        place = Place(inbox=message.inbox, id=message.id, viewer="ann", open=True)
        await marks.toggle_star(database, place)
        await marks.set_read(database, place, read=True)
    size = mine.size
    anns = Counts(
        held=4, starred=3, owned=2, unread=1,
        bytes=2 * size + others.size + public.size, owned_bytes=2 * size,
    )  # fmt: skip
    for _ in range(2):
        assert await counts.count_of(database, "ann") == anns
        assert await counts.count_of(database, "bob") == Counts(0, 0, 0, 0, 0, 0)
        assert (await counts.count_of_domain(database, "ann", "anns.example")).owned == 1
        assert (await counts.total(database)).held == 4
        assert (await counts.public_total(database)).held == 0
        await counts.add_up(database)
    assert await database.fetch("select count(*) from count_change") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_who_has_nothing_any_more_leaves_no_count(database: Database) -> None:
    await add_owner(database, "ann", domains=("anns.example",))
    await store_envelopes(database, [new_mail("any@anns.example")])
    await counts.add_up(database)
    assert await database.fetch("select count(*) from mail_count") == [(3,)]
    await purge_domain(database, "anns.example", "ann")
    await counts.add_up(database)
    await counts.forget_nothing(database)
    assert await database.fetch("select count(*) from mail_count") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_several_add_up_and_store_at_once_and_nothing_is_lost(database: Database) -> None:
    await add_owner(database, "ann", domains=("anns.example",))
    await gatherResults(
        [
            ensureDeferred(work)
            for place in range(40)
            for work in (
                store_envelopes(database, [new_mail(f"i{place}@anns.example")]),
                counts.add_up(database),
            )
        ]
    )
    assert (await counts.count_of(database, "ann")).owned == 40
    assert await counts.differences(database) == []


@pytest_twisted.ensureDeferred
async def test_mail_of_the_version_before_is_counted(open_empty: Open) -> None:
    database = await open_empty()
    await stored_by_older_version(database, upto=16)
    assert await counts.differences(database) == []
    anns = await counts.count_of(database, "ann")
    assert anns == Counts(held=3, starred=2, owned=2, unread=1, bytes=60, owned_bytes=40)
    # by a node of that version, which does not know of sizes
    await database.run(
        "insert into message (inbox, id, raw_id, domain, received, facts, owner) values"
        " ('x@a.example', 'e-9', 'e', 'a.example', now(), '{\"size\":20', 'ann')"
    )
    await database.run("delete from message where id = 'e-0'")
    assert await counts.differences(database) == []
    assert (await counts.count_of(database, "ann")).owned_bytes == 40
