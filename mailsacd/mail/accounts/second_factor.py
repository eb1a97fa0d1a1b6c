"""The second factor of a login: begun, confirmed by a code of the device, taken away again."""

import io
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import pyotp
import segno

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.audit import OPERATOR, Act, Author, author_of
from mailsacd.core.errors import (
    ConflictError,
    Fault,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.codes import new_recovery_codes, new_secret, recovery_hash
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.proofs import LOGIN_WRONG, Proofs, lock_proven, signed_in
from mailsacd.mail.records.audit import audit
from mailsacd.store import second_factors as store
from mailsacd.store.accounts import find_login
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

_SCALE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorStatus:
    """``since`` is when the second factor was confirmed; None: there is none."""

    since: datetime | None
    recovery_codes_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What a device is told, this once: ``picture`` is the ``uri`` as a QR code in SVG."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    picture: str = field(repr=False)


class SecondFactors:
    """Every call raises UnauthenticatedError for who has not signed in, by an API key say.

    Those that take a password raise ForbiddenError for a wrong one; those that take a code, too,
    SecondFactorForbiddenError for a wrong one or none; all of these ThrottledError.
    """

    def __init__(
        self, accounts: Accounts, passwords: Passwords, proofs: Proofs, *, issuer: str
    ) -> None:
        """``issuer`` is what devices call the server."""
        self._database = accounts.database
        self._passwords = passwords
        self._proofs = proofs
        self._issuer = issuer

    async def status(self, actor: Actor) -> FactorStatus:
        """Return whether there is a second factor, and how many recovery codes are left."""
        factor = await store.find_factor(self._database, signed_in(actor))
        if factor is None or factor.confirmed is None:
            return FactorStatus(since=None, recovery_codes_left=0)
        return FactorStatus(since=factor.confirmed, recovery_codes_left=factor.codes_left)

    async def begin(self, actor: Actor, password: str) -> Enrolment:
        """A secret for a device, which counts when `confirm` was given a code of it.

        Raises ConflictError when there is a second factor already.
        """
        login = await self._proofs.check(actor, password)
        secret = new_secret()

        async def work(transaction: Transaction) -> None:
            if not await lock_proven(transaction, login):
                raise ForbiddenError(LOGIN_WRONG)
            sealed = await self._proofs.codes.seal(transaction, login.name, secret)
            if not await store.begin_factor(transaction, login.name, sealed):
                raise ConflictError("There is a second factor already: take it away first")

        await self._database.transaction(work)
        uri = pyotp.TOTP(secret).provisioning_uri(name=login.name, issuer_name=self._issuer)
        picture = await self._passwords.lane.run_in_thread(partial(_picture, uri))
        return Enrolment(secret=secret, uri=uri, picture=picture)

    async def confirm(self, actor: Actor, code: str) -> list[str]:
        """Have signing in take a code from now on. Returns recovery codes, shown this once.

        Raises InvalidInputError for a wrong code, ConflictError when nothing was begun, or it is
        confirmed already, and ThrottledError.
        """
        login, account, codes = signed_in(actor), account_of(actor), new_recovery_codes()

        async def work(transaction: Transaction) -> bool:
            factor = await store.lock_factor(transaction, login)
            if factor is None or factor.confirmed is not None:
                raise ConflictError("There is no second factor that waits to be confirmed")
            if not await self._proofs.codes.confirm(transaction, login, factor, code):
                return False
            await store.confirm_factor(transaction, login)
            await store.replace_codes(transaction, login, [recovery_hash(c) for c in codes])
            await audit(transaction, account, author_of(actor), Act("two-factor", "enabled", login))
            return True

        if not await self._database.transaction(work):  # after it, so that the wrong one counts
            problem = "is wrong: does the device's clock go right?"
            fault = Fault(field="code", problem=problem)
            raise InvalidInputError(f"code {problem}", (fault,))
        return codes

    async def renew_codes(self, actor: Actor, password: str, code: str | None) -> list[str]:
        """New recovery codes, shown this once; those before are good no more.

        Raises ConflictError when there is no second factor.
        """
        codes = new_recovery_codes()

        async def work(transaction: Transaction) -> None:
            login = signed_in(actor)
            factor = await store.find_factor(transaction, login)
            if factor is None or factor.confirmed is None:
                raise ConflictError(_NONE)
            await store.replace_codes(transaction, login, [recovery_hash(c) for c in codes])
            act = Act("two-factor", "recovery-codes-made", login)
            await audit(transaction, account_of(actor), author_of(actor), act)

        await self._proofs.prove(actor, password, code, work)
        return codes

    async def disable(self, actor: Actor, password: str, code: str | None) -> None:
        """Have signing in take the password alone. Raises ConflictError when it does."""

        async def work(transaction: Transaction) -> None:
            login = signed_in(actor)
            if not await store.delete_factor(transaction, login):
                raise ConflictError(_NONE)
            act = Act("two-factor", "disabled", login)
            await audit(transaction, account_of(actor), author_of(actor), act)

        await self._proofs.prove(actor, password, code, work)


async def take_factor_away(database: Database, name: str, by: Author = OPERATOR) -> bool:
    """Have the login named ``name`` sign in by password alone: whoever it is has lost the device.

    Returns whether there was a second factor. Raises NotFoundError for an unknown login.
    """

    async def work(transaction: Transaction) -> bool:
        login = await find_login(transaction, name.lower())
        if login is None:
            raise NotFoundError(f"Nobody signs in as {name}")
        had = await store.delete_factor(transaction, login.name)
        if had:
            await audit(transaction, login.account, by, Act("two-factor", "disabled", login.name))
        return had

    return await database.transaction(work)


_NONE: Final = "There is no second factor"


def _picture(uri: str) -> str:
    """``uri`` as a QR code: SVG that stands by itself or in a page, dark on white for cameras."""
    drawn = io.BytesIO()
    code = segno.make(uri, error="m", micro=False)
    code.save(
        drawn, kind="svg", scale=_SCALE, xmldecl=False, svgclass=None, lineclass=None, light="#fff"
    )
    return drawn.getvalue().decode("utf-8").strip()
