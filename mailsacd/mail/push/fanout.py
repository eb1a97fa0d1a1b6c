"""From new events to those who wait for them: fetched and rendered once, handed to all."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from twisted.logger import Logger

from mailsacd.core.errors import UnavailableError
from mailsacd.core.event import Arrival, Position, Pushed, Snapshot
from mailsacd.core.message_form import with_sequence
from mailsacd.core.sequence import Sequences
from mailsacd.mail.push.payload import MAX_AT_ONCE, Payloads, Rendered, pushed
from mailsacd.mail.push.push_figures import PushFigures
from mailsacd.mail.push.stream import OVERLOADED, Backlog, Stream
from mailsacd.mail.push.subscriptions import Subscriptions
from mailsacd.store.events import Events
from mailsacd.work.tasks import Tasks

_GROUP_BYTES: Final = 524_288  # of messages before compression, fetched and rendered together

_log = Logger()

_Match = tuple[int, Arrival, list[Stream]]


class Counts(Protocol):
    """Counts pushes, and records them (mail.limits.pushes)."""

    def pushed(self, inbox: str, message_id: str, accounts: Sequence[str | None]) -> None:
        """A message was pushed to listeners of these ``accounts`` (None: who has no key)."""


class Fanout:
    """Tells the ``subscriptions``. ``pause`` waits a little for the database to come back.

    ``usage`` is told of pushes that count. ``standing`` is how far everybody has been told.
    """

    def __init__(
        self,
        forms: Payloads,
        sequences: Sequences,
        backlog: Backlog,
        tasks: Tasks,
        *,
        pause: Callable[[], Awaitable[None]],
        usage: Counts | None,
    ) -> None:
        self.subscriptions = Subscriptions()
        self.standing: Position | None = None
        self._forms = forms
        self._sequences = sequences
        self._backlog = backlog
        self._tasks = tasks
        self._pause = pause
        self._usage = usage
        self.figures: PushFigures | None = None
        """Whom each push is told to."""

    async def tell(self, seen: Snapshot, events: Events) -> None:
        """These are new since ``seen``; returns when all have been told."""
        matches = [
            (xid, arrival, streams)
            for xid, arrival in events.arrivals
            if (streams := self.subscriptions.of(arrival))
        ]
        last_id = events.arrivals[-1][1].id if events.arrivals else ""
        while any(stream.is_open for _, _, streams in matches for stream in streams):
            keys = [(arrival.inbox, arrival.id) for _, arrival, _ in matches[:MAX_AT_ONCE]]
            try:
                rendered, count = await self._forms.find(keys, max_bytes=_GROUP_BYTES)
            except UnavailableError:
                await self._pause()
                continue
            by_id = {each.found.message.id: each for each in rendered}
            for match in matches[:count]:
                id_ = match[1].id
                if id_ in by_id:
                    position = Position(seen, events.reached, id_)
                    self._push(
                        match,
                        by_id[id_],
                        Position(events.reached) if id_ == last_id else position,
                    )
            del matches[:count]
        self.standing = Position(events.reached)

    def _push(self, match: _Match, rendered: Rendered, position: Position) -> None:
        xid, _, streams = match
        there = [s for s in streams if rendered.found.is_there_for(s.interest.account)]
        if not there:
            return
        self.standing = position
        what = pushed(rendered, self._sequences.write(position))
        for stream in there:
            stream.offer(what, xid)
        if not what.json:
            self._tasks.run(self._render(what, there))
        if self.figures is not None:
            self.figures.pushed(what.id, len(there))
        if self._usage is not None:
            self._usage.pushed(what.inbox, what.id, [s.interest.account for s in there])
        while self._backlog.exceeded:
            max(self._backlog.streams, key=lambda s: s.waiting_bytes).lose(OVERLOADED)

    async def _render(self, what: Pushed, streams: Sequence[Stream]) -> None:
        """A large message: it holds up those who wait for it, and nobody else."""
        rendered: Rendered | None = None
        try:
            rendered = await self._find_large(what)
        except Exception:  # noqa: BLE001  nobody may wait for it for ever
            _log.failure("a message could not be rendered")
        if rendered is not None and rendered.json is not None:
            what.json = with_sequence(rendered.json, what.sequence)
        for stream in streams:
            if rendered is None or not rendered.found.is_there_for(stream.interest.account):
                stream.withdraw(what)
            else:
                stream.resume()

    async def _find_large(self, what: Pushed) -> Rendered | None:
        while self._backlog.holds(what):
            try:
                return await self._forms.find_large(
                    (what.inbox, what.id), lambda: self._backlog.holds(what)
                )
            except UnavailableError:
                await self._pause()
        return None
