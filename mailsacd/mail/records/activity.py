"""Records what happens, for the account that it concerns.

Whatever records never waits: events are gathered in bounded memory and written in batches.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from twisted.logger import Logger

from mailsacd.core.activity import FORWARDED, RECEIVED, Event
from mailsacd.core.actor import Actor, account_of
from mailsacd.core.message import NewEnvelope, NewMessage, Owned
from mailsacd.core.token import EnvelopeIds, milliseconds, time_prefix, utc_from_ms
from mailsacd.store.activity import add_events, forget_events, list_events
from mailsacd.store.notices import ACCOUNTS, Notices
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

WRITE_EVERY_S: Final = 2.0
MAX_GATHERED: Final = 5_000
"""So many events wait to be written at most: of more, the oldest are dropped and counted."""

MAX_SUBJECT_CHARACTERS: Final = 320
MAX_DETAIL_CHARACTERS: Final = 200
KEPT_DAYS: Final = 30

_RECEIVED_CODE: Final = 250
_ABOVE_ALL_IDS: Final = "~"

_What = tuple[str | None, str, int | None, str, str]

_log = Logger()


class Activity:
    """``record`` may be called from anywhere in the reactor's thread."""

    def __init__(self, database: Database, notices: Notices | None = None, *, reactor: Any) -> None:
        """``notices`` tell of accounts that change, or go."""
        self._database = database
        self._reactor = reactor
        self._ids = EnvelopeIds()
        self._gathered: dict[_What, tuple[str, int]] = {}
        self._dropped = 0
        self._writing = Loop("record events", self._write, every_s=WRITE_EVERY_S, clock=reactor)
        self.start = self._writing.start
        self.finish = self._writing.finish
        if notices is not None:
            # What comes from then on may be of another account of that name
            notices.subscribe(ACCOUNTS, lambda _: self._writing.wake(), self._writing.wake)

    def record(
        self,
        kind: str,
        *,
        account: str | None,
        subject: str,
        code: int | None = None,
        detail: str = "",
    ) -> None:
        """It happened now. The same thing again, before it is written, adds to its ``times``."""
        what = (account, kind, code, _clean(subject), _clean(detail)[:MAX_DETAIL_CHARACTERS])
        known = self._gathered.get(what)
        if known is not None:
            self._gathered[what] = (known[0], known[1] + 1)
            return
        if len(self._gathered) >= MAX_GATHERED:
            del self._gathered[next(iter(self._gathered))]
            self._dropped += 1
        self._gathered[what] = (self._ids.next(int(self._reactor.seconds() * 1000))[0], 1)

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:
        """What is somebody's of the messages stored (mail.receiving.ingest) is worth an event."""
        if not owned:
            return
        for message in (message for new in batch for message in new.messages):
            whose = owned.get(message.id)
            if whose is not None:
                self._received(message, whose.owner)

    def _received(self, message: NewMessage, owner: str) -> None:
        code = _RECEIVED_CODE
        self.record(RECEIVED, account=owner, subject=message.inbox, code=code, detail=message.id)
        if message.passed:
            detail = f"{message.id} to {message.inbox}"
            self.record(
                FORWARDED, account=owner, subject=message.passed[0], code=code, detail=detail
            )

    async def list(
        self,
        actor: Actor,
        *,
        since_ms: int | None,
        until_ms: int | None,
        limit: int,
        skip: int,
    ) -> list[Event]:
        """What happened to the actor's account, newest first. Raises UnauthenticatedError."""
        account = account_of(actor)
        await self._writing.run_now()
        return await list_events(
            self._database,
            account,
            before_id=_ABOVE_ALL_IDS if until_ms is None else time_prefix(until_ms),
            from_id="" if since_ms is None else time_prefix(since_ms),
            limit=limit,
            skip=skip,
        )

    async def forget_old(self) -> None:
        """Delete what is older than KEPT_DAYS."""
        oldest = utc_from_ms(int(self._reactor.seconds() * 1000)) - timedelta(days=KEPT_DAYS)
        while await forget_events(self._database, time_prefix(milliseconds(oldest))):
            pass

    async def _write(self) -> None:
        gathered, self._gathered = self._gathered, {}
        if not gathered:
            return
        if self._dropped:
            _log.warn("{n} events were dropped: too many at once", n=self._dropped)
            self._dropped = 0
        events = [
            Event(event_id, account, kind, code, subject, detail, times)
            for (account, kind, code, subject, detail), (event_id, times) in gathered.items()
        ]
        try:
            await add_events(self._database, events)
        except BaseException:
            self._put_back(gathered)
            raise

    def _put_back(self, gathered: dict[_What, tuple[str, int]]) -> None:
        newer, self._gathered = self._gathered, gathered
        for what, (event_id, times) in newer.items():
            first, before = self._gathered.get(what, (event_id, 0))
            self._gathered[what] = (first, before + times)
        while len(self._gathered) > MAX_GATHERED:
            del self._gathered[next(iter(self._gathered))]
            self._dropped += 1


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd")[:MAX_SUBJECT_CHARACTERS]
