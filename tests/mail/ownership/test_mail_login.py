"""Logging in by mail protocols: whose names and secrets are right, what that costs, how often."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred
from twisted.internet.task import Clock

from mailsacd.core.account import new_key
from mailsacd.core.actor import Actor
from mailsacd.core.address import Address, alternate_local
from mailsacd.core.errors import ThrottledError, UnauthenticatedError, UnavailableError
from mailsacd.mail.accounts.guesses import GUESSES, PER_S, Guesses
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.ownership.address_settings import checked_settings
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.ownership.alternates import Alternates
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.mail_clients import MailClients
from mailsacd.mail.ownership.mail_login import MailLogin, MailLogins
from mailsacd.store.alternates import server_secret
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.people import PLANS, People, people

reactor: Any = the_reactor
PEER = "192.0.2.1"
PASSWORD = "correct horse"


class _CountingPasswords(Passwords):
    """Counts what is really computed."""

    checks = 0

    async def verify(self, password: str, password_hash: str | None) -> bool:
        self.checks += 1
        return await super().verify(password, password_hash)


@dataclass(frozen=True)
class _Door:
    people: People
    addresses: Addresses
    logins: MailLogins
    passwords: _CountingPasswords
    clock: Clock
    keys: dict[str, str]

    async def log_in(self, name: str, secret: str, peer: str = PEER) -> MailLogin:
        return await self.logins.log_in(name, secret, peer)


@pytest_twisted.async_yield_fixture
async def door(database: Database, database_dsn: str) -> AsyncIterator[_Door]:
    """Accounts ann and bob; ann has x@ann.example with a password, and a private domain."""
    async with people(database, database_dsn) as node:
        directory = Directory(database, node.notices)
        passwords = _CountingPasswords(LANES.passwords)
        addresses = Addresses(
            database, directory, PLANS, passwords, Alternates(database, reactor=reactor)
        )
        keys = {name: await node.key(name) for name in ("ann", "bob")}
        settings = checked_settings(password=PASSWORD)
        await addresses.reserve(Actor(account="ann"), "x@ann.example", settings)
        await addresses.reserve(Actor(account="ann"), "y@ann.example")
        await database.fetch(
            "insert into domain (name, owner, verified, is_private, verification_txt)"
            " values ('own.example', 'ann', true, true, 'x') returning name"
        )
        clock = Clock()
        logins = MailLogins(
            database,
            node.authenticator,
            directory,
            passwords,
            Guesses(clock),
        )
        yield _Door(node, addresses, logins, passwords, clock, keys)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("ann", None),
        ("Ann", None),
        ("x@ann.example", "x@ann.example"),
        ("X+tag@Ann.Example", "x@ann.example"),
        ("any@own.example", "any@own.example"),
        ("*@own.example", "*@own.example"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_key_opens_what_its_account_owns(
    door: _Door, name: str, address: str | None
) -> None:
    right = MailLogin(account="ann", address=address, by_password=False)
    assert await door.log_in(name, door.keys["ann"]) == right
    assert door.passwords.checks == 0


@pytest.mark.parametrize(
    "name",
    [
        "bob", "nobody", "", " ann", "x@ann.example\n", "x@ann.example", "any@own.example",
        "public@mail.example", "ann@", "@", "\ud7ff" * 300, "*@mail.example",
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_a_right_key_with_a_name_that_is_not_its_account_s_is_wrong(
    door: _Door, name: str
) -> None:
    key = door.keys["ann" if name == "bob" else "bob"]
    with pytest.raises(UnauthenticatedError, match="name, or the password or key"):
        await door.log_in(name, key)


@pytest_twisted.ensureDeferred
async def test_nobody_logs_in_as_an_alternate(door: _Door) -> None:
    secret = await server_secret(door.people.database)
    local = alternate_local(secret, Address("x", "ann.example"))
    with pytest.raises(UnauthenticatedError):
        await door.log_in(f"{local}@ann.example", door.keys["ann"])


@pytest_twisted.ensureDeferred
async def test_an_address_s_own_password_opens_that_address_only(door: _Door) -> None:
    right = MailLogin(account="ann", address="x@ann.example", by_password=True)
    assert await door.log_in("x@ann.example", PASSWORD) == right
    for name in ("y@ann.example", "ann", "any@own.example"):
        with pytest.raises(UnauthenticatedError):
            await door.log_in(name, PASSWORD)


@pytest_twisted.ensureDeferred
async def test_a_program_with_an_address_s_password_is_known_by_that_address(door: _Door) -> None:
    clients = MailClients(door.logins, door.people.accounts)
    by_password = await clients.log_in("x+tag@ann.example", PASSWORD, PEER)
    by_key = await clients.log_in("x@ann.example", door.keys["ann"], PEER)
    assert (by_password.name, by_password.address) == ("ann", "x@ann.example")
    assert (by_key.name, by_key.address) == ("ann", None)
    assert by_password == by_key  # the account that it is
    assert (await clients.account(by_password)).name == "ann"


@pytest_twisted.ensureDeferred
async def test_what_becomes_of_an_account_ends_what_its_programs_may(door: _Door) -> None:
    clients = MailClients(door.logins, door.people.accounts)
    ann = await clients.log_in("ann", door.keys["ann"], PEER)
    with pytest.raises(UnauthenticatedError, match="no longer there"):
        await clients.account(replace(ann, created=ann.created - timedelta(days=1)))
    await door.people.accounts.change("ann", {"suspended": True})
    with pytest.raises(UnauthenticatedError, match="suspended"):
        await clients.account(ann)


@pytest.mark.parametrize(
    "name", ["x@ann.example", "y@ann.example", "no@where.example", "ann", "nobody", "@", ""]
)
@pytest.mark.parametrize("secret", ["wrong", "", "k_short", PASSWORD * 30])
@pytest_twisted.ensureDeferred
async def test_a_wrong_password_costs_one_check_whatever_the_name(
    door: _Door, name: str, secret: str
) -> None:
    with pytest.raises(UnauthenticatedError, match="name, or the password or key"):
        await door.log_in(name, secret)
    assert door.passwords.checks == 1


@pytest_twisted.ensureDeferred
async def test_an_unknown_key_costs_no_check(door: _Door) -> None:
    with pytest.raises(UnauthenticatedError):
        await door.log_in("x@ann.example", new_key())
    assert door.passwords.checks == 0


@pytest_twisted.ensureDeferred
async def test_a_suspended_account_is_refused(door: _Door) -> None:
    await door.people.accounts.change("ann", {"suspended": True})
    for name, secret in (
        ("ann", door.keys["ann"]), ("x@ann.example", door.keys["ann"]), ("x@ann.example", PASSWORD)
    ):  # fmt: skip
        with pytest.raises(UnauthenticatedError):
            await door.log_in(name, secret)
    assert door.passwords.checks == 1


@pytest_twisted.ensureDeferred
async def test_a_peer_that_guesses_is_shut_out_for_a_minute_even_when_right(door: _Door) -> None:
    for _ in range(GUESSES):
        with pytest.raises(UnauthenticatedError):
            await door.log_in("ann", new_key())
    with pytest.raises(ThrottledError):
        await door.log_in("ann", door.keys["ann"])
    assert (await door.log_in("ann", door.keys["ann"], "192.0.2.2")).account == "ann"
    door.clock.advance(PER_S)
    assert (await door.log_in("ann", door.keys["ann"])).account == "ann"


@pytest_twisted.ensureDeferred
async def test_many_right_ones_at_once_are_no_guesses(door: _Door) -> None:
    for name, secret, n in (("ann", door.keys["ann"], 500), ("x@ann.example", PASSWORD, 15)):
        attempts = [ensureDeferred(door.log_in(name, secret)) for _ in range(n)]
        results = await DeferredList(attempts, consumeErrors=True)
        assert {getattr(result, "account", result) for _, result in results} == {"ann"}
    assert door.logins.waiting_peers == 0


@pytest_twisted.ensureDeferred
async def test_many_guesses_at_once_are_not_more_than_one_after_the_other(door: _Door) -> None:
    attempts: list[Deferred[Any]] = [
        ensureDeferred(door.log_in("ann", new_key())) for _ in range(3 * GUESSES)
    ]
    results: list[tuple[bool, Any]] = await DeferredList(attempts, consumeErrors=True)
    kinds = [failure.type for _, failure in results]
    assert kinds == [UnauthenticatedError] * GUESSES + [ThrottledError] * 2 * GUESSES


@pytest_twisted.ensureDeferred
async def test_a_database_that_is_away_makes_no_guess_of_it(
    door: _Door, stopped_database: Database
) -> None:
    logins = MailLogins(
        stopped_database,
        door.people.authenticator,
        Directory(stopped_database, door.people.notices),
        door.passwords,
        Guesses(door.clock),
    )
    for _ in range(2 * GUESSES):
        with pytest.raises(UnavailableError):
            await logins.log_in("x@ann.example", "wrong", PEER)
