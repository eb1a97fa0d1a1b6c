"""Mailpit's `/api/events`: what is told by WebSocket, as ``{"Type": …, "Data": …}``."""

from typing import Any

import msgspec

from mailsacd.core.actor import Actor
from mailsacd.facades.mailpit import forms
from mailsacd.facades.mailpit.shelf import Shelf
from mailsacd.facades.mailpit.version import VERSION
from mailsacd.mail.reading.all_mail import Mail

_encode = msgspec.json.Encoder().encode


class Frames:
    """Makes the frames that tell of mail that comes."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def of_mail(self, actor: Actor, mail: Mail) -> tuple[bytes, ...]:
        """The event ``new``, unless the message is gone."""
        shown = await self._shelf.summaries(actor, (mail,))
        return tuple(event("new", each) for each in shown)

    async def totals(self, actor: Actor) -> tuple[bytes, ...]:
        """The event ``stats``, of all that is seen."""
        mails = await self._shelf.mail.newest(actor)
        return (event("stats", forms.stats(mails, VERSION)),)


def event(kind: str, data: Any) -> bytes:
    """One frame, with what it tells of."""
    return _encode({"Type": kind, "Data": data})
