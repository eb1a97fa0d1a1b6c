"""Private inboxes by POP3: built, started and ended together."""

from collections.abc import Mapping
from typing import Any, Final

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator

from mailsacd import __version__
from mailsacd.core.budget import ByteBudget
from mailsacd.data import hostname_of
from mailsacd.http.app import Group
from mailsacd.http.pop3 import Pop3Calls
from mailsacd.mail.addresses import Addresses
from mailsacd.mail.gate import Gate
from mailsacd.mail.mail_login import MailLogins
from mailsacd.mail.maildrop import Maildrops
from mailsacd.pop3.factory import Pop3Factory
from mailsacd.pop3.services import Pop3Services
from mailsacd.settings import Settings
from mailsacd.store.pool import Database

MAX_LISTED_BYTES: Final = 268_435_456
"""Of the lists of open maildrops: two million messages. Further logins are to come later."""


class Retrieval:
    """A part of the assembly. ``factories`` are what listens, by the names of the ports."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        gate: Gate,
        logins: MailLogins,
        tls: IOpenSSLServerConnectionCreator,
        reactor: Any,
    ) -> None:
        """Raises ConfigurationError."""
        self._settings = settings
        hostname = hostname_of(settings)
        self._hostname = hostname
        self._maildrops = Maildrops(database, gate, logins, settings.pop3, reactor=reactor)
        budget = ByteBudget(settings.pop3.buffer_bytes)
        listings = ByteBudget(MAX_LISTED_BYTES)

        def factory(*, tls_at_once: bool) -> Pop3Factory:
            return Pop3Factory(
                Pop3Services(
                    hostname=hostname,
                    version=__version__,
                    settings=settings.pop3,
                    maildrops=self._maildrops,
                    budget=budget,
                    listings=listings,
                    tls=tls,
                    tls_at_once=tls_at_once,
                    clock=reactor,
                )
            )

        self.factories = {"pop3": factory(tls_at_once=False)}
        if settings.pop3.tls_port >= 0:
            self.factories["pop3_tls"] = factory(tls_at_once=True)

    def calls(self, addresses: Addresses, ports: Mapping[str, int]) -> Group:
        """The call about them. ``ports`` has those of the ``factories`` before anybody calls."""
        host = self._settings.pop3.host or ("" if self._settings.database.dsn else "127.0.0.1")
        everywhere = host in {"", "0.0.0.0", "::"}  # noqa: S104  it is only compared
        return Pop3Calls(addresses, self._hostname if everywhere else host, ports)

    def start(self) -> None:
        """Begin what is done beside the sessions."""
        self._maildrops.start()

    async def finish(self) -> None:
        """End the sessions: what QUIT said is done."""
        for factory in self.factories.values():
            await factory.drain()
        await self._maildrops.stop()
