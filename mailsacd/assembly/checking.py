"""Finding out who sent mail."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.core.message import Observer
from mailsacd.http.app import Group
from mailsacd.http.calls.authentication import AuthenticationCalls
from mailsacd.mail.authentication.after import LaterChecks
from mailsacd.mail.authentication.before import EarlyChecks, Intake
from mailsacd.mail.authentication.examination import Examiner
from mailsacd.mail.authentication.lookups import Lookups
from mailsacd.mail.authentication.on_request import ChecksOnRequest
from mailsacd.outbound.dns import Resolver


class Checking:
    """A part. ``observers`` observe the mail that is stored; ``on_request`` tells who sent it,
    and ``examine`` before it is stored, unless nobody is to look."""

    def __init__(self, ground: Ground, owners: Ownership) -> None:
        """Raises ConfigurationError."""
        settings, reactor = ground.settings.checks, ground.reactor
        self._settings = settings
        self._reactor = reactor
        # with places of its own: mail from strangers keeps nobody else from asking the DNS
        resolver = Resolver(ground.settings.dns, reactor)
        self._examiner = Examiner(
            Lookups(resolver, reactor).ask,
            ground.lanes.checks,
            hostname=ground.hostname,
            timeout_s=settings.timeout_s,
            reactor=reactor,
        )
        self._later = LaterChecks(ground.database, self._examiner, reactor=reactor)
        self._later.declare(ground.telemetry.figures)
        is_on = settings.authentication != "off"
        self.examine = self._examiner.examine if is_on else None
        self.observers: tuple[Observer, ...] = (self._later,) if is_on else ()
        self.on_request = ChecksOnRequest(ground.database, owners.mailbox, self._examiner)

    def around(self, intake: Intake) -> Intake:
        """Return what takes mail from anybody in, and hands it to ``intake``."""
        if self._settings.authentication != "before":
            return intake
        wait_s = self._settings.before_ms / 1000
        return EarlyChecks(intake, self._examiner, wait_s=wait_s, reactor=self._reactor)

    def calls(self) -> tuple[Group, ...]:
        """Return the call about who sent a message."""
        return (AuthenticationCalls(self.on_request),)

    async def start(self) -> None:
        """Begin to examine what is stored."""
        self._later.start()

    async def finish(self) -> None:
        """End; what was not examined is when somebody asks."""
        await self._later.finish()
