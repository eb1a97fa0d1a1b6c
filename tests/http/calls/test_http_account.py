"""The calls about accounts over real sockets: good answers, refusals, bad input, cookies."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from mailsacd.assembly.signing_in import SigningIn
from mailsacd.assembly.web import message_calls
from mailsacd.configuration import load_settings
from mailsacd.core.actor import by_command
from mailsacd.http.app import make_site
from mailsacd.mail.accounts.guesses import GUESSES
from mailsacd.mail.accounts.reset_links import reset_token
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.settings import Settings
from mailsacd.store.pool import Database
from tests.http.client import Answer, ask
from tests.http.declared import Specification
from tests.lanes import LANES
from tests.mail.people import People, people

reactor: Any = the_reactor
Listen = Callable[[Any], int]

PASSWORD = "correct horse"
UNKNOWN_KEY = "k_" + "A" * 32


@dataclass
class Client:
    """A caller who keeps cookies as a browser does; every answer is held to the specification."""

    port: int
    specification: Specification
    cookies: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """``body`` is sent as JSON, a text or bytes as they are."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
        content = b""
        if isinstance(body, str | bytes):
            content = body.encode() if isinstance(body, str) else body
        elif body is not None:
            content = json.dumps(body).encode()
        answer = await ask(reactor, self.port, target, method=method, headers=sent, body=content)
        self.specification.check(method, target, answer)
        if cookie := answer.headers.get("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies = {name: value} if value else {}
        return answer

    async def json(self, method: str, target: str, body: Any = None, **headers: str) -> Any:
        """The body of an answer that is 200."""
        answer = await self.call(method, target, body, **headers)
        assert answer.status == 200, answer
        return answer.json()

    async def sign_up(self, name: str = "ann") -> None:
        """As somebody does on the web page."""
        fields = {"name": name, "email": f"{name}@example.net", "password": PASSWORD}
        await self.json("POST", "/api/auth/sign-up", fields)

    async def sign_in(self, name: str, password: str = PASSWORD) -> Answer:
        """With what is not known to be right."""
        return await self.call("POST", "/api/auth/login", {"name": name, "password": password})


@dataclass
class World:
    """A site, who is behind it, and callers."""

    node: People
    specification: Specification
    port: int

    def client(self) -> Client:
        return Client(self.port, self.specification)


def _settings(*overrides: str) -> Settings:
    return load_settings(None, {}, ["accounts.sign_up=open", *overrides])


async def _world(node: People, listen: Listen, settings: Settings) -> World:
    access_control = AccessControl(Directory(node.database, node.notices), anonymous_read=True)
    mailbox = Mailbox(node.database, access_control, LANES.readers)
    groups = (
        *message_calls(mailbox, reactor),
        *SigningIn(settings, node.accounts, node.passwords, node.guesses).calls(),
    )
    lane = LANES.readers
    port = listen(make_site(groups, node.authenticator, settings.http, lane, reactor))
    document = (await ask(reactor, port, "/openapi.json")).json()
    return World(node, Specification(document), port)


@pytest_twisted.async_yield_fixture
async def world(database: Database, database_dsn: str, listen: Listen) -> AsyncIterator[World]:
    async with people(database, database_dsn) as node:
        yield await _world(node, listen, _settings())


@pytest_twisted.ensureDeferred
async def test_a_key_in_any_place_tells_who_asks(world: World) -> None:
    key = await world.node.key("ann")
    client = world.client()
    for target, headers in [("/api/me", {"Mailsac_Key": key}), (f"/api/me?_mailsacKey={key}", {})]:
        me = await client.json("GET", target, **headers)
        assert (me["_id"], me["email"], me["login"]) == ("ann", "ann@example.net", None)
        assert me["apiKeyName"].startswith("key-")
    labels = {"labels": ["a"]}
    for body in ({"_mailsacKey": key, **labels}, f"_mailsacKey={key}&labels=a"):
        assert (await client.json("PUT", "/api/me", body))["labels"] == ["a"]
    given = await client.json("GET", "/api/me", Mailsac_Key=key)
    changed = {**given, "labels": ["b"], "_id": "eve"}  # only what can be set counts
    answer = await client.json("PUT", "/api/me", changed, Mailsac_Key=key)
    assert {**answer, "moAPICount": 0} == {**given, "labels": ["b"], "moAPICount": 0}
    stats = await client.json("GET", "/api/me/stats", Mailsac_Key=key)
    assert stats["addresses"] == stats["domains"] == stats["nonOwnedInboxes"] == []
    assert stats["storedMessages"] == stats["inboxBytes"] == stats["lastMonthOps"] == 0


@pytest_twisted.ensureDeferred
async def test_me_shows_what_is_left_and_what_is_kept(world: World) -> None:
    key, run = await world.node.key("ann"), world.node.database.run
    await run("insert into address (email, domain, owner) values ('a@x.example','x.example','ann')")
    await run(
        "insert into domain (name, owner, verification_txt, verified, is_default)"
        " values ('y.example','ann','t',true,true), ('z.example','ann','t',false,false)"
    )
    await run(
        "insert into usage (account, month, kind, count) select 'ann', month, kind, 5 from "
        "(values (date_trunc('month', now() at time zone 'utc')::date), "
        "((date_trunc('month', now() at time zone 'utc') - interval '1 month')::date)) m (month), "
        "(values ('api'), ('push'), ('send')) k (kind)"
    )
    await run(
        "insert into raw_message (id, received, body, size, refs) values ('m', now(), 'x', 9, 3)"
    )
    await run(
        "insert into message (inbox, id, raw_id, domain, received, facts, bytes, owner, saved_by)"
        " values "
        "('a@x.example', 'm-0', 'm', 'x.example', now(), '{', 9, 'ann', null),"
        "('a@x.example', 'm-1', 'm', 'x.example', now(), '{', 9, 'ann', 'ann'),"
        "('p@p.example', 'm-2', 'm', 'p.example', now(), '{', 9, null, 'ann')"
    )
    client = world.client()
    me = await client.json("GET", "/api/me", Mailsac_Key=key)
    limits = await world.node.accounts.limits("ann")
    assert me["privateAddressCredits"] == limits.private_addresses - 1
    assert me["privateDomain"] == limits.domains - 2
    assert me["catchAll"] == 1
    assert me["moAPICount"] == 10
    assert me["sendsRemaining"] == limits.sends - 5
    assert await client.json("GET", "/api/me/stats", Mailsac_Key=key) == {
        "addresses": ["a@x.example"],
        "domains": ["y.example", "z.example"],
        "nonOwnedInboxes": ["p@p.example"],
        "starredMessages": 2,
        "storedMessages": 2,
        "inboxBytes": 18,
        "lastMonthOps": 10,
        "defaultDomain": "y.example",
    }


_NEEDS_AN_ACCOUNT: list[tuple[str, str, Any]] = [
    ("GET", "/api/me", None),
    ("PUT", "/api/me", {"labels": []}),
    ("DELETE", "/api/me", {"password": PASSWORD}),
    ("GET", "/api/me/stats", None),
    ("GET", "/api/me/users", None),
    ("POST", "/api/me/users", {"name": "tim", "password": PASSWORD}),
    ("DELETE", "/api/me/users/tim", None),
    ("GET", "/api/credentials/keys", None),
    ("POST", "/api/credentials/keys", {}),
    ("DELETE", "/api/credentials/keys/x", None),
    ("PUT", "/api/auth/password", {"password": PASSWORD, "newPassword": "other horse"}),
]
# What else an API key, or a team user, may not do
_NEEDS_ITS_OWN_LOGIN: list[tuple[str, str, Any]] = [
    ("PUT", "/api/me", {"email": "new@example.net"}),
    ("DELETE", "/api/me", {"password": PASSWORD}),
    ("POST", "/api/me/users", {"name": "tom", "password": PASSWORD}),
    ("DELETE", "/api/me/users/tim", None),
    ("GET", "/api/credentials/keys", None),
    ("POST", "/api/credentials/keys", {}),
    ("DELETE", "/api/credentials/keys/x", None),
]


@pytest.mark.parametrize(("method", "target", "body"), _NEEDS_AN_ACCOUNT)
@pytest_twisted.ensureDeferred
async def test_nobody_and_a_wrong_key_are_refused(
    world: World, method: str, target: str, body: Any
) -> None:
    client = world.client()
    assert (await client.call(method, target, body)).status == 401
    assert (await client.call(method, target, body, Mailsac_Key=UNKNOWN_KEY)).status == 401
    client.cookies = {"mailsacd_session": "x" * 43}
    assert (await client.call(method, target, body)).status == 401


@pytest_twisted.ensureDeferred
async def test_what_an_api_key_and_a_team_user_may_not_do(world: World) -> None:
    key = await world.node.key("ann")
    await world.node.team.add(by_command("ann"), "tim", PASSWORD)
    tim = world.client()
    assert (await tim.sign_in("tim")).status == 200
    for method, target, body in _NEEDS_ITS_OWN_LOGIN:
        assert (await tim.call(method, target, body)).status == 403, target
        refused = await world.client().call(method, target, body, Mailsac_Key=key)
        assert refused.status == 403, target
    assert (await tim.json("GET", "/api/me"))["login"] == "tim"
    assert await tim.json("GET", "/api/me/users") == [{"name": "tim", "elevatedUntil": None}]
    changed = {"password": PASSWORD, "newPassword": "other horse"}
    refused = await world.client().call("PUT", "/api/auth/password", changed, Mailsac_Key=key)
    assert refused.status == 401
    await tim.json("PUT", "/api/auth/password", changed)
    assert (await tim.sign_in("tim", "other horse")).status == 200


@pytest_twisted.ensureDeferred
async def test_keys_are_made_shown_once_used_and_taken_back(world: World) -> None:
    client, other = world.client(), world.client()
    await client.sign_up("ann")
    await other.sign_up("bob")
    made = await client.json("POST", "/api/credentials/keys", {"name": "ci"})
    nameless = await client.json("POST", "/api/credentials/keys")
    assert len(made["key"]) == 34
    assert nameless["name"]
    again = await client.call("POST", "/api/credentials/keys", {"name": "ci"})
    assert again.status == 409
    listed = await client.json("GET", "/api/credentials/keys")
    assert [key["name"] for key in listed] == ["ci", nameless["name"]]
    assert made["key"] not in json.dumps(listed)
    assert (await client.json("GET", "/api/me", Mailsac_Key=made["key"]))["apiKeyName"] == "ci"
    target = f"/api/credentials/keys/{made['_id']}"
    assert (await other.call("DELETE", target)).status == 404
    assert (await client.call("DELETE", target)).status == 204
    assert (await client.call("DELETE", target)).status == 404
    assert (await client.call("GET", "/api/me", Mailsac_Key=made["key"])).status == 401


@pytest_twisted.ensureDeferred
async def test_somebody_signs_up_out_and_in(world: World) -> None:
    client = world.client()
    await client.sign_up("Ann")
    assert (await client.json("GET", "/api/me"))["login"] == "ann"
    taken = await client.call(
        "POST", "/api/auth/sign-up", {"name": "ann", "email": "x@y.example", "password": PASSWORD}
    )
    assert taken.status == 409
    for path in ("/api/logout", "/api/auth/logout"):
        kept = dict(client.cookies)
        assert await client.json("POST", path) == {"ok": True}
        assert client.cookies == {}
        client.cookies = kept
        assert (await client.call("GET", "/api/me")).status == 401
        client.cookies = {}
        assert await client.json("POST", path) == {"ok": True}
        assert (await client.sign_in("ANN@example.net")).json()["_id"] == "ann"


@pytest_twisted.ensureDeferred
async def test_a_session_that_is_over_does_not_stand_in_the_way(world: World) -> None:
    client = world.client()
    client.cookies = {"mailsacd_session": "x" * 43}
    assert (await client.json("GET", "/api/addresses/a@b.example/message-count"))["count"] == 0


@pytest_twisted.ensureDeferred
async def test_wrong_passwords_are_throttled(world: World) -> None:
    client = world.client()
    await client.sign_up("ann")  # one of the ten itself
    answers = [(await client.sign_in("ann", "wrong horse")).status for _ in range(9)]
    assert set(answers) == {401}
    throttled = await client.sign_in("ann")
    assert throttled.status == 429
    assert 0 < int(throttled.headers["retry-after"]) <= 60
    assert (await client.json("GET", "/api/me"))["_id"] == "ann"


@pytest_twisted.ensureDeferred
async def test_a_link_of_the_operator_s_sets_a_password(world: World) -> None:
    await world.node.accounts.add("ann", "ann@example.net")
    token = await reset_token(world.node.database, "ann", 1)
    client = world.client()
    body = {"token": token, "password": PASSWORD}
    assert await client.json("POST", "/api/auth/reset", body) == {"ok": True}
    assert (await client.call("POST", "/api/auth/reset", body)).status == 400
    assert (await client.sign_in("ann")).status == 200


@pytest_twisted.ensureDeferred
async def test_an_account_is_deleted_with_its_password_alone(world: World) -> None:
    client = world.client()
    await client.sign_up("ann")
    key = (await client.json("POST", "/api/credentials/keys"))["key"]
    refused = await client.call("DELETE", "/api/me", {"password": "wrong horse"})
    assert refused.status == 403
    assert await client.json("DELETE", "/api/me", {"password": PASSWORD}) == {"ok": True}
    assert client.cookies == {}
    assert (await client.call("GET", "/api/me", Mailsac_Key=key)).status == 401
    assert (await client.sign_in("ann")).status == 401
    assert await world.node.accounts.list() == []


@pytest_twisted.ensureDeferred
async def test_settings_of_the_account_are_set_one_by_one(world: World) -> None:
    client = world.client()
    await client.sign_up("ann")
    await client.sign_up("bob")
    await client.json("PUT", "/api/me", {"labels": ["a", "b", "a"], "recents": ["x@y.example"]})
    await client.json("PUT", "/api/me", {"capturePrivate": True, "disableSpam": True})
    new = {"email": "New@Example.net", "password": PASSWORD}
    for refused in ({**new, "password": "wrong horse"}, {"email": new["email"]}):
        assert (await client.call("PUT", "/api/me", refused)).status == 403
    me = await client.json("PUT", "/api/me", new)
    assert (me["labels"], me["recents"]) == (["a", "b"], ["x@y.example"])
    assert (me["capturePrivate"], me["disableSpam"]) == (True, True)
    assert me["email"] == "new@example.net"
    assert await client.json("PUT", "/api/me", "") == me
    taken = {"email": "ann@example.net", "password": PASSWORD}
    assert (await client.call("PUT", "/api/me", taken)).status == 409
    await client.json("PUT", "/api/me", {"email": me["email"], "labels": ["a"]})  # the same
    wrong = {**taken, "password": "wrong horse"}
    statuses = [(await client.call("PUT", "/api/me", wrong)).status for _ in range(GUESSES)]
    assert set(statuses) == {403, 429}  # one was wrong before
    form = await client.json("PUT", "/api/me", "labels=x&labels=y&capturePrivate=false")
    assert (form["labels"], form["capturePrivate"]) == (["x", "y"], False)


# Cookies, and pages of other sites


@pytest_twisted.ensureDeferred
async def test_no_script_and_no_other_site_gets_the_cookie(
    database: Database, database_dsn: str, listen: Listen
) -> None:
    async with people(database, database_dsn) as node:
        await node.accounts.add(
            "ann", "ann@example.net", password_hash=await node.passwords.hash(PASSWORD)
        )
        for url, secure, path in (
            ("", False, "/"),
            ("https://mail.example", True, "/"),
            ("http://x", False, "/"),
            ("https://team.example/a/mail/", True, "/a/mail"),
        ):
            settings = _settings(*([f"http.public_url={url}"] if url else []))
            world = await _world(node, listen, settings)
            client = world.client()
            signed_in = (await client.sign_in("ann")).headers["set-cookie"]
            signed_out = (await client.call("POST", "/api/auth/logout")).headers["set-cookie"]
            assert f"; Path={path};" in signed_out
            attributes = {part.strip() for part in signed_in.split(";")[1:]}
            assert {"HttpOnly", "SameSite=Lax", f"Path={path}"} <= attributes
            assert ("Secure" in attributes) is secure
            assert not [part for part in attributes if part.startswith("Domain")]


@pytest_twisted.ensureDeferred
async def test_the_cookie_of_our_own_path_counts(world: World) -> None:
    """An older one, of the whole host, comes after it (RFC 6265 section 5.4)."""
    client = world.client()
    await client.sign_up("ann")
    ours = f"mailsacd_session={client.cookies['mailsacd_session']}"
    for cookie, status in (
        (f"{ours}; mailsacd_session=older", 200),
        (f"mailsacd_session=another; {ours}", 401),
        (f"flag; other=mailsacd_session=x;{ours}", 200),
    ):
        answer = await world.client().call("GET", "/api/me", Cookie=cookie)
        assert answer.status == status, cookie


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "x"}, 403),
        ({"Origin": "http://here.example", "Host": "here.example"}, 200),
        ({"Origin": "http://Here.example:8", "Host": "here.example:8"}, 200),
        ({"Origin": "http://evil.example", "Host": "here.example"}, 403),
        ({"Origin": "null", "Host": "here.example"}, 403),
        ({"Origin": "http://evil.example", "Sec_Fetch_Site": "same-origin"}, 200),
        (
            {
                "Origin": "http://here.example",
                "Host": "here.example",
                "Sec_Fetch_Site": "cross-site",
            },
            403,
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_write_by_cookie_comes_from_our_own_pages(
    world: World, headers: dict[str, str], status: int
) -> None:
    client = world.client()
    await client.sign_up("ann")
    key = (await client.json("POST", "/api/credentials/keys"))["key"]
    body = {"labels": ["a"]}
    assert (await client.call("PUT", "/api/me", body, **headers)).status == status
    assert (await client.call("GET", "/api/me", **headers)).status == 200
    with_key = await client.call("PUT", "/api/me", body, Mailsac_Key=key, **headers)
    assert with_key.status == 200
    signing_in = {"name": "ann", "password": PASSWORD}
    assert (await client.call("POST", "/api/auth/login", signing_in, **headers)).status == status


@pytest.mark.parametrize(
    ("forwarded", "peer"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("203.0.113.5, 192.0.2.9", "192.0.2.9"),
        ("192.0.2.9, 127.0.0.9", "192.0.2.9"),
        ("192.0.2.9,\t2001:db8::1", "2001:db8::1"),
        ("127.0.0.8,127.0.0.9", "127.0.0.8"),
        ("192.0.2.9, nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_listed_proxy_is_believed_about_who_asks(
    database: Database, database_dsn: str, listen: Listen, forwarded: str, peer: str
) -> None:
    async with people(database, database_dsn) as node:
        await node.key("ann")
        for networks, expected in (("127.0.0.0/8", peer), ("192.0.2.0/24", "127.0.0.1")):
            world = await _world(node, listen, _settings(f"http.proxy_networks={networks}"))
            headers = {"X_Forwarded_For": forwarded, "X_Forwarded_Proto": "https"}
            fields = {"name": "ann", "password": PASSWORD}
            answer = await world.client().call("POST", "/api/auth/login", fields, **headers)
            assert answer.status == 401
            node.guesses.refund(expected)  # which nobody else has spent
            assert not any(node.guesses._window._moments)
            cookie = (await world.client().call("POST", "/api/logout", **headers)).headers
            assert ("Secure" in cookie["set-cookie"]) is (networks == "127.0.0.0/8")


# Bad input

_THREE = ["email", "name", "password"]
_SIGN_UP = {"name": "eve", "email": "eve@example.net", "password": PASSWORD}
_BAD_INPUT: list[tuple[str, str, Any, list[str]]] = [
    ("POST", "/api/auth/sign-up", {}, _THREE),
    ("POST", "/api/auth/sign-up", {"name": 1, "email": [], "password": None}, _THREE),
    ("POST", "/api/auth/sign-up", {**_SIGN_UP, "name": "a b"}, ["name"]),
    ("POST", "/api/auth/sign-up", {**_SIGN_UP, "name": "x" * 300}, ["name"]),
    ("POST", "/api/auth/sign-up", {**_SIGN_UP, "email": "nobody"}, ["email"]),
    ("POST", "/api/auth/sign-up", {**_SIGN_UP, "email": "a\r\nb@example.net"}, ["email"]),
    ("POST", "/api/auth/sign-up", {**_SIGN_UP, "password": "short"}, ["password"]),
    ("POST", "/api/auth/sign-up", {**_SIGN_UP, "password": "x" * 257}, ["password"]),
    ("POST", "/api/auth/sign-up", {**_SIGN_UP, "plan": "big"}, ["plan"]),
    ("POST", "/api/auth/sign-up", {**_SIGN_UP, "invitation": 1}, ["invitation"]),
    ("POST", "/api/auth/login", {"name": "ann"}, ["password"]),
    ("POST", "/api/auth/login", {"name": "", "password": ""}, ["name"]),
    ("POST", "/api/auth/login", {"name": "a\x00", "password": PASSWORD}, ["name"]),
    ("POST", "/api/auth/login", {"nmae": "a", "password": PASSWORD}, ["name", "nmae"]),
    ("POST", "/api/auth/login", {"name": {}, "password": True}, ["name", "password"]),
    ("PUT", "/api/auth/password", {"password": PASSWORD, "newPassword": "x"}, ["newPassword"]),
    ("PUT", "/api/auth/password", {"newPassword": PASSWORD}, ["password"]),
    ("POST", "/api/auth/reset", {"token": "x", "password": PASSWORD}, ["token"]),
    ("POST", "/api/auth/reset", {"token": "x" * 101, "password": PASSWORD}, ["token"]),
    ("POST", "/api/auth/reset", {"token": "", "password": "x"}, ["password", "token"]),
    ("PUT", "/api/me", {"labels": "a"}, ["labels"]),
    ("PUT", "/api/me", {"labels": ["a", 1]}, ["labels[1]"]),
    ("PUT", "/api/me", {"labels": [""]}, ["labels[0]"]),
    ("PUT", "/api/me", {"labels": ["a\n"]}, ["labels"]),
    ("PUT", "/api/me", {"labels": ["x" * 101]}, ["labels[0]"]),
    ("PUT", "/api/me", {"labels": ["x"] * 201}, ["labels"]),
    ("PUT", "/api/me", {"recents": ["x"] * 21}, ["recents"]),
    ("PUT", "/api/me", {"capturePrivate": 1, "email": 1}, ["capturePrivate", "email"]),
    ("PUT", "/api/me", {"email": "nobody", "password": PASSWORD}, ["email"]),
    ("PUT", "/api/me", {"id": "bob"}, ["id"]),
    ("DELETE", "/api/me", {}, ["password"]),
    ("POST", "/api/me/users", {"name": "a b", "password": PASSWORD}, ["name"]),
    ("POST", "/api/me/users", {"name": "tim"}, ["password"]),
    ("POST", "/api/me/users", {"name": "x" * 64, "password": "x"}, ["name", "password"]),
    ("POST", "/api/credentials/keys", {"name": ""}, ["name"]),
    ("POST", "/api/credentials/keys", {"name": "x" * 101}, ["name"]),
    ("POST", "/api/credentials/keys", {"name": 5}, ["name"]),
    ("POST", "/api/credentials/keys", {"name": "\x7f"}, ["name"]),
    ("POST", "/api/credentials/keys", {"nam": "x"}, ["nam"]),
    ("POST", "/api/credentials/keys", "name=%00", ["name"]),
]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_each_fault_of_bad_input_is_named(world: World) -> None:
    client = world.client()
    await client.sign_up("ann")
    for method, target, body, fields in _BAD_INPUT:
        answer = await client.call(method, target, body)
        assert answer.status == 400, (target, body, answer)
        told = [fault["field"] for fault in answer.json()["faults"]]
        assert sorted(told) == fields, (target, body)
        assert all(fault["message"] for fault in answer.json()["faults"])
    for body in ("{", "[1]", '"x"', b"\xff\xfe", "name"):
        refused = await client.call("POST", "/api/credentials/keys", body)
        assert refused.status == 400, body
    for target in ("/api/me/users/%00", "/api/me/users/" + "x" * 99, "/api/credentials/keys/%00"):
        assert (await client.call("DELETE", target)).status == 404


@pytest_twisted.ensureDeferred
async def test_no_secret_is_in_a_log_or_an_error(world: World) -> None:
    events: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        events.append(event)

    globalLogPublisher.addObserver(observe)
    client = world.client()
    answers = []
    try:
        await client.sign_up("ann")
        key = (await client.json("POST", "/api/credentials/keys"))["key"]
        token = client.cookies["mailsacd_session"]
        for target in ("/api/me", "/api/nothing", "/api/addresses/@/messages"):
            answers.append(await client.call("GET", f"{target}?_mailsacKey={key}"))
            answers.append(await client.call("GET", f"{target}?_mailsacKey={UNKNOWN_KEY}"))
        answers.append(await client.call("PUT", "/api/me", {"_mailsacKey": key, "labels": 1}))
        answers.append(await client.call("PUT", "/api/me", {"labels": [], key: 1, "x": token}))
        answers.append(await client.sign_in("ann", "secret horse"))
    finally:
        globalLogPublisher.removeObserver(observe)
    logged = repr(events)
    for secret in (key, token, PASSWORD, "secret horse"):
        assert secret not in logged
    for secret in (token, PASSWORD, "secret horse", UNKNOWN_KEY):
        assert not [answer for answer in answers if secret.encode() in answer.body]


@pytest_twisted.ensureDeferred
async def test_without_a_database_a_key_is_not_called_wrong(
    world: World, stopped_database: Database, database_dsn: str, listen: Listen
) -> None:
    key = await world.node.key("ann")
    async with people(stopped_database, database_dsn) as away:
        other = await _world(away, listen, _settings())
        answer = await other.client().call("GET", "/api/me", Mailsac_Key=key)
        assert answer.status == 503
        assert (await other.client().sign_in("ann")).status == 503
