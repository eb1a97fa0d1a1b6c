"""Those who wait for mail, and their two ways in."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.http.app import Group
from mailsacd.http.calls.events import EventCalls
from mailsacd.http.calls.websocket import WebSocketCalls, WebSockets
from mailsacd.mail.limits.paced import Paced
from mailsacd.mail.push.hub import Hub
from mailsacd.mail.push.listeners import Listeners
from mailsacd.mail.push.permission import ListenPermission
from mailsacd.ws.factory import FeedFactory


class Feeds:
    """The part that lets people listen. ``websockets`` is for the web's site, and
    ``listeners`` are all of them."""

    def __init__(self, ground: Ground, owners: Ownership, records: Records, hub: Hub) -> None:
        settings, reactor = ground.settings.websocket, ground.reactor
        rules = ListenPermission(
            ground.database, owners.directory, owners.accounts, owners.access_control
        )
        callers = Paced(owners.authenticator, records.usage, records.throttle)
        self.listeners = Listeners(settings, hub, rules, callers, owners.notices, reactor)
        self.listeners.count_in(ground.limits)
        self._factory = FeedFactory(self.listeners, settings, reactor)
        self.websockets = WebSockets(self._factory.accept, settings.allowed_origins)

    def calls(self) -> tuple[Group, ...]:
        """Return the calls by which people listen."""
        return (EventCalls(self.listeners), WebSocketCalls())

    async def start(self) -> None:
        """Begin to show listeners signs of life."""
        self.listeners.start()

    async def drain(self) -> None:
        """Send all listeners away, and wait until they are gone."""
        await self.listeners.stop()
        await self._factory.drain()

    async def finish(self) -> None:
        """Do nothing: `drain` leaves nothing."""
