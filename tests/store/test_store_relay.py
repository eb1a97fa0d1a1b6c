"""Claims of outgoing mail: disjoint, fair between accounts and domains, and over with a lease."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.task import deferLater

from mailsacd.core.relay import Claim, Ending, Rooms
from mailsacd.store.pool import Database
from mailsacd.store.relay import (
    find_queued,
    put_off,
    record_endings,
    release_claims,
    renew_claims,
)
from mailsacd.store.relay_claims import Turns, claim_lines, is_any_ready, ready_due
from mailsacd.store.removal import begin_removal, finish_removal
from mailsacd.store.suppression import forget_expired, forget_surplus
from mailsacd.store.transaction import Transaction
from tests.mail.property import add_accounts
from tests.store.outgoing import CONTENT, queue_many

reactor: Any = the_reactor

LEASE_S = 60
START = Turns(account="", domains={})


def rooms(
    everybody: int = 1000,
    *,
    domain: int = 1000,
    account: int = 1000,
    domains: Mapping[str, int] | None = None,
    accounts: Mapping[str, int] | None = None,
) -> Rooms:
    return Rooms(
        all=everybody,
        each_domain=domain,
        of_domains=domains or {},
        each_account=account,
        of_accounts=accounts or {},
    )


def later(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def claim(
    db: Database,
    free: Rooms,
    turns: Turns = START,
    *,
    later_s: float = 0,
    messages: int = 20,
) -> list[Claim]:
    taken = await claim_lines(db, later(later_s), free, turns, lease_s=LEASE_S, messages=messages)
    return [one.claim for one in taken]


def ending(claim: Claim, state: str = "delivered", due: datetime | None = None) -> Ending:
    return Ending(
        claim=claim, state=state, due=due, code=250, status="2.0.0", reply="ok", host="mx"
    )


async def record(db: Database, *endings: Ending) -> set[tuple[str, int]]:
    async def work(transaction: Transaction) -> set[tuple[str, int]]:
        return await record_endings(transaction, endings, later())

    return await db.transaction(work)


def lines(claims: list[Claim]) -> Counter[tuple[str, str]]:
    return Counter((one.account, one.domain) for one in claims)


@pytest_twisted.ensureDeferred
async def test_claims_at_the_same_time_are_disjoint_and_leave_nothing(database: Database) -> None:
    for account in ("ann", "bob", ""):
        await queue_many(database, account, 300, domains=7)
    taken: list[tuple[str, int]] = []
    for _ in range(100):
        rounds = await gatherResults(
            [ensureDeferred(claim(database, rooms(5), messages=8)) for _ in range(4)]
        )
        taken += [one.key for claims in rounds for one in claims]
        if not any(rounds):
            break
    assert len(taken) == len(set(taken)) == 900
    assert not await is_any_ready(database)


@pytest_twisted.ensureDeferred
async def test_a_line_is_so_many_messages_with_all_their_recipients(database: Database) -> None:
    await queue_many(database, "ann", 30)
    await database.run(
        """insert into outgoing_recipient (message_id, place, account, address, domain)
           select id, n, 'ann', 'v' || n || '@d0.example', 'd0.example'
           from outgoing_message, generate_series(1, 3) n where id < 'mann000000010'"""
    )
    claims = await claim(database, rooms(1), messages=5)
    assert Counter(one.message_id for one in claims) == {f"mann00000000{n}": 4 for n in range(1, 6)}
    assert [one.attempts for one in claims] == [1] * 20


@pytest_twisted.ensureDeferred
async def test_rooms_are_kept(database: Database) -> None:
    for account in ("ann", "bob", "cat"):
        await queue_many(database, account, 40, domains=10)
    taken = lines(await claim(database, rooms(4), messages=1))
    assert len(taken) == 4
    assert {account for account, _ in taken} == {"ann", "bob", "cat"}
    free = rooms(domain=2, domains={"d1.example": 0, "d2.example": 1}, accounts={"bob": 3})
    taken = lines(await claim(database, free, messages=1))
    domains = Counter(domain for _, domain in taken)
    assert "d1.example" not in domains
    assert domains["d2.example"] == 1
    assert max(domains.values()) == 2
    assert sum(n for (account, _), n in taken.items() if account == "bob") <= 3


@pytest_twisted.ensureDeferred
async def test_whoever_has_a_long_line_does_not_hold_up_others(database: Database) -> None:
    await queue_many(database, "ann", 3_000, domains=2_000)
    await queue_many(database, "bob", 5)
    await queue_many(database, "", 1)
    claims = await claim(database, rooms(3), messages=1)
    assert {one.account for one in claims} == {"ann", "bob", ""}
    full = rooms(5, domains={f"d{n}.example": 0 for n in range(1990)})
    assert len(lines(await claim(database, full))) == 5


@pytest_twisted.ensureDeferred
async def test_turns_go_on_where_the_last_search_ended_and_around(database: Database) -> None:
    for account in ("", "ann", "bob"):
        await queue_many(database, account, 90, domains=9)
    seen: Counter[tuple[str, str]] = Counter()
    turns = START
    for _ in range(27):
        [taken] = await claim_lines(database, later(), rooms(1), turns, lease_s=LEASE_S, messages=1)
        seen[taken.claim.account, taken.claim.domain] += 1
        domains = {**turns.domains, taken.claim.account: taken.claim.domain}
        turns = Turns(account=taken.claim.account, domains=domains)
    assert set(seen.values()) == {1}


@pytest_twisted.ensureDeferred
async def test_a_lease_that_is_over_is_taken_by_others(database: Database) -> None:
    await queue_many(database, "ann", 2)
    first = await claim(database, rooms())
    assert await ready_due(database, later(LEASE_S - 10)) == 0
    held = await renew_claims(database, first[:1], later(30), lease_s=LEASE_S)
    assert held == {first[0].key}
    assert await ready_due(database, later(LEASE_S + 10)) == 1
    [again] = await claim(database, rooms())
    assert (again.key, again.attempts) == (first[1].key, 2)
    # who lost it tells nothing of it, but for a delivery
    assert await record(database, ending(first[1], "failed")) == set()
    assert await renew_claims(database, first, later(), lease_s=LEASE_S) == {first[0].key}
    assert await record(database, ending(first[1])) == {first[1].key}
    assert await record(database, ending(again, "failed")) == set()


@pytest_twisted.ensureDeferred
async def test_what_is_tried_again_waits_for_its_time(database: Database) -> None:
    await queue_many(database, "ann", 1)
    [claimed] = await claim(database, rooms())
    await record(database, ending(claimed, "queued", later(300)))
    assert await ready_due(database, later(290)) == 0
    assert await ready_due(database, later(310)) == 1
    [again] = await claim(database, rooms())
    assert again.attempts == 2


@pytest_twisted.ensureDeferred
async def test_what_was_given_back_counts_as_not_tried(database: Database) -> None:
    await queue_many(database, "ann", 2)
    claims = await claim(database, rooms())
    await release_claims(database, claims[:1])
    [again] = await claim(database, rooms())
    assert (again.key, again.attempts) == (claims[0].key, 1)


@pytest_twisted.ensureDeferred
async def test_the_rest_of_a_line_is_put_off(database: Database) -> None:
    await queue_many(database, "ann", 50, domains=2)
    assert await put_off(database, "ann", "d0.example", later(30)) == 25
    assert {one.domain for one in await claim(database, rooms())} == {"d1.example"}
    assert await ready_due(database, later(40)) == 25


@pytest_twisted.ensureDeferred
async def test_content_goes_with_the_last_open_recipient(database: Database) -> None:
    await queue_many(database, "ann", 1)
    await database.run(
        """insert into outgoing_recipient (message_id, place, account, address, domain, state)
           values ('mann000000001', 1, 'ann', 'x@d1.example', 'd1.example', 'queued'),
               ('mann000000001', 2, 'ann', 'x@d2.example', 'd2.example', 'held')"""
    )
    claims = await claim(database, rooms())
    await gatherResults([ensureDeferred(record(database, ending(one))) for one in claims])
    message = await find_queued(database, "mann000000001")
    assert message is not None
    assert (message.content, message.account) == (CONTENT, "ann")
    await database.run("update outgoing_recipient set state = 'queued' where state = 'held'")
    [last] = await claim(database, rooms())
    await record(database, ending(last, "failed"))
    message = await find_queued(database, "mann000000001")
    assert message is not None
    assert message.content == b""
    assert await database.fetch("select body, ended is null from outgoing_message") == [
        (None, False)
    ]


@pytest_twisted.ensureDeferred
async def test_the_last_two_that_end_at_the_same_time_close_the_message(
    database: Database,
) -> None:
    await queue_many(database, "ann", 1)
    await database.run(
        """insert into outgoing_recipient (message_id, place, account, address, domain)
           select id, 1, 'ann', 'x@d1.example', 'd1.example' from outgoing_message"""
    )
    one, other = await claim(database, rooms())
    recorded: Deferred[None] = Deferred()

    async def slowly(transaction: Transaction) -> None:
        await record_endings(transaction, [ending(one)], later())
        recorded.callback(None)
        await deferLater(reactor, 0.2)

    slow = ensureDeferred(database.transaction(slowly))
    await recorded
    await record(database, ending(other))
    await slow
    assert await database.fetch("select count(*) from outgoing_message where ended is null") == [
        (0,)
    ]


@pytest_twisted.ensureDeferred
async def test_addresses_are_suppressed_for_an_account_or_for_all(database: Database) -> None:
    await database.run(
        """insert into suppression (account, address, reason, expires) values
           ('ann', 'u1@d0.example', 'gone', now() + interval '1 day'),
           ('bob', 'u2@d0.example', 'bob''s', now() + interval '1 day'),
           ('', 'u3@d0.example', 'everybody''s', now() + interval '1 day'),
           ('ann', 'u4@d0.example', 'over', now())"""
    )
    await queue_many(database, "ann", 4)
    claims = await claim(database, rooms())
    assert {one.recipient.address: one.suppressed for one in claims} == {
        "u1@d0.example": "gone",
        "u2@d0.example": None,
        "u3@d0.example": "everybody's",
        "u4@d0.example": None,
    }


@pytest_twisted.ensureDeferred
async def test_what_a_removed_account_had_suppressed_is_gone(database: Database) -> None:
    await add_accounts(database, "ann")
    await database.run(
        """insert into suppression (account, address, reason, expires) values
           ('ann', 'u1@d0.example', 'gone', now() + interval '1 day'),
           ('bob', 'u1@d0.example', 'gone', now() + interval '1 day')"""
    )
    assert await begin_removal(database, "ann")
    assert await finish_removal(database, "ann")
    assert await database.fetch("select account from suppression") == [("bob",)]


@pytest_twisted.ensureDeferred
async def test_an_account_has_so_many_suppressed_and_those_that_are_over_go(
    database: Database,
) -> None:
    await database.run(
        """insert into suppression (account, address, reason, created, expires)
           select account, n || '@d.example', '', now() - n * interval '1 minute',
               now() + (case when n = 2 then -1 else 1 end) * interval '1 day'
           from generate_series(1, 9) n, unnest(array['', 'ann', 'bob']) account"""
    )
    assert await forget_expired(database, later()) == 3
    assert await forget_surplus(database, 5) == 9
    kept = await database.fetch("select address from suppression where account = 'ann'")
    assert sorted(address for (address,) in kept) == [f"{n}@d.example" for n in (1, 3, 4, 5, 6)]
