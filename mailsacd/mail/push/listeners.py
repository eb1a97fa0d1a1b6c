"""All who wait for mail on this node, by WebSocket or server-sent events.

Keeps their number within bounds, has each send a sign of life from time to time, and looks again at
the rights of those whom a notice concerns: of an account, an address or a domain.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import inf
from typing import Any, Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from mailsacd.core.actor import ANYONE, Actor, viewing_account
from mailsacd.core.errors import (
    MailsacdError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.open_counts import OpenCounts
from mailsacd.core.rounds import Rounds
from mailsacd.listening_settings import WebsocketSettings
from mailsacd.mail.limits.paced import Paced
from mailsacd.mail.push.hub import Hub
from mailsacd.mail.push.listener import Asker, Listener, Listening, key_of
from mailsacd.mail.push.permission import ListenPermission, Wanted, wanted_of_all_mail
from mailsacd.store.notices import ACCOUNTS, DIRECTORY, Notices
from mailsacd.work.loop import Loop

_STEPS: Final = 30  # of a round of signs of life
_TOO_MANY_RETRY_S: Final = 30

_log = Logger()


class Listeners:
    """The places. Who wants one and is refused gets the error that says why."""

    def __init__(
        self,
        settings: WebsocketSettings,
        hub: Hub,
        rules: ListenPermission,
        callers: Paced,
        notices: Notices,
        reactor: Any,
    ) -> None:
        self.rules = rules
        self._callers = callers
        self._hub = hub
        self._notices = notices
        self._settings = settings
        self._places: Rounds[Listening] = Rounds(_STEPS)
        self._of_peer = OpenCounts()
        self._of_account = OpenCounts()
        self._concerned: dict[str, dict[Listening, None]] = {}  # by address, domain, account
        self._stale: dict[Listening, None] = {}
        self._checking = Loop("check who listens", self._check_stale, every_s=inf, clock=reactor)
        self._changes = 0
        self._missed = True  # notices, maybe: as long as none are listened for
        self._step = 0
        self._stopping = False
        self._beating = Loop(
            "show signs of life", self._beat, every_s=settings.heartbeat_s / _STEPS, clock=reactor
        )
        self.start = self._beating.start
        notices.subscribe(ACCOUNTS, self._account_changed, self._anything_changed)
        notices.subscribe(DIRECTORY, self._name_changed, self._anything_changed)

    def count_in(self, memory: LimitMemory) -> None:
        """Count those of a peer, and of an account, with those at the node's other workers.

        It has to be called before anybody listens.
        """
        self._of_peer = OpenCounts("listeners of peer", memory)
        self._of_account = OpenCounts("listeners of account", memory)

    async def stop(self) -> None:
        """Tell all that it is over; nobody is let in any more."""
        self._stopping = True
        self._beating.halt()
        for listening in self._places.members():
            if listening.is_open:
                _tell(listening, lambda listener: listener.stopping())
            else:
                listening.refusal = _stops()
        self._stale.clear()
        await self._checking.stop()

    async def listen_as_account(
        self, asker: Asker, claimed: str, names: Sequence[str], since: str, listener: Listener
    ) -> Listening:
        """A place for an account that has an API key, and is ``claimed`` if that is not empty.

        ``names`` are of ListenPermission.of_account, or of_scope with the key of a run. Raises what
        that does, UnauthenticatedError and ThrottledError.
        """
        listening = self._admitted(asker, listener)
        key = asker.key or ""

        async def wanted(actor: Actor) -> Wanted:
            account = viewing_account(actor)
            if claimed and claimed.lower() != account:
                raise UnauthenticatedError("The API key is not one of the account in _id")
            if actor.scope is not None:
                return self.rules.of_scope(account, actor.scope, names)
            return await self.rules.of_account(account, names)

        async def look_again() -> Wanted:
            return await wanted(await self._callers.check(key))

        async def look() -> Wanted:
            actor = await self._callers.authenticate(key, asker.peer)
            if actor.account is None:
                raise UnauthenticatedError("An API key is needed to listen")
            self._seat(listening, viewing_account(actor))
            return await wanted(actor)

        return await self._open(listening, look, look_again, since)

    async def listen(
        self,
        asker: Asker,
        actor: Actor | None,
        wanted: Callable[[Actor], Awaitable[Wanted]],
        since: str,
        listener: Listener,
    ) -> Listening:
        """A place for ``actor`` (None: to be found out), who gets what is ``wanted`` as long as
        that lets him: as of_inbox or of_domain of ``rules``, whose errors are raised; so are
        UnauthenticatedError and ThrottledError.
        """
        listening = self._admitted(asker, listener)

        async def look() -> Wanted:
            who = actor or await self._callers.authenticate(asker.key or "", asker.peer)
            self._seat(listening, who.account)
            return await wanted(who)

        async def look_again() -> Wanted:
            return await wanted(await self._actor(asker))

        return await self._open(listening, look, look_again, since)

    async def listen_to_all(
        self, asker: Asker, sees_public: Callable[[Actor], Awaitable[bool]], listener: Listener
    ) -> Listening:
        """A place for whoever is shown the mail of all inboxes, and public mail if ``sees_public``.

        Raises what that does, UnauthenticatedError and ThrottledError.
        """

        async def wanted(actor: Actor) -> Wanted:
            return wanted_of_all_mail(actor, public=await sees_public(actor))

        return await self.listen(asker, None, wanted, "", listener)

    def _left(self, listening: Listening) -> None:
        if listening in self._places:
            self._places.discard(listening)
            self._of_peer.leave(listening.peer)
            if listening.account is not None:
                self._of_account.leave(listening.account)
            for name in listening.concerned_by:
                concerned = self._concerned.get(name, {})
                concerned.pop(listening, None)
                if not concerned:
                    self._concerned.pop(name, None)
        self._stale.pop(listening, None)

    # Coming in

    def _admitted(self, asker: Asker, listener: Listener) -> Listening:
        if self._stopping:
            raise _stops()
        listening = Listening(listener, asker.peer, self._left)
        if len(self._places) >= self._settings.max_listeners:
            raise _too_many("Too many listeners")
        if not self._of_peer.enter(listening.peer, self._settings.max_listeners_per_peer):
            raise _too_many("Too many listeners from your IP address")
        self._places.add(listening)
        return listening

    def _seat(self, listening: Listening, account: str | None) -> None:
        if account is None:
            return
        if not self._of_account.enter(account, self._settings.max_listeners_per_account):
            raise _too_many("Too many listeners of this account")
        listening.account = account

    async def _open(
        self,
        listening: Listening,
        look: Callable[[], Awaitable[Wanted]],
        look_again: Callable[[], Awaitable[Wanted]],
        since: str,
    ) -> Listening:
        changes = self._changes
        listening.look_again = look_again
        try:
            listening.wanted = wanted = await look()
            for name in listening.concerned_by:
                self._concerned.setdefault(name, {})[listening] = None
            listening.follow(await self._hub.open(wanted.interest, since or None, listening))
        except BaseException:
            listening.close()
            raise
        if changes != self._changes:
            self._suspect((listening,))
        return listening

    async def _actor(self, asker: Asker) -> Actor:
        if asker.key is not None:
            return await self._callers.check(asker.key)
        if asker.session is not None:
            return await self._callers.session(asker.session) or ANYONE
        return ANYONE

    # Rights that change

    def _account_changed(self, account: str) -> None:
        self._changes += 1
        self._suspect(self._concerned.get(key_of(account), ()))

    def _name_changed(self, name: str) -> None:
        if name:
            self._changes += 1
            self._suspect(self._concerned.get(name, ()))
        else:
            self._all_suspect()

    def _anything_changed(self) -> None:
        self._missed = True
        self._all_suspect()

    def _all_suspect(self) -> None:
        self._changes += 1
        self._suspect(self._places.members())

    def _suspect(self, listenings: Iterable[Listening]) -> None:
        self._stale.update(dict.fromkeys(listenings))
        if self._stale and not self._stopping:
            self._checking.wake()

    async def _check_stale(self) -> None:
        """One after the other: what comes meanwhile joins the end of the line."""
        while self._stale:
            listening = next(iter(self._stale))
            del self._stale[listening]
            if listening in self._places and listening.wanted is not None:
                await self._check(listening)

    async def _check(self, listening: Listening) -> None:
        try:
            await listening.look_again()
        except UnavailableError:
            self._missed = True  # to be seen to with the next sign of life
        except MailsacdError as e:
            refusal = e
            if listening.is_open:
                _tell(listening, lambda listener: listener.revoked(refusal))
            else:
                listening.refusal = refusal
        except CancelledError:  # by the stop
            raise
        except Exception:  # noqa: BLE001  whoever else listens is checked all the same
            _log.failure("cannot check who listens")
            self._missed = True

    def _beat(self) -> None:
        for listening in self._places.step():
            if not listening.closed:
                _tell(listening, lambda listener: listener.beat())
        self._step = (self._step + 1) % _STEPS
        heard = self._notices.listening
        if self._missed and not self._checking.is_running and (heard or self._step == 0):
            self._missed = not heard
            self._all_suspect()


def _tell(listening: Listening, tell: Callable[[Listener], None]) -> None:
    """One whose telling is a defect of ours has no place any more; the others are told."""
    try:
        tell(listening.listener)
    except Exception:  # noqa: BLE001  one listener's failure must not be the others'
        _log.failure("a listener failed")
        listening.close()


def _stops() -> UnavailableError:
    return UnavailableError("The server is stopping, come back later")


def _too_many(public: str) -> ThrottledError:
    return ThrottledError(f"{public}, come back later", retry_after_s=_TOO_MANY_RETRY_S)
