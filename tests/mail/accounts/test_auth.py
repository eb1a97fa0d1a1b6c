"""Keys and sessions: whose they are, on which node that is forgotten, how often one may guess."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.internet.task import Clock, deferLater
from twisted.logger import LogEvent

from mailsacd.core.account import KEY_FORM, new_key
from mailsacd.core.actor import Actor, by_command
from mailsacd.core.errors import ThrottledError, UnauthenticatedError
from mailsacd.core.limit_memory import LimitMemory, shared_file
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.accounts.guesses import GUESSES, PER_S, Guesses
from mailsacd.store.keys import record_use
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.mail.people import People, people
from tests.patience import until

reactor: Any = the_reactor
PEER = "192.0.2.1"


@pytest_twisted.async_yield_fixture
async def node(database: Database, database_dsn: str) -> AsyncIterator[People]:
    async with people(database, database_dsn) as made:
        yield made


@pytest_twisted.async_yield_fixture
async def other_node(database: Database, database_dsn: str) -> AsyncIterator[People]:
    async with people(database, database_dsn) as made:
        yield made


async def _refused(node: People, key: str) -> None:
    """Returns when the key is good for nothing on that node, as it is at once."""
    while True:
        try:
            await node.authenticator.authenticate(key, PEER)
        except UnauthenticatedError:
            return
        await deferLater(reactor, 0.001)


@pytest_twisted.ensureDeferred
async def test_a_key_is_32_random_characters_and_stands_for_its_account(node: People) -> None:
    key = await node.key("ann")
    assert KEY_FORM.match(key)
    assert key != await node.key("ann")
    actor = await node.authenticator.authenticate(key, PEER)
    assert (actor.account, actor.login, actor.manages) == ("ann", None, False)


@pytest.mark.parametrize(
    "key", ["", "k_", "k_" + "x" * 31, "k_" + "é" * 32, "k_" + "x" * 32 + "\n"]
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_a_key_is_no_guess(node: People, key: str) -> None:
    for _ in range(GUESSES + 5):
        with pytest.raises(UnauthenticatedError):
            await node.authenticator.authenticate(key, PEER)


@pytest_twisted.ensureDeferred
async def test_only_a_hash_of_a_key_is_stored(node: People) -> None:
    key = await node.key()
    rows = await node.database.fetch("select api_key::text, hash from api_key")
    assert rows[0][1].tobytes() == hash_of(key)
    assert key not in rows[0][0]
    assert key[2:] not in rows[0][0]


@pytest_twisted.ensureDeferred
async def test_a_known_key_is_not_looked_up_again(node: People) -> None:
    key = await node.key()
    await node.authenticator.authenticate(key, PEER)
    await node.database.run("delete from api_key")  # without a notice
    await node.authenticator.authenticate(key, PEER)


@pytest_twisted.ensureDeferred
async def test_a_key_that_is_taken_back_is_forgotten_at_once_on_every_node(
    node: People, other_node: People
) -> None:
    key = await node.key("ann")
    for each in (node, other_node):
        await each.authenticator.authenticate(key, PEER)
    (found,) = await node.keys.list(by_command("ann"))
    await node.keys.remove(by_command("ann"), found.id)
    with pytest.raises(UnauthenticatedError):
        await node.authenticator.authenticate(key, PEER)
    await _refused(other_node, key)


@pytest_twisted.ensureDeferred
async def test_a_suspended_account_s_key_is_good_for_nothing_until_it_is_resumed(
    node: People, other_node: People
) -> None:
    key = await node.key("ann")
    await other_node.authenticator.authenticate(key, PEER)
    await node.accounts.change("ann", {"suspended": True})
    await _refused(other_node, key)
    await node.accounts.change("ann", {"suspended": False})
    assert (await node.authenticator.authenticate(key, PEER)).account == "ann"


@pytest_twisted.ensureDeferred
async def test_without_listening_nothing_is_remembered(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn, listens=False) as deaf:
        key = await deaf.key()
        await deaf.authenticator.authenticate(key, PEER)
        await database.run("delete from api_key")
        with pytest.raises(UnauthenticatedError):
            await deaf.authenticator.authenticate(key, PEER)


@pytest_twisted.ensureDeferred
async def test_a_lost_connection_forgets_everything(node: People) -> None:
    key = await node.key()
    await node.authenticator.authenticate(key, PEER)
    await node.database.run("delete from api_key")
    await node.database.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'"
    )
    await _refused(node, key)
    await until(lambda: node.notices.listening)  # and it is listened again


@pytest_twisted.ensureDeferred
async def test_an_answer_under_way_is_not_kept_when_the_key_is_taken_back_meanwhile(
    node: People,
) -> None:
    key = await node.key("ann")

    async def meanwhile(transaction: Transaction) -> Any:
        await transaction.run("lock table api_key in access exclusive mode")
        under_way = ensureDeferred(node.authenticator.authenticate(key, PEER))
        node.authenticator.forget("ann")
        return [under_way]

    (under_way,) = await node.database.transaction(meanwhile)
    assert (await under_way).account == "ann"
    await node.database.run("delete from api_key")
    with pytest.raises(UnauthenticatedError):
        await node.authenticator.authenticate(key, PEER)


@pytest_twisted.ensureDeferred
async def test_wrong_keys_are_guesses_but_one_wrong_key_is_one(node: People) -> None:
    right, wrong = await node.key(), new_key()
    for _ in range(GUESSES * 3):
        with pytest.raises(UnauthenticatedError):
            await node.authenticator.authenticate(wrong, PEER)
    for _ in range(GUESSES - 1):
        with pytest.raises(UnauthenticatedError):
            await node.authenticator.authenticate(new_key(), PEER)
    with pytest.raises(ThrottledError) as caught:
        await node.authenticator.authenticate(new_key(), PEER)
    assert 0 < caught.value.retry_after_s <= PER_S
    assert (await node.authenticator.authenticate(right, "192.0.2.2")).account == "ann"
    assert (await node.authenticator.authenticate(right, PEER)).account == "ann"  # known by now


@pytest_twisted.ensureDeferred
async def test_right_keys_are_no_guesses(node: People) -> None:
    for _ in range(GUESSES + 5):
        key = await node.key("ann")
        await node.authenticator.authenticate(key, PEER)
        (found,) = await node.keys.list(by_command("ann"))
        await node.keys.remove(by_command("ann"), found.id)


@pytest_twisted.ensureDeferred
async def test_many_who_come_at_once_with_one_key_are_one_guess(node: People) -> None:
    keys = [await node.key("ann"), new_key()]
    for key in keys:
        trying = [ensureDeferred(node.authenticator.authenticate(key, PEER)) for _ in range(100)]
        outcomes: Any = await DeferredList(trying, consumeErrors=True)
        if key == keys[0]:
            assert {actor.account for ok, actor in outcomes if ok} == {"ann"}
            assert all(ok for ok, _ in outcomes)
        else:
            assert all(failure.check(UnauthenticatedError) for _, failure in outcomes)


@pytest_twisted.ensureDeferred
async def test_the_last_use_of_a_key_is_written_down_later(node: People) -> None:
    key = await node.key("ann")
    assert (await node.keys.list(by_command("ann")))[0].last_used is None
    await node.authenticator.authenticate(key, PEER)
    assert (await node.keys.list(by_command("ann")))[0].last_used is None
    await node.authenticator.finish()
    (found,) = await node.keys.list(by_command("ann"))
    assert found.last_used is not None
    assert abs((found.last_used - datetime.now(UTC)).total_seconds()) < 600
    await record_use(node.database, {found.id: datetime(2001, 1, 1, tzinfo=UTC)})
    assert (await node.keys.list(by_command("ann")))[0].last_used == found.last_used


@pytest_twisted.ensureDeferred
async def test_a_session_ends_when_it_expires_and_when_it_is_ended(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net", password_hash=await _hash(node))
    first = await node.sessions.sign_in("ann", "correct horse", peer=PEER)
    second = await node.sessions.sign_in("ANN@example.net", "correct horse", peer=PEER)
    for signed_in in (first, second):
        actor = await node.authenticator.session(signed_in.token)
        assert actor == Actor(account="ann", login="ann")
        assert actor.manages
    await node.sessions.sign_out(first.token)
    assert await node.authenticator.session(first.token) is None
    assert await node.authenticator.session(second.token) is not None
    await node.database.run("update session set expires = now() - interval '1 second'")
    node.authenticator.forget("ann")
    assert await node.authenticator.session(second.token) is None
    assert await node.authenticator.session("no token") is None


@pytest_twisted.ensureDeferred
async def test_a_team_user_does_not_manage_and_ends_with_its_sessions(node: People) -> None:
    await node.accounts.add("ann", "ann@example.net")
    await node.team.add(by_command("ann"), "Tim", "correct horse")
    signed_in = await node.sessions.sign_in("tim", "correct horse", peer=PEER)
    actor = await node.authenticator.session(signed_in.token)
    assert actor == Actor(account="ann", login="tim", team=True)
    assert not actor.manages
    await node.team.remove(by_command("ann"), "tim")
    assert await node.authenticator.session(signed_in.token) is None


async def _hash(node: People) -> str:
    return await node.passwords.hash("correct horse")


def test_guesses_come_back_with_time_and_with_being_right() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(GUESSES):
        guesses.spend(PEER)
        clock.advance(1)
    with pytest.raises(ThrottledError) as caught:
        guesses.spend(PEER)
    guesses.spend("192.0.2.2")
    clock.advance(caught.value.retry_after_s)
    guesses.spend(PEER)
    guesses.refund(PEER)
    guesses.spend(PEER)


def test_an_ipv6_host_is_its_network() -> None:
    guesses = Guesses(Clock())
    for host in range(GUESSES):
        guesses.spend(f"2001:db8::{host}")
    with pytest.raises(ThrottledError):
        guesses.spend("2001:db8::ffff:1:2:3")
    guesses.spend("2001:db8:0:1::1")
    guesses.spend("::ffff:192.0.2.1")


def test_the_workers_of_a_node_count_guesses_together() -> None:
    descriptor = shared_file(seats=2)
    clock = Clock()
    workers = [Guesses(clock, LimitMemory(descriptor, seat=seat)) for seat in (0, 1)]
    os.close(descriptor)
    for number in range(GUESSES):
        workers[number % 2].spend(PEER)
    for worker in workers:
        with pytest.raises(ThrottledError):
            worker.spend(PEER)
    workers[0].refund(PEER)  # it was right
    workers[1].spend(PEER)


def test_many_who_guess_take_nothing_from_others_and_need_no_more_memory() -> None:
    guesses = Guesses(Clock())
    for number in range(10_000):
        guesses.spend(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    for _ in range(GUESSES - 2):  # two may be others', by chance
        guesses.spend(PEER)
    with pytest.raises(ThrottledError):
        _spend_all(guesses)


def _spend_all(guesses: Guesses) -> None:
    for _ in range(3):
        guesses.spend(PEER)


@pytest_twisted.ensureDeferred
async def test_keys_and_tokens_are_in_no_log(
    node: People, logged_errors: list[LogEvent], capfd: pytest.CaptureFixture[str]
) -> None:
    key = await node.key()
    await node.authenticator.authenticate(key, PEER)
    for secret in (key, new_key()):
        assert secret not in repr(vars(node.authenticator))
    printed = "".join(capfd.readouterr())
    assert key not in printed
    assert not logged_errors
