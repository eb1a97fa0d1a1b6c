"""Who calls too fast: RateLimit fields, a moment's wait, then 429."""

from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

from mailsacd.core.rate_standing import RateStanding
from mailsacd.http.api.rate_headers import rate_headers
from mailsacd.store.pool import Database
from tests.http.society import society
from tests.patience import PATIENCE_S

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred
LIST = "/api/addresses/x@public.example/messages"
STRICT = (
    "throttle.exempt_networks=[]", "throttle.calls_per_minute=5",
    "throttle.account_calls_per_minute=30",
)  # fmt: skip


def test_the_fields_are_written_as_the_draft_has_them() -> None:
    standing = RateStanding(policy="peer", quota=100, window_s=60, remaining=7, reset_s=56)
    assert rate_headers(standing) == (
        (b"RateLimit-Policy", b'"peer";q=100;w=60'),
        (b"RateLimit", b'"peer";r=7;t=56'),
    )
    assert rate_headers(None) == ()


@ensure
async def test_a_peer_without_a_key_is_told_and_then_refused(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, *STRICT) as here:
        answers = [await here.ask("nobody", "GET", LIST) for _ in range(6)]
        assert [a.status for a in answers] == [200] * 5 + [429]
        assert answers[0].headers["ratelimit-policy"] == '"peer";q=5;w=60'
        assert answers[0].headers["ratelimit"].startswith('"peer";r=4;t=1')
        refused = answers[5]
        assert 0 < int(refused.headers["retry-after"]) <= 13
        assert refused.headers["ratelimit"].startswith('"peer";r=0;t=')
        assert "come back in" in refused.json()["message"]
        # who has a key, asks about the server, or is refused for another reason
        ours = await here.ask("owner", "GET", "/api/me")
        assert ours.status == 200
        assert ours.headers["ratelimit-policy"] == '"account";q=30;w=60'
        for _ in range(10):
            assert (await here.ask("nobody", "GET", "/livez")).status == 200
        missing = await here.ask("owner", "GET", f"{LIST}/01k0-0")
        assert missing.status == 404
        assert "ratelimit" in missing.headers
        activity = await here.json("owner", "GET", "/api/activity")
        assert not [e for e in activity if e["kind"] == "throttled"]  # not this account's affair


@ensure
async def test_an_account_has_a_limit_of_its_own_and_sees_that_it_met_it(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, *STRICT) as here:
        found = [(await here.ask("owner", "GET", LIST)).status for _ in range(31)]
        assert found.count(429) >= 1
        assert (await here.ask("other", "GET", LIST)).status == 200
        [(kind, code)] = await _throttled(here.database)
        assert (kind, code) == ("throttled", 429)


@ensure
async def test_on_loopback_nobody_is_throttled_unless_that_is_wanted(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, "throttle.calls_per_minute=1") as here:
        answers = [await here.ask("nobody", "GET", LIST) for _ in range(5)]
        assert [a.status for a in answers] == [200] * 5
        assert "ratelimit" not in answers[0].headers


async def _throttled(database: Database) -> list[tuple[str, int]]:
    """What the record has of it, once it is written."""
    for _ in range(int(PATIENCE_S * 10)):
        found, _ = await database.run("select distinct kind, code from activity where code = 429")
        if found:
            return [(kind, code) for kind, code in found]
        await deferLater(reactor, 0.1)
    raise AssertionError("it never happened")
