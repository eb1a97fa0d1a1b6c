"""Waits for mail that is like somebody says: until it is there, or the time is over.

What came before the call counts from the time that it says on. It is woken by the hub
(mail.push.watches) and looks for itself, into the same rows as a list of the inbox: what is stored
on whatever node, before or while it begins to listen, is never missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.condition import BODY_MATCHES, Condition
from mailsacd.core.errors import UnavailableError
from mailsacd.core.figures import Figures
from mailsacd.core.message_form import Outline
from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.push.listener import Asker
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.waiting.inbox_waits import InboxWaits, Tools
from mailsacd.mail.waiting.looks import Look, Seen
from mailsacd.mail.waiting.seats import Seats
from mailsacd.mail.waiting.wait import Wait
from mailsacd.store.newest import Newest

LOOK_BACK_S: Final = 5.0
"""Where nobody says since when, what came so long before the call counts: the mail of a test that
has just had it sent, and none of the test before."""
MAX_TIMEOUT_S: Final = 300
NEAR: Final = 5
"""So many of the newest messages are told of when the time is over."""

_STOPS: Final = "The server is stopping, come back later"
_EVER: Final = ""  # below all ids


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
    """It did not come: how many fitted, and what the newest messages failed by, newest first."""

    condition: Condition
    fitting: int
    near_misses: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True)
class Rights:
    """Finds out who may look into an inbox, and whether that still holds."""

    access_control: AccessControl
    callers: Authenticator

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
        self._inboxes: dict[tuple[str, str | None], InboxWaits] = {}
        self._stopping = False

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how many wait."""
        figures.gauge(
            "mailsacd_waits", "Calls that are answered when mail comes", lambda: len(self._open)
        )

    async def wait(
        self, asker: Asker, actor: Actor, email: str, condition: Condition, timeout_s: float
    ) -> Fitting | TimeOver:
        """Return when enough messages of an inbox fit, or after ``timeout_s`` seconds.

        ``asker`` is who is seen to be still allowed to at the end. Raises what listing the inbox
        does: BadAddressError, UnauthenticatedError, ForbiddenError; InvalidInputError for a pattern
        that takes too long; ThrottledError and OverloadedError when too many wait; UnavailableError
        when the database is away or the daemon stops.
        """
        inbox = await self._rights.access_control.inbox(actor, email)
        now_ms = int(self._tools.reactor.seconds() * 1000)
        since_ms = condition.since_ms
        if since_ms is None:
            since_ms = now_ms - int(LOOK_BACK_S * 1000)
        condition = replace(condition, since_ms=since_ms)
        with self._seats.seat(asker.peer, actor.account):
            wait = Wait(condition, since_ms)
            found = await self._found(wait, inbox, actor.account, timeout_s)
            still = await self._rights.actor(asker)
            await self._rights.access_control.inbox(still, email)
            if len(found) >= condition.count:
                return Fitting([seen.json for seen in found])
            near = await self._near(inbox, actor.account, condition)
            return TimeOver(condition, len(found), near)

    async def stop(self) -> None:
        """Send all away who wait; nobody waits any more."""
        self._stopping = True
        for wait in tuple(self._open):
            wait.fail(UnavailableError(_STOPS))
        await self._tools.tasks.finish()
        await self._tools.looks.stop()

    async def _found(
        self, wait: Wait, inbox: str, viewer: str | None, timeout_s: float
    ) -> Sequence[Seen]:
        if self._stopping:
            raise UnavailableError(_STOPS)
        place = (inbox, viewer)
        waits = self._inboxes.get(place)
        if waits is None:
            waits = self._inboxes[place] = InboxWaits(inbox, viewer, self._tools)
        self._open[wait] = None
        timer = self._tools.reactor.callLater(timeout_s, waits.end, wait)
        try:
            await waits.join(wait)
            return await wait.done
        finally:
            if timer.active():
                timer.cancel()
            del self._open[wait]
            wait.done.addErrback(lambda _: None)  # of what nobody hears of any more
            waits.leave(wait)
            if waits.is_empty and self._inboxes.get(place) is waits:
                del self._inboxes[place]

    async def _near(
        self, inbox: str, viewer: str | None, condition: Condition
    ) -> tuple[NearMiss, ...]:
        newest = await self._tools.looks.look(Look(Newest(inbox, _EVER, NEAR), viewer))
        near = []
        for seen in newest:
            failed = condition.failed_by(seen.outline)
            if condition.body_matches is not None:
                (searched,) = await self._tools.bodies.search(
                    inbox, viewer, seen.outline.id, (condition.body_matches,)
                )
                failed = failed if searched.is_found else (*failed, BODY_MATCHES)
            near.append(NearMiss(seen.outline, failed))
        return tuple(near)
