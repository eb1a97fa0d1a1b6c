"""Signing up, in and out, and passwords. A session is a row; its token is the browser's alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from mailsacd.core.account import Login, new_token
from mailsacd.core.activity import SIGN_IN_FAILED, SIGNED_IN
from mailsacd.core.actor import Actor
from mailsacd.core.allowance import Allowance
from mailsacd.core.audit import Act, Author, author_of
from mailsacd.core.errors import (
    Fault,
    ForbiddenError,
    InvalidInputError,
    SecondFactorError,
    UnauthenticatedError,
)
from mailsacd.core.peer import is_loopback, network_of
from mailsacd.core.user_agent import short_agent
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.accounts.codes import Proof
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.passwords import MAX_CHARACTERS, MIN_CHARACTERS, Passwords
from mailsacd.mail.accounts.proofs import (
    CODE_MISSING,
    CODE_WRONG,
    LOGIN_WRONG,
    Proofs,
    lock_proven,
)
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.records.audit import audit
from mailsacd.settings import AccountSettings
from mailsacd.store import accounts as stored
from mailsacd.store import sessions
from mailsacd.store.notices import ACCOUNTS, give_notice
from mailsacd.store.transaction import Transaction

SIGN_UPS_AT_ONCE: Final = 20
SIGN_UP_AGAIN_S: Final = 3_600.0
"""So many accounts can be made from a network at once, and then one an hour."""

_PEERS: Final = 10_000
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_SIGN_IN_WRONG: Final = "The name or the password is wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session: ``token`` is told this once."""

    login: Login
    token: str
    expires: datetime


class Sessions:
    """Each check of a password is a guess, of which a peer (IP address) has a few a minute."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        guesses: Guesses,
        settings: AccountSettings,
        activity: Activity | None = None,
    ) -> None:
        self._activity = activity
        self._accounts = accounts
        self._passwords = passwords
        self._guesses = guesses
        self.proofs = Proofs(accounts.database, passwords, guesses)
        self._settings = settings
        self._sign_ups = Allowance(
            guesses.clock, at_once=SIGN_UPS_AT_ONCE, again_s=SIGN_UP_AGAIN_S, remembered=_PEERS
        )

    @property
    def days(self) -> int:
        """How long a session is good."""
        return self._settings.session_days

    async def sign_up(
        self,
        name: str,
        email: str,
        password: str,
        *,
        invitation: str | None,
        peer: str,
        agent: str = "",
    ) -> SignedIn:
        """Make an account and sign in to it, with a program whose User-Agent is ``agent``.

        Raises ForbiddenError where the settings do not have it, InvalidInputError, ConflictError
        for a name or mail address that is taken, and ThrottledError.
        """
        if self._settings.sign_up == "closed":
            raise ForbiddenError("Sign-up is closed here: ask the operator for an account")
        _check_invited(self._settings, invitation)
        check_password(password)
        self._guesses.spend(peer)
        if not is_loopback(peer):
            self._sign_ups.spend(network_of(peer), "Too many accounts were made from here of late")
        password_hash = await self._passwords.hash(password)

        async def take_invitation(transaction: Transaction) -> None:
            if await stored.count_accounts(transaction) >= self._settings.max_sign_ups:
                raise ForbiddenError("There is no room for further accounts: ask the operator")
            if self._settings.sign_up == "invitation" and not await sessions.take_invitation(
                transaction, hash_of(invitation or "")
            ):
                raise _not_good("invitation")

        by = Author(kind="login", name=name.lower(), peer=peer)
        account = await self._accounts.add(
            name, email, password_hash=password_hash, first=take_invitation, by=by
        )
        login = Login(
            name=account.name,
            account=account.name,
            team=False,
            password_hash=password_hash,
            suspended=False,
        )
        return await self._begin_with(login, None, peer, agent)

    async def sign_in(
        self,
        name_or_email: str,
        password: str,
        *,
        code: str | None = None,
        peer: str,
        agent: str = "",
    ) -> SignedIn:
        """Begin a session of an account's own login, or of a team user.

        Raises UnauthenticatedError for a wrong name or password, which take as long as right
        ones; SecondFactorError when these are right, and the ``code`` is missing or wrong;
        ForbiddenError for a suspended account; ThrottledError after too many guesses.
        """
        self._guesses.spend(peer)
        login = None
        if name_or_email.isprintable():  # and no name is otherwise
            login = await stored.find_login(self._accounts.database, name_or_email.lower())
        password_hash = login.password_hash if login is not None else None
        right = await self._passwords.verify(password, password_hash)
        if login is None or password_hash is None or not right:
            self._record(SIGN_IN_FAILED, login, peer, _UNAUTHORIZED)
            raise UnauthenticatedError(_SIGN_IN_WRONG)
        self._guesses.refund(peer)
        if login.suspended:
            self._record(SIGN_IN_FAILED, login, peer, _FORBIDDEN)
            raise ForbiddenError("The account is suspended: ask the operator")
        return await self._begin_with(login, code, peer, agent)

    async def _begin_with(self, login: Login, code: str | None, peer: str, agent: str) -> SignedIn:
        begun = await self._begin(login, code, peer, agent)
        if isinstance(begun, SignedIn):
            self._record(SIGNED_IN, login, peer, _OK)
            return begun
        if begun is Proof.OUTDATED:
            raise UnauthenticatedError(_SIGN_IN_WRONG)
        if begun is Proof.MISSING:
            raise SecondFactorError(CODE_MISSING)
        self._guesses.spend(peer)
        self._record(SIGN_IN_FAILED, login, peer, _UNAUTHORIZED)
        raise SecondFactorError(CODE_WRONG)

    def _record(self, kind: str, login: Login | None, peer: str, code: int) -> None:
        """Of a name that nobody has, nothing is recorded."""
        if self._activity is not None and login is not None:
            self._activity.record(
                kind, account=login.account, subject=login.name, code=code, detail=peer
            )

    async def sign_out(self, token: str, *, peer: str = "") -> None:
        """End a session; nothing happens when it is over."""
        actor_account: list[str] = []

        async def work(transaction: Transaction) -> None:
            found = await sessions.find_session(transaction, hash_of(token))
            await sessions.end_session(transaction, hash_of(token))
            if found is not None:
                by = Author(kind="login", name=found.login, peer=peer)
                act = Act("session", "signed-out", found.login)
                await audit(transaction, found.account, by, act)
                await give_notice(transaction, ACCOUNTS, found.account)
                actor_account.append(found.account)

        await self._accounts.database.transaction(work)
        for account in actor_account:
            self._accounts.forget(account)

    async def change_password(self, actor: Actor, old: str, new: str) -> None:
        """Set the password of who has signed in, and end all sessions of that login.

        Raises InvalidInputError for a ``new`` one that nobody should have, and as `Proofs.check`;
        of two at once with the same ``old`` one, one gets ForbiddenError.
        """
        check_password(new)
        login = await self.proofs.check(actor, old)
        password_hash = await self._passwords.hash(new)

        async def work(transaction: Transaction) -> None:
            if not await lock_proven(transaction, login):
                raise ForbiddenError(LOGIN_WRONG)
            act = Act("account", "password-changed", login.name)
            await audit(transaction, login.account, author_of(actor), act)
            await _replace_password(transaction, login.name, password_hash)

        await self._accounts.changing(login.account, work)

    async def reset_password(self, token: str, password: str, *, peer: str = "") -> None:
        """Set a password by a token from a link, once, and end all sessions of that login.

        Raises InvalidInputError for a token that is not good, or not any more.
        """
        check_password(password)
        if await sessions.find_reset(self._accounts.database, hash_of(token)) is None:
            raise _not_good("token")  # before it costs a hash
        password_hash = await self._passwords.hash(password)
        login: list[Login] = []

        async def take(transaction: Transaction) -> None:
            name = await sessions.take_reset(transaction, hash_of(token))
            found = None if name is None else await stored.find_login(transaction, name)
            if found is None:
                raise _not_good("token")
            login.append(found)
            by = Author(kind="login", name=found.name, peer=peer)
            act = Act("account", "password-reset", found.name, "by a link")
            await audit(transaction, found.account, by, act)
            await _replace_password(transaction, found.name, password_hash)
            await give_notice(transaction, ACCOUNTS, found.account)

        await self._accounts.database.transaction(take)
        self._accounts.forget(login[0].account)

    async def _begin(
        self, login: Login, code: str | None, peer: str, agent: str
    ) -> SignedIn | Proof:
        """A session of who gave the password of ``login``; else what the code lacks."""
        token, short = new_token(), short_agent(agent)
        expires = datetime.now(UTC) + timedelta(days=self._settings.session_days)
        by = Author(kind="login", name=login.name, peer=peer)

        async def work(transaction: Transaction) -> Proof:
            proof = await self.proofs.use(transaction, login, code, by)
            if not proof.is_good:
                return proof
            await sessions.add_session(
                transaction, hash_of(token), login.name, expires, peer=peer, agent=short
            )
            act = Act("session", "signed-in", login.name, short)
            await audit(transaction, login.account, by, act)
            return proof

        proof = await self._accounts.database.transaction(work)
        if not proof.is_good:
            return proof
        return SignedIn(login=login, token=token, expires=expires)


def check_password(password: str) -> None:
    """Raises InvalidInputError for a password that nobody should have."""
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        problem = f"has to be {MIN_CHARACTERS} to {MAX_CHARACTERS} characters"
        raise InvalidInputError(f"password {problem}", (Fault(field="password", problem=problem),))


def _check_invited(settings: AccountSettings, invitation: str | None) -> None:
    if settings.sign_up == "invitation" and not invitation:
        raise ForbiddenError("Sign-up is by invitation here: ask the operator for a link")


async def _replace_password(transaction: Transaction, login: str, password_hash: str) -> None:
    await stored.set_password(transaction, login, password_hash)
    await sessions.end_sessions(transaction, login)


def _not_good(field: str) -> InvalidInputError:
    problem = "is not good, or not any more"
    return InvalidInputError(f"The {field} {problem}", (Fault(field=field, problem=problem),))
