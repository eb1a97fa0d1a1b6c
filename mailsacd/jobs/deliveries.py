"""Delivers to webhooks and Slack: at once what this node stored, soon what others left behind.

Whoever is slow or away costs the others nothing: see jobs.places.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from twisted.internet.defer import CancelledError, DeferredSemaphore, ensureDeferred
from twisted.logger import Logger

from mailsacd.core.delivery import Attempt, Claim
from mailsacd.core.errors import UnavailableError
from mailsacd.core.message import Message, NewEnvelope, Owned
from mailsacd.core.message_form import heading
from mailsacd.jobs.delivery_figures import DeliveryFigures
from mailsacd.jobs.places import Places
from mailsacd.mail.delivering.deliveries import Deliveries
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.tracing import Tracing
from mailsacd.settings import WebhookSettings
from mailsacd.work.loop import Loop
from mailsacd.work.tasks import Tasks

LOOK_EVERY_S: Final = 1.0
PRUNE_EVERY_S: Final = 300.0
GRACE_S: Final = 10.0
"""A lease lasts so much longer than a request may take."""

STOP_S: Final = 2.0
"""What is under way when the daemon stops has so long to end; else it is done again, by lease."""

HELD_AS_LARGE_BYTES: Final = 300_000
"""The body of a larger message is held in memory while it is posted: few at a time."""
LARGE_AT_A_TIME: Final = 2
_log = Logger()


class Posts(Protocol):
    """Sends one request (outbound.post)."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """Return how the request went, after ``timeout_s`` seconds at the latest."""


class DeliveryJob:
    """An observer of ingest, too: what was stored with something to deliver wakes it."""

    def __init__(
        self,
        deliveries: Deliveries,
        posts: Posts,
        settings: WebhookSettings,
        *,
        tracing: Tracing | None = None,
        reactor: Any,
    ) -> None:
        self._deliveries = deliveries
        self._posts = posts
        self._tracing = tracing
        self._reactor = reactor
        self._timeout_s = settings.timeout_s
        self.declare(Telemetry())
        self._places = Places(settings.max_requests, settings.max_requests_per_target)
        self._large = DeferredSemaphore(LARGE_AT_A_TIME)
        self._tasks = Tasks("deliver", most=settings.max_requests, clock=reactor)
        self._looking = Loop("look for deliveries", self._look, every_s=LOOK_EVERY_S, clock=reactor)
        self._pruning = Loop(
            "prune deliveries",
            deliveries.forget_old,
            every_s=PRUNE_EVERY_S,
            clock=reactor,
            cancels=True,
        )
        self.wake = self._looking.wake

    def declare(self, telemetry: Telemetry) -> None:
        """Have ``telemetry`` tell of each attempt."""
        self._figures = DeliveryFigures(telemetry)

    def start(self) -> None:
        """Begin to deliver, with what an earlier run left undone."""
        self._pruning.start()
        self._looking.start()
        self._looking.wake()

    async def stop(self) -> None:
        """End; what was under way is broken off, and done again when its lease is over."""
        await self._pruning.stop()
        await self._looking.stop()
        await self._tasks.finish(STOP_S)

    @property
    def is_idle(self) -> bool:
        """Whether it neither looks for deliveries nor makes any."""
        return not self._tasks and not self._looking.is_running

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:  # noqa: ARG002  an Observer
        """Wake the job when some of the stored mail has a webhook or Slack."""
        if any(whose.hooked for whose in owned.values()):
            self.wake()

    async def _look(self) -> None:
        if self._places.are_taken or not await self._deliveries.is_any_due():
            return
        claims = await self._deliveries.claim(
            self._places.rooms(self._reactor.seconds()), lease_s=int(self._timeout_s + GRACE_S)
        )
        for claim in claims:
            self._places.enter(claim)
            self._tasks.run(self._deliver(claim)).addCallback(self._left, claim)

    def _left(self, _: None, claim: Claim) -> None:
        """A task has ended and is not counted any more: whoever is woken may begin one at once."""
        self._places.leave(claim)
        self.wake()

    async def _deliver(self, claim: Claim) -> None:
        try:
            message = await self._deliveries.message(claim)
            if message is None:
                return
            if _is_large(message):  # so few at a time: their bodies are in memory
                await self._large.run(lambda: ensureDeferred(self._send(claim, message)))
            else:
                await self._send(claim, message)
        except UnavailableError as e:  # its lease ends, and then it is due again
            _log.debug("a delivery waits: {why}", why=e.public)
        except CancelledError:  # the daemon stops
            raise
        except Exception:  # noqa: BLE001  one delivery's defect is not to end the others
            _log.failure("delivery {id} was broken off", id=claim.id)

    async def _send(self, claim: Claim, message: Message) -> None:
        if claim.until.timestamp() - self._reactor.seconds() < self._timeout_s:
            return  # it has waited for its turn too long to be sure that nobody else sends it
        post = await self._deliveries.post(claim, message)
        if post is None:
            return
        began_s = self._reactor.seconds()
        attempt = await self._posts.post(claim.url, post.body, post.headers)
        self._figures.attempted(claim, attempt, self._reactor.seconds() - began_s)
        if self._tracing is not None and self._tracing.followed:
            self._tracing.step(
                (claim.address, claim.inbox, claim.message_id.rpartition("-")[0]),
                claim.kind,
                f"{claim.message_id} in {claim.inbox}, delivery {claim.id}, attempt "
                f"{claim.attempts + 1} to {claim.target}: {attempt.code or ''} {attempt.error}",
            )
        self._places.attempted(claim, attempt, self._reactor.seconds())
        await self._deliveries.record(claim, attempt)


def _is_large(message: Message) -> bool:
    return heading(message.facts).size > HELD_AS_LARGE_BYTES
