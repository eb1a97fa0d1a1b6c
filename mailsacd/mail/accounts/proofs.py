"""Whoever has signed in proves once more who it is, for what is not to be done by a passer-by."""

from collections.abc import Awaitable, Callable
from typing import Final

from mailsacd.core.account import Login
from mailsacd.core.actor import Actor
from mailsacd.core.audit import Author, author_of
from mailsacd.core.errors import (
    ForbiddenError,
    SecondFactorForbiddenError,
    UnauthenticatedError,
)
from mailsacd.mail.accounts.codes import Codes, Proof
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.store.accounts import find_login, lock_login
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

LOGIN_WRONG: Final = "The password is wrong"
CODE_MISSING: Final = "A code of the second factor is needed"
CODE_WRONG: Final = "The code is wrong, or was used before"


class Proofs:
    """Each check of a password is a guess of the peer's, and so is each wrong code.

    Every call raises UnauthenticatedError for an actor without a session, and ThrottledError.
    """

    def __init__(self, database: Database, passwords: Passwords, guesses: Guesses) -> None:
        self._database = database
        self._passwords = passwords
        self._guesses = guesses
        self.codes = Codes(guesses.clock)

    async def check(self, actor: Actor, password: str) -> Login:
        """Who has signed in, if that is the password. Raises ForbiddenError."""
        name = signed_in(actor)
        self._guesses.spend(actor.peer)
        login = await find_login(self._database, name)
        password_hash = login.password_hash if login is not None else None
        if not await self._passwords.verify(password, password_hash) or login is None:
            raise ForbiddenError(LOGIN_WRONG)
        self._guesses.refund(actor.peer)
        return login

    async def prove(
        self,
        actor: Actor,
        password: str,
        code: str | None,
        then: Callable[[Transaction], Awaitable[None]] | None = None,
    ) -> None:
        """Check the password and, where the login has a second factor, a ``code`` of it.

        The code is used up by what ``then`` does, in one transaction. Raises ForbiddenError, and
        SecondFactorForbiddenError when it is the code that is missing or wrong.
        """
        login = await self.check(actor, password)

        async def work(transaction: Transaction) -> Proof:
            proof = await self.use(transaction, login, code, author_of(actor))
            if proof.is_good and then is not None:
                await then(transaction)
            return proof

        proof = await self._database.transaction(work)
        if proof is Proof.OUTDATED:
            raise ForbiddenError(LOGIN_WRONG)
        if proof is Proof.MISSING:
            raise SecondFactorForbiddenError(CODE_MISSING)
        if proof is Proof.WRONG:
            self._guesses.spend(actor.peer)
            raise SecondFactorForbiddenError(CODE_WRONG)

    async def use(
        self, transaction: Transaction, login: Login, code: str | None, by: Author
    ) -> Proof:
        """Lock ``login``, as it was when its password was right, and use up a ``code`` of its.

        The code is used, and a wrong one counts, if ``transaction`` commits. Raises ThrottledError.
        """
        if not await lock_proven(transaction, login):
            return Proof.OUTDATED
        return await self.codes.prove(transaction, login, code, by)


async def lock_proven(transaction: Transaction, login: Login) -> bool:
    """Lock ``login``. Returns False if its password is another than ``login`` had, or it is gone.

    So who gave the old password does nothing with it after it was changed.
    """
    now = await lock_login(transaction, login.name)
    return now is not None and now.password_hash == login.password_hash


def signed_in(actor: Actor) -> str:
    """The login of ``actor``. Raises UnauthenticatedError when there is no session."""
    if actor.login is None:
        raise UnauthenticatedError("This needs a session: sign in")
    return actor.login
