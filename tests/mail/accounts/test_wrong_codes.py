"""Wrong codes count at the login's row; an old password is good for nothing once it was changed."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pyotp
import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred

from mailsacd.core.actor import Actor
from mailsacd.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    SecondFactorError,
    ThrottledError,
)
from mailsacd.mail.accounts.codes import WRONG_IN_A_ROW, new_recovery_codes, refused_for_s
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.accounts.second_factor import SecondFactors, take_factor_away
from mailsacd.store.accounts import set_password
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.mail.people import People, people
from tests.patience import until_async

reactor: Any = the_reactor
PASSWORD = "correct horse"
ANN = Actor(account="ann", login="ann", peer="192.0.2.1")
CHANGES: tuple[Callable[[People], Coroutine[Any, Any, Any]], ...] = (
    lambda node: _factors(node).disable(ANN, PASSWORD, None),  # 409: the password was right
    lambda node: _factors(node).renew_codes(ANN, PASSWORD, None),
    lambda node: _factors(node).begin(ANN, PASSWORD),
    lambda node: Profiles(node.accounts, node.sessions.proofs).change(
        ANN, {"email": "new@example.net"}, PASSWORD
    ),
)


@pytest_twisted.async_yield_fixture
async def node(database: Database, database_dsn: str) -> AsyncIterator[People]:
    async with people(database, database_dsn, sign_up="open") as made:
        await made.sessions.sign_up(
            "ann", "ann@example.net", PASSWORD, invitation=None, peer="127.0.0.1"
        )
        yield made


def _factors(node: People) -> SecondFactors:
    return SecondFactors(node.accounts, node.passwords, node.sessions.proofs, issuer="mx.example")


async def _enabled(node: People) -> tuple[str, list[str]]:
    secret = (await _factors(node).begin(ANN, PASSWORD)).secret
    return secret, await _factors(node).confirm(ANN, pyotp.TOTP(secret).now())


async def _try(node: People, code: str, number: int) -> None:
    await node.sessions.sign_in("ann", PASSWORD, code=code, peer=f"192.0.2.{number}")


async def _refused_for_s(node: People) -> int:
    """For how long none is taken after one more wrong code; what was to be waited for is over."""
    await node.database.run("update second_factor set refused_until = null")
    with pytest.raises(SecondFactorError):
        await _try(node, "000000", 100)
    with pytest.raises(ThrottledError) as refused:
        await _try(node, "000000", 101)
    return int(refused.value.retry_after_s)


@pytest_twisted.ensureDeferred
async def test_all_nodes_count_wrong_codes_together(
    node: People, database: Database, database_dsn: str
) -> None:
    await _enabled(node)
    async with people(database, database_dsn) as other:
        for number in range(WRONG_IN_A_ROW):
            with pytest.raises(SecondFactorError):
                await _try((node, other)[number % 2], "000000", number)
        for each in (node, other):
            with pytest.raises(ThrottledError):
                await _try(each, "000000", 99)


@pytest_twisted.ensureDeferred
async def test_who_guesses_on_waits_longer_each_time_and_leaves_the_log_alone(
    node: People,
) -> None:
    secret, _ = await _enabled(node)
    for number in range(WRONG_IN_A_ROW - 1):
        with pytest.raises(SecondFactorError):
            await _try(node, "000000", number)
    assert [await _refused_for_s(node) for _ in range(8)] == [
        60, 120, 240, 480, 960, 1_920, 3_600, 3_600,
    ]  # fmt: skip
    log = await node.database.fetch(
        "select detail from audit where action = 'code-refused' order by id"
    )
    assert [detail for (detail,) in log] == [
        f"{wrong} in a row" for wrong in (1, 10, 11, 12, 13, 14, 15, 16, 17)
    ]
    await node.database.run("update second_factor set last_step = 0, refused_until = now()")
    await _try(node, pyotp.TOTP(secret).now(), 102)
    for number in range(WRONG_IN_A_ROW - 1):  # a right one has the count begin anew
        with pytest.raises(SecondFactorError):
            await _try(node, "000000", number + 110)
    assert refused_for_s(10_000_000) == 3_600


@pytest_twisted.ensureDeferred
async def test_recovery_codes_are_taken_while_those_of_the_device_are_not(node: People) -> None:
    secret, codes = await _enabled(node)
    for number in range(WRONG_IN_A_ROW):
        with pytest.raises(SecondFactorError):
            await _try(node, "000000", number)
    before = await node.database.fetch("select failures, refused_until from second_factor")
    with pytest.raises(SecondFactorError):
        await _try(node, new_recovery_codes()[0], 50)
    assert await node.database.fetch("select failures, refused_until from second_factor") == before
    await node.database.run("update second_factor set last_step = 0")
    with pytest.raises(ThrottledError):
        await _try(node, pyotp.TOTP(secret).now(), 51)
    await _try(node, codes[0], 52)
    await _try(node, pyotp.TOTP(secret).now(), 53)


@pytest_twisted.ensureDeferred
async def test_codes_that_are_to_confirm_count_too(node: People) -> None:
    secret = (await _factors(node).begin(ANN, PASSWORD)).secret
    for _ in range(WRONG_IN_A_ROW):
        with pytest.raises(InvalidInputError):
            await _factors(node).confirm(ANN, "000000")
    with pytest.raises(ThrottledError):
        await _factors(node).confirm(ANN, pyotp.TOTP(secret).now())
    secret = (await _factors(node).begin(ANN, PASSWORD)).secret  # another one, another count
    assert await _factors(node).confirm(ANN, pyotp.TOTP(secret).now())


@pytest_twisted.ensureDeferred
async def test_what_was_begun_and_not_confirmed_is_not_taken_away(node: People) -> None:
    secret = (await _factors(node).begin(ANN, PASSWORD)).secret
    with pytest.raises(ConflictError):
        await _factors(node).disable(ANN, PASSWORD, None)
    assert not await take_factor_away(node.database, "ann")
    assert await node.database.fetch("select 1 from audit where topic = 'two-factor'") == []
    assert await _factors(node).confirm(ANN, pyotp.TOTP(secret).now())


async def _waits_or_is_done(node: People, done: "Deferred[Any]") -> bool:
    return done.called or bool(
        await node.database.fetch("select 1 from pg_locks where not granted")
    )


@pytest.mark.parametrize("change", range(len(CHANGES)))
@pytest_twisted.ensureDeferred
async def test_an_old_password_is_good_for_nothing_once_it_was_changed(
    node: People, change: int
) -> None:
    changed: Deferred[None] = Deferred()
    go_on: Deferred[None] = Deferred()
    new = await node.passwords.hash("another horse")

    async def change_password(transaction: Transaction) -> None:
        await set_password(transaction, "ann", new)
        changed.callback(None)
        await go_on

    changing = ensureDeferred(node.database.transaction(change_password))
    await changed
    old: Deferred[Any] = ensureDeferred(CHANGES[change](node))
    await until_async(lambda: _waits_or_is_done(node, old))
    go_on.callback(None)
    await changing
    with pytest.raises(ForbiddenError):
        await old
