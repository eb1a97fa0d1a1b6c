"""Waits for mail that is like somebody says: until it is there, or the time is over.

What came before the call counts from the time that it says on. It is woken by the hub
(mail.push.watches) and looks for itself, into the same rows as a list of the inbox: what is stored
on whatever node, before or while it begins to listen, is never missed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from twisted.internet.defer import Deferred, DeferredSemaphore, ensureDeferred
from twisted.internet.task import deferLater

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.condition import BODY_MATCHES, Condition
from mailsacd.core.errors import UnavailableError
from mailsacd.core.figures import Figures
from mailsacd.core.message_form import Outline
from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.push.listener import Asker
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.waiting.looks import Place, Seen
from mailsacd.mail.waiting.place_waits import PlaceWaits, Tools
from mailsacd.mail.waiting.seats import Seats
from mailsacd.mail.waiting.wait import Wait, patterns_of

LOOK_BACK_S: Final = 5.0
"""Where nobody says since when, what came so long before the call counts: the mail of a test that
has just had it sent, and none of the test before."""
MAX_TIMEOUT_S: Final = 300
NEAR: Final = 5
"""So many of the newest messages are told of when the time is over."""

_AT_ONCE: Final = 32
_STOPS: Final = "The server is stopping, come back later"
_EVER: Final = ""  # below all ids


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is waited for, and how many seconds."""

    condition: Condition
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Fitting:
    """What was waited for: messages as JSON, newest first."""

    messages: Sequence[str]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A message that is there, and the names of the conditions that it ``failed``."""

    message: Outline
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeOver:
    """It did not come for ``actor``: how many fitted, and what the newest messages failed by."""

    actor: Actor
    condition: Condition
    fitting: int
    near_misses: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True)
class Rights:
    """Finds out who may look into an inbox, and whether that still holds."""

    access_control: AccessControl
    callers: Authenticator

    async def normal(self, actor: Actor, place: Place) -> Place:
        """The place in normal form. Raises what listing it does."""
        if place.kind == "inbox":
            return Place("inbox", await self.access_control.inbox(actor, place.name))
        await self.access_control.owned_domain(actor, place.name)
        return place

    async def actor(self, asker: Asker) -> Actor:
        """Who asks, as of now. Raises UnauthenticatedError for a key that is gone."""
        if asker.key is not None:
            return await self.callers.check(asker.key)
        if asker.session is not None:
            return await self.callers.session(asker.session) or ANYONE
        return ANYONE


class Waits:
    """All waits that are open in this process."""

    def __init__(self, rights: Rights, seats: Seats, tools: Tools) -> None:
        self._rights = rights
        self._seats = seats
        self._tools = tools
        self._open: dict[Wait, None] = {}
        self._places: dict[tuple[Place, str | None], PlaceWaits] = {}
        self._turn = DeferredSemaphore(_AT_ONCE)
        self._stopping = False

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how many wait."""
        figures.gauge(
            "mailsacd_waits", "Calls that are answered when mail comes", lambda: len(self._open)
        )

    async def wait(
        self, asker: Asker, actor: Actor, email: str, condition: Condition, timeout_s: float
    ) -> Fitting | TimeOver:
        """Return when enough messages fit, or the time is over. Raises as `open` and `outcome`."""
        ended: Deferred[None] = Deferred()
        wanted = Wanted(condition, timeout_s)
        place = Place("inbox", email)
        wait = await self.open(asker, actor, place, wanted, lambda: ended.callback(None))
        try:
            await ended
        finally:
            self.close(wait)
        return await self.outcome(wait)

    async def open(
        self, asker: Asker, actor: Actor, place: Place, wanted: Wanted, ended: Callable[[], None]
    ) -> Wait:
        """Wait for enough messages that fit; then, or when the time is over, call ``ended``.

        That comes before or after this returns. The wait has to be given to `close`, and what has
        come of it is `outcome`. Of ``place`` the name need not be normal. Raises what listing it
        does: BadAddressError, UnauthenticatedError, ForbiddenError; ThrottledError and
        OverloadedError when too many wait; UnavailableError when the database is away or the daemon
        stops.
        """
        condition = self._since(wanted.condition)
        self._seats.take(asker.peer, actor.account)
        try:
            place = await self._allowed(actor, place)
        except BaseException:
            self._seats.leave(asker.peer, actor.account)
            raise
        wait = Wait(asker, place, actor.account, condition, ended)
        self._open[wait] = None
        shared = (place, actor.account)
        waits = self._places.get(shared)
        if waits is None:
            waits = self._places[shared] = PlaceWaits(place, actor.account, self._tools)
        wait.timer = self._tools.reactor.callLater(wanted.timeout_s, waits.end, wait)
        try:
            await waits.join(wait)
        except BaseException:
            self.close(wait)
            raise
        return wait

    def close(self, wait: Wait) -> None:
        """Have it wait no longer. Doing it again changes nothing."""
        if wait not in self._open:
            return
        del self._open[wait]
        wait.forget()
        if wait.timer is not None and wait.timer.active():
            wait.timer.cancel()
        wait.timer = None
        shared = (wait.place, wait.account)
        waits = self._places[shared]
        waits.leave(wait)
        if waits.is_empty:
            del self._places[shared]
        self._seats.leave(wait.asker.peer, wait.account)

    async def outcome(self, wait: Wait) -> Fitting | TimeOver:
        """What has come of a wait that has ended, if who asked may still look there.

        Raises what `open` does, and InvalidInputError for a pattern that takes too long.
        """
        if wait.failure is not None:
            raise wait.failure
        actor = await self._rights.actor(wait.asker)
        await self._allowed(actor, wait.place)
        found = wait.found or ()
        if len(found) >= wait.condition.count:
            return Fitting([seen.json for seen in found])
        return TimeOver(actor, wait.condition, len(found), await self._near(wait))

    async def stop(self) -> None:
        """Send all away who wait; nobody waits any more."""
        self._stopping = True
        for wait in tuple(self._open):
            wait.fail(UnavailableError(_STOPS))
        await self._tools.tasks.finish()
        await self._tools.looks.stop()

    async def _allowed(self, actor: Actor, place: Place) -> Place:
        """The place in normal form. Some are asked for at a time: thousands may come at once."""

        async def look() -> Place:
            looking = ensureDeferred(self._rights.normal(actor, place))
            if looking.called and self._turn.waiting:
                # Who come next would begin within the end of this, each of them one deeper
                await deferLater(self._tools.reactor, 0)
            return await looking

        found: Place = await self._turn.run(lambda: ensureDeferred(look()))
        if self._stopping:
            raise UnavailableError(_STOPS)
        return found

    def _since(self, condition: Condition) -> Condition:
        if condition.since_ms is not None:
            return condition
        now_ms = int(self._tools.reactor.seconds() * 1000)
        return replace(condition, since_ms=now_ms - int(LOOK_BACK_S * 1000))

    async def _near(self, wait: Wait) -> tuple[NearMiss, ...]:
        look = wait.place.look(_EVER, NEAR, wait.account)
        near = []
        for seen in await self._tools.looks.look(look):
            failed = wait.condition.failed_by(seen.folded)
            if await self._is_in_body(wait, seen) is False:
                failed = (*failed, BODY_MATCHES)
            near.append(NearMiss(seen.outline, failed))
        return tuple(near)

    async def _is_in_body(self, wait: Wait, seen: Seen) -> bool | None:
        """Whether what has to be in a body is there; None: nothing has to be, or time is over."""
        patterns = patterns_of((wait,))
        if patterns and wait.is_in_body(seen) is None and wait.may_search:
            (result,) = await self._tools.bodies.search(
                seen.outline.inbox, wait.account, seen.outline.id, patterns, whose=wait.whose
            )
            wait.searched(seen, result)
        return wait.is_in_body(seen)
