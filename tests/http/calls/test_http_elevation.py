"""A team user manages the account for a while, when its own login says so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

from mailsacd.core.actor import by_command
from tests.http.calls.test_http_account import PASSWORD, Client, Listen, World, world

__all__ = ["Listen", "world"]

reactor: Any = the_reactor
ELEVATION = "/api/me/users/tim/elevation"


async def _both(world: World) -> tuple[Client, Client]:
    """The account's own login and its team user, signed in."""
    ann, tim = world.client(), world.client()
    await ann.sign_up("ann")
    await world.node.team.add(by_command("ann"), "tim", PASSWORD)
    await tim.sign_in("tim")
    return ann, tim


async def _may(client: Client) -> bool:
    """Whether ``client`` manages the account."""
    status = (await client.call("GET", "/api/credentials/keys")).status
    assert status in {200, 403}
    return status == 200


@pytest_twisted.ensureDeferred
async def test_it_begins_at_once_and_is_taken_back_at_once(world: World) -> None:
    ann, tim = await _both(world)
    assert not await _may(tim)
    told = await ann.json("PUT", ELEVATION, {"minutes": 30})
    until = datetime.fromisoformat(told["elevatedUntil"])
    assert abs(until - datetime.now(UTC) - timedelta(minutes=30)) < timedelta(minutes=1)
    assert await tim.json("GET", "/api/me/users") == [told]
    assert await _may(tim)
    assert (await tim.call("DELETE", "/api/credentials/keys/x")).status == 404
    longer = await ann.json("PUT", "/api/me/users/TIM/elevation", {"minutes": 1_440})
    assert longer["elevatedUntil"] > told["elevatedUntil"]
    for _ in range(2):
        assert (await ann.call("DELETE", ELEVATION)).status == 204
    assert not await _may(tim)
    assert await ann.json("GET", "/api/me/users") == [{"name": "tim", "elevatedUntil": None}]
    log = await world.node.database.fetch(
        "select action, subject, detail, name from audit where topic in ('team', 'key') order by id"
    )
    assert [(action, name) for action, _, _, name in log] == [
        ("created", ""),
        ("elevated", "ann"),
        ("elevated", "ann"),
        ("elevation-ended", "ann"),
    ]
    assert log[1][1:3] == ("tim", "for 30 minutes")


@pytest_twisted.ensureDeferred
async def test_it_ends_by_itself(world: World) -> None:
    ann, tim = await _both(world)
    await ann.json("PUT", ELEVATION, {"minutes": 1})
    await world.node.database.run(
        "update login set elevated_until = now() + interval '0.5 s' where name = 'tim'"
    )
    world.node.authenticator.forget("ann")
    assert await _may(tim)
    await deferLater(reactor, 0.6, lambda: None)
    assert not await _may(tim)  # though who he is was in memory
    assert (await tim.json("GET", "/api/me"))["login"] == "tim"
    assert await ann.json("GET", "/api/me/users") == [{"name": "tim", "elevatedUntil": None}]


@pytest_twisted.ensureDeferred
async def test_what_would_outlast_the_elevation_stays_with_its_own_login(world: World) -> None:
    ann, tim = await _both(world)
    await world.node.team.add(by_command("ann"), "tom", PASSWORD)
    await ann.json("PUT", ELEVATION, {"minutes": 30})
    for method, target, body in (
        ("PUT", "/api/me/users/tom/elevation", {"minutes": 1}),
        ("PUT", ELEVATION, {"minutes": 1_440}),
        ("DELETE", ELEVATION, None),
        ("PUT", "/api/me", {"email": "tim@example.net"}),
        ("DELETE", "/api/me", {"password": PASSWORD}),
        ("POST", "/api/credentials/keys", {"name": "his"}),
        ("POST", "/api/me/users", {"name": "his-friend", "password": PASSWORD}),
    ):
        assert (await tim.call(method, target, body)).status == 403, target
    assert (await ann.json("GET", "/api/me"))["email"] == "ann@example.net"
    assert await ann.json("GET", "/api/credentials/keys") == []
    assert len(await ann.json("GET", "/api/me/users")) == 2


@pytest.mark.parametrize("minutes", [0, -1, 1_441, "x", None, 1.5])
@pytest_twisted.ensureDeferred
async def test_for_how_long_is_checked(world: World, minutes: Any) -> None:
    ann, tim = await _both(world)
    assert (await ann.call("PUT", ELEVATION, {"minutes": minutes})).status == 400
    assert not await _may(tim)


@pytest_twisted.ensureDeferred
async def test_who_may_elevate_whom(world: World) -> None:
    ann, tim = await _both(world)
    bob = world.client()
    await bob.sign_up("bob")
    key = await world.node.key("ann")
    body = {"minutes": 30}
    assert (await world.client().call("PUT", ELEVATION, body)).status == 401
    assert (await world.client().call("PUT", ELEVATION, body, Mailsac_Key=key)).status == 403
    assert (await tim.call("PUT", ELEVATION, body)).status == 403
    assert (await bob.call("PUT", ELEVATION, body)).status == 404
    assert (await bob.call("DELETE", ELEVATION)).status == 404
    for name in ("ann", "nobody"):
        assert (await ann.call("PUT", f"/api/me/users/{name}/elevation", body)).status == 404
    assert not await _may(tim)
