"""The sessions of a login, as whoever has signed in sees and ends them."""

from mailsacd.core.account import Session
from mailsacd.core.actor import Actor, account_of
from mailsacd.core.audit import Act, author_of
from mailsacd.core.errors import NotFoundError
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.accounts.proofs import signed_in
from mailsacd.mail.records.audit import audit
from mailsacd.store import sessions as store
from mailsacd.store.transaction import Transaction


class SessionList:
    """Every call takes the actor of a session and its ``token``.

    All raise UnauthenticatedError for anybody else, also for who has an API key.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def list(self, actor: Actor, token: str) -> list[Session]:
        """Return the sessions of the login, the newest first."""
        login = signed_in(actor)
        return await store.list_sessions(self._accounts.database, login, hash_of(token))

    async def end(self, actor: Actor, session_id: str) -> None:
        """End a session of the login, at once and on every node. Raises NotFoundError."""
        login, account = signed_in(actor), account_of(actor)

        async def work(transaction: Transaction) -> None:
            agent = await store.end_listed_session(transaction, login, session_id)
            if agent is None:
                raise NotFoundError("There is no such session")
            act = Act("session", "ended", login, agent)
            await audit(transaction, account, author_of(actor), act)

        await self._accounts.changing(account, work)

    async def end_others(self, actor: Actor, token: str) -> int:
        """End all sessions of the login but the one of ``token``. Returns how many there were."""
        login, account = signed_in(actor), account_of(actor)

        async def work(transaction: Transaction) -> int:
            ended = await store.end_other_sessions(transaction, login, hash_of(token))
            if ended:
                act = Act("session", "ended", login, f"all others: {ended}")
                await audit(transaction, account, author_of(actor), act)
            return ended

        return await self._accounts.changing(account, work)
