"""Stored messages, as they go into the database and as they come out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

DEFAULT_FOLDER: Final = "inbox"
FOLDERS: Final = (DEFAULT_FOLDER, "all", "spam", "trash", "sent", "drafts")
MAX_LABELS: Final = 100
"""How many labels a message may have."""
MAX_LABEL_CHARACTERS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """One recipient's copy, about to be stored.

    ``facts`` is what never changes of the message's JSON form: a JSON object's text without its
    closing brace. It is written once here and never parsed again, so that a list of messages is
    a join of texts. ``passed`` are the inboxes that forwarded it, ``forwarder`` is the account
    whose they are: it keeps the copy, whosever the inbox is by now.
    """

    inbox: str
    id: str
    domain: str
    facts: str
    passed: tuple[str, ...] = ()
    forwarder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEnvelope:
    """One raw message with a row for each recipient, stored together or not at all.

    ``raw`` is the trace headers and the message as received, compressed with zstd;
    ``size`` is its length in bytes before that. ``received`` is UTC. ``sender`` is the first
    address of From, ``attachments`` the MD5 sums of the attachments in hex, each once.
    ``saved_by`` is the account that all copies are starred for. ``plain`` and ``wire_size`` are
    for POP3 (see core.maildrop): whether it is sent as it is, and how many octets; None: not known.
    """

    id: str
    received: datetime
    raw: bytes
    size: int
    messages: tuple[NewMessage, ...]
    sender: str = ""
    attachments: tuple[str, ...] = ()
    saved_by: str | None = None
    plain: bool = False
    wire_size: int | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A stored message: its unchanging ``facts`` (see NewMessage) and what people did to it.

    ``saved_by`` is the account that starred it, ``read`` is None until somebody set it.
    """

    inbox: str
    id: str
    facts: str
    saved_by: str | None
    folder: str
    labels: tuple[str, ...]
    read: bool | None

    def as_json(self) -> str:
        """The message as one JSON object, every field of the API's message form present."""
        if (
            self.saved_by is None
            and self.folder == DEFAULT_FOLDER
            and not self.labels
            and self.read is None
        ):
            return self.facts + ',"savedBy":null,"folder":"inbox","labels":[],"read":null}'
        changing = json.dumps(
            {
                "savedBy": self.saved_by,
                "folder": self.folder,
                "labels": self.labels,
                "read": self.read,
            },
            separators=(",", ":"),
            ensure_ascii=False,
        )
        return f"{self.facts},{changing[1:]}"
