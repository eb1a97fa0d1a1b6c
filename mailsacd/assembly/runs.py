"""Runs: address spaces of their own for tests."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.http.app import Group
from mailsacd.http.calls.run_listening import RunListeningCalls
from mailsacd.http.calls.runs import RunCalls
from mailsacd.http.calls.waiting import WaitCalls
from mailsacd.mail.push.listeners import Listeners
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.mail.reading.search import Search
from mailsacd.mail.runs.ending import EndingRuns
from mailsacd.mail.runs.runs import Runs


class RunParts:
    """The part that begins runs, and ends those whose time is over."""

    def __init__(self, ground: Ground, owners: Ownership, records: Records) -> None:
        """Raises ConfigurationError."""
        self._runs = Runs(
            ground.database,
            owners.accounts,
            owners.directory,
            records.activity,
            ground.settings.runs,
            owners.domain_rules.hosting,
        )
        self._mail = AccountMail(ground.database, owners.access_control)
        self._ending = EndingRuns(
            ground.database,
            owners.accounts,
            owners.directory,
            records.activity,
            reactor=ground.reactor,
        )

    def calls(self, search: Search, waiting: WaitCalls, listeners: Listeners) -> tuple[Group, ...]:
        """Return the calls about runs, in whose mail ``search`` finds."""
        return (
            RunCalls(self._runs, self._mail, search),
            RunListeningCalls(self._runs, waiting, listeners),
        )

    async def start(self) -> None:
        """Begin to delete the mail of runs that have ended."""
        self._ending.start()

    async def finish(self) -> None:
        """End: what is left is done at the next start, or by another node."""
        await self._ending.stop()
