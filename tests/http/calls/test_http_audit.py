"""What was done to an account is told to whoever manages it, with who did it and from where."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_twisted

from mailsacd.core.account import new_token
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.store.accounts import set_password
from mailsacd.store.pool import Database
from mailsacd.store.sessions import add_session
from tests.http.society import OTHER, OWNER, Society, society
from tests.lanes import LANES

FREE = "free@reserved.example"
PASSWORD = "correct horse"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        for who, login in (("owner's session", OWNER), ("other's session", OTHER)):
            token = new_token()
            expires = datetime.now(UTC) + timedelta(hours=1)
            await add_session(database, hash_of(token), login, expires)
            made.credentials[who] = {"Cookie": f"mailsacd_session={token}"}
        password_hash = await Passwords(LANES.passwords).hash(PASSWORD)
        await set_password(database, OWNER, password_hash)
        await database.run("delete from audit")  # of what they were given
        yield made


async def _told(people: Society, query: str = "") -> list[tuple[str, str, str, str | None]]:
    """What the owner's log has, oldest first: topic and action, subject, by and name."""
    log = await people.json("owner's session", "GET", f"/api/audit?{query}")
    return [
        (f"{e['topic']} {e['action']}", e["subject"], e["by"], e["name"]) for e in reversed(log)
    ]


@pytest_twisted.ensureDeferred
async def test_each_change_is_told_with_who_made_it(people: Society) -> None:
    made = await people.json("owner's session", "POST", "/api/credentials/keys", b'{"name":"ci"}')
    await people.ask("owner's session", "DELETE", f"/api/credentials/keys/{made['_id']}")
    await people.json("owner", "PUT", "/api/me", b'{"labels":["x"],"recents":["a@b.example"]}')
    await people.json("owner", "PUT", "/api/me", b'{"capturePrivate":true,"labels":["y"]}')
    email = json.dumps({"email": "new@owner.example", "password": PASSWORD}).encode()
    await people.json("owner's session", "PUT", "/api/me", email)
    await people.json("owner's session", "PUT", "/api/me", email)  # which changes nothing more
    await people.json("owner", "PUT", "/api/me", b'{"capturePrivate":true}')
    await people.json("owner", "PUT", "/api/me", b"{}")
    await people.json("team", "POST", f"/api/addresses/{FREE}", b'{"info":"x","password":"abc"}')
    await people.json("owner", "PUT", f"/api/addresses/{FREE}", b'{"enablews":true}')
    await people.json("owner", "PUT", f"/api/addresses/{FREE}", b"{}")
    await people.json("owner", "DELETE", f"/api/addresses/{FREE}")
    await people.json("owner", "POST", "/api/domains/new.example")
    await people.json("owner", "PUT", "/api/domains/new.example", b'{"enablews":true}')
    await people.json("owner", "PUT", "/api/domains/new.example", b"{}")
    await people.json("owner", "DELETE", "/api/domains/new.example")
    await people.json("owner", "POST", "/api/webhooks/secret")
    user = b'{"name":"kim","password":"correct horse"}'
    await people.json("owner's session", "POST", "/api/me/users", user)
    await people.ask("owner's session", "DELETE", "/api/me/users/kim")
    owner, key, team = ("login", OWNER), ("key", "test"), ("login", "helper")
    assert await _told(people) == [
        ("key created", "ci", *owner),
        ("key removed", "ci", *owner),
        ("account changed", OWNER, *key),  # labels and recents are not worth an entry
        ("account changed", OWNER, *owner),
        ("address reserved", FREE, *team),
        ("address changed", FREE, *team),
        ("address changed", FREE, *key),
        ("address released", FREE, *key),
        ("domain created", "new.example", *key),
        ("domain changed", "new.example", *key),
        ("domain removed", "new.example", *key),
        ("account changed", OWNER, *key),
        ("team created", "kim", *owner),
        ("team removed", "kim", *owner),
    ]
    log = await people.json("owner's session", "GET", "/api/audit")
    assert {entry["ip"] for entry in log} == {"127.0.0.1"}
    details = [entry["detail"] for entry in reversed(log)]
    assert details[2:4] == [
        "capture_private: False -> True",
        f"email: {OWNER}@owner.example -> new@owner.example",
    ]
    assert details[5] == "info, password"
    assert "abc" not in repr(log)
    assert await people.json("other's session", "GET", "/api/audit") == []


@pytest_twisted.ensureDeferred
async def test_what_is_refused_leaves_no_entry(people: Society) -> None:
    await people.json("other", "POST", f"/api/addresses/{FREE}")
    bulk = f'{{"addresses":["ok@x.example","{FREE}"]}}'.encode()
    refused: list[tuple[str, str, bytes]] = [
        ("POST", f"/api/addresses/{FREE}", b""),
        ("PUT", f"/api/addresses/{FREE}", b'{"enablews":true}'),
        ("DELETE", f"/api/addresses/{FREE}", b""),
        ("POST", "/api/private-addresses-bulk", bulk),
        ("DELETE", "/api/domains/absent.example", b""),
        ("DELETE", "/api/credentials/keys/absent", b""),
        ("DELETE", "/api/me/users/absent", b""),
    ]  # fmt: skip
    for method, target, body in refused:
        assert (await people.ask("owner's session", method, target, body)).status >= 400, target
    assert await _told(people) == []


@pytest_twisted.ensureDeferred
async def test_signing_in_and_out_and_passwords_are_told(people: Society) -> None:
    user = b'{"name":"kim","password":"correct horse"}'
    await people.json("owner's session", "POST", "/api/me/users", user)
    people.credentials["kim"] = {}
    answer = await people.ask("kim", "POST", "/api/auth/login", user)
    people.credentials["kim"] = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    wrong = b'{"name":"kim","password":"wrong horse"}'
    assert (await people.ask("nobody", "POST", "/api/auth/login", wrong)).status == 401
    changed = b'{"password":"correct horse","newPassword":"other horse"}'
    await people.json("kim", "PUT", "/api/auth/password", changed)
    answer = await people.ask(
        "nobody", "POST", "/api/auth/login", user.replace(b"correct", b"other")
    )
    people.credentials["kim"] = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    await people.json("kim", "POST", "/api/auth/logout")
    kim = ("login", "kim")
    assert await _told(people) == [
        ("team created", "kim", "login", OWNER),
        ("session signed-in", "kim", *kim),
        ("account password-changed", "kim", *kim),
        ("session signed-in", "kim", *kim),
        ("session signed-out", "kim", *kim),
    ]
    assert await _told(people, "topic=account") == [("account password-changed", "kim", *kim)]


@pytest_twisted.ensureDeferred
async def test_who_may_look_and_at_which_part(people: Society) -> None:
    for who, status in {"nobody": 401, "wrong key": 401, "owner": 403, "team": 403}.items():
        assert (await people.ask(who, "GET", "/api/audit")).status == status, who
    for number in range(4):
        await people.json("owner", "POST", f"/api/addresses/a{number}@reserved.example")
    log: list[dict[str, Any]] = await people.json("owner's session", "GET", "/api/audit")
    assert [entry["subject"][1] for entry in log] == ["3", "2", "1", "0"]
    part = await people.json("owner's session", "GET", "/api/audit?limit=2&skip=1")
    assert part == log[1:3]
    for query, expected in (
        ("limit=0", []),
        (f"until={log[0]['time']}", [e for e in log if e["time"] < log[0]["time"]]),
        (f"since={log[0]['time']}", [e for e in log if e["time"] >= log[0]["time"]]),
        ("topic=key", []),
    ):
        assert await people.json("owner's session", "GET", f"/api/audit?{query}") == expected
    for query in ("topic=x", "limit=-1", "since=yesterday"):
        assert (await people.ask("owner's session", "GET", f"/api/audit?{query}")).status == 400
