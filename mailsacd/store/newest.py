"""A statement on the newest messages of several inboxes at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailsacd.store.retention import kept
from mailsacd.store.sql import Executor, many
from mailsacd.store.views import AS_JSON, COLUMNS, VISIBLE

_newest = many(
    lambda place, json: (place, json),
    f"""select place, {AS_JSON}
        from unnest(%(inboxes)s::text[], %(from_ids)s::text[], %(limits)s::bigint[])
            with ordinality wanted (wanted_inbox, from_id, most, place)
        cross join lateral (
            select {COLUMNS} from message
            where inbox = wanted_inbox collate "C" and id >= from_id collate "C"
                and {VISIBLE} and {kept("message.inbox", "%(viewer)s::text")}
            order by id desc limit most
        ) found
        order by place, id desc""",  # noqa: S608  parts of SQL, no input
)


@dataclass(frozen=True, slots=True)
class Newest:
    """What is wanted: the newest ``limit`` messages of ``inbox`` with ids from ``from_id`` on."""

    inbox: str
    from_id: str
    limit: int


async def newest_messages(
    db: Executor, wanted: Sequence[Newest], viewer: str | None
) -> list[list[str]]:
    """Return for each that is ``wanted`` its messages as JSON, newest first.

    They are those that the account ``viewer`` (None: the public) sees, who may look into the
    inboxes.
    """
    rows = await _newest(
        db,
        inboxes=[each.inbox for each in wanted],
        from_ids=[each.from_id for each in wanted],
        limits=[each.limit for each in wanted],
        viewer=viewer,
    )
    found: list[list[str]] = [[] for _ in wanted]
    for place, json in rows:
        found[place - 1].append(json)
    return found
