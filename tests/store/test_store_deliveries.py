"""Claims: nobody gets what another has, nobody waits behind another's line, rooms are kept."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.delivery import Attempt, Claim
from mailsacd.store.deliveries import Rooms, claim_deliveries, is_any_due, record_failed
from mailsacd.store.delivery_pruning import forget_surplus
from mailsacd.store.pool import Database

LEASE_S = 45


async def add(db: Database, account: str, url: str, count: int) -> None:
    """So many that are due."""
    await db.run(
        """insert into delivery (id, account, address, kind, url, inbox, message_id)
           select m.id || '-w1', %s, 'x@y.example', 'webhook', %s, 'x@y.example', m.id
           from (select %s || n as id from generate_series(1, %s) n) m""",
        (account, url, f"{account}{url}", count),
    )


def rooms(
    everybody: int = 1000,
    *,
    target: int = 1000,
    account: int = 1000,
    targets: dict[str, int] | None = None,
    accounts: dict[str, int] | None = None,
    lines: dict[tuple[str, str], int] | None = None,
) -> Rooms:
    return Rooms(
        all=everybody,
        targets={"": target, **(targets or {})},
        accounts={"": account, **(accounts or {})},
        lines=lines or {},
    )


async def claim(db: Database, free: Rooms, *, later_s: float = 0) -> list[Claim]:
    now = datetime.now(UTC) + timedelta(seconds=later_s)
    return await claim_deliveries(db, now, free, lease_s=LEASE_S)


def by_target(claims: list[Claim]) -> Counter[str]:
    return Counter(one.target for one in claims)


@pytest_twisted.ensureDeferred
async def test_claims_at_the_same_time_are_disjoint(database: Database) -> None:
    for number in range(20):
        await add(database, f"a{number % 3}", f"http://t{number % 5}.example/{number}", 20)
    free = rooms(30, target=7)
    taken: list[str] = []
    for _ in range(100):
        rounds = await gatherResults(ensureDeferred(claim(database, free)) for _ in range(4))
        taken += [one.id for claims in rounds for one in claims]
        if len(taken) == 400:
            break
    assert len(taken) == len(set(taken)) == 400
    assert await claim(database, free) == []
    assert not await is_any_due(database, datetime.now(UTC))
    assert await is_any_due(database, datetime.now(UTC) + timedelta(seconds=LEASE_S + 1))
    again = await claim(database, rooms(), later_s=LEASE_S + 1)
    assert {one.id for one in again} == set(taken)


@pytest_twisted.ensureDeferred
async def test_targets_are_told_apart_by_host_and_port(database: Database) -> None:
    for url in (
        "http://a.example/x", "http://A.example/y?z", "http://a.example?q", "http://a.example#f",
        "http://a.example:8080/", "https://b.example/",
    ):  # fmt: skip
        await add(database, "ann", url, 1)
    claims = await claim(database, rooms())
    assert by_target(claims) == {"a.example": 4, "a.example:8080": 1, "b.example": 1}


@pytest_twisted.ensureDeferred
async def test_rooms_are_kept(database: Database) -> None:
    for target in "abc":
        for account in ("ann", "bob"):
            await add(database, account, f"http://{target}.example/", 50)
    assert len(await claim(database, rooms(7))) == 7
    few = await claim(database, rooms(target=4, targets={"b.example": 0, "c.example": 2}))
    assert by_target(few) == {"a.example": 4, "c.example": 2}
    one = await claim(database, rooms(account=10, accounts={"bob": 0}))
    assert Counter(c.account for c in one) == {"ann": 10}
    pair = await claim(
        database,
        rooms(
            target=5,
            lines={("ann", "http://a.example/"): 0, ("ann", "http://b.example/"): 1},
            account=100,
        ),
    )
    counted = Counter((c.target, c.account) for c in pair)
    assert counted["a.example", "ann"] == 0
    assert counted["a.example", "bob"] == 5
    assert counted["b.example", "ann"] <= 1
    assert by_target(pair) == {"a.example": 5, "b.example": 5, "c.example": 5}


@pytest_twisted.ensureDeferred
async def test_a_long_line_before_one_target_keeps_nobody_waiting(database: Database) -> None:
    await add(database, "ann", "http://long.example/", 3000)
    await add(database, "bob", "http://short.example/", 1)
    await add(database, "ann", "http://long.example/other", 1)
    claims = await claim(database, rooms(8, target=4))
    assert by_target(claims) == {"long.example": 4, "short.example": 1}
    assert "http://long.example/other" in {one.url for one in claims}


@pytest_twisted.ensureDeferred
async def test_what_waits_for_its_next_attempt_is_not_due(database: Database) -> None:
    await add(database, "ann", "http://a.example/", 1)
    (first,) = await claim(database, rooms())
    due = datetime.now(UTC) + timedelta(seconds=60)
    await record_failed(database, first, due, Attempt(500, "why"))
    assert await claim(database, rooms(), later_s=59) == []
    (second,) = await claim(database, rooms(), later_s=61)
    assert (second.id, second.attempts) == (first.id, 1)


@pytest_twisted.ensureDeferred
async def test_of_an_account_s_deliveries_the_newest_are_kept(database: Database) -> None:
    for account, count in (("ann", 5), ("bob", 2), ("cy", 3)):
        await add(database, account, "http://a.example/", count)
    assert await forget_surplus(database, 5) == 0
    assert await forget_surplus(database, 2) == 4
    left = await database.fetch("select id from delivery order by id")
    assert [id_ for (id_,) in left] == [
        f"{account}http://a.example/{n}-w1"
        for account, ns in (("ann", (4, 5)), ("bob", (1, 2)), ("cy", (2, 3)))
        for n in ns
    ]
    assert await forget_surplus(database, 0) == 6
    assert await forget_surplus(database, 0) == 0
