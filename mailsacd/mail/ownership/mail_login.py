"""Who logs in by a mail protocol: with a name and a secret, out of a mail program's settings.

The name is an account's, or an address; the secret is an API key of its owner, or the password
that the address was given. What is looked up and computed depends on the secret's form alone, so
an answer takes as long for names that exist as for others.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

from twisted.internet.defer import Deferred

from mailsacd.core.account import KEY_FORM
from mailsacd.core.activity import SIGN_IN_FAILED
from mailsacd.core.address import Address, inbox_of
from mailsacd.core.errors import BadAddressError, MailsacdError, UnauthenticatedError
from mailsacd.core.peer import network_of
from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.passwords import MAX_CHARACTERS, Passwords
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.records.activity import Activity
from mailsacd.store.addresses import find_address_login
from mailsacd.store.pool import Database

WRONG: Final = "The name, or the password or key, is wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLogin:
    """``address`` is normal (see core.address); None for who logged in by the account's name.

    ``by_password`` is whether the secret was the address's own password, and no key of its owner's.
    """

    account: str
    address: str | None
    by_password: bool


class LogsIn(Protocol):
    """Knows who logs in by a mail protocol."""

    async def log_in(self, name: str, secret: str, peer: str) -> MailLogin:
        """Return whose name it is, as MailLogins does."""


class Paces(Protocol):
    """Says when something may be done (mail.limits.throttle)."""

    async def call(self, ip: str, account: str | None) -> object:
        """Return when it may be. Raises RateLimitError for one too many."""


class PacedLogins:
    """Logins of which each counts as a call of its peer's, before anything is checked."""

    def __init__(self, logins: LogsIn, pace: Paces) -> None:
        self._logins = logins
        self._pace = pace

    async def log_in(self, name: str, secret: str, peer: str) -> MailLogin:
        """Return whose name it is, as MailLogins does. Raises RateLimitError, too."""
        await self._pace.call(peer, None)
        return await self._logins.log_in(name, secret, peer)


class MailLogins:
    """Checks names and secrets, one at a time for each peer.

    So somebody who opens many connections at once with right secrets is not taken for somebody who
    guesses, and one who does guess keeps one thread busy at most. Who waits for a turn has a
    connection, of which listeners bound the number.
    """

    def __init__(
        self,
        database: Database,
        authenticator: Authenticator,
        directory: Directory,
        passwords: Passwords,
        guesses: Guesses,
        activity: Activity | None = None,
    ) -> None:
        self._database = database
        self._authenticator = authenticator
        self._directory = directory
        self._passwords = passwords
        self._guesses = guesses
        self._activity = activity
        self._lines: dict[str, _Line] = {}

    async def log_in(self, name: str, secret: str, peer: str) -> MailLogin:
        """Whose ``name`` is, if ``secret`` is right; ``peer`` is an IP address.

        Raises UnauthenticatedError, whatever is wrong; ThrottledError for a peer that guessed too
        often, before anything is checked; and UnavailableError, which is not a guess.
        """
        network = network_of(peer)
        line = self._lines.setdefault(network, _Line())
        await line.turn()
        try:
            self._guesses.spend(peer)
            try:
                login = await self._check(name, secret, peer)
            except MailsacdError as e:
                if e.temporary:
                    self._guesses.refund(peer)
                raise
            self._guesses.refund(peer)
        finally:
            line.end_turn()
            if line.is_empty:
                self._lines.pop(network, None)
        return login

    @property
    def waiting_peers(self) -> int:
        """Of how many peers something is being checked."""
        return len(self._lines)

    async def _check(self, name: str, secret: str, peer: str) -> MailLogin:
        address = _address(name)
        is_key = KEY_FORM.match(secret) is not None
        if is_key:
            account = (await self._authenticator.check(secret)).account
            if address is None:
                right = name.lower() == account
            else:
                right = (await self._directory.holder(address)).owner == account
        else:
            account = await self._owner_with_password(address, secret, peer)
            right = True
        if account is None or not right:
            raise UnauthenticatedError(WRONG)
        return MailLogin(
            account=account,
            address=str(address) if address else None,
            by_password=not is_key,
        )

    async def _owner_with_password(
        self, address: Address | None, password: str, peer: str
    ) -> str | None:
        found = await find_address_login(self._database, str(address) if address else "")
        # An account that may not log in costs a check nevertheless
        password_hash = found.password_hash if found and not found.suspended else None
        right = await self._passwords.verify(password[:MAX_CHARACTERS], password_hash)
        if found is None:
            return None
        if not right or len(password) > MAX_CHARACTERS:
            self._record_failure(found.owner, str(address), peer)
            return None
        return found.owner

    def _record_failure(self, owner: str, email: str, peer: str) -> None:
        if self._activity is not None:
            self._activity.record(SIGN_IN_FAILED, account=owner, subject=email, detail=peer)


class _Line:
    """Those of one peer, one after the other.

    Where answers are at once a turn ends within the call that began it: the next one begins from
    the loop below, not from there, or a long line would go deep.
    """

    def __init__(self) -> None:
        self._waiting: deque[Deferred[None]] = deque()
        self._taken = self._calling = False

    @property
    def is_empty(self) -> bool:
        """Whether nobody has a turn or waits for one."""
        return not self._taken and not self._waiting

    def turn(self) -> Deferred[None]:
        """Fires when it is the caller's turn, which he has to end."""
        turn: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(turn)
        self._call()
        return turn

    def end_turn(self) -> None:
        """End a turn: whoever waits longest has the next one."""
        self._taken = False
        self._call()

    def _call(self) -> None:
        if self._calling:
            return
        self._calling = True
        while self._waiting and not self._taken:
            self._taken = True
            self._waiting.popleft().callback(None)
        self._calling = False


def _address(name: str) -> Address | None:
    """The inbox that ``name`` is; None for what is no address, or one that nobody reads."""
    try:
        address = inbox_of(name)
    except BadAddressError:
        return None
    return None if address.is_alternate else address
