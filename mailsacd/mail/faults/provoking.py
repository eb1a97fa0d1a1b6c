"""Decides whether a planned fault is provoked now, counts where that matters, and tells of it."""

import hashlib
from typing import Final

from twisted.logger import Logger

from mailsacd.core.address import parse_address
from mailsacd.core.errors import MailsacdError
from mailsacd.core.fault import PlannedFault, SmtpFault, is_drawn
from mailsacd.core.fault_plan import ProvokedFacts
from mailsacd.core.ownership import PUBLIC
from mailsacd.core.provocation import NOTHING, Occasion, Provocation
from mailsacd.core.reply import Reply
from mailsacd.fault_settings import FaultSettings
from mailsacd.mail.faults.plans import FaultPlans
from mailsacd.mail.ownership.directory import Directory
from mailsacd.store.faults import add_provoked, count_try
from mailsacd.store.pool import Database

_GREYLIST_S: Final = 86_400
_LIMIT_S: Final = 60
_EVER_S: Final = 2_000_000_000

_log = Logger()


class Provoking:
    """What SMTP sessions ask (smtp.services.ProvokesFaults)."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        plans: FaultPlans,
        settings: FaultSettings,
    ) -> None:
        self._database = database
        self._directory = directory
        self._plans = plans
        self.of_peer = plans.of_peer
        self.of_host = plans.of_host
        self.of_name = plans.of_name
        self.of_recipient = plans.of_recipient
        self.max_delay_s = settings.max_delay_s
        self.max_delayed = settings.max_delayed
        self.delayed = 0
        """How many sessions wait on purpose now; whoever has them wait counts."""

    @property
    def active(self) -> bool:
        """Whether there are any faults at all."""
        return self._plans.active

    async def provoke(self, planned: PlannedFault, occasion: Occasion) -> Provocation:
        """Return what goes wrong by ``planned``, which is nothing where it is not due.

        May raise UnavailableError.
        """
        if not await self._is_due(planned, occasion):
            return NOTHING
        fault = planned.fault
        reply = _reply(fault, planned.key) if fault.code else None
        await self._tell(planned, occasion, reply)
        takes_s = min(fault.seconds, self.max_delay_s)
        return Provocation(
            wait_s=takes_s if fault.do == "delay" else 0.0,
            drip_s=takes_s if fault.do == "drip" else 0.0,
            reply=reply,
            drops=fault.do == "drop",
            garbles=fault.do == "garble",
        )

    async def _is_due(self, planned: PlannedFault, occasion: Occasion) -> bool:
        when, fault = planned.when, planned.fault
        if planned.owner is None and not await self._is_public(planned, occasion):
            return False
        if when.needs_content and not when.fits_content(occasion.content or b""):
            return False
        if when.counts:
            number = await self._count(planned, planned.key, _EVER_S)
            if number % when.everyNth or not is_drawn(when.seed, number, when.probability):
                return False
        if fault.do == "greylist":
            who = f"{planned.key} {occasion.sender} {occasion.name}"
            return await self._count(planned, _digest(who), _GREYLIST_S) <= fault.times
        if fault.do == "limit":
            which = f"{planned.key} {occasion.name}"
            return await self._count(planned, _digest(which), _LIMIT_S) > fault.times
        return True

    async def _is_public(self, planned: PlannedFault, occasion: Occasion) -> bool:
        """Whether the operator may have it fail: what somebody holds is that owner's affair.

        Whoever comes from one of the operator's networks is not asked about.
        """
        if "/" in planned.domain:
            return True
        facts = await self._directory.domain(planned.domain)
        if facts is not None and facts.owner is not None:
            return False
        if "@" not in occasion.name:
            return True
        address = parse_address(occasion.name).without_tag()
        return await self._directory.holder(address) == PUBLIC

    async def _count(self, planned: PlannedFault, key: str, window_s: int) -> int:
        return await count_try(self._database, planned.domain, key, window_s=window_s)

    async def _tell(self, planned: PlannedFault, occasion: Occasion, reply: Reply | None) -> None:
        """What cannot be written down is provoked all the same."""
        if planned.owner is None:
            return
        facts = ProvokedFacts(
            at=occasion.at,
            do=planned.fault.do,
            fault=planned.key,
            sender=occasion.sender,
            recipient=occasion.name,
            peer=occasion.peer_ip,
            answer="" if reply is None else reply.wire.decode().strip(),
        )
        try:
            await add_provoked(self._database, planned.domain, planned.owner, facts)
        except MailsacdError as e:
            _log.warn("a provoked fault could not be noted: {why}", why=e.public)


def _reply(fault: SmtpFault, key: str) -> Reply:
    by = f"rule {key[1:]}" if key.startswith("#") else key
    return Reply(fault.code, fault.status, (fault.text or f"On purpose, by {by}",))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
