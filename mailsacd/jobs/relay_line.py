"""Sends the mail of one line: here what is for here, the rest by a courier, message by message.

What became of a message is written down before the next one is sent, so that a crash leaves a
single message a connection of which the next run does not know.
"""

from collections.abc import Sequence
from typing import Final

from twisted.internet.defer import CancelledError, DeferredSemaphore
from twisted.logger import Logger

from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import UnavailableError
from mailsacd.core.outcome import Outcome
from mailsacd.core.relay import Claim, QueuedMessage
from mailsacd.jobs.courier import Courier, Couriers
from mailsacd.jobs.leases import Leases
from mailsacd.mail.sending.local import STORED, LocalDelivery
from mailsacd.mail.sending.recorder import Recorder
from mailsacd.mail.sending.relay import Line, Relay
from mailsacd.outbound.smtp.transmission import Transmission
from mailsacd.store.sql import Executor

HELD_AS_LARGE_BYTES: Final = 300_000
"""A larger message is in memory while it is sent: few at a time."""
LARGE_AT_A_TIME: Final = 8

_NO_CONTENT: Final = Outcome(code=None, status="5.3.0", text="The message is not there any more")
_DEFECT: Final = Outcome(code=None, status="4.3.0", text="Something went wrong here")

_log = Logger()

_Outcomes = list[tuple[Claim, Outcome]]


class Lines:
    """Sends lines that the job has claimed; any number of them at the same time."""

    def __init__(
        self,
        relay: Relay,
        recorder: Recorder,
        local: LocalDelivery,
        couriers: Couriers,
        leases: Leases,
    ) -> None:
        """``leases`` hold the claims of the lines that are sent."""
        self._relay = relay
        self._recorder = recorder
        self._local = local
        self._couriers = couriers
        self._leases = leases
        self._large = DeferredSemaphore(LARGE_AT_A_TIME)

    async def send(self, line: Line) -> bool:
        """Send the mail of ``line``, of which the claims are held in the leases.

        Returns whether the hosts of the domain answered, as far as they were asked.
        """
        courier = self._couriers.courier(line.domain)
        try:
            for claims in line.messages:
                if await self._leases.begin(claims):
                    await self._one(claims, courier)
                self._leases.drop(claims)
            if courier.gave_up is not None and courier.gave_up.kind == "temporary":
                await self._relay.put_off(line)
            return courier.gave_up is None
        finally:
            self._leases.drop(line.claims)
            await courier.close()

    async def _one(self, claims: Sequence[Claim], courier: Courier) -> None:
        is_large = claims[0].size > HELD_AS_LARGE_BYTES
        if is_large:
            await self._large.acquire()
        try:
            message = await self._relay.find(claims[0].message_id)
            if message is not None:
                await self._message(message, claims, courier)
        finally:
            if is_large:
                self._large.release()

    async def _message(
        self, message: QueuedMessage, claims: Sequence[Claim], courier: Courier
    ) -> None:
        outcomes: _Outcomes = [
            (claim, _suppressed(claim.suppressed) if message.content else _NO_CONTENT)
            for claim in claims
            if claim.suppressed or not message.content
        ]
        told = {claim.key for claim, _ in outcomes}
        open_claims = [claim for claim in claims if claim.key not in told]
        try:
            takes = self._local.takes
            here = [c for c in open_claims if await takes(c.recipient.address, message)]
            there = [claim for claim in open_claims if claim not in here]
            outcomes += await self._store(message, here)
            outcomes += await self._transmit(message, there, courier)
        except (UnavailableError, CancelledError):
            raise
        except Exception:  # noqa: BLE001  one message's defect is not the others', and it has an end
            _log.failure("the outgoing message {id} was broken off", id=message.id)
            told = {claim.key for claim, _ in outcomes}
            outcomes += [(claim, _DEFECT) for claim in open_claims if claim.key not in told]
        await self._recorder.record(await self._recorder.entries(message, outcomes))

    async def _transmit(
        self, message: QueuedMessage, claims: Sequence[Claim], courier: Courier
    ) -> _Outcomes:
        if not claims:
            return []
        outcomes = await courier.send(
            Transmission(
                reverse_path=message.reverse_path,
                recipients=tuple(claim.recipient for claim in claims),
                content=message.content,
                ret=message.ret,
                envid=message.envid,
                smtputf8=message.smtputf8,
            )
        )
        return list(zip(claims, outcomes, strict=True))

    async def _store(self, message: QueuedMessage, claims: Sequence[Claim]) -> _Outcomes:
        """Store it here for ``claims``; the outcomes that are not written down with it."""
        found = [(claim, await self._local.recipient(claim)) for claim in claims]
        outcomes = [(claim, one) for claim, one in found if isinstance(one, Outcome)]
        recipients = [(claim, one) for claim, one in found if isinstance(one, Recipient)]
        if not recipients:
            return outcomes
        entries = await self._recorder.entries(
            message, [(claim, STORED) for claim, _ in recipients]
        )

        async def also(transaction: Executor) -> None:
            if len(await self._recorder.record_in(transaction, entries)) < len(entries):
                raise _LostError

        try:
            outcome = await self._local.store(message, [each for _, each in recipients], also)
        except _LostError:  # another node has stored it, or does
            return outcomes
        if outcome is STORED:
            self._recorder.tell(entries)
            return outcomes
        return outcomes + [(claim, outcome) for claim, _ in recipients]


class _LostError(Exception):
    """Another node has the claim by now: what is stored with it must not be."""


def _suppressed(reason: str | None) -> Outcome:
    return Outcome(
        code=None,
        status="5.1.1",
        text=f"Nothing is sent to this address for a while, because mail to it failed: {reason}",
    )
