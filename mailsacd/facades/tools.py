"""The façades that there are: the calls of each, and who takes its WebSockets over."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from mailsacd.facades.feed import FacadeFeeds, Frames
from mailsacd.facades.front import Sockets, Tool
from mailsacd.facades.mailhog.calls import MailHogCalls
from mailsacd.facades.mailhog.events import EventCalls
from mailsacd.facades.mailhog.events import Frames as MailHogFrames
from mailsacd.facades.mailpit.events import Frames as MailpitFrames
from mailsacd.facades.mailpit.message import MessageCalls
from mailsacd.facades.mailpit.messages import MessagesCalls
from mailsacd.facades.mailpit.send import SendCalls
from mailsacd.facades.mailpit.sent_message import Limits
from mailsacd.facades.mailpit.service import ServiceCalls
from mailsacd.facades.mailpit.shelf import Shelf
from mailsacd.facades.searches import Searches
from mailsacd.http.calls.websocket import WebSockets
from mailsacd.mail.push.listeners import Listeners
from mailsacd.mail.reading.all_mail import AllMail
from mailsacd.mail.receiving.hand_in import HandIn
from mailsacd.settings import Settings
from mailsacd.work.tasks import Tasks
from mailsacd.work.threads import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What façades are made of. ``ping`` raises UnavailableError when the database is away.

    What takes long is done in ``lane``.
    """

    settings: Settings
    all_mail: AllMail
    listeners: Listeners
    tasks: Tasks
    hand_in: HandIn
    lane: Lane
    ping: Callable[[], Awaitable[None]]
    reactor: Any

    def feeds(self, frames: Frames) -> FacadeFeeds:
        """WebSockets that are told of mail by ``frames``."""
        return FacadeFeeds(
            self.listeners, self.all_mail, self.tasks, frames, self.settings.websocket, self.reactor
        )

    def sockets(self, path: str, feeds: FacadeFeeds) -> Sockets:
        """Have ``feeds`` take over the WebSockets at ``path``."""
        segments = tuple(path[1:].encode("ascii").split(b"/"))
        return {segments: WebSockets(feeds.accept, self.settings.websocket.allowed_origins)}


def mailpit(needs: Needs) -> Tool:
    """Mailpit, made of what façades need."""
    shelf = Shelf(needs.all_mail, Searches(needs.reactor), needs.lane)
    feeds = needs.feeds(MailpitFrames(shelf))
    message = needs.settings.message
    limits = Limits(max_recipients=message.max_recipients, max_bytes=message.max_bytes)
    groups = (
        MessagesCalls(shelf, feeds.tell_as),
        MessageCalls(shelf),
        SendCalls(shelf, needs.hand_in, limits, needs.lane),
        ServiceCalls(shelf, needs.ping, needs.reactor),
    )
    operations = tuple(each for group in groups for each in group.operations())
    return Tool(operations, needs.sockets("/api/events", feeds), feeds.drain)


def mailhog(needs: Needs) -> Tool:
    """MailHog, made of what façades need."""
    frames = MailHogFrames(needs.all_mail)
    feeds = needs.feeds(frames)
    groups = (
        MailHogCalls(needs.all_mail, Searches(needs.reactor), needs.lane),
        EventCalls(needs.listeners, needs.all_mail, needs.tasks, frames),
    )
    operations = tuple(each for group in groups for each in group.operations())
    return Tool(operations, needs.sockets("/api/v2/websocket", feeds), feeds.drain)


TOOLS: Final = {"mailpit": mailpit, "mailhog": mailhog}
"""The façades, by the names of their ports."""
