"""Counts what public inboxes receive, as it is stored: by address, sender, domain and attachment.

Counting here, and not among the stored messages, is what makes it cheap, and true: of an inbox
that receives a thousand messages, recycling leaves a few. Memory and tables are bounded by keeping
the names that are met most; so those met rarely are missed where there are very many.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from mailsacd.core.mailstats import ADDRESS, ATTACHMENT, DOMAIN, SENDER
from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.core.token import utc_from_ms
from mailsacd.store.pool import Database
from mailsacd.store.statistics import Tally, add_tallies
from mailsacd.work.loop import Loop

WRITE_EVERY_S: Final = 15.0
KEPT: Final = 1_000
"""Names of a kind that are written at a time, and kept in memory when twice as many are met."""

MAX_NAME_CHARACTERS: Final = 320

_HOUR_MS: Final = 3_600_000

_Counts = dict[str, int]


class PublicCounts:
    """Counts what public inboxes receive. Observes what is stored."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._counts = _nothing()
        self._hour = 0  # of what is in _counts, counted from the epoch
        self._to_write: list[Tally] = []
        self._writing = Loop("count public mail", self._write, every_s=WRITE_EVERY_S, clock=reactor)
        self.start = self._writing.start
        self.finish = self._writing.finish
        self.write = self._writing.run_now

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:
        """Count the messages of ``batch`` that everybody may see."""
        hour = batch[-1].received_ms // _HOUR_MS
        if hour != self._hour:
            self._take()
            self._hour = hour
        addresses, senders, domains, attachments = self._counts.values()
        for new in batch:
            if new.saved_by is not None:  # seen by who starred it alone
                continue
            public = 0
            for message in new.messages:
                if owned and (whose := owned.get(message.id)) is not None and whose.private:
                    continue
                public += 1
                addresses[message.inbox] = addresses.get(message.inbox, 0) + 1
                domains[message.domain] = domains.get(message.domain, 0) + 1
            if public:
                senders[new.sender] = senders.get(new.sender, 0) + public
                for md5 in new.attachments:
                    attachments[md5] = attachments.get(md5, 0) + public
        for kind, counts in self._counts.items():
            if len(counts) > 2 * KEPT:
                self._counts[kind] = _most(counts)

    def _take(self) -> None:
        counts, self._counts = self._counts, _nothing()
        hour = utc_from_ms(self._hour * _HOUR_MS)
        self._to_write += [
            Tally(kind, hour, name, n)
            for kind, counted in counts.items()
            for name, n in _most(counted).items()
            if "\0" not in name and len(name) <= MAX_NAME_CHARACTERS
        ]

    async def _write(self) -> None:
        self._take()
        tallies, self._to_write = self._to_write, []
        if not tallies:
            return
        try:
            await add_tallies(self._database, _summed(tallies))
        except BaseException:
            self._to_write = _bounded(_summed([*tallies, *self._to_write]))
            raise


def _nothing() -> dict[str, _Counts]:
    return {ADDRESS: {}, SENDER: {}, DOMAIN: {}, ATTACHMENT: {}}


def _most(counts: _Counts) -> _Counts:
    if len(counts) <= KEPT:
        return counts
    return dict(sorted(counts.items(), key=lambda item: -item[1])[:KEPT])


def _summed(tallies: Sequence[Tally]) -> list[Tally]:
    sums: dict[tuple[str, datetime, str], int] = {}
    for t in tallies:
        sums[t.kind, t.hour, t.name] = sums.get((t.kind, t.hour, t.name), 0) + t.n
    return [Tally(kind, hour, name, n) for (kind, hour, name), n in sums.items()]


def _bounded(tallies: list[Tally]) -> list[Tally]:
    """While the database is away: no more than a few hours' worth."""
    return sorted(tallies, key=lambda t: -t.n)[: 16 * KEPT]
