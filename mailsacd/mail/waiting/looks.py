"""Looks into inboxes and domains for those who wait: many at the same time are done together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from mailsacd.core.condition import Folded, folded
from mailsacd.core.errors import UnavailableError
from mailsacd.core.message_form import Outline, outline
from mailsacd.store.newest import Kind, Newest, newest_messages
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

MAX_TOGETHER: Final = 32
"""So many inboxes, or domains, are looked into by one statement."""

_CHARS_AT_A_TIME: Final = 262_144
"""So much JSON, and one message more, is read at once: others have the reactor in between."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that is there: what may be asked of it, also as conditions look at it, and JSON."""

    outline: Outline
    folded: Folded
    json: str


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked for: the ``newest`` messages that ``viewer`` (None: the public) may see."""

    newest: Newest
    viewer: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody waits: the inbox, or all inboxes of the domain, that ``name`` is."""

    kind: Kind
    name: str

    def look(self, from_id: str, limit: int, viewer: str | None) -> Look:
        """Return what is looked for there: the newest ``limit`` from ``from_id`` on."""
        return Look(Newest(self.kind, self.name, from_id, limit), viewer)


class Looks:
    """Does them one statement after the other: what is asked for meanwhile goes into the next."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._reactor = reactor
        self._asked: dict[Look, list[Deferred[Sequence[Seen]]]] = {}
        self._looking = Loop("look for those who wait", self._look, every_s=inf, clock=reactor)

    def look(self, look: Look) -> Deferred[Sequence[Seen]]:
        """What is there from now on or was before, newest first.

        Fails with UnavailableError when the database is away.
        """
        answer: Deferred[Sequence[Seen]] = Deferred()
        self._asked.setdefault(look, []).append(answer)
        self._looking.wake()
        return answer

    async def stop(self) -> None:
        """Look no more; whoever still waits for an answer gets UnavailableError."""
        await self._looking.stop()
        asked, self._asked = self._asked, {}
        for look in asked:
            self._fail(asked[look], UnavailableError("The server is stopping, come back later"))

    async def _look(self) -> None:
        while self._asked:
            first = next(iter(self._asked))
            alike = (
                look
                for look in self._asked
                if (look.viewer, look.newest.kind) == (first.viewer, first.newest.kind)
            )
            looks = list(islice(alike, MAX_TOGETHER))
            waiting = [self._asked.pop(look) for look in looks]
            await self._look_together(looks, waiting)

    async def _look_together(
        self, looks: Sequence[Look], waiting: Sequence[list[Deferred[Sequence[Seen]]]]
    ) -> None:
        try:
            wanted = [look.newest for look in looks]
            found = await newest_messages(self._database, wanted, looks[0].viewer)
            seen = await self._read(found)
        except Exception as e:  # noqa: BLE001  it is told to those who asked
            for each in waiting:
                self._fail(each, e)
            return
        for answers, what in zip(waiting, seen, strict=True):
            for answer in answers:
                if not answer.called:  # it is, where whoever asked gave up
                    answer.callback(what)

    async def _read(self, found: Sequence[Sequence[str]]) -> list[list[Seen]]:
        seen: list[list[Seen]] = []
        chars = 0
        for each in found:
            seen.append([])
            for json in each:
                if chars > _CHARS_AT_A_TIME:
                    await deferLater(self._reactor, 0)
                    chars = 0
                chars += len(json)
                read = outline(json)
                seen[-1].append(Seen(read, folded(read), json))
        return seen

    def _fail(self, answers: Sequence[Deferred[Sequence[Seen]]], why: Exception) -> None:
        for answer in answers:
            if not answer.called:
                answer.errback(why)
