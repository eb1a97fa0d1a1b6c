"""Whoever has signed in proves once more who it is, for what is not to be done by a passer-by."""

from collections.abc import Awaitable, Callable
from typing import Final

from mailsacd.core.account import Login
from mailsacd.core.actor import Actor
from mailsacd.core.audit import author_of
from mailsacd.core.errors import (
    ForbiddenError,
    SecondFactorForbiddenError,
    UnauthenticatedError,
)
from mailsacd.mail.accounts.codes import Codes, Proof
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.store.accounts import find_login
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

CODE_MISSING: Final = "A code of the second factor is needed"
CODE_WRONG: Final = "The code is wrong, or was used before"


class Proofs:
    """Each check of a password is a guess of the peer's, of a code one of the peer's and login's.

    Every call raises UnauthenticatedError for an actor without a session, and ThrottledError.
    """

    def __init__(self, database: Database, passwords: Passwords, guesses: Guesses) -> None:
        self._database = database
        self._passwords = passwords
        self._guesses = guesses
        self.codes = Codes(guesses)

    async def check(self, actor: Actor, password: str) -> Login:
        """Who has signed in, if that is the password. Raises ForbiddenError."""
        name = signed_in(actor)
        self._guesses.spend(actor.peer)
        login = await find_login(self._database, name)
        password_hash = login.password_hash if login is not None else None
        if not await self._passwords.verify(password, password_hash) or login is None:
            raise ForbiddenError("The password is wrong")
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
            proof = await self.codes.prove(transaction, login, code, author_of(actor))
            if proof in {Proof.NOT_NEEDED, Proof.RIGHT} and then is not None:
                await then(transaction)
            return proof

        proof = await self._database.transaction(work)
        if proof is Proof.MISSING:
            raise SecondFactorForbiddenError(CODE_MISSING)
        if proof is Proof.WRONG:
            self._guesses.spend(actor.peer)
            raise SecondFactorForbiddenError(CODE_WRONG)


def signed_in(actor: Actor) -> str:
    """The login of ``actor``. Raises UnauthenticatedError when there is no session."""
    if actor.login is None:
        raise UnauthenticatedError("This needs a session: sign in")
    return actor.login
