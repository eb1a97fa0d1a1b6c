"""Stored messages, as they go into the database and as they come out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from mailsacd.core.actor import Actor
from mailsacd.core.message_form import Marks, message_json

MAX_LABELS: Final = 100
"""How many labels a message may have."""
MAX_LABEL_CHARACTERS: Final = 100


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient's copy, about to be stored.

    ``facts`` is the text of what never changes of it (see core.message_form). ``passed`` are the
    inboxes that forwarded it, ``forwarder`` is the account whose they are: it keeps the copy,
    whosever the inbox is by now. ``transcript`` is what was said about it, the JSON of
    core.transcript compressed with zstd.
    """

    inbox: str
    id: str
    domain: str
    facts: str
    passed: tuple[str, ...] = ()
    forwarder: str | None = None
    transcript: bytes | None = None


class NewEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """One raw message with a row for each recipient, stored together or not at all.

    ``raw`` is the trace headers and the message as received, compressed with zstd;
    ``size`` is its length in bytes before that. ``received_ms`` counts from the epoch. ``sender``
    is the first address of From, ``attachments`` the MD5 sums of the attachments in hex, each once.
    ``saved_by`` is the account that all copies are starred for. ``plain`` and ``wire_size`` are
    for POP3 (see core.maildrop): whether it is sent as it is, and how many octets; None: not known.
    ``auth`` is the text of who sent it (core.authentication); None: that was not looked at yet.
    """

    id: str
    received_ms: int
    raw: bytes
    size: int
    messages: tuple[NewMessage, ...]
    sender: str = ""
    attachments: tuple[str, ...] = ()
    saved_by: str | None = None
    plain: bool = False
    wire_size: int | None = None
    auth: str | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The ids of the messages that came to an inbox next after one, and before it; None: none."""

    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class Owned:
    """Whose a stored message is, and whether its owner alone sees it.

    ``hooked`` tells that it is to be delivered to a webhook or to Slack, too.
    """

    owner: str
    private: bool
    hooked: bool


class Observer(Protocol):
    """Is told of every message that was stored."""

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:
        """``batch`` is committed; ``owned`` are those of its messages, by id, that are somebody's.

        Called before anybody hears of it: so it has to be quick, and may not raise.
        """


class Filing(Protocol):
    """Is told of every message that somebody moves to a folder."""

    def moved(self, account: str | None, inbox: str, message_id: str, folder: str) -> None:
        """``account`` (None: the public) has moved a message, whosever it is, to ``folder``.

        It has to be quick, and may not raise.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A stored message: the text of its ``facts`` (see core.message_form), and what people did.

    ``auth`` is the text of who sent it (core.authentication), None while that was not looked at.
    """

    inbox: str
    id: str
    facts: str
    marks: Marks
    auth: str | None = None

    def as_json(self) -> bytes:
        """The message as one JSON object in UTF-8, every field of its JSON form present."""
        return message_json(self.facts, self.marks, self.auth)


class Reads(Protocol):
    """The only door to stored messages (mail.reading.mailbox)."""

    async def get(self, actor: Actor, email: str, message_id: str) -> Message:
        """One message, if the actor may see it."""

    async def raw(self, actor: Actor, email: str, message_id: str) -> bytes:
        """The bytes that are stored of it."""
