"""Raw messages where they are on other servers than all else (store.distribution).

There each statement is for raw messages alone, found by their ids: no join with `message`, and none
that changes both. Such a server shows what was committed a moment later than the one that all
nodes are connected to. So a raw message of the last hour that is not seen is looked for again.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from mailsacd.core.errors import UnavailableError
from mailsacd.core.maildrop import Measure, StoredMessage
from mailsacd.store.sql import Executor, column, many, maybe, none

T = TypeVar("T")

IS_RECENT: Final = "received > now() - interval '1 hour'"
"""Of a message's row: its raw message may not be seen yet. A server that was down meanwhile shows
it when it is up again, and Citus has asked it what it has prepared: once a minute."""

AT_ONCE: Final = 1_000
"""Raw messages that one statement is about at most."""

_LOOKS: Final = 20
_NOT_YET: Final = "Not all of the message is there yet, try again later"

COLUMNS: Final = "id, received, body, size, refs, plain, wire_size"
VALUES: Final = """unnest(%(raw_ids)s::text[]), unnest(%(times)s::timestamptz[]),
        unnest(%(bodies)s::bytea[]), unnest(%(sizes)s::integer[]), unnest(%(counts)s::integer[]),
        unnest(%(plain)s::boolean[]), unnest(%(wire_sizes)s::integer[])"""

insert_raws = none(f"insert into raw_message ({COLUMNS}) select {VALUES}")
"""Store raw messages; the parameters are arrays, a raw message in each place."""

_body: maybe[bytes] = maybe(column, "select body from raw_message where id = %(id)s")
_stored: many[tuple[str, StoredMessage]] = many(
    lambda id_, body, plain: (id_, StoredMessage(body, plain)),
    "select id, body, plain from raw_message where id = any(%(ids)s::text[])",
)
_stored_beginnings: many[tuple[str, bytes]] = many(
    lambda id_, beginning: (id_, beginning),
    """select id, substring(body for %(bytes)s::integer) from raw_message
       where id = any(%(ids)s::text[])""",
)
_wire_sizes: many[tuple[str, int | None]] = many(
    lambda id_, size: (id_, size),
    "select id, wire_size from raw_message where id = any(%(ids)s::text[])",
)
_unmeasured: many[tuple[str, bytes]] = many(
    lambda id_, body: (id_, body),
    """select id, body from raw_message
       where id = any(%(ids)s::text[]) and wire_size is null""",
)
_keep_measure = none(
    """update raw_message set plain = %(plain)s::boolean, wire_size = %(size)s::integer
       where id = %(id)s"""
)
_delete_last: many[str] = many(
    column,
    """delete from raw_message
       where id = any(%(ids)s::text[]) and refs <= %(copies)s::integer returning id""",
)
_take_off: maybe[int] = maybe(
    column,
    """update raw_message set refs = refs - %(copies)s::integer where id = %(id)s
       returning refs""",
)
_delete_unreferenced = none("delete from raw_message where id = %(id)s and refs <= 0")
_pause = many(lambda _: None, "select pg_sleep(0.05)")


@dataclass(frozen=True, slots=True)
class RawPlace:
    """The raw message of a message: its id, and whether it may not be seen yet (IS_RECENT)."""

    raw_id: str
    is_recent: bool


async def look_until_whole(db: Executor, look: Callable[[], Awaitable[tuple[T, bool]]]) -> T:
    """Return what ``look`` finds, once it tells that nothing of it is yet to come.

    It looks for the messages each time anew, for they may be deleted meanwhile. Raises
    UnavailableError when that takes too long.
    """
    for _ in range(_LOOKS):
        found, is_to_come = await look()
        if not is_to_come:
            return found
        await _pause(db)
    raise UnavailableError(_NOT_YET)


async def find_body_at(
    db: Executor, place: Callable[[], Awaitable[RawPlace | None]]
) -> bytes | None:
    """Return the raw message, compressed, at what ``place`` finds; None when that finds none."""

    async def look() -> tuple[bytes | None, bool]:
        found = await place()
        body = None if found is None else await _body(db, id=found.raw_id)
        return body, found is not None and found.is_recent and body is None

    return await look_until_whole(db, look)


async def find_stored(
    db: Executor, places: Collection[RawPlace]
) -> tuple[dict[str, StoredMessage], bool]:
    """Return the raw messages at ``places`` by their ids, and whether any is yet to come."""
    return await _found(db, _stored, places)


async def find_stored_beginnings(
    db: Executor, places: Collection[RawPlace], size: int
) -> tuple[dict[str, bytes], bool]:
    """Return the first ``size`` bytes of the stored raw messages, as `find_stored` does."""
    return await _found(db, _stored_beginnings, places, bytes=size)


async def _found(
    db: Executor, find: many[tuple[str, T]], places: Collection[RawPlace], **params: object
) -> tuple[dict[str, T], bool]:
    found = dict(await find(db, ids=sorted({place.raw_id for place in places}), **params))
    return found, any(place.is_recent and place.raw_id not in found for place in places)


async def find_wire_sizes(db: Executor, raw_ids: Sequence[str]) -> dict[str, int | None]:
    """Return how many octets POP3 sends of raw messages, None where nobody has measured it."""
    found: dict[str, int | None] = {}
    for first in range(0, len(raw_ids), AT_ONCE):
        found |= await _wire_sizes(db, ids=list(raw_ids[first : first + AT_ONCE]))
    return found


async def find_unmeasured_raws(db: Executor, raw_ids: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return id and body of those of the raw messages that nobody has measured."""
    return await _unmeasured(db, ids=list(raw_ids))


async def keep_measures_apart(db: Executor, measures: Sequence[Measure]) -> None:
    """Store what was measured of raw messages."""
    for each in measures:
        await _keep_measure(db, id=each.raw_id, plain=each.plain, size=each.wire_size)


async def release(db: Executor, copies: Mapping[str, int], recent: Collection[str]) -> None:
    """Take deleted ``copies`` off their raw messages, within a transaction; the last goes with it.

    ``copies`` has numbers by ids. Those in ``recent`` have to be there: raises UnavailableError.
    """
    left = dict(copies)
    for number, ids in _by_number(copies).items():
        for first in range(0, len(ids), AT_ONCE):
            for gone in await _delete_last(db, ids=ids[first : first + AT_ONCE], copies=number):
                del left[gone]
    # In one order everywhere: who else deletes copies of the same mail waits, without deadlock
    for raw_id in sorted(left):
        await _release_one(db, raw_id, left[raw_id], is_recent=raw_id in recent)


async def _release_one(db: Executor, raw_id: str, number: int, *, is_recent: bool) -> None:
    async def look() -> tuple[int | None, bool]:
        refs = await _take_off(db, id=raw_id, copies=number)
        return refs, refs is None and is_recent

    refs = await look_until_whole(db, look)
    if refs is not None and refs <= 0:
        await _delete_unreferenced(db, id=raw_id)


def _by_number(copies: Mapping[str, int]) -> dict[int, list[str]]:
    return {
        number: sorted(id_ for id_, each in copies.items() if each == number)
        for number in sorted(Counter(copies.values()))
    }
