"""What a message has to be like for whoever waits for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailsacd.core.folding import fold
from mailsacd.core.message_form import Outline
from mailsacd.core.pattern import Pattern
from mailsacd.core.people_texts import recipient_texts, sender_texts
from mailsacd.core.token import time_prefix

MAX_COUNT: Final = 100

SINCE: Final = "since"
SUBJECT_INCLUDES: Final = "subjectIncludes"
FROM: Final = "from"
TO: Final = "to"
HAS_ATTACHMENT: Final = "hasAttachment"
BODY_MATCHES: Final = "bodyMatches"
"""The names of the conditions, as callers write them and are told which of them failed."""


_BETWEEN: Final = "\0"
"""Divides texts: none of those that come in a request or a header has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What conditions look at of a message: thousands of them at the same one.

    The texts are as core.folding has them; those of ``senders`` and of ``recipients`` are one text
    each.
    """

    id: str
    subject: str
    senders: str
    recipients: str
    has_attachment: bool


def folded(message: Outline) -> Folded:
    """What conditions look at of ``message``."""
    return Folded(
        id=message.id,
        subject=fold(message.subject),
        senders=fold(_BETWEEN.join(sender_texts(message))),
        recipients=fold(_BETWEEN.join(recipient_texts(message))),
        has_attachment=bool(message.attachments),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """All of it has to hold; None: it does not matter. Texts are kept as core.folding has them.

    ``sender`` is a part of an address or name in From; ``recipient`` one in To or Cc, of the
    inbox, or of the address as it was mailed, its tag included. ``body_matches`` has to be found in
    the text or in the HTML. ``since_ms`` (that millisecond included) counts from the epoch; None is
    for whoever waits to say. ``count`` is how many messages it takes.
    """

    subject_includes: str | None = None
    sender: str | None = None
    recipient: str | None = None
    body_matches: Pattern | None = None
    has_attachment: bool | None = None
    since_ms: int | None = None
    count: int = 1

    def __post_init__(self) -> None:
        for name in ("subject_includes", "sender", "recipient"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, fold(text))

    def failed_by(self, message: Folded) -> tuple[str, ...]:
        """The names of the conditions that do not hold, but for that of the body."""
        return tuple(self._failed_by(message))

    def _failed_by(self, message: Folded) -> Iterator[str]:
        if self.since_ms is not None and message.id < time_prefix(self.since_ms):
            yield SINCE
        if not _includes(self.subject_includes, message.subject):
            yield SUBJECT_INCLUDES
        if not _includes(self.sender, message.senders):
            yield FROM
        if not _includes(self.recipient, message.recipients):
            yield TO
        if self.has_attachment not in (None, message.has_attachment):
            yield HAS_ATTACHMENT


def _includes(part: str | None, text: str) -> bool:
    return part is None or part in text
