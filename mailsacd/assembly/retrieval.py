"""Private inboxes by POP3."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mailsacd import __version__
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.core.budget import ByteBudget
from mailsacd.http.app import Group
from mailsacd.http.calls.pop3 import Pop3Calls
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.ownership.mail_login import PacedLogins
from mailsacd.mail.reading.maildrop import Maildrops
from mailsacd.pop3.factory import Pop3Factory
from mailsacd.pop3.services import Pop3Services
from mailsacd.ports import TLS
from mailsacd.sockets.connection_factory import drain_all

MAX_LISTED_BYTES: Final = 268_435_456
"""Of the lists of open maildrops: two million messages. Further logins are to come later."""


class Retrieval:
    """A part. ``factories`` are what listens, by the names of the ports."""

    def __init__(self, ground: Ground, owners: Ownership, records: Records) -> None:
        """Raises ConfigurationError."""
        settings = ground.settings.pop3
        self._ground = ground
        self._maildrops = Maildrops(
            ground.database,
            owners.access_control,
            PacedLogins(records.logins, records.throttle),
            settings,
            ground.lanes.readers,
            reactor=ground.reactor,
        )
        services = Pop3Services(
            hostname=ground.hostname,
            version=__version__,
            settings=settings,
            maildrops=self._maildrops,
            budget=ByteBudget(settings.buffer_bytes),
            listings=ByteBudget(MAX_LISTED_BYTES),
            tls=ground.tls,
            self_signed=ground.self_signed,
            clock=ground.reactor,
            telemetry=ground.telemetry,
            limits=ground.limits,
        )
        self.factories = {"pop3": Pop3Factory(services)}
        if settings.tls_port >= 0:
            twin = replace(services, tls_at_once=True, port="pop3" + TLS)
            self.factories[twin.port] = Pop3Factory(twin)

    def calls(self, addresses: Addresses, ports: Mapping[str, int]) -> Group:
        """The call about them. ``ports`` has those of the ``factories`` before anybody calls."""
        host = self._ground.host_of(self._ground.settings.pop3.host)
        return Pop3Calls(addresses, host, ports, starttls=self.factories["pop3"].offers_tls(host))

    async def start(self) -> None:
        """Begin what is done beside the POP3 sessions."""
        self._maildrops.start()

    async def drain(self) -> None:
        """End the sessions; what a QUIT was answered is done."""
        await drain_all(self.factories.values())

    async def finish(self) -> None:
        """Unlock what the sessions had locked."""
        await self._maildrops.stop()
