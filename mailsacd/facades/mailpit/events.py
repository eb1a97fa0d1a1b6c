"""Mailpit's `/api/events`: what is told by WebSocket, as ``{"Type": …, "Data": …}``."""

from typing import Any

import msgspec

from mailsacd.core.actor import Actor
from mailsacd.facades.feed import FacadeFeeds
from mailsacd.facades.mailpit import forms
from mailsacd.facades.mailpit.shelf import Shelf
from mailsacd.facades.mailpit.version import VERSION
from mailsacd.mail.reading.all_mail import Mail

_encode = msgspec.json.Encoder().encode


class Frames:
    """Makes the frames that tell of mail that comes."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def __call__(self, actor: Actor, mail: Mail | None) -> tuple[bytes, ...]:
        """Of a message ``new`` and ``stats``; of None ``stats`` alone."""
        stats = event("stats", forms.stats(await self._shelf.mail.newest(actor), VERSION))
        if mail is None:
            return (stats,)
        shown = await self._shelf.summaries(actor, (mail,))
        return (*(event("new", each) for each in shown), stats)


class Changes:
    """Tells those who listen with the same key what was changed by a call of this process."""

    def __init__(self, shelf: Shelf, feeds: FacadeFeeds) -> None:
        self._shelf = shelf
        self._feeds = feeds

    async def tell(self, actor: Actor, *events: bytes) -> None:
        """Send ``events``, and how much there is then."""
        mails = await self._shelf.mail.newest(actor)
        stats = event("stats", forms.stats(mails, VERSION))
        self._feeds.tell_as(actor, (*events, stats))


def event(kind: str, data: Any) -> bytes:
    """One frame, with what it tells of."""
    return _encode({"Type": kind, "Data": data})
