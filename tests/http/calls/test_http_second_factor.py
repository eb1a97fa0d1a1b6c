"""The second factor as a browser meets it: enrolled, asked for, lost."""

import json
from typing import Any

import pyotp
import pytest
import pytest_twisted
from twisted.logger import globalLogPublisher

from mailsacd.core.actor import by_command
from tests.http.calls.test_http_account import PASSWORD, Client, Listen, World, world
from tests.log_events import Events

__all__ = ["Listen", "world"]


async def _fresh(world: World, secret: str) -> str:
    await world.node.database.run("update second_factor set last_step = 0")
    return pyotp.TOTP(secret).now()


async def _enrol(client: Client) -> tuple[str, list[str]]:
    made = await client.json("POST", "/api/auth/totp", {"password": PASSWORD})
    assert made["secret"] in made["uri"]
    assert made["svg"].startswith("<svg ")
    assert "style" not in made["svg"]
    code = pyotp.TOTP(made["secret"]).now()
    confirmed = await client.json("PUT", "/api/auth/totp", {"code": code})
    return made["secret"], confirmed["recoveryCodes"]


@pytest.mark.parametrize("who", ["ann", "tim"])
@pytest_twisted.ensureDeferred
async def test_signing_in_takes_a_code_from_then_on(world: World, who: str) -> None:
    client = world.client()
    await client.sign_up("ann")
    await world.node.team.add(by_command("ann"), "tim", PASSWORD)
    await client.sign_in(who)
    off = {"enabled": False, "since": None, "recoveryCodesLeft": 0}
    assert await client.json("GET", "/api/auth/totp") == off
    secret, codes = await _enrol(client)
    status = await client.json("GET", "/api/auth/totp")
    assert (status["enabled"], status["recoveryCodesLeft"]) == (True, 10)
    assert secret not in json.dumps(status)
    assert (await client.call("POST", "/api/auth/totp", {"password": PASSWORD})).status == 409
    again = world.client()
    for given in ({}, {"code": ""}, {"code": "000000"}, {"code": None}):
        refused = await again.call(
            "POST", "/api/auth/login", {"name": who, "password": PASSWORD, **given}
        )
        assert (refused.status, refused.json()["secondFactor"]) == (401, True)
        assert again.cookies == {}
    wrong = await again.call("POST", "/api/auth/login", {"name": who, "password": "wrong horse"})
    assert (wrong.status, "secondFactor" in wrong.json()) == (401, False)
    body = {"name": who, "password": PASSWORD, "code": await _fresh(world, secret)}
    assert (await again.json("POST", "/api/auth/login", body))["login"] == who
    assert (await again.call("POST", "/api/auth/login", body)).status == 401
    await again.json("POST", "/api/auth/login", {**body, "code": codes[3]})
    proof: dict[str, Any] = {"password": PASSWORD, "code": await _fresh(world, secret)}
    renewed = await again.json("POST", "/api/auth/totp/recovery-codes", proof)
    assert len(renewed["recoveryCodes"]) == 10
    refused = await again.call("DELETE", "/api/auth/totp", {"password": PASSWORD})
    assert (refused.status, refused.json()["secondFactor"]) == (403, True)
    proof["code"] = await _fresh(world, secret)
    assert (await again.call("DELETE", "/api/auth/totp", proof)).status == 204
    assert (await world.client().sign_in(who)).status == 200


@pytest_twisted.ensureDeferred
async def test_the_account_is_deleted_with_a_code_alone(world: World) -> None:
    client = world.client()
    await client.sign_up("ann")
    secret, _ = await _enrol(client)
    for given in ({}, {"code": "000000"}):
        refused = await client.call("DELETE", "/api/me", {"password": PASSWORD, **given})
        assert (refused.status, refused.json()["secondFactor"]) == (403, True)
    code = await _fresh(world, secret)
    wrong = await client.call("DELETE", "/api/me", {"password": "wrong horse", "code": code})
    assert (wrong.status, "secondFactor" in wrong.json()) == (403, False)
    assert await client.json("DELETE", "/api/me", {"password": PASSWORD, "code": code})


@pytest_twisted.ensureDeferred
async def test_who_has_not_signed_in_is_refused(world: World) -> None:
    key = await world.node.key("ann")
    for method, target, body in (
        ("GET", "/api/auth/totp", None),
        ("POST", "/api/auth/totp", {"password": PASSWORD}),
        ("PUT", "/api/auth/totp", {"code": "000000"}),
        ("DELETE", "/api/auth/totp", {"password": PASSWORD}),
        ("POST", "/api/auth/totp/recovery-codes", {"password": PASSWORD}),
    ):
        assert (await world.client().call(method, target, body)).status == 401
        assert (await world.client().call(method, target, body, Mailsac_Key=key)).status == 401
    client = world.client()
    await client.sign_up("bob")
    for method, target, bad in (
        ("POST", "/api/auth/totp", {}),
        ("PUT", "/api/auth/totp", {"code": ""}),
        ("PUT", "/api/auth/totp", {"code": "1" * 41}),
        ("PUT", "/api/auth/totp", {"code": 123456}),
    ):
        assert (await client.call(method, target, bad)).status == 400
    assert (await client.call("PUT", "/api/auth/totp", {"code": "000000"})).status == 409


@pytest_twisted.ensureDeferred
async def test_neither_secret_nor_codes_are_logged(world: World) -> None:
    client = world.client()
    await client.sign_up("ann")
    seen = Events()
    globalLogPublisher.addObserver(seen)
    try:
        secret, codes = await _enrol(client)
        body = {"name": "ann", "password": PASSWORD, "code": codes[0]}
        await client.json("POST", "/api/auth/login", body)
    finally:
        globalLogPublisher.removeObserver(seen)
    told = repr(seen.events)
    assert not any(hidden in told for hidden in (secret, *codes))
