"""Mail is examined before it is stored, where a setting asks for that: for so long, and no longer.

Then the result is in its trace headers, and in what is pushed. What takes longer is examined once
it is stored, as all mail is without the setting.
"""

from typing import Any, Final, Protocol

from msgspec.structs import replace
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.logger import Logger

from mailsacd.core.authentication import Authentication
from mailsacd.core.budget import ByteBudget
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import UnavailableError
from mailsacd.core.peer import is_loopback
from mailsacd.mail.authentication.examination import Examiner

AT_ONCE: Final = 200
"""So many wait at a time; more are stored without waiting."""

_log = Logger()


class Intake(Protocol):
    """Stores mail (mail.receiving.load_test_intake)."""

    budget: ByteBudget

    def new_envelope_id(self) -> tuple[str, int]:
        """An id for a message that is whole now, and the millisecond that goes with it."""

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        """Fires once ``envelope`` is stored."""


class EarlyChecks:
    """Takes whole envelopes, as the ``intake`` that it hands them to."""

    def __init__(self, intake: Intake, examiner: Examiner, *, wait_s: float, reactor: Any) -> None:
        """No message waits for more than ``wait_s`` seconds."""
        self.budget = intake.budget
        self.new_envelope_id = intake.new_envelope_id
        self._intake = intake
        self._examiner = examiner
        self._wait_s = wait_s
        self._reactor = reactor
        self._waiting = 0

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        """Fires once ``envelope`` is examined, or that took too long, and stored.

        Fails as the intake does.
        """
        counted_only = all(recipient.load_test for recipient in envelope.recipients)
        is_outside = not is_loopback(envelope.reception.peer_ip)
        if counted_only or not is_outside or self._waiting >= AT_ONCE:
            return self._intake.deliver(envelope)
        return Deferred.fromCoroutine(self._deliver(envelope))

    async def _deliver(self, envelope: Envelope) -> None:
        found = await self._examined(envelope)
        await self._intake.deliver(replace(envelope, authentication=found))

    async def _examined(self, envelope: Envelope) -> Authentication | None:
        self._waiting += 1
        examining = Deferred.fromCoroutine(self._examiner.examine(envelope))
        try:
            return await examining.addTimeout(self._wait_s, self._reactor)
        except (DeferredTimeoutError, CancelledError, UnavailableError):
            return None
        except Exception:  # noqa: BLE001  a defect in examining loses no mail
            _log.failure("a message could not be examined")
            return None
        finally:
            self._waiting -= 1
