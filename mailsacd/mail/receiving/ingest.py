"""Mail becomes durable: the only way by which a message gets into the store.

Commits are grouped by themselves, without timers: what arrives while a batch is being committed
goes into the next one. Under light load a message has a transaction to itself; under heavy load
one fsync serves many. Nobody is told that a message is stored before its commit is.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.budget import ByteBudget
from mailsacd.core.cache import UNKNOWN, Unknown
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import StatementError
from mailsacd.core.figures import Figures
from mailsacd.core.message import NewEnvelope, Observer, Owned
from mailsacd.core.ownership import DomainFacts
from mailsacd.core.token import EnvelopeIds
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest_figures import IngestFigures
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes
from mailsacd.store.transaction import Transaction
from mailsacd.work.ending import ended_within

_MAX_BATCH_ENVELOPES: Final = 200
_MAX_BATCH_BYTES: Final = 1_048_576  # as compressed, transcripts too; one larger message goes alone

FINISH_S: Final = 5.0
"""So long may what was delivered take to be committed when the daemon stops."""

_log = Logger()

T = TypeVar("T")

_Batch = list[tuple[NewEnvelope, Deferred[None]]]


class Ownership(Protocol):
    """Remembers what domains somebody owns something of (mail.ownership.directory)."""

    def known_domain(self, name: str) -> DomainFacts | Unknown | None:
        """None when it is known that nobody does; UNKNOWN when that is not known."""


class Ingest:
    """Takes whole envelopes and answers when they are committed.

    ``budget`` bounds the bytes of mail in memory; those who take mail in count in it what they
    hold until `deliver` has answered, which bounds the batches too. With ``ownership`` mail of
    domains that nobody owns anything of is stored without looking for an owner.
    """

    def __init__(
        self,
        database: Database,
        *,
        composer: Composer,
        budget: ByteBudget,
        reactor: IReactorTime,
        observers: Iterable[Observer] = (),
        ownership: Ownership | None = None,
    ) -> None:
        self.budget = budget
        self._observers = tuple(observers)
        self._ownership = ownership
        self._database = database
        self._composer = composer
        self._reactor = reactor
        self._ids = EnvelopeIds()
        self._forming: _Batch = []
        self._storing: Deferred[None] | None = None
        self._flush_is_due = False
        self._under_way: dict[Deferred[None], None] = {}
        self.declare(Figures())

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell what is stored, and what waits for it."""
        self._figures = IngestFigures(figures, self._under_way, self.budget)

    def new_envelope_id(self) -> tuple[str, int]:
        """An id for a message that is whole now, and the millisecond that goes with it."""
        return self._ids.next(int(self._reactor.seconds() * 1000))

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        """Fires once ``envelope`` is committed.

        Fails with MailLoopError, with UnavailableError or StorageFullError when it is not stored
        and may be sent again (OverloadedError: too many large ones are being composed), and with
        StatementError when the database refuses its contents.
        """
        composed = self._composer.compose(envelope)
        delivered = composed.addCallback(self._enqueue)
        self._under_way[delivered] = None
        delivered.addBoth(self._answered, delivered)
        return delivered

    async def deliver_with(
        self, envelope: Envelope, also: Callable[[Transaction], Awaitable[None]]
    ) -> None:
        """Store ``envelope`` in a transaction with what ``also`` does in it, and nothing else.

        Raises as `deliver` fails, and what ``also`` raises: then neither is done.
        """
        new = await self._composer.compose(envelope)

        async def work(transaction: Transaction) -> Mapping[str, Owned]:
            owned = await store_envelopes(transaction, [new], public=False, hooks=True)
            await also(transaction)
            return owned

        self._tell_observers([new], await self._database.transaction(work))

    async def finish(self) -> None:
        """Wait until everything that was delivered so far is committed or refused.

        That takes FINISH_S at most: what then is neither was not acknowledged to anybody.
        """
        if not await ended_within(FINISH_S, self._under_way, self._reactor):
            _log.error("{n} messages could not be stored at the end", n=len(self._under_way))

    def _answered(self, outcome: T, delivered: Deferred[None]) -> T:
        del self._under_way[delivered]
        return outcome

    def _enqueue(self, new: NewEnvelope) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self._forming.append((new, done))
        if self._storing is None and not self._flush_is_due:
            # Not at once: what else this turn of the reactor reads joins the batch.
            self._flush_is_due = True
            self._reactor.callLater(0, self._flush)
        return done

    def _flush(self) -> None:
        self._flush_is_due = False
        batch = self._take_batch()
        self._storing = Deferred.fromCoroutine(self._store(batch))
        self._storing.addBoth(self._batch_has_ended, batch)

    def _take_batch(self) -> _Batch:
        size = count = 0
        for new, _ in self._forming[:_MAX_BATCH_ENVELOPES]:
            size += len(new.raw) + sum(len(each.transcript or b"") for each in new.messages)
            if count and size > _MAX_BATCH_BYTES:
                break
            count += 1
        batch = self._forming[:count]
        del self._forming[:count]
        return batch

    def _batch_has_ended(self, outcome: Failure | None, batch: _Batch) -> None:
        self._storing = None
        if outcome is not None:  # a defect of ours: nobody may wait for it for ever
            _log.failure("a batch was not stored", outcome)
            unanswered = [(new, done) for new, done in batch if not done.called]
            _answer(unanswered, lambda done: done.errback(outcome))
        if self._forming:
            self._flush()

    async def _store(self, batch: _Batch) -> None:
        try:
            envelopes = [new for new, _ in batch]
            known = self._known_domains(envelopes)
            public = not any(known) and not any(map(_is_somebodys, envelopes))
            hooks = any(facts is not None and (facts is UNKNOWN or facts.hooks) for facts in known)
            began_s = self._reactor.seconds()
            owned = await store_envelopes(self._database, envelopes, public=public, hooks=hooks)
            self._figures.committed(envelopes, self._reactor.seconds() - began_s)
        except StatementError:
            if len(batch) > 1:
                # One message's contents were refused: the others are not to suffer for it.
                for one in batch:
                    await self._store([one])
                return
            _answer(batch, lambda done: done.errback())
        except Exception:  # noqa: BLE001  every session of the batch hears of it
            _answer(batch, lambda done: done.errback())
        else:
            self._tell_observers(envelopes, owned)
            _answer(batch, lambda done: done.callback(None))

    def _known_domains(self, batch: Sequence[NewEnvelope]) -> set[DomainFacts | Unknown | None]:
        """What is known, here and now, of all domains that the messages are in or passed."""
        if self._ownership is None:
            return {UNKNOWN}
        inboxes = {i for new in batch for m in new.messages for i in (m.inbox, *m.passed)}
        names = {inbox.rpartition("@")[2] for inbox in inboxes}
        return {self._ownership.known_domain(name) for name in names}

    def _tell_observers(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:
        for observer in self._observers:
            try:
                observer.stored(batch, owned)
            except Exception:  # noqa: BLE001  the mail is stored, whatever an observer makes of it
                _log.failure("an observer of stored mail failed")


def _is_somebodys(new: NewEnvelope) -> bool:
    """Whether copies of it are to be an account's, whosever the inboxes are."""
    return new.saved_by is not None or any(message.forwarder for message in new.messages)


def _answer(batch: _Batch, give: Callable[[Deferred[None]], None]) -> None:
    for _, done in batch:
        give(done)
