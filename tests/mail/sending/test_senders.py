"""Whose addresses mail is sent from, by what the operator accepts."""

from collections.abc import AsyncIterator

import pytest
import pytest_twisted

from mailsacd.core.errors import BadAddressError, ForbiddenError
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.sending.senders import Senders
from mailsacd.store.pool import Database
from tests.mail.people import people

OWN = ("own.example", "*.own.example", "@registered")


@pytest_twisted.async_yield_fixture
async def directory(database: Database, database_dsn: str) -> AsyncIterator[Directory]:
    async with people(database, database_dsn, listens=False) as made:
        for name in ("ann", "bob"):
            await made.accounts.add(name, f"{name}@example.net")
        await database.run(
            """insert into domain (name, owner, verified, verification_txt)
               values ('proved.example', 'ann', true, 'x'), ('claimed.example', 'ann', false, 'y');
               insert into address (email, domain, owner)
               values ('ceo@bank.example', 'bank.example', 'ann'),
                   ('a@own.example', 'own.example', 'ann'),
                   ('a@claimed.example', 'claimed.example', 'ann'),
                   ('b@proved.example', 'proved.example', 'bob')"""
        )
        yield Directory(database, made.notices)


async def may(senders: Senders, account: str, address: str) -> bool:
    try:
        await senders.check(account, address)
    except ForbiddenError:
        return False
    return True


@pytest.mark.parametrize(
    ("account", "address", "listed", "everywhere"),
    [
        ("ann", "A+tag@Own.example", True, True),
        ("bob", "a@own.example", False, False),
        ("bob", "new@own.example", True, True),
        ("bob", "new@sub.own.example", True, True),
        ("ann", "any@proved.example", True, True),
        ("bob", "any@proved.example", False, False),
        ("bob", "b@proved.example", True, True),
        ("ann", "b@proved.example", False, False),
        ("ann", "ceo@bank.example", False, True),
        ("ann", "a@claimed.example", False, True),
        ("ann", "other@claimed.example", False, False),
        ("ann", "*@proved.example", False, False),
        ("ann", f"inbox-{'0' * 40}@proved.example", False, False),
        ("ann", f"inbox-{'0' * 40}+tag@own.example", False, False),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_sends_as_whom(
    directory: Directory, account: str, address: str, *, listed: bool, everywhere: bool
) -> None:
    assert await may(Senders(directory, OWN), account, address) is listed
    assert await may(Senders(directory, ("*", *OWN)), account, address) is everywhere


@pytest_twisted.ensureDeferred
async def test_what_is_no_address_is_told(directory: Directory) -> None:
    with pytest.raises(BadAddressError):
        await Senders(directory, ("*",), "lent.example").check("ann", "nobody")


@pytest.mark.parametrize(
    ("address", "only_as", "allowed"),
    [
        ("a@own.example", "a@own.example", True),
        ("A+tag@own.example", "a@own.example", True),
        ("any@proved.example", "a@own.example", False),
        ("a@own.example.proved.example", "a@own.example", False),
        ("any@proved.example", "*@proved.example", True),
        ("a@own.example", "*@proved.example", False),
        ("b@proved.example", "*@proved.example", False),  # of which bob is the owner
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_has_the_password_of_one_address_sends_as_it_alone(
    directory: Directory, address: str, only_as: str, *, allowed: bool
) -> None:
    senders = Senders(directory, OWN)
    try:
        await senders.check("ann", address, only_as)
    except ForbiddenError:
        assert not allowed
    else:
        assert allowed
