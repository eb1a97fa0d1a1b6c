"""Statements that keep what was found out about who sent messages, beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailsacd.store.sql import Executor, none

_keep = none(
    """update message set auth = found.auth
       from unnest(%(inboxes)s::text[], %(ids)s::text[], %(auths)s::text[])
           as found (inbox, id, auth)
       where message.inbox = found.inbox collate "C" and message.id = found.id collate "C" """
)


@dataclass(frozen=True, slots=True)
class FoundOut:
    """Of the message ``id`` in ``inbox``: ``auth`` is the text of core.authentication."""

    inbox: str
    id: str
    auth: str


async def keep_authentication(db: Executor, found: Sequence[FoundOut]) -> None:
    """Write ``found`` down, each message at most once; those that are gone by now are left out."""
    await _keep(
        db,
        inboxes=[each.inbox for each in found],
        ids=[each.id for each in found],
        auths=[each.auth for each in found],
    )
