"""Messages of a maildrop, read one after the other: while one is sent the next ones are fetched.

A program that fetches a maildrop asks for message after message, and waits for each. A few are
fetched at a time then, and the next few while those are sent. What was fetched is only good for a
moment: whoever asks for it later learns what has become of it since.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred

from mailsacd.core.errors import MailsacdError
from mailsacd.core.maildrop import Listing, StoredMessage
from mailsacd.work.tasks import Tasks

AHEAD_MESSAGES: Final = 48
AHEAD_BYTES: Final = 1_048_576
GOOD_FOR_S: Final = 0.025
KEPT_S: Final = 1.0

Fetch = Callable[[Sequence[str]], Awaitable[dict[str, StoredMessage]]]
"""Finds messages by their ids, as far as they are there."""


class ReadAhead:
    """Reads messages by their place in ``listing``."""

    def __init__(self, listing: Listing, fetch: Fetch, tasks: Tasks, reactor: Any) -> None:
        """``tasks`` is who fetches what nobody has asked for yet."""
        self._listing = listing
        self._fetch = fetch
        self._tasks = tasks
        self._reactor = reactor
        self._next = -1
        self._ready: dict[str, tuple[float, StoredMessage]] = {}
        self._coming: Deferred[None] | None = None
        self._coming_places = range(0)
        self._is_tidied = True

    def peek(self, place: int) -> StoredMessage | None:
        """The message, if it was fetched just now."""
        asked_s, found = self._ready.get(self._listing.ids[place], (0.0, None))
        return found if self._reactor.seconds() - asked_s <= GOOD_FOR_S else None

    def take(self, place: int) -> StoredMessage | None:
        """The same, to be sent: the ones after it may be wanted next."""
        found = self.peek(place)
        if found is not None:
            self._gone_on(place)
        return found

    async def read(self, place: int) -> StoredMessage | None:
        """A message, None when it is not there (any more). Raises UnavailableError."""
        if self._coming is not None and place in self._coming_places:
            await self._coming
        found = self.take(place)
        if found is None:
            self._ready.clear()
            in_order = place == self._next
            await self._get(self._places_from(place) if in_order else range(place, place + 1))
            found = self._ready.get(self._listing.ids[place], (0.0, None))[1]
            self._gone_on(place)
        return found

    def close(self) -> None:
        """Fetch nothing any more, and keep nothing."""
        self._ready.clear()
        if self._coming is not None:
            self._coming.cancel()

    def _gone_on(self, place: int) -> None:
        in_order, self._next = place == self._next, place + 1
        self._ready.pop(self._listing.ids[place], None)
        if in_order and self._coming is None and len(self._ready) < AHEAD_MESSAGES // 2:
            self._begin(self._places_from(place + 1 + len(self._ready)))

    def _begin(self, places: range) -> None:
        if places:
            self._coming_places = places
            coming = self._tasks.run(self._get_ahead(places))
            self._coming = None if coming.called else coming

    async def _get_ahead(self, places: range) -> None:
        try:
            await self._get(places)
        except MailsacdError:
            return  # whoever asks for one of them is told
        finally:
            self._coming = None

    async def _get(self, places: range) -> None:
        asked_s = self._reactor.seconds()
        found = await self._fetch(self._listing.ids[places.start : places.stop])
        self._ready |= {message_id: (asked_s, message) for message_id, message in found.items()}
        if self._is_tidied and len(found) > 1:
            self._is_tidied = False
            self._reactor.callLater(KEPT_S, self._tidy)

    def _tidy(self) -> None:
        """Who stops asking for more leaves nothing in memory."""
        self._is_tidied = True
        self._ready.clear()

    def _places_from(self, start: int) -> range:
        """The places of the next few messages, within the bounds on their number and bytes."""
        sizes = self._listing.sizes
        end, octets = start, 0
        while end < len(sizes) and end - start < AHEAD_MESSAGES:
            octets += sizes[end]
            if octets > AHEAD_BYTES and end > start:
                break
            end += 1
        return range(start, end)
