"""WebSockets of façades: what comes is told in the form of the tool, and nothing else is sent."""

from typing import Any, Final, Protocol

from twisted.internet.task import deferLater

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.event import Pushed
from mailsacd.facades.teller import Teller
from mailsacd.listening_settings import WebsocketSettings
from mailsacd.mail.push.listener import Listening
from mailsacd.mail.push.listeners import Listeners
from mailsacd.mail.reading.all_mail import AllMail, Mail
from mailsacd.work.tasks import Tasks
from mailsacd.ws.factory import FeedFactory
from mailsacd.ws.feed import Feed, ListenRequest

TOTALS_AFTER_S: Final = 0.25
"""So long after a change it is told how much there is, once for all that changed meanwhile."""


class Frames(Protocol):
    """Makes the frames that tell a listener what it sees."""

    async def of_mail(self, actor: Actor, mail: Mail) -> tuple[bytes, ...]:
        """Those that tell of a message that came."""

    async def totals(self, actor: Actor) -> tuple[bytes, ...]:
        """Those that tell how much there is; none, where that is not told."""


class FacadeFeed(Feed):
    """A WebSocket that is told of the mail of all inboxes."""

    def __init__(
        self,
        asked: ListenRequest,
        listeners: Listeners,
        all_mail: AllMail,
        tasks: Tasks,
        frames: Frames,
    ) -> None:
        super().__init__(asked, listeners)
        self._all_mail = all_mail
        self._frames = frames
        self._tasks = tasks
        self._teller = Teller(all_mail, tasks, self._tell, done=self.drained, failed=self.lost)
        self._totals_wait = False
        self.actor = ANYONE

    async def listen(self, asked: ListenRequest, registry: Listeners) -> Listening:
        """Find a place for who is shown the mail of all inboxes (see Feed.listen)."""

        async def sees_public(actor: Actor) -> bool:
            self.actor = actor
            return await self._all_mail.sees_public(actor)

        return await registry.listen_to_all(asked.asker, sees_public, self)

    def greet(self, asked: ListenRequest, listening: Listening) -> None:  # noqa: ARG002  Feed's
        """Tell how much there is, soon."""
        self.totals_soon()

    @property
    def full(self) -> bool:
        """Whether a message is still being looked up, or not read yet."""
        return self._teller.busy or super().full

    def push(self, pushed: Pushed) -> None:
        """Look the message up, and send what tells of it."""
        self._teller.push(self.actor, pushed)

    def beat(self) -> None:
        """Send a ping, and drop a client that shows no life."""
        self.check_life()

    def sees_what(self, actor: Actor) -> bool:
        """Whether the listener sees the same mail as ``actor``."""
        return (self.actor.account, self.actor.scope) == (actor.account, actor.scope)

    def totals_soon(self) -> None:
        """Tell how much there is once something has changed, unless that is to come anyway."""
        if not self._totals_wait:
            self._totals_wait = True
            self._tasks.run(self._totals())

    async def _totals(self) -> None:
        await deferLater(self.factory.reactor, TOTALS_AFTER_S)
        self._totals_wait = False
        if self.usable:
            self.send_all(await self._frames.totals(self.actor))

    async def _tell(self, actor: Actor, mail: Mail) -> None:
        self.send_all(await self._frames.of_mail(actor, mail))
        self.totals_soon()

    def send_all(self, frames: tuple[bytes, ...]) -> None:
        """Send ``frames``, unless the connection is being closed."""
        for frame in frames:
            if self.usable:
                self.sendMessage(frame)


class FacadeFeeds:
    """All WebSockets of a façade. ``accept`` makes one, and ``drain`` ends them."""

    def __init__(
        self,
        listeners: Listeners,
        all_mail: AllMail,
        tasks: Tasks,
        frames: Frames,
        settings: WebsocketSettings,
        reactor: Any,
    ) -> None:
        """``frames`` makes what listeners are told."""

        def make(asked: ListenRequest, registry: Listeners) -> FacadeFeed:
            return FacadeFeed(asked, registry, all_mail, tasks, frames)

        self._factory = FeedFactory(listeners, settings, reactor, make)
        self.accept = self._factory.accept
        self.drain = self._factory.drain

    def tell_as(self, actor: Actor, *frames: bytes) -> None:
        """Send ``frames`` to all who see the same mail as ``actor``, and soon how much there is."""
        for feed in self._factory.feeds:
            if isinstance(feed, FacadeFeed) and feed.sees_what(actor):
                feed.send_all(frames)
                feed.totals_soon()
