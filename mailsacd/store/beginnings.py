"""The statement on how messages begin: many at once, for a list that shows the first words."""

from collections.abc import Sequence

from mailsacd.store.compression import STORED_BEGINNING_BYTES
from mailsacd.store.retention import kept
from mailsacd.store.sql import Executor, many
from mailsacd.store.views import REACHABLE

# One look into the indexes for each message: a join that the planner chose might read all of them
_beginnings: many[tuple[str, str, bytes]] = many(
    lambda inbox, id_, stored: (inbox, id_, stored),
    f"""select found.inbox, found.id, stored
        from unnest(%(inboxes)s::text[], %(ids)s::text[]) wanted (wanted_inbox, wanted_id)
        cross join lateral (
            select inbox, id, (
                select substring(body for {STORED_BEGINNING_BYTES})
                from raw_message where raw_message.id = raw_id
            ) as stored
            from message
            where inbox = wanted_inbox collate "C" and id = wanted_id collate "C"
                and {REACHABLE} and {kept("message.inbox", "%(viewer)s::text")}
            offset 0
        ) found""",  # noqa: S608  parts of SQL, no input
)


async def find_beginnings(
    db: Executor, messages: Sequence[tuple[str, str]], viewer: str | None, *, is_open: bool
) -> list[tuple[str, str, bytes]]:
    """Return inbox, id and the beginning of the stored form (store.compression) of ``messages``.

    These are named by inbox and id; those that are not there for ``viewer`` are left out.
    ``is_open`` tells whether the viewer may look into the inboxes (see store.views).
    """
    return await _beginnings(
        db,
        inboxes=[inbox for inbox, _ in messages],
        ids=[message_id for _, message_id in messages],
        viewer=viewer,
        open=is_open,
    )
