"""Sees what becomes of mail that is offered: for the record of events, and for who traces it."""

from collections.abc import Sequence
from typing import Any, Final

from mailsacd.core.activity import REFUSED
from mailsacd.core.address import parse_address
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import UnavailableError
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.records.tracing import Tracing
from mailsacd.work.tasks import Tasks

MAX_LOOKING: Final = 100
"""So many refused messages are looked up at a time, whose they were; of more, none is told."""


class MailWitness:
    """What an SMTP session tells of its mail (smtp.witness)."""

    def __init__(
        self, directory: Directory, activity: Activity, tracing: Tracing, *, reactor: Any
    ) -> None:
        self._directory = directory
        self._activity = activity
        self._tracing = tracing
        self._tasks = Tasks("record refused mail", most=MAX_LOOKING, clock=reactor)
        self.step = tracing.step
        self.finish = self._tasks.finish

    @property
    def traces(self) -> bool:
        """Whether anybody's mail is followed."""
        return bool(self._tracing.followed)

    def refused(self, recipients: Sequence[Recipient], code: int, why: str) -> None:
        """A message for ``recipients`` was refused: each account that has one of them is told."""
        try:
            self._tasks.run(self._record(tuple(recipients), code, why))
        except UnavailableError:  # too many at a time, or the daemon stops
            return

    async def _record(self, recipients: Sequence[Recipient], code: int, why: str) -> None:
        for recipient in recipients:
            holding = await self._directory.holder(parse_address(recipient.inbox))
            if holding.owner is not None:
                self._activity.record(
                    REFUSED, account=holding.owner, subject=recipient.inbox, code=code, detail=why
                )
