"""Who is asking: turns credentials into an Actor. Edges pass the Actor on and decide nothing.

Keys and session tokens are found by their SHA-256. They are too long and too random to guess, so a
fast hash will do; and that the comparison of hashes (in a dict, in an index) ends at the first
difference tells nobody anything, for who tries cannot choose what his try hashes to.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from mailsacd.core.account import KEY_FORM, RUN_KEY_FORM, TOKEN_FORM
from mailsacd.core.actor import Actor, Scope
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import UnauthenticatedError
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.uses import Uses
from mailsacd.store.keys import find_key, record_use
from mailsacd.store.notices import ACCOUNTS, Notices
from mailsacd.store.pool import Database
from mailsacd.store.runs import find_run_key
from mailsacd.store.sessions import find_session, record_session_use
from mailsacd.work.sharing import Sharing

CACHED: Final = 10_000
CACHE_S: Final = 60.0  # a second line behind the notices
SESSION_USED_TO: Final = timedelta(hours=1)
"""So exactly is it told when a session was last used: its row is written once in that time."""

_WRONG_KEY: Final = "The API key is not known here"


@dataclass(frozen=True, slots=True)
class _Known:
    """What a hash was found to stand for: an actor, or nobody (None).

    ``used_id`` is of the key; of a session that was last used long enough ago to be noted. What a
    session stands for is another matter when it, or the elevation of its user, ``expires``; the key
    of a run is good for nothing then. What ``was_good`` until lately was not guessed.
    """

    actor: Actor | None
    used_id: str | None
    until_s: float
    expires: datetime | None
    was_good: bool = False


_LookUp = Callable[[bytes], Awaitable[_Known]]


class Authenticator:
    """Checks API keys and session tokens.

    What is found is kept in memory while `Notices` listens: a notice about an account takes all
    of it out, on every node. That somebody keeps trying one wrong key is not many guesses.
    """

    def __init__(
        self, database: Database, notices: Notices, guesses: Guesses, *, reactor: Any
    ) -> None:
        self._database = database
        self._notices = notices
        self._reactor = reactor
        self._guesses = guesses
        self._known: Recent[bytes, _Known] = Recent(CACHED)
        self._changes = 0  # counts what may have made an answer stale that is under way
        self._guessing: Sharing[bytes, _Known] = Sharing()
        self._keys = Uses("record the use of keys", partial(record_use, database), reactor=reactor)
        self._sessions = Uses(
            "record the use of sessions", partial(record_session_use, database), reactor=reactor
        )
        notices.subscribe(ACCOUNTS, self.forget, self._forget_all)

    def start(self) -> None:
        """Begin to write down what is used."""
        self._keys.start()
        self._sessions.start()

    async def finish(self) -> None:
        """Write down what was used since the last time."""
        await self._keys.finish()
        await self._sessions.finish()

    async def authenticate(self, key: str, peer: str = "") -> Actor:
        """The actor that ``key`` belongs to. Raises UnauthenticatedError when it is nobody's.

        A ``peer`` (IP address) that tries too many keys gets ThrottledError for a while.
        """
        look_up = self._looks_up(key)
        digest = hash_of(key)
        known = self._remembered(digest)
        if known is None:
            known = await self._guess(digest, peer, look_up)
        return self._actor_with(known)

    async def check(self, key: str) -> Actor:
        """As `authenticate`, for callers that count the guesses of their peers themselves."""
        look_up = self._looks_up(key)
        digest = hash_of(key)
        known = self._remembered(digest) or await self._look_up(digest, look_up)
        return self._actor_with(known)

    def _looks_up(self, key: str) -> _LookUp:
        """What finds out whose a key of that form is. Raises UnauthenticatedError."""
        if KEY_FORM.match(key):
            return self._look_up_key
        if RUN_KEY_FORM.match(key):
            return self._look_up_run_key
        raise UnauthenticatedError(_WRONG_KEY)  # no key ever looked so: there is nothing to check

    async def _guess(self, digest: bytes, peer: str, look_up: _LookUp) -> _Known:
        """Many who come at once with one key are one guess."""
        return await self._guessing.get(digest, lambda: self._look_up_guess(digest, peer, look_up))

    async def _look_up_guess(self, digest: bytes, peer: str, look_up: _LookUp) -> _Known:
        """Only what was wrong counts, once that is known: hundreds of tests on one machine may each
        come with a key of its own at the same time. Who hangs up before that learns nothing of it.
        """
        self._guesses.check(peer)
        known = await self._look_up(digest, look_up)
        if known.actor is None and not known.was_good:
            self._guesses.add(peer)
        return known

    def _actor_with(self, known: _Known) -> Actor:
        if known.actor is None:
            raise UnauthenticatedError(_WRONG_KEY)
        if known.used_id is not None:
            self._keys.note(known.used_id)
        return known.actor

    async def session(self, token: str) -> Actor | None:
        """The actor that has signed in with that token; None when the session is over."""
        if not TOKEN_FORM.match(token):
            return None
        digest = hash_of(token)
        known = self._remembered(digest)
        if known is None:
            known = await self._look_up(digest, self._look_up_session)
        if known.used_id is not None:
            self._sessions.note(known.used_id)
        return known.actor

    def forget(self, account: str) -> None:
        """Keys, sessions or standing of ``account`` have changed, or a wrong key may be right."""
        self._changes += 1
        self._guessing.forget()  # what is being looked up may be stale for who comes now
        self._known.forget_where(lambda k: k.actor is None or k.actor.account == account)

    def _forget_all(self) -> None:
        self._changes += 1
        self._guessing.forget()
        self._known.clear()

    def _remembered(self, digest: bytes) -> _Known | None:
        known = self._known.get(digest)
        if known is UNKNOWN:
            return None
        if known.until_s <= self._reactor.seconds() or (
            known.expires is not None and known.expires <= datetime.now(UTC)
        ):
            self._known.forget(digest)
            return None
        return known

    async def _look_up(self, digest: bytes, look_up: _LookUp) -> _Known:
        changes = self._changes
        known = await look_up(digest)
        is_worth_it = known.actor is not None or look_up != self._look_up_session
        if is_worth_it and self._notices.listening and changes == self._changes:
            self._known.remember(digest, known)
        return known

    async def _look_up_key(self, digest: bytes) -> _Known:
        found = await find_key(self._database, digest)
        if found is None or found.suspended:
            return _Known(None, None, self._reactor.seconds() + CACHE_S, None)
        actor = Actor(account=found.account, key_name=found.name)
        return _Known(actor, found.id, self._reactor.seconds() + CACHE_S, None)

    async def _look_up_run_key(self, digest: bytes) -> _Known:
        found = await find_run_key(self._database, digest)
        until_s = self._reactor.seconds() + CACHE_S
        if found is None or found.suspended or found.has_ended:
            was_good = found is not None and found.has_ended
            return _Known(None, None, until_s, None, was_good)
        actor = Actor(account=found.account, scope=Scope(domain=found.domain))
        return _Known(actor, None, until_s, found.ends)

    async def _look_up_session(self, digest: bytes) -> _Known:
        found = await find_session(self._database, digest)
        if found is None or found.suspended:
            return _Known(None, None, self._reactor.seconds() + CACHE_S, None)
        until = found.elevated_until
        elevated = until is not None and until > datetime.now(UTC)
        actor = Actor(
            account=found.account,
            login=found.login,
            team=found.team,
            elevated=elevated,
            is_operator=found.is_operator,
        )
        is_noted = found.last_used <= self._sessions.now() - SESSION_USED_TO
        used_id = found.id if is_noted else None
        expires = min(found.expires, until) if elevated and until is not None else found.expires
        return _Known(actor, used_id, self._reactor.seconds() + CACHE_S, expires)


def hash_of(secret: str) -> bytes:
    """What is stored of a key or a token: its SHA-256."""
    return hashlib.sha256(secret.encode()).digest()
