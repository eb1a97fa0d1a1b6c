"""Statements on the newest messages of several inboxes, or of several domains, at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailsacd.store.inbox import KEPT, OWNED
from mailsacd.store.retention import kept
from mailsacd.store.sql import Executor, many
from mailsacd.store.views import AS_JSON, COLUMNS, VISIBLE

Kind = Literal["inbox", "domain"]


def _newest(condition: str) -> many[tuple[int, str]]:
    return many(
        lambda place, json: (place, json),
        f"""select place, {AS_JSON}
            from unnest(%(names)s::text[], %(from_ids)s::text[], %(limits)s::bigint[])
                with ordinality wanted (name, from_id, most, place)
            cross join lateral (
                select {COLUMNS} from message
                where {condition} and id >= from_id collate "C"
                order by id desc limit most
            ) found
            order by place, id desc""",  # noqa: S608  parts of SQL, no input
    )


_newest_of: dict[Kind, many[tuple[int, str]]] = {
    "inbox": _newest(
        f"""inbox = wanted.name collate "C" and {VISIBLE}
            and {kept("message.inbox", "%(viewer)s::text")}"""
    ),
    "domain": _newest(f"""domain = wanted.name collate "C" and {OWNED} and {KEPT}"""),
}


@dataclass(frozen=True, slots=True)
class Newest:
    """What is wanted: the newest ``limit`` messages with ids from ``from_id`` on, of the inbox
    or of all inboxes of the domain that ``name`` is.
    """

    kind: Kind
    name: str
    from_id: str
    limit: int


async def newest_messages(
    db: Executor, wanted: Sequence[Newest], viewer: str | None
) -> list[list[str]]:
    """Return for each that is ``wanted``, all of one kind, its messages as JSON, newest first.

    They are those that the account ``viewer`` (None: the public) sees, who may look into the
    inboxes; of domains those that it owns.
    """
    rows = await _newest_of[wanted[0].kind](
        db,
        names=[each.name for each in wanted],
        from_ids=[each.from_id for each in wanted],
        limits=[each.limit for each in wanted],
        viewer=viewer,
    )
    found: list[list[str]] = [[] for _ in wanted]
    for place, json in rows:
        found[place - 1].append(json)
    return found
