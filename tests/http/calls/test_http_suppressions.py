"""Each account sees the addresses that its own mail failed at, and has mail sent there again."""

from collections.abc import AsyncIterator

import pytest_twisted

from mailsacd.store.pool import Database
from tests.http.society import OTHER, OWNER, Society, society

API = "/api/suppressions"


@pytest_twisted.async_yield_fixture
async def house(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn, "relay.enabled=false") as made:
        await database.run(
            """insert into suppression (account, address, reason, created, expires)
               select account, address, '550 5.1.1 gone', now() - age * interval '1 hour',
                   now() + lasts * interval '1 hour'
               from (values (%s, 'bob@b.example', 2, 1), (%s, 'eve@b.example', 1, 1),
                   (%s, 'over@b.example', 3, -1), (%s, 'bob@b.example', 1, 1),
                   ('', 'all@b.example', 1, 1)) as given (account, address, age, lasts)""",
            (OWNER, OWNER, OWNER, OTHER),
        )
        yield made


async def addresses(house: Society, who: str, query: str = "") -> list[str]:
    listed = await house.json(who, "GET", API + query)
    return [one["address"] for one in listed]


@pytest_twisted.ensureDeferred
async def test_an_account_sees_its_own_the_newest_first(house: Society) -> None:
    [eve, bob] = await house.json("owner", "GET", API)
    assert (eve["address"], bob["address"]) == ("eve@b.example", "bob@b.example")
    assert set(bob) == {"address", "reason", "created", "expires"}
    assert bob["reason"] == "550 5.1.1 gone"
    assert await addresses(house, "other") == ["bob@b.example"]
    assert await addresses(house, "owner", "?limit=1&skip=1") == ["bob@b.example"]


@pytest_twisted.ensureDeferred
async def test_an_account_has_mail_sent_there_again(house: Society) -> None:
    assert (await house.ask("owner", "DELETE", f"{API}/BOB@b.example")).status == 204
    assert (await house.ask("owner", "DELETE", f"{API}/bob@b.example")).status == 404
    assert (await house.ask("owner", "DELETE", f"{API}/all@b.example")).status == 404
    assert (await house.ask("owner", "DELETE", f"{API}/bob")).status == 400
    assert await addresses(house, "owner") == ["eve@b.example"]
    assert await addresses(house, "other") == ["bob@b.example"]
