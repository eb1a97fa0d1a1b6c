"""What is known of public mail as a whole. Nothing here tells of what is private or starred."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from mailsacd.core.actor import Actor
from mailsacd.core.errors import Fault, InvalidInputError, NotFoundError, UnauthenticatedError
from mailsacd.core.token import milliseconds, utc_from_ms
from mailsacd.mail.records.public_counts import PublicCounts
from mailsacd.mime.message import Attachment
from mailsacd.mime.trace import parse_stored
from mailsacd.store import statistics
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.locks import Job, take_turn
from mailsacd.store.pool import Database
from mailsacd.store.reading import Reader
from mailsacd.store.statistics import Counted
from mailsacd.store.transaction import Transaction
from mailsacd.work.threads import Lane

KEPT_DAYS: Final = 31
KEPT_AN_HOUR: Final = 500
"""Names of a kind that are kept of an hour that is over."""

DEFAULT_RANGE: Final = timedelta(days=1)

_CUT_AGAIN: Final = timedelta(hours=3)  # for what a node wrote late
_MD5: Final = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which names: the first ``limit`` after ``skip`` of those counted between the times.

    Both count in milliseconds from the epoch; without ``until_ms`` it is now, without
    ``since_ms`` a day before that.
    """

    since_ms: int | None
    until_ms: int | None
    limit: int
    skip: int


class Statistics:
    """Every call raises UnauthenticatedError where a key is needed to read public mail."""

    def __init__(
        self,
        database: Database,
        public_counts: PublicCounts,
        lane: Lane,
        *,
        anonymous_read: bool,
        reactor: Any,
        reads: Reader | None = None,
    ) -> None:
        """Large messages are taken apart in ``lane``.

        ``reads`` is where is counted and listed; None: in ``database``.
        """
        self._lane = lane
        self._reads: Final[Reader] = reads or database
        self._database = database
        self._public_counts = public_counts
        self._anonymous_read = anonymous_read
        self._reactor = reactor

    async def top(self, actor: Actor, kind: str, span: Span) -> list[Counted]:
        """What was met most, by hours: the hour that ``since`` is in counts as a whole.

        Raises InvalidInputError when the times are the wrong way round.
        """
        self.check_readable(actor)
        since, until = self._times(span)
        await self._public_counts.write()
        return await self._reads.reading(
            lambda db: statistics.top_names(
                db, kind, since, until, limit=span.limit, skip=span.skip
            )
        )

    async def count_with(self, actor: Actor, md5: str) -> int:
        """How many public messages have an attachment with that MD5; none for what is no MD5."""
        self.check_readable(actor)
        key = _key(md5)
        if key is None:
            return 0
        return await self._reads.reading(lambda db: statistics.count_with_attachment(db, key))

    async def messages_with(self, actor: Actor, md5: str, *, limit: int, skip: int) -> str:
        """The public messages that have such an attachment, newest first, as a JSON array."""
        self.check_readable(actor)
        key = _key(md5)
        if key is None:
            return "[]"
        return await self._reads.reading(
            lambda db: statistics.messages_with_attachment(db, key, limit=limit, skip=skip)
        )

    async def attachment(self, actor: Actor, md5: str) -> Attachment:
        """The attachment, out of the newest public message that has it. Raises NotFoundError."""
        self.check_readable(actor)
        key = _key(md5)
        if key is None:
            raise NotFoundError(_NO_ATTACHMENT)
        stored = await self._reads.reading(lambda db: statistics.raw_with_attachment(db, key))
        if not stored:
            raise NotFoundError(_NO_ATTACHMENT)
        parsed = await self._lane.run(expanded_bytes(stored), lambda: parse_stored(expand(stored)))
        for found in parsed.attachments:
            if found.checksum == md5.lower():
                return found
        raise NotFoundError(_NO_ATTACHMENT)

    async def prune(self) -> None:
        """Keep the tables small. One node at a time: who comes second has nothing to do."""
        now = self._now()

        async def work(transaction: Transaction) -> None:
            if await take_turn(transaction, Job.CUTTING_TALLIES):
                await statistics.cut_tallies(
                    transaction,
                    since=now - _CUT_AGAIN,
                    most=KEPT_AN_HOUR,
                    before=now - timedelta(days=KEPT_DAYS),
                )

        await self._database.transaction(work)

    def check_readable(self, actor: Actor) -> None:
        """Raises UnauthenticatedError where nobody reads without a key."""
        if actor.account is None and not self._anonymous_read:
            raise UnauthenticatedError("An API key is needed here")

    def _times(self, span: Span) -> tuple[datetime, datetime]:
        now = self._now()
        until = now if span.until_ms is None else _time(span.until_ms)
        since = until - DEFAULT_RANGE if span.since_ms is None else _time(span.since_ms)
        if since > until:
            problem = "is later than endDate"
            raise InvalidInputError(
                f"Bad request: startDate {problem}", (Fault(field="startDate", problem=problem),)
            )
        return max(since, now - timedelta(days=KEPT_DAYS)), until

    def _now(self) -> datetime:
        return utc_from_ms(int(self._reactor.seconds() * 1000))


_NO_ATTACHMENT: Final = "No public message has such an attachment"
_FIRST: Final = milliseconds(datetime(1970, 1, 1, tzinfo=UTC))
_LAST: Final = milliseconds(datetime(9999, 12, 31, tzinfo=UTC))


def _time(ms: int) -> datetime:
    """The time, as far as the database can tell times."""
    return utc_from_ms(min(max(ms, _FIRST), _LAST))


def _key(md5: str) -> UUID | None:
    lowered = md5.lower()
    return UUID(lowered) if _MD5.match(lowered) else None
