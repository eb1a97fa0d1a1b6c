"""Makes whole messages of what callers ask for, large ones in a lane of threads."""

from functools import partial
from typing import Any, Final

from mailsacd.core.errors import TooLargeError
from mailsacd.core.token import utc_from_ms
from mailsacd.mail.sending.completing import Additions, Completed, complete
from mailsacd.mail.sending.compose import compose, folded_field
from mailsacd.mail.sending.draft import Draft, draft_of
from mailsacd.mail.sending.mailboxes import Mailbox
from mailsacd.mail.sending.message_fields import MessageFields
from mailsacd.mail.sending.own_fields import OwnFields
from mailsacd.work.threads import Lane

MAX_ADDED_BYTES: Final = 4_096
"""By so much may a message be longer than it may come in, for its trace and what was missing."""


class MessageMaker:
    """No message has more than ``max_bytes`` bytes, or more than ``max_attachments``."""

    def __init__(
        self,
        own_fields: OwnFields,
        lane: Lane,
        *,
        max_bytes: int,
        max_attachments: int,
        reactor: Any,
    ) -> None:
        self._own_fields = own_fields
        self._lane = lane
        self._max_bytes = max_bytes
        self._max_attachments = max_attachments
        self._reactor = reactor

    async def draft(self, fields: MessageFields) -> Draft:
        """What ``fields`` ask for. Raises InvalidInputError with each fault."""
        read = partial(draft_of, fields, max_attachments=self._max_attachments)
        return await self._lane.run(_size(fields), read)

    async def message(self, account: str, draft: Draft) -> Completed:
        """The message of ``draft``, whole. Raises as `completed`."""
        content = draft.raw
        if content is None:
            size = len(draft.text or "") + len(draft.html or "")
            size += sum(len(attachment.content) for attachment in draft.attachments)
            content = await self._lane.run(size, partial(compose, draft))
        trace = "".join(folded_field("Received", one) for one in draft.received)
        return await self.completed(account, content, trace=trace, author=draft.sender)

    async def completed(
        self, account: str, content: bytes, *, trace: str, author: Mailbox | None
    ) -> Completed:
        """The message ``content`` of ``account``'s as it may go out (sending.completing).

        Raises InvalidInputError, MailLoopError, TooLargeError and UnavailableError.
        """
        self._check_size(content, self._max_bytes)
        additions = Additions(
            now=utc_from_ms(int(self._reactor.seconds()) * 1000),
            trace=trace,
            author=author,
            fields=await self._own_fields.of(account),
        )
        whole = await self._lane.run(len(content), partial(complete, content, additions))
        self._check_size(whole.content, self._max_bytes + MAX_ADDED_BYTES)
        return whole

    def _check_size(self, content: bytes, most: int) -> None:
        if len(content) > most:
            raise TooLargeError(f"The message is larger than {self._max_bytes} bytes")


def _size(fields: MessageFields) -> int:
    texts = (fields.text, fields.html, fields.raw)
    contents = (one.content for one in fields.attachments or ())
    return sum(len(text or "") for text in (*texts, *contents))
