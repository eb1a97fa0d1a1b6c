"""Records what happens, for the account that it concerns.

Whatever records never waits: events are gathered in bounded memory and written in batches.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from twisted.logger import Logger

from mailsacd.core.activity import FORWARDED, RECEIVED, Event
from mailsacd.core.actor import Actor, account_of
from mailsacd.core.message import NewEnvelope, NewMessage, Owned
from mailsacd.core.token import EnvelopeIds, time_prefix
from mailsacd.mail.records.daily_bound import DailyBound
from mailsacd.store.activity import add_events, forget_events, list_events, list_events_about
from mailsacd.store.notices import ACCOUNTS, Notices
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

WRITE_EVERY_S: Final = 2.0
MAX_GATHERED: Final = 5_000
"""So many events wait to be written at most: of more, the oldest are dropped and counted."""

MAX_SUBJECT_CHARACTERS: Final = 320
MAX_DETAIL_CHARACTERS: Final = 200
KEPT_DAYS: Final = 30
MAX_A_DAY: Final = 10_000
"""So many rows of an account are begun in a day by one process, and as many of nobody's: what goes
beyond that is counted by the hour and by what happened, no more told by whom it concerned."""

COUNTED: Final = "*"
"""The subject of what is only counted."""

_RECEIVED_CODE: Final = 250
_ABOVE_ALL_IDS: Final = "~"
_MINUTE_MS: Final = 60_000
_DAY_MINUTES: Final = 1_440

_What = tuple[str | None, str, int | None, str, str]

_log = Logger()


class Kept(Protocol):
    """How long events are told: each account for as long as its plan has it."""

    async def minutes_of(self, account: str) -> int:
        """Return for how many minutes. May raise UnavailableError."""

    async def longest_minutes(self) -> int:
        """Return for how many minutes at most, whatever the account. As `minutes_of`."""


class Activity:
    """``record`` may be called from anywhere in the reactor's thread."""

    def __init__(
        self,
        database: Database,
        notices: Notices | None = None,
        *,
        kept: Kept | None = None,
        reactor: Any,
    ) -> None:
        """``notices`` tell of accounts that change, or go; ``kept`` how long what is told."""
        self._database = database
        self._reactor = reactor
        self._kept = kept
        self._ids = EnvelopeIds()
        self._gathered: dict[_What, tuple[str, int]] = {}
        self._bound = DailyBound(MAX_A_DAY)
        self._dropped = 0
        self._writing = Loop("record events", self._write, every_s=WRITE_EVERY_S, clock=reactor)
        self.start = self._writing.start
        self.finish = self._writing.finish
        if notices is not None:
            # What comes from then on may be of another account of that name
            notices.subscribe(ACCOUNTS, lambda _: self._changed(), self._changed)

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
        now_ms = int(self._reactor.seconds() * 1000)
        if self._bound.spend(account, now_ms):
            self._begin(what, self._ids.next(now_ms)[0])
            return
        counted = (account, kind, code, COUNTED, "")
        id_ = self._bound.row((account, kind, code), lambda: self._ids.next(now_ms)[0])
        id_, times = self._gathered.pop(counted, (id_, 0))
        self._begin(counted, id_, times + 1)

    def _begin(self, what: _What, id_: str, times: int = 1) -> None:
        if len(self._gathered) >= MAX_GATHERED:
            del self._gathered[next(iter(self._gathered))]
            self._dropped += 1
        self._gathered[what] = (id_, times)

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

    def _changed(self) -> None:
        self._bound.begin_rows()
        self._writing.wake()

    async def list(
        self,
        actor: Actor,
        *,
        kind: str | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        limit: int,
        skip: int = 0,
    ) -> list[Event]:
        """What happened to the actor's account, newest first: all of it, or one ``kind`` alone.

        Raises UnauthenticatedError.
        """
        account = account_of(actor)
        await self._writing.run_now()
        since_ms = max(since_ms or 0, await self._oldest_ms(account))
        return await list_events(
            self._database,
            account,
            kind=kind,
            ids=(
                time_prefix(since_ms) if since_ms > 0 else "",
                _ABOVE_ALL_IDS if until_ms is None else time_prefix(until_ms),
            ),
            limit=limit,
            skip=skip,
        )

    async def list_about(
        self, account: str, domain: str, *, since_ms: int, limit: int
    ) -> Sequence[Event]:
        """What happened to the account that is about ``domain`` or addresses of it, newest first.

        It is for those, too, who may see nothing else of the account.
        """
        await self._writing.run_now()
        from_id = time_prefix(max(since_ms, await self._oldest_ms(account)))
        return await list_events_about(
            self._database, account, domain, from_id=from_id, limit=limit
        )

    async def _oldest_ms(self, account: str) -> int:
        return 0 if self._kept is None else self._ago(await self._kept.minutes_of(account))

    async def forget_old(self) -> None:
        """Delete what is older than any account is told."""
        minutes = KEPT_DAYS * _DAY_MINUTES
        if self._kept is not None:
            minutes = await self._kept.longest_minutes()
        while await forget_events(self._database, time_prefix(self._ago(minutes))):
            pass

    def _ago(self, minutes: int) -> int:
        """The time of so many minutes ago, in milliseconds since the epoch."""
        return int(self._reactor.seconds() * 1000) - minutes * _MINUTE_MS

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
