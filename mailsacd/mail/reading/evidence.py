"""All that is known of a message in one answer, for who keeps it beside a test that failed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.actor import Actor
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import MailsacdError
from mailsacd.core.message import Message
from mailsacd.work.sharing import Sharing

MAX_KEPT: Final = 100
KEPT_S: Final = 60.0
"""So long what was gathered is told again: who sent it or what spam is may be known better then."""


class Reads(Protocol):
    """The only door to stored messages (mail.reading.mailbox)."""

    async def get(self, actor: Actor, email: str, message_id: str) -> Message:
        """One message, if the actor may see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something that is known of messages, under a ``name``.

    ``find`` takes an actor, the address as it was written and the id of the message, and raises as
    `Mailbox` does. ``nothing`` says in a sentence why there is nothing where it returns None.
    """

    name: str
    find: Callable[[Actor, str, str], Awaitable[Any]]
    nothing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was ``found``, by the names of the sources, and why something is ``missing``.

    Each source is in one of them. ``gathered_ms`` counts from the epoch.
    """

    gathered_ms: int
    found: Mapping[str, Any]
    missing: Mapping[str, str]


class Evidence:
    """Gathers it for whoever may see the message, and raises as `Mailbox` does."""

    def __init__(self, mailbox: Reads, sources: Sequence[Source], *, reactor: IReactorTime) -> None:
        self._mailbox = mailbox
        self._sources = tuple(sources)
        self._reactor = reactor
        self._kept: Recent[_Asked, Findings] = Recent(MAX_KEPT)
        self._gathering: Sharing[_Asked, Findings] = Sharing()

    async def of_message(
        self, actor: Actor, email: str, message_id: str
    ) -> tuple[Message, Findings]:
        """Return a message as it is now, and what is known of it.

        What cannot be told now is missing, and asked for again the next time.
        """
        message = await self._mailbox.get(actor, email, message_id)
        asked = _Asked(message.inbox, message.id, actor.account, actor.is_operator)
        kept = self._kept.get(asked)
        if kept is not UNKNOWN and self._now_ms() < kept.gathered_ms + KEPT_S * 1000:
            return message, kept
        gather = partial(self._gather, asked, actor, email)
        findings = await self._gathering.get(asked, gather)
        # what was found out is written beside it: the message tells the same
        return await self._mailbox.get(actor, email, message_id), findings

    async def _gather(self, asked: "_Asked", actor: Actor, email: str) -> Findings:
        gathered_ms = self._now_ms()
        found: dict[str, Any] = {}
        missing: dict[str, str] = {}
        is_whole = True
        for source in self._sources:
            try:
                value = await source.find(actor, email, asked.message_id)
            except MailsacdError as error:
                if not error.temporary:
                    raise
                missing[source.name] = error.public
                is_whole = False
                continue
            if value is None:
                missing[source.name] = source.nothing
            else:
                found[source.name] = value
        findings = Findings(gathered_ms=gathered_ms, found=found, missing=missing)
        if is_whole:
            self._kept.remember(asked, findings)
        return findings

    def _now_ms(self) -> int:
        return int(self._reactor.seconds() * 1000)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, and by whom: not all are shown the same of a transcript."""

    inbox: str
    message_id: str
    account: str | None
    is_operator: bool
