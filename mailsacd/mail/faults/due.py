"""Decides whether a fault is due, counts where that matters, and tells of those that were."""

import hashlib
from typing import Final

from mailsacd.core.address import parse_address
from mailsacd.core.fault import PlannedFault, is_drawn
from mailsacd.core.fault_plan import ProvokedFacts
from mailsacd.core.ownership import PUBLIC
from mailsacd.core.provocation import Occasion
from mailsacd.mail.faults.notes import ProvokedNotes
from mailsacd.mail.ownership.directory import Directory
from mailsacd.store.faults import count_try
from mailsacd.store.pool import Database

_GREYLIST_S: Final = 86_400
_LIMIT_S: Final = 60
_EVER_S: Final = 2_000_000_000


class DueFaults:
    """Counts in ``database``, where all nodes count together, and tells ``notes``."""

    def __init__(self, database: Database, directory: Directory, notes: ProvokedNotes) -> None:
        self._database = database
        self._notes = notes
        self._directory = directory

    async def is_due(self, planned: PlannedFault, occasion: Occasion) -> bool:
        """Tell whether the fault is provoked now, and count. May raise UnavailableError."""
        when, fault = planned.when, planned.fault
        if planned.owner is None and not await self._is_public(planned, occasion):
            return False
        message = occasion.message
        if when.needs_content and (message is None or not message.fits(when)):
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

    def tell(self, planned: PlannedFault, occasion: Occasion, answer: str) -> None:
        """Take note of a fault, unless it is the operator's."""
        if planned.owner is None:
            return
        facts = ProvokedFacts(
            at=occasion.at,
            do=planned.fault.do,
            fault=planned.key,
            sender=occasion.sender,
            name=occasion.name,
            peer=occasion.peer_ip,
            answer=answer,
        )
        self._notes.add(planned.domain, planned.owner, facts)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
