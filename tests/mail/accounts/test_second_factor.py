"""Second factors: codes count once, guesses are few, secrets are sealed, nothing goes round."""

from collections.abc import AsyncIterator
from typing import Any

import pyotp
import pytest
import pytest_twisted
from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.internet.task import Clock

from mailsacd.core.account import Login
from mailsacd.core.actor import Actor, by_command
from mailsacd.core.audit import OPERATOR
from mailsacd.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    SecondFactorError,
    SecondFactorForbiddenError,
    ThrottledError,
    UnauthenticatedError,
)
from mailsacd.mail.accounts.codes import STEP_S, Codes, Proof, new_recovery_codes
from mailsacd.mail.accounts.guesses import GUESSES
from mailsacd.mail.accounts.proofs import Proofs
from mailsacd.mail.accounts.reset_links import reset_token
from mailsacd.mail.accounts.sealing import Sealer, SealError
from mailsacd.mail.accounts.second_factor import SecondFactors, take_factor_away
from mailsacd.store import second_factors as store
from mailsacd.store.pool import Database
from tests.mail.people import People, people

PASSWORD, PEER = "correct horse", "192.0.2.1"
ANN = Actor(account="ann", login="ann", peer=PEER)


@pytest_twisted.async_yield_fixture
async def node(database: Database, database_dsn: str) -> AsyncIterator[People]:
    async with people(database, database_dsn, sign_up="open") as made:
        await made.sessions.sign_up(
            "ann", "ann@example.net", PASSWORD, invitation=None, peer="127.0.0.1"
        )
        yield made


def _factors(node: People, proofs: Proofs | None = None) -> SecondFactors:
    proofs = proofs or node.sessions.proofs
    return SecondFactors(node.accounts, node.passwords, proofs, issuer="mx.example")


async def _fresh(node: People, secret: str) -> str:
    """A code of now, whichever was used before."""
    await node.database.run("update second_factor set last_step = 0")
    return pyotp.TOTP(secret).now()


async def _enabled(node: People, actor: Actor = ANN) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a second factor."""
    factors = _factors(node)
    secret = (await factors.begin(actor, PASSWORD)).secret
    return secret, await factors.confirm(actor, pyotp.TOTP(secret).now())


async def _sign_in(node: People, code: str | None, name: str = "ann", peer: str = PEER) -> Any:
    return await node.sessions.sign_in(name, PASSWORD, code=code, peer=peer)


@pytest_twisted.ensureDeferred
async def test_it_counts_once_a_code_of_the_device_confirmed_it(node: People) -> None:
    factors = _factors(node)
    with pytest.raises(ForbiddenError):
        await factors.begin(ANN, "wrong horse")
    with pytest.raises(ConflictError):
        await factors.confirm(ANN, "123456")
    first = await factors.begin(ANN, PASSWORD)
    made = await factors.begin(ANN, PASSWORD)  # the one before is good no more
    assert made.uri == f"otpauth://totp/mx.example:ann?secret={made.secret}&issuer=mx.example"
    assert made.picture.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert made.secret not in repr(made)
    assert (await factors.status(ANN)).since is None
    await _sign_in(node, None)
    for wrong in (pyotp.TOTP(first.secret).now(), "", "12345", "1234567", "ABCDEF", "\u0663" * 6):
        with pytest.raises(InvalidInputError):
            await factors.confirm(ANN, wrong)
    codes = await factors.confirm(ANN, pyotp.TOTP(made.secret).now())
    assert len(set(codes)) == 10
    status = await factors.status(ANN)
    assert (status.since is not None, status.recovery_codes_left) == (True, 10)
    with pytest.raises(ConflictError):
        await factors.confirm(ANN, await _fresh(node, made.secret))
    with pytest.raises(ConflictError):
        await factors.begin(ANN, PASSWORD)
    with pytest.raises(SecondFactorError):
        await _sign_in(node, None)
    assert await _sign_in(node, await _fresh(node, made.secret))


@pytest_twisted.ensureDeferred
async def test_what_is_stored_tells_neither_secret_nor_codes(node: People) -> None:
    secret, codes = await _enabled(node)
    rows = await node.database.fetch("select sealed from second_factor")
    kept = b"".join(bytes(sealed) for (sealed,) in rows)
    told = repr(await node.database.fetch("select code_hash from recovery_code"))
    assert secret.encode() not in kept
    assert not any(code.replace("-", "") in told for code in codes)
    sealer = Sealer(b"s" * 32, b"p")
    for other, place in (
        (Sealer(b"t" * 32, b"p"), b"a"),
        (Sealer(b"s" * 32, b"q"), b"a"),
        (sealer, b"b"),
    ):
        with pytest.raises(SealError):
            other.unseal(sealer.seal(b"x", b"a"), place)
    assert sealer.unseal(sealer.seal(b"x", b"a"), b"a") == b"x"


@pytest_twisted.ensureDeferred
async def test_a_code_counts_once_and_no_older_one_after_it(node: People) -> None:
    secret, _ = await _enabled(node)
    clock = Clock()
    codes, totp = Codes(clock), pyotp.TOTP(secret)
    start = 1_000_000 * STEP_S
    clock.advance(start)
    await node.database.run("update second_factor set last_step = 0")
    ann = Login(name="ann", account="ann", team=False, password_hash=None, suspended=False)

    async def prove(offset_s: int) -> Proof:
        code = totp.at(start + offset_s)
        return await node.database.transaction(lambda t: codes.prove(t, ann, code, OPERATOR))

    assert await prove(-2 * STEP_S) is Proof.WRONG
    assert await prove(2 * STEP_S) is Proof.WRONG
    assert await prove(-STEP_S) is Proof.RIGHT
    assert await prove(-STEP_S) is Proof.WRONG
    assert await prove(STEP_S) is Proof.RIGHT
    assert await prove(0) is Proof.WRONG
    clock.advance(61)
    assert await prove(60) is Proof.RIGHT


@pytest_twisted.ensureDeferred
async def test_of_two_at_once_with_one_code_one_signs_in(node: People) -> None:
    secret, recovery = await _enabled(node)
    for code in (await _fresh(node, secret), recovery[0]):
        tries = [ensureDeferred(_sign_in(node, code)) for _ in range(3)]
        results = await DeferredList(tries, consumeErrors=True)
        assert sorted(bool(right) for right, _ in results) == [False, False, True]


@pytest_twisted.ensureDeferred
async def test_recovery_codes_are_good_once_each_however_they_are_typed(node: People) -> None:
    secret, codes = await _enabled(node)
    assert await _sign_in(node, codes[0].upper().replace("-", " "))
    with pytest.raises(SecondFactorError):
        await _sign_in(node, codes[0])
    assert await _sign_in(node, codes[1].replace("-", ""))
    factors = _factors(node)
    assert (await factors.status(ANN)).recovery_codes_left == 8
    with pytest.raises(SecondFactorError):
        await _sign_in(node, new_recovery_codes()[0])
    with pytest.raises(SecondFactorForbiddenError):
        await factors.renew_codes(ANN, PASSWORD, None)
    renewed = await factors.renew_codes(ANN, PASSWORD, await _fresh(node, secret))
    with pytest.raises(SecondFactorError):
        await _sign_in(node, codes[2])
    assert await _sign_in(node, renewed[2])
    log = await node.database.fetch(
        "select action, detail from audit where topic = 'two-factor' order by id"
    )
    assert log == [
        ("enabled", ""),
        ("recovery-code-used", "9 left"),
        ("recovery-code-used", "8 left"),
        ("recovery-codes-made", ""),
        ("recovery-code-used", "9 left"),
    ]


@pytest_twisted.ensureDeferred
async def test_ten_wrong_codes_in_a_row_from_wherever_they_come(node: People) -> None:
    secret, _ = await _enabled(node)
    for number in range(GUESSES):
        with pytest.raises(SecondFactorError):
            await _sign_in(node, "000000", peer=f"192.0.2.{number}")
    with pytest.raises(ThrottledError):
        await _sign_in(node, await _fresh(node, secret), peer="192.0.2.99")
    with pytest.raises(UnauthenticatedError):  # a stranger shuts nobody out
        await node.sessions.sign_in("ann", "wrong horse", code="000000", peer="192.0.2.98")


@pytest_twisted.ensureDeferred
async def test_ten_wrong_codes_of_a_peer_whoever_they_are_of(node: People) -> None:
    await node.team.add(by_command("ann"), "tim", PASSWORD)
    await _enabled(node)
    await _enabled(node, Actor(account="ann", login="tim", team=True, peer=PEER))
    for number in range(GUESSES):
        with pytest.raises(SecondFactorError):
            await _sign_in(node, "000000", ("ann", "tim")[number % 2])
    with pytest.raises(ThrottledError):
        await _sign_in(node, "000000")
    with pytest.raises(SecondFactorError):
        await _sign_in(node, "000000", peer="198.51.100.1")


@pytest_twisted.ensureDeferred
async def test_right_codes_and_none_are_no_guesses(node: People) -> None:
    secret, _ = await _enabled(node)
    for _ in range(GUESSES + 2):
        with pytest.raises(SecondFactorError):
            await _sign_in(node, None)
        await _sign_in(node, await _fresh(node, secret))


@pytest_twisted.ensureDeferred
async def test_another_password_does_not_take_it_away(node: People) -> None:
    secret, codes = await _enabled(node)
    token = await reset_token(node.database, "ann", 1)
    await node.sessions.reset_password(token, "a new password")
    with pytest.raises(SecondFactorError):
        await node.sessions.sign_in("ann", "a new password", peer=PEER)
    await node.sessions.sign_in("ann", "a new password", code=codes[0], peer=PEER)
    await node.sessions.change_password(ANN, "a new password", PASSWORD)
    with pytest.raises(SecondFactorError):
        await _sign_in(node, None)
    await _sign_in(node, await _fresh(node, secret))


@pytest_twisted.ensureDeferred
async def test_it_is_taken_away_by_password_and_code_or_by_the_operator(node: People) -> None:
    secret, codes = await _enabled(node)
    factors = _factors(node)
    with pytest.raises(ForbiddenError):
        await factors.disable(ANN, "wrong horse", await _fresh(node, secret))
    for wrong in (None, "", "000000"):
        with pytest.raises(SecondFactorForbiddenError):
            await factors.disable(ANN, PASSWORD, wrong)
    await factors.disable(ANN, PASSWORD, await _fresh(node, secret))
    with pytest.raises(ConflictError):
        await factors.disable(ANN, PASSWORD, None)
    with pytest.raises(ConflictError):
        await factors.renew_codes(ANN, PASSWORD, codes[0])
    await _sign_in(node, None)
    await _enabled(node)
    assert await take_factor_away(node.database, "ANN")
    assert not await take_factor_away(node.database, "ann")
    with pytest.raises(NotFoundError):
        await take_factor_away(node.database, "nobody")
    await _sign_in(node, None)
    assert await node.database.fetch("select count(*) from recovery_code") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_a_change_that_fails_does_not_use_the_code_up(node: People) -> None:
    secret, _ = await _enabled(node)
    code = await _fresh(node, secret)

    async def fails(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await node.sessions.proofs.prove(ANN, PASSWORD, code, fails)
    await _sign_in(node, code)


@pytest_twisted.ensureDeferred
async def test_it_goes_with_its_login(node: People) -> None:
    await node.team.add(by_command("ann"), "tim", PASSWORD)
    await _enabled(node, Actor(account="ann", login="tim", team=True, peer=PEER))
    await node.team.remove(by_command("ann"), "tim")
    assert await store.find_factor(node.database, "tim") is None
    with pytest.raises(UnauthenticatedError):
        await _factors(node).status(Actor(account="ann", key_name="ci"))
