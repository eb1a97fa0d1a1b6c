"""What listens for programs that are written for other test tools: a façade for each of them."""

from twisted.internet.interfaces import IProtocolFactory

from mailsacd.assembly.feeds import Feeds
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.receiving import Receiving
from mailsacd.assembly.records import Records
from mailsacd.core.peer import is_loopback
from mailsacd.facades.front import Tool, make_facade
from mailsacd.facades.tools import TOOLS, Needs
from mailsacd.http.server.site import HttpSite
from mailsacd.mail.limits.usage import Metered
from mailsacd.mail.reading.all_mail import AllMail
from mailsacd.mail.receiving.hand_in import HandIn
from mailsacd.ports import facades
from mailsacd.work.tasks import Tasks


class Facades:
    """A part. ``factories`` are what listens, by the names of the ports: none by default."""

    def __init__(
        self,
        ground: Ground,
        owners: Ownership,
        records: Records,
        receiving: Receiving,
        feeds: Feeds,
    ) -> None:
        """Raises ConfigurationError."""
        settings = ground.settings
        self._tasks = Tasks(
            "tell listeners of façades",
            most=2 * settings.websocket.max_listeners,
            clock=ground.reactor,
        )
        self._tools: list[Tool] = []
        self._sites: list[HttpSite] = []
        needs = self._needs(ground, owners, receiving, feeds)
        for name, chosen in facades(settings).items():
            tool = TOOLS[name](needs)
            site = make_facade(
                tool,
                Metered(owners.authenticator, records.usage),
                chosen,
                ground.lanes.readers,
                ground.reactor,
                records.throttle,
            )
            self._tools.append(tool)
            self._sites.append(site)
        self.factories: dict[str, IProtocolFactory] = dict(
            zip(facades(settings), self._sites, strict=True)
        )

    async def start(self) -> None:
        """Do nothing: the part has nothing to do before somebody calls."""

    async def drain(self) -> None:
        """Send listeners away, answer the requests under way, and close all connections."""
        for tool in self._tools:
            await tool.drain()
        for site in self._sites:
            await site.bounds.drain()

    async def finish(self) -> None:
        """Break off what listeners were still to be told."""
        await self._tasks.finish()

    def _needs(
        self,
        ground: Ground,
        owners: Ownership,
        receiving: Receiving,
        feeds: Feeds,
    ) -> Needs:
        settings, database = ground.settings, ground.database
        mailbox = owners.mailbox
        is_local = is_loopback(settings.facades.host)
        all_mail = AllMail(
            database,
            owners.accounts,
            mailbox,
            shows_public=is_local and settings.http.anonymous_read,
        )
        hand_in = HandIn(
            receiving.policy,
            receiving.admission,
            receiving.intake,
            ground.hostname,
            settings.message.max_recipients,
        )
        return Needs(
            settings=settings,
            all_mail=all_mail,
            listeners=feeds.listeners,
            tasks=self._tasks,
            hand_in=hand_in,
            lane=ground.lanes.readers,
            ping=mailbox.ping,
            reactor=ground.reactor,
        )
