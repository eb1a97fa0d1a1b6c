"""The statement on how messages begin: many at once, for a list that shows the first words."""

from collections.abc import Sequence
from typing import Final

from mailsacd.store.compression import BEGINNING_BYTES, stored_beginning_bytes
from mailsacd.store.raw_messages import (
    IS_RECENT,
    RawPlace,
    find_stored_beginnings,
    look_until_whole,
)
from mailsacd.store.retention import kept
from mailsacd.store.sql import Executor, many
from mailsacd.store.views import REACHABLE

_WANTED: Final = "unnest(%(inboxes)s::text[], %(ids)s::text[]) wanted (wanted_inbox, wanted_id)"
_THIS: Final = f"""inbox = wanted_inbox collate "C" and id = wanted_id collate "C"
    and {REACHABLE} and {kept("message.inbox", "%(viewer)s::text")}"""
# One look into the indexes for each message: a join that the planner chose might read all of them
_beginnings: many[tuple[str, str, bytes]] = many(
    lambda inbox, id_, stored: (inbox, id_, stored),
    f"""select found.inbox, found.id, stored
        from {_WANTED}
        cross join lateral (
            select inbox, id, (
                select substring(body for %(bytes)s::integer)
                from raw_message where raw_message.id = raw_id
            ) as stored
            from message where {_THIS} offset 0
        ) found""",  # noqa: S608  parts of SQL, no input
)
_places: many[tuple[str, str, RawPlace]] = many(
    lambda inbox, id_, *place: (inbox, id_, RawPlace(*place)),
    f"""select found.* from {_WANTED}
        cross join lateral (
            select inbox, id, raw_id, {IS_RECENT} from message where {_THIS} offset 0
        ) found""",  # noqa: S608  as above
)


async def find_beginnings(
    db: Executor,
    messages: Sequence[tuple[str, str]],
    viewer: str | None,
    *,
    is_open: bool,
    size: int = BEGINNING_BYTES,
) -> list[tuple[str, str, bytes]]:
    """Return inbox, id and the beginning of the stored form (store.compression) of ``messages``.

    It has their first ``size`` bytes. They are named by inbox and id; those that are not there for
    ``viewer`` are left out.
    ``is_open`` tells whether the viewer may look into the inboxes (see store.views).
    """
    wanted = {
        "inboxes": [inbox for inbox, _ in messages],
        "ids": [message_id for _, message_id in messages],
        "viewer": viewer,
        "open": is_open,
    }
    stored_bytes = stored_beginning_bytes(size)
    if not db.is_distributed:
        return await _beginnings(db, bytes=stored_bytes, **wanted)

    async def look() -> tuple[list[tuple[str, str, bytes]], bool]:
        rows = await _places(db, **wanted)
        stored, is_to_come = await find_stored_beginnings(
            db, {place for *_, place in rows}, stored_bytes
        )
        return [
            (inbox, id_, stored[place.raw_id])
            for inbox, id_, place in rows
            if place.raw_id in stored
        ], is_to_come

    return await look_until_whole(db, look)
