"""Hubs as nodes have them, and listeners that write down what they are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred

from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.event import Interest, Pushed
from mailsacd.core.message import NewEnvelope
from mailsacd.core.sequence import Sequences
from mailsacd.core.token import EnvelopeIds
from mailsacd.mail.push.fanout import Counts
from mailsacd.mail.push.hub import Hub, PushTerms
from mailsacd.mail.push.payload import Payloads
from mailsacd.mail.push.stream import Stream
from mailsacd.mail.receiving.compose import compose
from mailsacd.store.events import event_epoch
from mailsacd.store.notices import MAIL, Notices, give_notice
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.mail.envelopes import RECEPTION
from tests.patience import until

reactor: Any = the_reactor


@dataclass
class Heard:
    """A listener."""

    full: bool = False
    pushed: list[Pushed] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def push(self, pushed: Pushed) -> None:
        """Called by the stream."""
        self.pushed.append(pushed)

    def lost(self, reason: str) -> None:
        """Called by the stream."""
        self.reasons.append(reason)

    @property
    def ids(self) -> list[str]:
        """What was pushed."""
        return [pushed.id for pushed in self.pushed]

    @property
    def sequences(self) -> list[str]:
        """The sequence of each."""
        return [pushed.sequence for pushed in self.pushed]

    def json(self, place: int = -1) -> Any:
        """One of them, decoded."""
        return msgspec.json.decode(self.pushed[place].json)

    async def has(self, *ids: str) -> None:
        """Wait until just these were pushed, in this order."""
        await self.count(len(ids))
        assert self.ids == list(ids)

    async def hears(self, id_: str) -> None:
        """Wait until this one is among what was pushed."""
        await until(lambda: id_ in self.ids)

    async def at_least(self, wanted: int) -> None:
        """Wait until so many were pushed, or more."""
        await until(lambda: len(self.pushed) >= wanted)

    async def count(self, wanted: int) -> None:
        """Wait until so many were pushed."""
        await self.at_least(wanted)
        assert len(self.pushed) == wanted, self.ids

    async def is_lost(self) -> str:
        """Wait for the end, and tell the reason."""
        await until(lambda: bool(self.reasons))
        (reason,) = self.reasons
        return reason


@dataclass
class NodeHub:
    """A hub with its notices."""

    hub: Hub
    notices: Notices
    forms: Payloads

    async def listen(self, interest: Interest, since: str | None = None) -> tuple[Stream, Heard]:
        """Open a stream."""
        heard = Heard()
        return await self.hub.open(interest, since, heard), heard


@asynccontextmanager
async def node_hub(
    database: Database,
    dsn: str,
    usage: Counts | None = None,
    *,
    listens: bool = True,
    hold_s: float = 0.0,
) -> AsyncIterator[NodeHub]:
    """A hub that runs; without ``listens`` it hears no notices."""
    notices = Notices(dsn, LANES.rest, reactor=reactor)
    forms = Payloads(database, LANES.rest, reactor=reactor)
    sequences = Sequences(await event_epoch(database))
    terms = PushTerms(hold_s=hold_s, usage=usage)
    hub = Hub(database, notices, forms, sequences, terms, reactor=reactor)
    hub.start()
    if listens:
        notices.start()
        await until(lambda: notices.listening)
    try:
        yield NodeHub(hub, notices, forms)
    finally:
        await hub.stop()
        await notices.stop()


def in_inboxes(*inboxes: str, account: str | None = None) -> Interest:
    """Somebody waits for mail in these inboxes."""
    return Interest(account=account, inboxes=frozenset(inboxes))


_ids = EnvelopeIds()


def new_mail(
    *inboxes: str,
    content: bytes = b"From: ann@example.net\r\nSubject: hi\r\n\r\nhello\r\n",
    passed: tuple[str, ...] = (),
    forwarder: str | None = None,
    saved_by: str | None = None,
) -> NewEnvelope:
    """A message about to be stored, with a copy for each of ``inboxes``."""
    envelope_id, ms = _ids.next(int(reactor.seconds() * 1000))
    envelope = Envelope(
        id=envelope_id,
        received_ms=ms,
        reverse_path="ann@example.net",
        recipients=tuple(
            Recipient(
                original_inbox=passed[0] if passed else inbox,
                inbox=inbox,
                domain=inbox.rpartition("@")[2],
                passed=passed,
                forwarder=forwarder,
            )
            for inbox in inboxes
        ),
        reception=RECEPTION,
        content=content,
        saved_by=saved_by,
    )
    return compose(envelope, "mx.example")


async def store(database: Database | Transaction, *mail: NewEnvelope) -> list[str]:
    """Store it in one commit, and say so; the ids of its messages."""
    await store_envelopes(database, mail)
    await give_notice(database, MAIL, "")
    return [message.id for new in mail for message in new.messages]


class Held:
    """A transaction that has stored mail, and commits when it is told to."""

    def __init__(self, database: Database, *mail: NewEnvelope) -> None:
        self.ids = [message.id for new in mail for message in new.messages]
        self._stored: Deferred[None] = Deferred()
        self._let_go: Deferred[None] = Deferred()

        async def work(transaction: Transaction) -> None:
            await store_envelopes(transaction, mail)
            self._stored.callback(None)
            await self._let_go

        self._ending = ensureDeferred(database.transaction(work))

    async def stored(self) -> "Held":
        """Wait until all is done but the commit."""
        await self._stored
        return self

    async def commit(self) -> None:
        """Now."""
        self._let_go.callback(None)
        await self._ending
