"""WebSockets of façades: what comes is told in the form of the tool, and nothing else is sent."""

from collections.abc import Awaitable, Callable
from typing import Any

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

Frames = Callable[[Actor, Mail | None], Awaitable[tuple[bytes, ...]]]
"""Makes the frames that tell a listener of a message, or None: those that come first."""


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
        self.actor = ANYONE

    async def listen(self, asked: ListenRequest, registry: Listeners) -> Listening:
        """Find a place for who is shown the mail of all inboxes (see Feed.listen)."""

        async def sees_public(actor: Actor) -> bool:
            self.actor = actor
            return await self._all_mail.sees_public(actor)

        return await registry.listen_to_all(asked.asker, sees_public, self)

    def greet(self, asked: ListenRequest, listening: Listening) -> None:  # noqa: ARG002  Feed's
        """Send the frames that come before any message."""
        self._tasks.run(self._tell(self.actor, None))

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

    async def _tell(self, actor: Actor, mail: Mail | None) -> None:
        self.send_all(await self._frames(actor, mail))

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

    def tell_as(self, actor: Actor, frames: tuple[bytes, ...]) -> None:
        """Send ``frames`` to all who see the same mail as ``actor``."""
        for feed in self._factory.feeds:
            if isinstance(feed, FacadeFeed) and feed.sees_what(actor):
                feed.send_all(frames)
