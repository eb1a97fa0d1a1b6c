"""Mail that a program hands in by another way than SMTP: taken in as from anybody."""

from collections.abc import Sequence
from typing import Final, Protocol

from twisted.internet.defer import Deferred

from mailsacd.core.actor import Actor
from mailsacd.core.envelope import Envelope, Reception, Recipient
from mailsacd.core.errors import DeniedError, ForbiddenError, InvalidInputError
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.mail.receiving.admission import Admission, PeerAdmission

PROTOCOL: Final = "HTTP"


class Intake(Protocol):
    """Stores mail (mail.receiving.load_test_intake)."""

    def new_envelope_id(self) -> tuple[str, int]:
        """An id for a message, and the millisecond that goes with it."""

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        """Fires once ``envelope`` is stored."""


class HandIn:
    """Stores messages of whoever asks. Nothing is sent anywhere."""

    def __init__(
        self,
        policy: RecipientPolicy,
        admission: Admission,
        intake: Intake,
        hostname: str,
        max_recipients: int,
    ) -> None:
        """``hostname`` is our own."""
        self._policy = policy
        self._admission = admission
        self._intake = intake
        self._hostname = hostname
        self._max_recipients = max_recipients

    async def store(
        self, actor: Actor, reverse_path: str, recipients: Sequence[str], content: bytes
    ) -> str:
        """Store a message for ``recipients``; the id of its envelope.

        For an actor with an account it is starred, as what comes by the capture port may be. Raises
        InvalidInputError, of which BadAddressError is one, also for what the denylist refuses,
        ThrottledError, MailLoopError and UnavailableError.
        """
        if not 1 <= len(recipients) <= self._max_recipients:
            raise InvalidInputError(f"There are not 1 to {self._max_recipients} recipients")
        try:
            taken = await self._taken(reverse_path, recipients, actor.peer)
        except (DeniedError, ForbiddenError) as e:
            raise InvalidInputError(e.public) from e
        envelope_id, received_ms = self._intake.new_envelope_id()
        await self._intake.deliver(
            Envelope(
                id=envelope_id,
                received_ms=received_ms,
                reverse_path=reverse_path,
                recipients=tuple(taken),
                reception=Reception(
                    peer_ip=actor.peer,
                    local_ip="127.0.0.1",
                    helo=self._hostname,
                    protocol=PROTOCOL,
                    tls=None,
                ),
                content=content,
                saved_by=actor.account,
            )
        )
        return envelope_id

    async def _taken(
        self, reverse_path: str, recipients: Sequence[str], peer: str
    ) -> list[Recipient]:
        admission = self._admission.of_peer(peer)
        admission.check_connection()
        if admission.refuses_sender(reverse_path):
            raise DeniedError("Mail from this sender is refused here")
        return [await self._recipient(admission, reverse_path, to) for to in recipients]

    async def _recipient(
        self, admission: PeerAdmission, reverse_path: str, address: str
    ) -> Recipient:
        """The recipient, once it is admitted. Who asks by HTTP is not slowed, for its calls are."""
        found = self._policy.recipient(address)
        recipient = found if isinstance(found, Recipient) else await found
        slowed = admission.recipient(reverse_path, recipient, None)
        if not isinstance(slowed, float):
            await slowed
        return recipient
