"""Mail becomes durable: the only way by which a message gets into the store.

Commits are grouped by themselves, without timers: what arrives while a batch is being committed
goes into the next one. Under light load a message has a transaction to itself; under heavy load
one fsync serves many. Nobody is told that a message is stored before its commit is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.budget import ByteBudget
from mailsacd.core.cache import UNKNOWN, Unknown
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import MailLoopError, StatementError
from mailsacd.core.message import NewEnvelope, Observer, Owned
from mailsacd.core.ownership import DomainFacts
from mailsacd.core.token import EnvelopeIds
from mailsacd.mail.receiving.compose import compose
from mailsacd.mime.trace import loops
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes

_MAX_BATCH_ENVELOPES: Final = 200
_MAX_BATCH_BYTES: Final = 1_048_576  # of compressed messages; one larger message goes alone
_OFF_REACTOR_BYTES: Final = 131_072  # larger messages are parsed and compressed in a thread

_log = Logger()


class _Reactor(IReactorTime, IReactorThreads):
    """What ingest asks of the reactor."""


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
        hostname: str,
        budget: ByteBudget,
        reactor: _Reactor,
        observers: Iterable[Observer] = (),
        ownership: Ownership | None = None,
    ) -> None:
        self.budget = budget
        self._observers = tuple(observers)
        self._ownership = ownership
        self._database = database
        self._hostname = hostname
        self._reactor = reactor
        self._ids = EnvelopeIds()
        self._forming: list[tuple[NewEnvelope, Deferred[None]]] = []
        self._is_storing = False
        self._flush_is_due = False
        self._composing = 0
        self._waiting = 0  # for their commit
        self._when_idle: list[Deferred[None]] = []

    def new_envelope_id(self) -> tuple[str, int]:
        """An id for a message that is whole now, and the millisecond that goes with it."""
        return self._ids.next(int(self._reactor.seconds() * 1000))

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        """Fires once ``envelope`` is committed.

        Fails with MailLoopError, with UnavailableError or StorageFullError when it is not stored
        and may be sent again, and with StatementError when the database refuses its contents.
        """
        if len(envelope.content) > _OFF_REACTOR_BYTES:
            return ensureDeferred(self._deliver_large(envelope))
        try:
            new = self._compose(envelope)
        except Exception:  # noqa: BLE001  one message's failure must not reach the session's code
            return _failed()
        return self._enqueue(new)

    async def finish(self) -> None:
        """Wait until everything that was delivered so far is committed or refused."""
        if self._composing or self._waiting:
            idle: Deferred[None] = Deferred()
            self._when_idle.append(idle)
            await idle

    def _compose(self, envelope: Envelope) -> NewEnvelope:
        if loops(envelope.content, self._hostname):
            raise MailLoopError("The message has been through here, or through too many hosts")
        return compose(envelope, self._hostname)

    async def _deliver_large(self, envelope: Envelope) -> None:
        self._composing += 1
        try:
            pool = self._reactor.getThreadPool()
            new = await deferToThreadPool(self._reactor, pool, self._compose, envelope)
            done = self._enqueue(new)
        finally:
            self._composing -= 1
        await done

    def _enqueue(self, new: NewEnvelope) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self._forming.append((new, done))
        self._waiting += 1
        if not self._is_storing and not self._flush_is_due:
            # Not at once: what else this turn of the reactor reads joins the batch.
            self._flush_is_due = True
            self._reactor.callLater(0, self._flush)
        return done

    def _flush(self) -> None:
        self._flush_is_due = False
        self._is_storing = True
        batch = self._take_batch()
        storing = ensureDeferred(self._store(batch))
        storing.addErrback(lambda f: _log.failure("a batch was dropped unanswered", f))
        storing.addBoth(self._batch_has_ended, len(batch))

    def _take_batch(self) -> list[tuple[NewEnvelope, Deferred[None]]]:
        size = count = 0
        for new, _ in self._forming[:_MAX_BATCH_ENVELOPES]:
            size += len(new.raw)
            if count and size > _MAX_BATCH_BYTES:
                break
            count += 1
        batch = self._forming[:count]
        del self._forming[:count]
        return batch

    def _batch_has_ended(self, _: object, count: int) -> None:
        self._is_storing = False
        self._waiting -= count
        if self._forming:
            self._flush()
        elif not self._composing:
            waiting, self._when_idle = self._when_idle, []
            for idle in waiting:
                idle.callback(None)

    async def _store(self, batch: Sequence[tuple[NewEnvelope, Deferred[None]]]) -> None:
        try:
            envelopes = [new for new, _ in batch]
            known = self._known_domains(envelopes)
            public = not any(known) and not any(map(_is_somebodys, envelopes))
            hooks = any(facts is not None and (facts is UNKNOWN or facts.hooks) for facts in known)
            owned = await store_envelopes(self._database, envelopes, public=public, hooks=hooks)
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


def _answer(
    batch: Sequence[tuple[NewEnvelope, Deferred[None]]], give: Callable[[Deferred[None]], None]
) -> None:
    for _, done in batch:
        give(done)


def _failed() -> Deferred[None]:
    failed: Deferred[None] = Deferred()
    failed.errback(Failure())
    return failed
