"""The first words of messages, as lists show them beside subject and sender."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from mailsacd.core.actor import Actor, account_of
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mime.extract import snippet_of_beginning
from mailsacd.store.beginnings import find_beginnings
from mailsacd.store.compression import BEGINNING_BYTES, expand_beginning, expanded_bytes
from mailsacd.store.reading import Reader
from mailsacd.store.sql import Executor
from mailsacd.work.threads import Lane

MAX_SNIPPETS: Final = 100
"""Of so many messages the snippets are made at a time."""

_MAX_LINE_BYTES: Final = 1_000

MessageName = tuple[str, str]
"""A message's inbox (a normal address) and its id."""


class Snippets:
    """Makes snippets, of at most SNIPPET_CHARS characters (mime.extract), for an Actor.

    They are made of the first BEGINNING_BYTES of each message: of what begins with a large
    attachment the snippet is ``""``. All raise UnavailableError, and OverloadedError when too many
    messages wait to be rendered.
    """

    def __init__(self, reads: Reader, access_control: AccessControl, lane: Lane) -> None:
        """They are made in ``lane``, if there is much to read."""
        self._reads = reads
        self._access_control = access_control
        self._lane = lane

    async def of_inbox(self, actor: Actor, email: str, ids: Sequence[str]) -> Mapping[str, str]:
        """The snippets of messages of one inbox, by their ids; of MAX_SNIPPETS of them.

        What the actor may not see, or is not there, is left out. Raises BadAddressError for what is
        no address, and UnauthenticatedError where a key is needed.
        """
        access = await self._access_control.access(actor, email)
        wanted = [(access.inbox, message_id) for message_id in ids[:MAX_SNIPPETS]]
        snippets = await self._made(wanted, actor.account, is_open=access.is_open)
        return {message_id: snippet for (_, message_id), snippet in snippets.items()}

    async def of_account(
        self, actor: Actor, messages: Iterable[MessageName]
    ) -> Mapping[MessageName, str]:
        """The snippets of what the actor's account owns or has starred, in whatever inboxes.

        Others are left out, and those after the first MAX_SNIPPETS. Raises UnauthenticatedError for
        an actor without an account.
        """
        wanted = list(messages)[:MAX_SNIPPETS]
        return await self._made(wanted, account_of(actor), is_open=False)

    async def _made(
        self, wanted: Sequence[MessageName], viewer: str | None, *, is_open: bool
    ) -> Mapping[MessageName, str]:
        async def find(db: Executor) -> list[tuple[str, str, bytes]]:
            return await find_beginnings(db, wanted, viewer, is_open=is_open)

        found = await self._reads.reading(find)
        size = sum(
            max(len(stored), min(expanded_bytes(stored), BEGINNING_BYTES)) for _, _, stored in found
        )
        return await self._lane.run(size, partial(_snippets, found))


def _snippets(found: Iterable[tuple[str, str, bytes]]) -> dict[MessageName, str]:
    return {
        (inbox, message_id): snippet_of_beginning(_whole_lines(stored))
        for inbox, message_id, stored in found
    }


def _whole_lines(stored: bytes) -> bytes:
    """The beginning of a message. It ends with a line, so not within a character, if they are short
    (RFC 5322 section 2.1.1)."""
    beginning = expand_beginning(stored)
    if expanded_bytes(stored) <= len(beginning):
        return beginning
    return beginning[: beginning.rfind(b"\n", -_MAX_LINE_BYTES) + 1] or beginning
