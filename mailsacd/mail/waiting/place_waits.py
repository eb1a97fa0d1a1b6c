"""All who wait, as one account, for mail in one inbox, or one domain: they look together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater

from mailsacd.core.errors import UnavailableError
from mailsacd.core.event import Topic
from mailsacd.mail.push.hub import Hub
from mailsacd.mail.waiting.bodies import Bodies
from mailsacd.mail.waiting.looks import Looks, Place, Seen
from mailsacd.mail.waiting.wait import Wait, patterns_of
from mailsacd.work.tasks import Tasks

LOOKED_AT: Final = 100
"""So many messages of those since the time that somebody said are looked at: the newest."""

_AT_A_TIME: Final = 500
"""So many who wait, and so many messages that any of them look at, are seen to at once: others have
the reactor in between."""
_LOST: Final = "Something is wrong here: wait again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all who wait share."""

    hub: Hub
    looks: Looks
    bodies: Bodies
    tasks: Tasks
    reactor: Any


class PlaceWaits:
    """A Watch (mail.push.watches) that looks anew for all; whoever comes has a look of its own."""

    __slots__ = (
        "_is_looking",
        "_is_woken",
        "_looked_at",
        "_place",
        "_to_look",
        "_tools",
        "_viewer",
        "_waits",
    )

    def __init__(self, place: Place, viewer: str | None, tools: Tools) -> None:
        """``viewer`` (None: the public) may look into ``place``, whose name is normal."""
        self._place = place
        self._viewer = viewer
        self._tools = tools
        self._waits: dict[Wait, None] = {}
        self._to_look: dict[Wait, None] = {}
        self._is_looking = self._is_woken = False
        self._looked_at: frozenset[str] = frozenset()  # messages, by all who are not new

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits for mail there."""
        return not self._waits

    async def join(self, wait: Wait) -> None:
        """Have ``wait`` come to its end by what is there now, or comes. It has to `leave`.

        Raises UnavailableError.
        """
        self._waits[wait] = None
        await self._tools.hub.watch(self)  # before the first look: nothing comes in between
        self._look_for((wait,))

    def leave(self, wait: Wait) -> None:
        """Look for ``wait`` no longer."""
        self._waits.pop(wait, None)
        self._to_look.pop(wait, None)
        if not self._waits:
            self._tools.hub.unwatch(self)

    def end(self, wait: Wait) -> None:
        """The time of ``wait`` is over: it looks one last time."""
        wait.time_is_over = True
        if wait in self._waits:
            self._look_for((wait,))

    def _look_for(self, waits: Iterable[Wait]) -> None:
        self._to_look.update(dict.fromkeys(waits))
        if not self._is_looking and self._to_look:
            self._is_looking = True
            try:
                self._tools.tasks.run(self._look())
            except UnavailableError as e:
                self._is_looking = False
                _fail(tuple(self._to_look), e)

    async def _look(self) -> None:
        try:
            while self._to_look:
                waits, self._to_look = tuple(self._to_look), {}
                is_for_all, self._is_woken = self._is_woken, False
                await self._look_once(waits, is_for_all=is_for_all)
        finally:
            self._is_looking = False

    async def _look_once(self, waits: Sequence[Wait], *, is_for_all: bool) -> None:
        try:
            from_id = min(wait.from_id for wait in waits)
            look = self._place.look(from_id, LOOKED_AT, self._viewer)
            seen = await self._tools.looks.look(look)
            await self._search([w for w in waits if w.condition.body_matches is not None], seen)
            new = [each for each in seen if each.outline.id not in self._looked_at]
            pace = _Pace(self._tools.reactor)
            for wait in waits:
                await pace.keep(1 + wait.look_at(seen, new))
            if is_for_all:
                self._looked_at = frozenset(each.outline.id for each in seen)
        except CancelledError:  # by the stop
            _fail(waits, UnavailableError(_LOST))
            raise
        except Exception as e:  # noqa: BLE001  it is told to those who wait
            _fail(waits, e)

    async def _search(self, waits: Sequence[Wait], seen: Sequence[Seen]) -> None:
        """Search each body for all who need it at once."""
        pace = _Pace(self._tools.reactor)
        for each in seen if waits else ():
            needing: list[Wait] = []
            for start in range(0, len(waits), _AT_A_TIME):
                some = waits[start : start + _AT_A_TIME]
                needing += [wait for wait in some if wait.needs_search(each)]
                await pace.keep(len(some))
            if needing:
                found = await self._tools.bodies.search(
                    each.outline.inbox,
                    self._viewer,
                    each.outline.id,
                    patterns_of(needing),
                    whose=needing[0].whose,
                )
                for wait, result in zip(needing, found, strict=True):
                    wait.searched(each, result)

    # As a Watch

    def topics(self) -> tuple[Topic]:
        """Return the inbox or the domain, which is all that it waits for."""
        return ((self._place.kind, self._place.name),)

    def wake(self) -> None:
        """Look for everybody who waits there."""
        self._is_woken = True
        self._look_for(self._waits)

    def lost(self) -> None:
        """Have all fail who wait there."""
        _fail(tuple(self._waits), UnavailableError(_LOST))


class _Pace:
    """Leaves the reactor to others after each _AT_A_TIME of something."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._done = 0

    async def keep(self, done: int) -> None:
        """So many more are ``done``."""
        self._done += done
        if self._done >= _AT_A_TIME:
            self._done = 0
            await deferLater(self._reactor, 0)


def _fail(waits: Sequence[Wait], why: Exception) -> None:
    for wait in waits:
        wait.fail(why)
