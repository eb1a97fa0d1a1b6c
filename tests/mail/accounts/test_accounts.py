"""Accounts: made, changed, removed with all that was theirs; passwords, plans, the first one."""

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from argon2 import PasswordHasher, extract_parameters
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred, gatherResults
from twisted.internet.task import deferLater

from mailsacd.core.actor import Actor, by_command
from mailsacd.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    MailsacdError,
    NotFoundError,
    OverloadedError,
    ThrottledError,
    UnauthenticatedError,
)
from mailsacd.core.message import NewEnvelope, NewMessage
from mailsacd.mail.accounts import passwords as passwords_module
from mailsacd.mail.accounts.first_account import make_first_account
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.plans import LIMITS
from mailsacd.mail.accounts.reset_links import invitation_token, reset_token
from mailsacd.store import removal
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes
from mailsacd.store.transaction import Transaction
from mailsacd.work.threads import Lane
from tests.mail.people import People, people

reactor: Any = the_reactor
BOTH_FORMS = True
PEER = "192.0.2.1"
PASSWORD = "correct horse"


@pytest_twisted.async_yield_fixture
async def node(database: Database, database_dsn: str) -> AsyncIterator[People]:
    async with people(database, database_dsn) as made:
        yield made


@pytest_twisted.ensureDeferred
async def test_names_and_mail_addresses_are_normal(node: People) -> None:
    account = await node.accounts.add("Ann.B-c_1", "Ann@EXAMPLE.net")
    assert (account.name, account.email, account.plan) == (
        "ann.b-c_1",
        "ann@example.net",
        "default",
    )
    assert (await node.accounts.get("ANN.b-c_1")) == account


@pytest.mark.parametrize(
    ("name", "email", "fields"),
    [
        ("", "a@example.net", ["name"]),
        ("-a", "a@example.net", ["name"]),
        ("a.", "a@example.net", ["name"]),
        ("a b", "a@example.net", ["name"]),
        ("a\n", "a@example.net", ["name"]),
        ("a@b", "a@example.net", ["name"]),
        ("é", "a@example.net", ["name"]),
        ("x" * 64, "a@example.net", ["name"]),
        ("ann", "", ["email"]),
        ("ann", "nobody", ["email"]),
        ("ann", "a\x00@example.net", ["email"]),
        ("a b", "nobody", ["name", "email"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_each_fault_of_a_new_account_is_named(
    node: People, name: str, email: str, fields: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await node.accounts.add(name, email)
    assert [fault.field for fault in caught.value.faults] == fields


@pytest.mark.parametrize(
    ("name", "email"),
    [("ann", "b@example.net"), ("bob", "ANN@example.net"), ("tim", "t@e.example")],
)
@pytest_twisted.ensureDeferred
async def test_what_is_taken_is_a_conflict_and_leaves_nothing(
    node: People, name: str, email: str
) -> None:
    await node.accounts.add("ann", "ann@example.net")
    await node.team.add(by_command("ann"), "tim", PASSWORD)
    with pytest.raises(ConflictError):
        await node.accounts.add(name, email)
    assert [account.name for account in await node.accounts.list()] == ["ann"]


@pytest_twisted.ensureDeferred
async def test_of_those_who_want_one_name_at_once_one_gets_it(node: People) -> None:
    outcomes: list[bool] = []

    async def add(number: int) -> None:
        try:
            await node.accounts.add("ann", f"ann{number}@example.net")
            outcomes.append(True)
        except ConflictError:
            outcomes.append(False)

    await gatherResults([_deferred(add(number)) for number in range(4)])
    assert sorted(outcomes) == [False, False, False, True]


def _deferred(coroutine: Any) -> Any:
    return ensureDeferred(coroutine)


@pytest_twisted.ensureDeferred
async def test_limits_are_the_plan_s_but_for_the_account_s_own(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net")
    assert (await node.accounts.limits("ann")).keys == 3
    await node.accounts.change("ann", {"plan": "big", "overrides": {"domains": 7, "sends": 0}})
    limits = await node.accounts.limits("ann")
    assert (limits.keys, limits.domains, limits.sends) == (100, 7, 0)
    await node.accounts.change("ann", {"overrides": {"domains": None}})
    assert (await node.accounts.get("ann")).overrides == {"sends": 0}
    await node.database.run("update account set plan = 'gone'")
    assert (await node.accounts.limits("ann")).keys == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"plan": "gold"}, "plan"),
        ({"email": "nobody"}, "email"),
        ({"overrides": {"domain": 1}}, "domain"),
        ({"overrides": {"domains": -1}}, "domains"),
        ({"overrides": {"keys": 5000}}, "keys"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_bad_change_is_named(node: People, changes: dict[str, Any], field: str) -> None:
    before = await node.accounts.add("ann", "ann@example.net")
    with pytest.raises(InvalidInputError) as caught:
        await node.accounts.change("ann", changes)
    assert [fault.field for fault in caught.value.faults] == [field]
    assert await node.accounts.get("ann") == before


@pytest_twisted.ensureDeferred
async def test_a_mail_address_of_another_account_is_a_conflict(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net")
    await node.accounts.add("bob", "bob@example.net")
    with pytest.raises(ConflictError):
        await node.accounts.change("bob", {"email": "Ann@Example.net"})
    assert (await node.accounts.change("bob", {"email": "BOB@example.net"})).email


@pytest_twisted.ensureDeferred
async def test_overrides_that_two_set_at_once_are_both_kept(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net")
    changes = [{limit: n} for n, limit in enumerate(("keys", "users", "domains", "sends"))]
    await gatherResults(
        [ensureDeferred(node.accounts.change("Ann", {"overrides": each})) for each in changes]
    )
    merged = {limit: n for each in changes for limit, n in each.items()}
    assert (await node.accounts.get("ann")).overrides == merged


@pytest_twisted.ensureDeferred
async def test_of_those_who_want_one_mail_address_at_once_one_gets_it(node: People) -> None:
    names = ["ann", "bob", "cec", "dan"]
    for name in names[:3]:
        await node.accounts.add(name, f"{name}@example.net")
    wanted = "wanted@example.net"
    wishes = [ensureDeferred(node.accounts.change(n, {"email": wanted})) for n in names[:3]]
    wishes.append(ensureDeferred(node.accounts.add("dan", wanted)))
    outcomes: list[Any] = await DeferredList(wishes, consumeErrors=True)
    refused = [outcome.type for succeeded, outcome in outcomes if not succeeded]
    assert refused == [ConflictError] * 3


@pytest_twisted.ensureDeferred
async def test_of_two_who_change_a_password_at_once_one_is_told_that_it_was_wrong(
    node: People,
) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash=await _hash(node))
    actor = Actor(account="ann", login="ann")
    outcomes: list[Any] = await DeferredList(
        [
            ensureDeferred(node.sessions.change_password(actor.at(PEER), PASSWORD, new))
            for new in ("first horse", "second horse")
        ],
        consumeErrors=True,
    )
    (lost,) = [outcome for succeeded, outcome in outcomes if not succeeded]
    assert lost.type is ForbiddenError


@pytest_twisted.ensureDeferred
async def test_keys_have_names_and_a_limit(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net")
    await node.keys.add(by_command("ann"), "one")
    with pytest.raises(ConflictError):
        await node.keys.add(by_command("ann"), "one")
    for bad in ("", "x" * 101, "a\x00"):
        with pytest.raises(InvalidInputError):
            await node.keys.add(by_command("ann"), bad)
    await node.keys.add(by_command("ann"))
    await node.keys.add(by_command("ann"))
    with pytest.raises(InvalidInputError, match="3 API keys"):
        await node.keys.add(by_command("ann"))
    for unknown in (
        node.keys.add(by_command("bob")),
        node.keys.list(by_command("bob")),
        node.keys.remove(by_command("ann"), "x"),
    ):
        with pytest.raises(NotFoundError):
            await unknown


@pytest_twisted.ensureDeferred
async def test_a_key_is_taken_back_by_its_account_alone(node: People) -> None:
    await node.key("ann")
    await node.key("bob")
    (key,) = await node.keys.list(by_command("ann"))
    with pytest.raises(NotFoundError):
        await node.keys.remove(by_command("bob"), key.id)
    assert await node.keys.list(by_command("ann")) == [key]


# Removal


def _copy(envelope_id: str, inbox: str, place: int = 0) -> NewMessage:
    return NewMessage(
        inbox=inbox, id=f"{envelope_id}-{place}", domain=inbox.partition("@")[2], facts='{"from":[]'
    )


async def _mail(database: Database, envelope_id: str, *inboxes: str) -> None:
    copies = tuple(_copy(envelope_id, inbox, place) for place, inbox in enumerate(inboxes))
    new = NewEnvelope(id=envelope_id, received_ms=0, raw=b"x", size=1, messages=copies)
    await store_envelopes(database, [new])


@pytest_twisted.ensureDeferred
async def test_a_removed_account_leaves_nothing_and_takes_nothing_of_others(node: People) -> None:
    run = node.database.run
    await node.key("ann")
    await node.key("bob")
    await node.team.add(by_command("ann"), "tim", PASSWORD)
    await run("insert into address (email, domain, owner) values ('a@x.example','x.example','ann')")
    await run("insert into domain (name, owner, verification_txt) values ('y.example','ann','t')")
    await run("insert into activity (id, account, kind, subject) values ('1','ann','k','s')")
    await _mail(node.database, "both", "a@x.example", "b@x.example")
    await _mail(node.database, "own", "a@x.example")
    await _mail(node.database, "starred", "public@x.example")
    await _mail(node.database, "bobs", "a@x.example")
    await _mail(node.database, "of-bob", "b@x.example")
    await run("update message set owner='ann', private=true where inbox='a@x.example'")
    await run("update message set saved_by='ann' where id in ('starred-0', 'of-bob-0')")
    await run("update message set saved_by='bob', private=false where id = 'bobs-0'")
    await run("update message set owner='bob' where id = 'of-bob-0'")
    await node.accounts.remove("ANN")
    assert [account.name for account in await node.accounts.list()] == ["bob"]
    rows = await node.database.fetch("select id, owner, saved_by from message order by id")
    assert rows == [("bobs-0", None, "bob"), ("both-1", None, None), ("of-bob-0", "bob", None)]
    raws = await node.database.fetch("select id, refs from raw_message order by id")
    assert raws == [("bobs", 1), ("both", 1), ("of-bob", 1)]
    for table in ("address", "domain", "activity"):
        assert (await node.database.fetch(f"select count(*) from {table}"))[0] == (0,)
    logins = await node.database.fetch("select name from login")
    assert logins == [("bob",)]
    with pytest.raises(NotFoundError):
        await node.accounts.remove("ann")


@pytest_twisted.ensureDeferred
async def test_a_removal_that_was_broken_off_is_finished(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash="x")
    await _mail(node.database, "own", "a@x.example")
    await node.database.run("update message set owner='ann'")
    await node.database.transaction(lambda t: removal.begin_removal(t, "ann"))
    assert await node.accounts.go_on_with_removals()
    assert not await node.accounts.go_on_with_removals()
    assert await node.accounts.list() == []
    assert (await node.database.fetch("select count(*) from message"))[0] == (0,)


@pytest_twisted.ensureDeferred
async def test_what_was_being_stored_as_an_account_went_is_not_the_next_one_s(
    node: People,
) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash="x")
    stored: Deferred[None] = Deferred()

    async def store_slowly(transaction: Transaction) -> None:
        await transaction.run(
            "insert into raw_message (id, received, body, size, refs)"
            " values ('slow', now(), '', 0, 1);"
            "insert into message (inbox, id, raw_id, domain, received, facts, owner)"
            " values ('a@x.example', 'slow', 'slow', 'x.example', now(), '{}', 'ann');"
            "insert into delivery (id, account, address, kind, url, inbox, message_id)"
            " values ('slow', 'ann', 'a@x.example', 'webhook', 'http://x', 'a@x.example', 'slow')"
        )
        await stored

    storing = Deferred.fromCoroutine(node.database.transaction(store_slowly))
    removing = Deferred.fromCoroutine(node.accounts.remove("ann"))
    await deferLater(reactor, 0.3)
    assert not removing.called
    with pytest.raises(ConflictError):  # nobody has the name before it is done
        await node.accounts.add("ann", "another@example.net")
    stored.callback(None)
    await storing
    await removing
    await node.accounts.add("ann", "another@example.net")
    for table in ("message", "delivery"):
        assert await node.database.fetch(f"select count(*) from {table}") == [(0,)]


# Passwords, signing up and in


@pytest_twisted.ensureDeferred
async def test_a_password_is_kept_as_argon2id(node: People) -> None:
    password_hash = await node.passwords.hash(PASSWORD)
    assert password_hash.startswith("$argon2id$")
    assert await node.passwords.verify(PASSWORD, password_hash)
    assert not await node.passwords.verify(PASSWORD + "!", password_hash)
    assert not await node.passwords.verify(PASSWORD, None)
    assert not await node.passwords.verify(PASSWORD, "broken")


def test_an_unknown_name_costs_what_a_known_one_costs() -> None:
    known = PasswordHasher.from_parameters(extract_parameters(passwords_module._NOBODYS))
    assert extract_parameters(known.hash("x")) == extract_parameters(
        passwords_module._HASHER.hash("x")
    )
    assert not passwords_module._matches("", passwords_module._NOBODYS)


@pytest_twisted.ensureDeferred
async def test_passwords_wait_in_a_bounded_line() -> None:
    lane = Lane("few", threads=1, max_waiting=2, max_waiting_bytes=0, reactor=reactor)
    passwords = Passwords(lane)
    waiting = [_deferred(passwords.verify("x", "no hash")) for _ in range(3)]
    with pytest.raises(OverloadedError):
        await passwords.verify("x", None)
    assert await gatherResults(waiting) == [False] * 3
    assert await lane.stop()


@pytest_twisted.ensureDeferred
async def test_the_reactor_goes_on_while_passwords_are_checked(node: People) -> None:
    ticks = 0
    checking = _deferred(node.passwords.hash(PASSWORD))
    while not checking.called:
        await deferLater(reactor, 0)
        ticks += 1
    await checking
    assert ticks > 10


async def _sign_up(node: People, **given: Any) -> Any:
    fields = {"name": "ann", "email": "ann@example.net", "password": PASSWORD, "invitation": None}
    return await node.sessions.sign_up(**{**fields, **given}, peer=PEER)


@pytest.mark.parametrize(
    ("how", "given", "error"),
    [
        ("closed", {}, ForbiddenError),
        ("invitation", {}, ForbiddenError),
        ("invitation", {"invitation": "x"}, InvalidInputError),
        ("open", {"password": "short"}, InvalidInputError),
        ("open", {"name": "a b"}, InvalidInputError),
        ("open", {}, None),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_may_sign_up_is_a_setting(
    database: Database, database_dsn: str, how: str, given: dict[str, Any], error: Any
) -> None:
    async with people(database, database_dsn, sign_up=how) as node:
        if error is None:
            assert (await _sign_up(node, **given)).login.name == "ann"
            return
        with pytest.raises(error):
            await _sign_up(node, **given)
        assert await node.accounts.list() == []


@pytest_twisted.ensureDeferred
async def test_an_invitation_is_good_for_one_account_and_kept_when_that_fails(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn, sign_up="invitation") as node:
        await node.accounts.add("ann", "ann@example.net")
        token = await invitation_token(database, 1)
        with pytest.raises(ConflictError):
            await _sign_up(node, invitation=token)
        assert await _sign_up(node, name="bob", email="bob@example.net", invitation=token)
        with pytest.raises(InvalidInputError):
            await _sign_up(node, name="eve", email="eve@example.net", invitation=token)


@pytest_twisted.ensureDeferred
async def test_signing_in_tells_nobody_which_names_there_are(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash=await _hash(node))
    await node.accounts.add("bob", "bob@example.net")  # has no password yet
    told = set()
    for name in ("ann", "ann@example.net", "bob", "eve", "eve@example.net", "\x00"):
        with pytest.raises(UnauthenticatedError) as caught:
            await node.sessions.sign_in(name, "wrong password", peer=PEER)
        told.add(caught.value.public)
    assert len(told) == 1


@pytest_twisted.ensureDeferred
async def test_a_peer_checks_ten_passwords_a_minute(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash=await _hash(node))
    for _ in range(12):
        await node.sessions.sign_in("ann", PASSWORD, peer=PEER)
    for _ in range(10):
        with pytest.raises(UnauthenticatedError):
            await node.sessions.sign_in("ann", "wrong password", peer=PEER)
    with pytest.raises(ThrottledError):
        await node.sessions.sign_in("ann", PASSWORD, peer=PEER)
    await node.sessions.sign_in("ann", PASSWORD, peer="192.0.2.2")


@pytest_twisted.ensureDeferred
async def test_a_suspended_account_is_told_so_with_the_right_password_alone(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash=await _hash(node))
    await node.accounts.change("ann", {"suspended": True})
    expected: list[tuple[str, type[MailsacdError]]] = [
        (PASSWORD, ForbiddenError),
        ("wrong password", UnauthenticatedError),
    ]
    for password, error in expected:
        with pytest.raises(error):
            await node.sessions.sign_in("ann", password, peer=PEER)


@pytest_twisted.ensureDeferred
async def test_another_password_ends_all_sessions_of_that_login_alone(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash=await _hash(node))
    await node.team.add(by_command("ann"), "tim", PASSWORD)
    anns = [await node.sessions.sign_in("ann", PASSWORD, peer=PEER) for _ in range(2)]
    tims = await node.sessions.sign_in("tim", PASSWORD, peer=PEER)
    actor = await node.authenticator.session(anns[0].token)
    assert actor is not None
    with pytest.raises(ForbiddenError):
        await node.sessions.change_password(actor.at(PEER), "wrong password", "other horse")
    with pytest.raises(InvalidInputError):
        await node.sessions.change_password(actor.at(PEER), PASSWORD, "short")
    await node.sessions.change_password(actor.at(PEER), PASSWORD, "other horse")
    for signed_in in anns:
        assert await node.authenticator.session(signed_in.token) is None
    assert await node.authenticator.session(tims.token) is not None
    await node.sessions.sign_in("ann", "other horse", peer=PEER)


@pytest_twisted.ensureDeferred
async def test_a_reset_is_good_once_and_the_newest_alone(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash=await _hash(node))
    signed_in = await node.sessions.sign_in("ann", PASSWORD, peer=PEER)
    old = await reset_token(node.database, "Ann", 1)
    token = await reset_token(node.database, "ann@example.net", 1)
    for bad in (old, "x", ""):
        with pytest.raises(InvalidInputError):
            await node.sessions.reset_password(bad, "other horse")
    await node.sessions.reset_password(token, "other horse")
    assert await node.authenticator.session(signed_in.token) is None
    await node.sessions.sign_in("ann", "other horse", peer=PEER)
    with pytest.raises(InvalidInputError):
        await node.sessions.reset_password(token, "third horse")
    with pytest.raises(NotFoundError):
        await reset_token(node.database, "eve", 1)


@pytest_twisted.ensureDeferred
async def test_an_expired_reset_or_invitation_is_not_good(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn, sign_up="invitation") as node:
        await node.accounts.add("ann", "ann@example.net")
        token = await reset_token(database, "ann", 1)
        invitation = await invitation_token(database, 1)
        for table in ("password_reset", "invitation"):
            await database.run(f"update {table} set expires = now() - interval '1 second'")
        with pytest.raises(InvalidInputError):
            await node.sessions.reset_password(token, PASSWORD)
        with pytest.raises(InvalidInputError):
            await _sign_up(node, name="bob", email="b@e.example", invitation=invitation)


@pytest_twisted.ensureDeferred
async def test_a_login_has_a_hundred_sessions_at_most(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash=await _hash(node))
    first = await node.sessions.sign_in("ann", PASSWORD, peer=PEER)
    await node.database.run(
        "insert into session (token_hash, login, expires, created) "
        "select int8send(n), 'ann', now() + interval '1 day', now() + n * interval '1 s' "
        "from generate_series(1, 99) n"
    )
    await node.sessions.sign_in("ann", PASSWORD, peer=PEER)
    assert (await node.database.fetch("select count(*) from session"))[0] == (100,)
    assert await node.authenticator.session(first.token) is None


@pytest_twisted.ensureDeferred
async def test_a_team_has_a_limit_and_names_of_its_own(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net")
    await node.accounts.add("bob", "bob@example.net")
    await node.team.add(by_command("ann"), "tim", PASSWORD)
    for account, taken in (("ann", "tim"), ("bob", "tim"), ("bob", "ann")):
        with pytest.raises(ConflictError):
            await node.team.add(by_command(account), taken, PASSWORD)
    for name, password in (("a b", PASSWORD), ("tom", "short")):
        with pytest.raises(InvalidInputError):
            await node.team.add(by_command("ann"), name, password)
    await node.team.add(by_command("ann"), "tom", PASSWORD)
    with pytest.raises(InvalidInputError, match="2 users"):
        await node.team.add(by_command("ann"), "tem", PASSWORD)
    with pytest.raises(NotFoundError):
        await node.team.remove(by_command("bob"), "tim")
    assert [user.name for user in await node.team.list(by_command("ann"))] == ["tim", "tom"]


async def _hash(node: People) -> str:
    return await node.passwords.hash(PASSWORD)


# The first account


@pytest_twisted.ensureDeferred
async def test_an_empty_database_begins_with_admin_whose_key_is_in_a_file_of_ours(
    node: People, tmp_path: Path
) -> None:
    key = await make_first_account(node.database, "default", tmp_path)
    assert key is not None
    file = tmp_path / "admin.key"
    assert file.read_text() == key + "\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["admin.key"]
    assert (await node.authenticator.authenticate(key, PEER)).account == "admin"
    assert await make_first_account(node.database, "default", tmp_path) is None
    assert file.read_text() == key + "\n"


@pytest_twisted.ensureDeferred
async def test_of_two_daemons_one_makes_the_first_account(node: People, tmp_path: Path) -> None:
    made = await gatherResults(
        [_deferred(make_first_account(node.database, "default", tmp_path)) for _ in range(3)]
    )
    (key,) = [key for key in made if key is not None]
    assert (tmp_path / "admin.key").read_text() == key + "\n"


def test_every_limit_has_a_name_that_the_operator_can_set() -> None:
    assert {"message_limit", "private_addresses", "domains", "sends", "ops_per_month"} <= set(
        LIMITS
    )
