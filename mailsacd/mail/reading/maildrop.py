"""Maildrops: a private inbox for the time of one POP3 session.

What a session sees is settled when it begins: later mail comes with the next one. What it deletes
goes at its end, all of it or nothing, and only what is still the account's own.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater

from mailsacd.core.actor import Actor
from mailsacd.core.errors import (
    ForbiddenError,
    InUseError,
    LoginDelayError,
    NotFoundError,
    UnauthenticatedError,
)
from mailsacd.core.maildrop import Listing, Measure, StoredMessage, is_plain, octets_on_the_wire
from mailsacd.mail.ownership.mail_login import LogsIn
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.read_ahead import ReadAhead
from mailsacd.settings import Pop3Settings
from mailsacd.store import maildrop as store
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.work.loop import Loop
from mailsacd.work.tasks import Tasks
from mailsacd.work.threads import Lane

T = TypeVar("T")

LEASE_S: Final = 90
"""So long is a maildrop locked by a process that died."""
RENEW_EVERY_S: Final = 30.0
GIVEN_UP_S: Final = 1.0
"""After so long a statement that nobody waits for any more has ended."""
MEASURED_AT_A_TIME: Final = 16
"""Messages that were stored before their size on the wire was; each is measured once."""


class Maildrops:
    """Opens maildrops for who logs in to them."""

    def __init__(
        self,
        database: Database,
        access_control: AccessControl,
        logins: LogsIn,
        settings: Pop3Settings,
        lane: Lane,
        *,
        reactor: Any,
    ) -> None:
        self._database = database
        self._access_control = access_control
        self._logins = logins
        self._settings = settings
        self.lane = lane
        self._reactor = reactor
        self._holders: set[str] = set()
        # Each session reads ahead, or has just ended
        self._tasks = Tasks("see to maildrops", most=2 * settings.max_connections, clock=reactor)
        self._renewing = Loop(
            "keep maildrops locked", self._renew, every_s=RENEW_EVERY_S, clock=reactor
        )

    def start(self) -> None:
        """Keep what is locked by sessions of this process locked."""
        if self._settings.lock or self._settings.login_delay_s:
            self._renewing.start()

    async def stop(self) -> None:
        """Stop what is done beside the sessions, which are over."""
        await self._tasks.finish()
        await self._renewing.stop()

    async def open(self, name: str, secret: str, peer: str) -> "Maildrop":
        """The maildrop ``name`` (an address), for who knows its owner's key or its password.

        Raises UnauthenticatedError, also for an account's name with its key; ThrottledError;
        LoginDelayError; InUseError; UnavailableError.
        """
        login = await self._logins.log_in(name, secret, peer)
        if login.address is None:
            raise UnauthenticatedError("The name has to be a private address")
        holder = await self._enter(login.address)
        try:
            listing = await self._list(login.address, login.account)
        except BaseException:
            self.leave(login.address, holder)
            raise
        return Maildrop(self, login.account, login.address, holder, listing)

    async def fetch(self, account: str, inbox: str, ids: Sequence[str]) -> dict[str, StoredMessage]:
        """Messages, as far as they are still there for the account."""
        access = await self._access_control.access(Actor(account=account), inbox)
        return await store.find_bodies(self._database, inbox, ids, account, is_open=access.is_open)

    async def remove(self, account: str, inbox: str, ids: Sequence[str]) -> None:
        """Delete messages: all that are still there, or none.

        Raises ForbiddenError when one of them is not the account's any more.
        """
        access = await self._access_control.access(Actor(account=account), inbox)

        async def work(transaction: Transaction) -> None:
            left = await store.remove_messages(
                transaction, inbox, ids, account, is_open=access.is_open
            )
            if left:
                raise ForbiddenError("Some of these messages are not yours any more")

        await self._database.transaction(work)

    def leave(self, inbox: str, holder: str | None) -> None:
        """Let others have the maildrop ``inbox``, soon, if it is locked by ``holder``."""
        if holder is not None:
            self._holders.discard(holder)
            self._tasks.run(store.leave_maildrop(self._database, inbox, holder))

    def read_ahead(self, maildrop: "Maildrop") -> ReadAhead:
        """How the messages of a maildrop are read."""
        account, inbox = maildrop.account, maildrop.inbox
        return ReadAhead(
            maildrop.listing,
            lambda ids: self.fetch(account, inbox, ids),
            self._tasks,
            self._reactor,
        )

    async def _list(self, inbox: str, account: str) -> Listing:
        listing = await store.list_maildrop(self._database, inbox, account)
        while unmeasured := listing.unmeasured:
            for start in range(0, len(unmeasured), MEASURED_AT_A_TIME):
                ids = unmeasured[start : start + MEASURED_AT_A_TIME]
                await self._measure(inbox, ids)
            listing = await store.list_maildrop(self._database, inbox, account)
        return listing

    async def _measure(self, inbox: str, ids: Sequence[str]) -> None:
        found = await store.find_unmeasured(self._database, inbox, ids)
        size = sum(expanded_bytes(body) for _, body in found)
        measures = await self.lane.run(size, partial(_measured, found))
        await store.keep_measures(self._database, measures)

    async def _enter(self, inbox: str) -> str | None:
        settings = self._settings
        if not settings.lock and not settings.login_delay_s:
            return None
        holder = secrets.token_urlsafe() if settings.lock else None
        try:
            entry = await store.enter_maildrop(
                self._database, inbox, holder, lease_s=LEASE_S, delay_s=settings.login_delay_s
            )
        except CancelledError:
            self._tasks.run(self._leave_given_up(inbox, holder))
            raise
        if entry is store.Entry.HELD:
            raise InUseError("Another session has this maildrop")
        if entry is store.Entry.TOO_SOON:
            delay_s = settings.login_delay_s
            raise LoginDelayError(f"Once in {delay_s} s", retry_after_s=delay_s)
        if holder is not None:
            self._holders.add(holder)
        return holder

    async def _leave_given_up(self, inbox: str, holder: str | None) -> None:
        """Who was about to enter has gone, and yet the statement may succeed."""
        await deferLater(self._reactor, GIVEN_UP_S)
        self.leave(inbox, holder)

    async def _renew(self) -> None:
        if self._holders:
            await store.renew_maildrops(self._database, tuple(self._holders), LEASE_S)
        await store.forget_maildrops(self._database, self._settings.login_delay_s)


class Maildrop:
    """One session's view of an inbox. Every call may raise UnavailableError."""

    def __init__(
        self, maildrops: Maildrops, account: str, inbox: str, holder: str | None, listing: Listing
    ) -> None:
        self.account = account
        self.inbox = inbox
        self.listing = listing
        self._maildrops = maildrops
        self._holder = holder
        self._reader = maildrops.read_ahead(self)

    def peek(self, place: int) -> StoredMessage | None:
        """The message at a place of the listing, if it is at hand."""
        return self._reader.peek(place)

    def take(self, place: int) -> StoredMessage | None:
        """Return the message as `peek` does, and fetch the next ones ahead."""
        return self._reader.take(place)

    async def read(self, place: int) -> StoredMessage:
        """The message at a place of the listing. Raises NotFoundError when it is gone."""
        found = await self._reader.read(place)
        if found is None:
            raise NotFoundError("There is no such message any more")
        return found

    async def run(self, size: int, work: Callable[[], T]) -> T:
        """Do ``work`` on ``size`` bytes, in a thread if they are many. Raises OverloadedError."""
        return await self._maildrops.lane.run(size, work)

    async def remove(self, places: Sequence[int]) -> None:
        """Delete the messages at these places: all that are still there, or none.

        Raises ForbiddenError when one of them is not the account's any more.
        """
        ids = [self.listing.ids[place] for place in places]
        await self._maildrops.remove(self.account, self.inbox, ids)

    def close(self) -> None:
        """End the session: what was fetched ahead is dropped, the maildrop is free soon."""
        self._reader.close()
        self._maildrops.leave(self.inbox, self._holder)


def _measured(raws: Iterable[tuple[str, bytes]]) -> list[Measure]:
    expanded = ((raw_id, expand(body)) for raw_id, body in raws)
    return [Measure(raw_id, is_plain(raw), octets_on_the_wire(raw)) for raw_id, raw in expanded]
