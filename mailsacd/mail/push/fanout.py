"""From new events to those who wait for them: fetched and rendered once, handed to all."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from twisted.logger import Logger

from mailsacd.core.errors import UnavailableError
from mailsacd.core.event import Arrival, Position, Pushed, Snapshot
from mailsacd.core.message_form import with_sequence
from mailsacd.core.sequence import Sequences
from mailsacd.mail.push.payload import MAX_AT_ONCE, Payloads, Rendered, pushed
from mailsacd.mail.push.stream import OVERLOADED, Backlog, Stream
from mailsacd.mail.push.subscriptions import Subscriptions
from mailsacd.store.events import Events
from mailsacd.store.usage import PUSH
from mailsacd.work.tasks import Tasks

_GROUP_BYTES: Final = 524_288  # of messages before compression, fetched and rendered together

_log = Logger()

_Match = tuple[int, Arrival, list[Stream]]


class Counts(Protocol):
    """Counts operations (mail.limits.usage)."""

    def count(self, account: str, kind: str, n: int = 1) -> None:
        """Count ``n`` operations of ``kind`` for ``account``."""


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
        self._count(there)
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

    def _count(self, streams: Sequence[Stream]) -> None:
        """The first push of a message is free, for each account."""
        if self._usage is None:
            return
        accounts = [s.interest.account for s in streams if s.interest.account is not None]
        for account in set(accounts):
            if (more := accounts.count(account) - 1) > 0:
                self._usage.count(account, PUSH, more)
