"""What SMTP sessions ask: which faults there are, and what goes wrong by one that is due."""

from collections.abc import Callable

from mailsacd.core.envelope import Envelope
from mailsacd.core.fault import PlannedFault, SmtpFault
from mailsacd.core.provocation import NOTHING, Occasion, Provocation
from mailsacd.core.reply import Reply
from mailsacd.core.waiting_places import WaitingPlaces
from mailsacd.fault_settings import FaultSettings
from mailsacd.mail.faults.due import DueFaults
from mailsacd.mail.faults.plans import FaultPlans


class Provoking:
    """What SMTP sessions ask (smtp.services.ProvokesFaults)."""

    def __init__(
        self,
        plans: FaultPlans,
        due: DueFaults,
        settings: FaultSettings,
        *,
        accepted: Callable[[Envelope], None],
        max_delayed_bytes: int,
    ) -> None:
        """``accepted`` hears of messages that are stored, and answers them. It raises nothing.

        All mail that waits on purpose has ``max_delayed_bytes`` at most.
        """
        self._plans = plans
        self._due = due
        self.accepted = accepted
        self.of_peer = plans.of_peer
        self.of_host = plans.of_host
        self.of_name = plans.of_name
        self.of_recipient = plans.of_recipient
        self.owner_of = plans.owner_of
        self._max_delay_s = settings.max_delay_s
        self.places = WaitingPlaces(settings.max_delayed, max_bytes=max_delayed_bytes)

    @property
    def active(self) -> bool:
        """Whether there are any faults at all."""
        return self._plans.active

    async def provoke(self, planned: PlannedFault, occasion: Occasion) -> Provocation:
        """Return what goes wrong by ``planned``, which is nothing where it is not due.

        May raise UnavailableError.
        """
        if not await self._due.is_due(planned, occasion):
            return NOTHING
        fault = planned.fault
        reply = _reply(fault, planned.key)
        self._due.tell(planned, occasion, "" if reply is None else reply.wire.decode().strip())
        takes_s = min(fault.seconds, self._max_delay_s)
        return Provocation(
            wait_s=takes_s if fault.do == "delay" else 0.0,
            drip_s=takes_s if fault.do == "drip" else 0.0,
            reply=reply,
            drops=fault.do == "drop",
            garbles=fault.do == "garble",
            owner=planned.owner or planned.domain,
        )


def _reply(fault: SmtpFault, key: str) -> Reply | None:
    if fault.code is None:
        return None
    by = f"rule {key[1:]}" if key.startswith("#") else key
    return Reply(fault.code, fault.status, (fault.text or f"On purpose, by {by}",))
