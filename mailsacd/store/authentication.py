"""Statements that keep what was found out about who sent messages, beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailsacd.store.sql import Executor, none

# Rows that somebody else is changing are left out: who waits for none is in no deadlock.
_keep = none(
    """update message set auth = found.auth
       from (
           select message.inbox, message.id, wanted.auth
           from unnest(%(inboxes)s::text[], %(ids)s::text[], %(auths)s::text[])
               as wanted (inbox, id, auth)
           join message on message.inbox = wanted.inbox collate "C"
               and message.id = wanted.id collate "C"
           for no key update of message skip locked
       ) found
       where message.inbox = found.inbox and message.id = found.id"""
)


@dataclass(frozen=True, slots=True)
class FoundOut:
    """Of the message ``id`` in ``inbox``: ``auth`` is the text of core.authentication."""

    inbox: str
    id: str
    auth: str


async def keep_authentication(db: Executor, found: Sequence[FoundOut]) -> None:
    """Write ``found`` down, each message at most once.

    Those that are gone by now are left out, and those that somebody is changing at this moment:
    of these it is found out again when somebody asks.
    """
    await _keep(
        db,
        inboxes=[each.inbox for each in found],
        ids=[each.id for each in found],
        auths=[each.auth for each in found],
    )
