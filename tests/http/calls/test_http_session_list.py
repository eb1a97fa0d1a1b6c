"""People see where they are signed in, and end it there."""

from typing import Any

import pytest_twisted

from mailsacd.core.actor import by_command
from mailsacd.mail.accounts.auth import hash_of
from tests.http.calls.test_http_account import PASSWORD, Client, Listen, World, world

__all__ = ["Listen", "world"]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


async def _client(world: World, name: str = "ann", agent: str = FIREFOX) -> Client:
    client = world.client()
    body = {"name": name, "password": PASSWORD}
    await client.json("POST", "/api/auth/login", body, User_Agent=agent)
    return client


async def _sessions(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await client.json("GET", "/api/auth/sessions")
    return found


@pytest_twisted.ensureDeferred
async def test_a_login_sees_its_own_sessions_alone(world: World) -> None:
    signing_up = world.client()
    await signing_up.sign_up("ann")
    await world.client().sign_up("bob")
    await world.node.team.add(by_command("ann"), "tim", PASSWORD)
    client, curl, tim = await _client(world), await _client(world, agent="curl/8.5.0"), None
    tim = await _client(world, "tim")
    found = await _sessions(client)
    assert [(s["agent"], s["current"], s["ip"]) for s in found] == [
        ("curl/8.5.0", False, "127.0.0.1"),
        ("Firefox 128 on Linux", True, "127.0.0.1"),
        ("", False, "127.0.0.1"),
    ]
    assert [s["current"] for s in await _sessions(curl)] == [True, False, False]
    (tims,) = await _sessions(tim)
    told = repr(found)
    for one in (client, curl):
        token = one.cookies["mailsacd_session"]
        assert token not in told
        assert hash_of(token).hex() not in told
    assert (await client.call("DELETE", f"/api/auth/sessions/{tims['_id']}")).status == 404
    assert (await tim.call("DELETE", f"/api/auth/sessions/{found[0]['_id']}")).status == 404
    assert len(await _sessions(tim)) == 1


@pytest_twisted.ensureDeferred
async def test_one_session_is_ended_and_then_all_others(world: World) -> None:
    first = world.client()
    await first.sign_up("ann")
    second, third = await _client(world), await _client(world)
    await third.json("GET", "/api/me")  # it is known in memory from now on
    by_id = {s["current"]: s["_id"] for s in await _sessions(third)}
    assert (await first.call("DELETE", f"/api/auth/sessions/{by_id[True]}")).status == 204
    assert (await first.call("DELETE", f"/api/auth/sessions/{by_id[True]}")).status == 404
    assert (await third.call("GET", "/api/me")).status == 401
    assert len(await _sessions(first)) == 2
    assert await first.json("DELETE", "/api/auth/sessions") == {"ended": 1}
    assert await first.json("DELETE", "/api/auth/sessions") == {"ended": 0}
    assert (await second.call("GET", "/api/me")).status == 401
    assert [s["current"] for s in await _sessions(first)] == [True]
    log = await world.node.database.fetch("select action, detail from audit order by id")
    assert log[-2:] == [("ended", "Firefox 128 on Linux"), ("ended", "all others: 1")]


@pytest_twisted.ensureDeferred
async def test_it_takes_a_session(world: World) -> None:
    key = await world.node.key("ann")
    for method, target in (
        ("GET", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions/00ff"),
    ):
        assert (await world.client().call(method, target)).status == 401
        assert (await world.client().call(method, target, Mailsac_Key=key)).status == 401
    client = world.client()
    await client.sign_up("bob")
    for wrong in ("x", "%00", "a" * 65):
        assert (await client.call("DELETE", f"/api/auth/sessions/{wrong}")).status == 404


@pytest_twisted.ensureDeferred
async def test_when_a_session_was_used_is_written_once_an_hour(world: World) -> None:
    client = world.client()
    await client.sign_up("ann")
    run, authenticator = world.node.database.run, world.node.authenticator
    (session,) = await _sessions(client)
    await run("update session set last_used = now() - interval '59 minutes'")
    authenticator.forget("ann")
    (session,) = await _sessions(client)
    await authenticator.finish()
    assert (await _sessions(client))[0]["lastUsed"] == session["lastUsed"]
    await run("update session set last_used = now() - interval '61 minutes'")
    authenticator.forget("ann")
    (old,) = await _sessions(client)
    await authenticator.finish()
    (new,) = await _sessions(client)
    assert old["lastUsed"] < session["lastUsed"] < new["lastUsed"]
    (before,) = await world.node.database.fetch("select xmin::text from session")
    await _sessions(client)
    await authenticator.finish()  # it is known in memory as one that was not used for long
    assert await world.node.database.fetch("select xmin::text from session") == [before]
