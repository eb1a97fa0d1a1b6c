"""Statements on load tests of domains, and on what is counted of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mailsacd.core.load_test import LoadTest
from mailsacd.store.sql import Executor, column, many, maybe, none, one

KEPT_DAYS: Final = 30
"""So long are the figures of a test kept, unless there is a later one of its domain."""
KEPT_OF_ACCOUNT: Final = 10
"""An account has so many tests at most: when it begins another one, the oldest are forgotten."""
KEPT: Final = 200
"""So many tests that have ended are kept in all. Each has up to a megabyte for each process."""

_COLUMNS: Final = "id, domain, owner, header, started, ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a process has counted of a test. ``ids`` are those that came since the last time.

    They are its ``piece`` of that number; with ``anew`` they are all, and stand for earlier ones.
    """

    test: str
    process: str
    figures: str
    piece: int
    ids: bytes
    anew: bool


def _test(*values: Any) -> LoadTest:
    return LoadTest(**dict(zip(_COLUMNS.split(", "), values, strict=True)))


_add = one(
    _test,
    f"""insert into load_test (id, domain, owner, header, ends)
        values (%(id)s, %(domain)s, %(owner)s, %(header)s,
            now() + make_interval(secs => %(lasting_s)s::int))
        returning {_COLUMNS}""",  # noqa: S608  no input in it
)
_latest = maybe(
    _test,
    f"""select {_COLUMNS} from load_test where domain = %(domain)s and owner = %(owner)s
        order by started desc limit 1""",  # noqa: S608  no input in it
)
_end = maybe(
    _test,
    f"""update load_test set ends = now()
        where domain = %(domain)s and owner = %(owner)s and ends > now()
        returning {_COLUMNS}""",  # noqa: S608  no input in it
)
_running = one(
    lambda ours, all_: (ours, all_),
    """select count(*) filter (where owner = %(owner)s), count(*) from load_test
       where ends > now()""",
)
_forget_earlier = none(
    f"""delete from load_test where owner = %(owner)s and ends <= now() and (
            domain = %(domain)s or id in (
                select id from load_test where owner = %(owner)s
                order by ends desc offset {KEPT_OF_ACCOUNT - 1}))"""  # noqa: S608  no input in it
)
_forget_old = none(
    f"""delete from load_test where ends < now() - interval '{KEPT_DAYS} days' or id in (
            select id from load_test where ends <= now() order by ends desc offset {KEPT})"""  # noqa: S608  no input in it
)
# A test may be gone since, with its account: what was counted of it goes nowhere.
_write = none(
    """with counted as (
           select counted.* from unnest(%(tests)s::text[], %(processes)s::text[],
               %(figures)s::text[], %(pieces)s::bigint[], %(ids)s::bytea[], %(anew)s::boolean[])
               as counted (test, process, figures, piece, ids, anew)
           join load_test on load_test.id = counted.test
       ), gone as (
           delete from load_test_ids using counted
           where counted.anew and load_test_ids.test = counted.test
               and load_test_ids.process = counted.process and load_test_ids.piece < counted.piece
       ), pieces as (
           insert into load_test_ids (test, process, piece, ids)
           select test, process, piece, ids from counted where length(ids) > 0
           on conflict (test, process, piece) do update set ids = excluded.ids
       )
       insert into load_test_figures (test, process, figures)
       select test, process, figures from counted
       on conflict (test, process) do update set figures = excluded.figures"""
)
_figures: many[tuple[str, str]] = many(
    lambda process, figures: (process, figures),
    "select process, figures from load_test_figures where test = %(test)s",
)
_ids: many[tuple[str, bytes]] = many(
    lambda process, ids: (process, ids),
    "select process, ids from load_test_ids where test = %(test)s",
)
_now: one[datetime] = one(column, "select now()")


async def add_load_test(
    db: Executor, id_: str, domain: str, owner: str, *, header: str, lasting_s: int
) -> LoadTest:
    """Begin a test, and forget the owner's ended ones of the same domain, or that are too many."""
    await _forget_earlier(db, domain=domain, owner=owner)
    values = {"id": id_, "domain": domain, "owner": owner, "header": header}
    return await _add(db, **values, lasting_s=lasting_s)


async def latest_load_test(db: Executor, domain: str, owner: str) -> LoadTest | None:
    """Return the test under way, else the last one; None when there was none."""
    return await _latest(db, domain=domain, owner=owner)


async def end_load_test(db: Executor, domain: str, owner: str) -> LoadTest | None:
    """End the test under way now. Returns None when there is none."""
    return await _end(db, domain=domain, owner=owner)


async def count_running(db: Executor, owner: str) -> tuple[int, int]:
    """Return how many tests are under way: of ``owner``, and in all."""
    return await _running(db, owner=owner)


async def write_counted(db: Executor, counted: Sequence[Counted]) -> None:
    """Write what was counted, in the place of what the same process wrote of the same test."""
    await _write(
        db,
        tests=[c.test for c in counted],
        processes=[c.process for c in counted],
        figures=[c.figures for c in counted],
        pieces=[c.piece for c in counted],
        ids=[c.ids for c in counted],
        anew=[c.anew for c in counted],
    )


async def read_counted(
    db: Executor, test: str
) -> tuple[datetime, list[tuple[str, str]], list[tuple[str, bytes]]]:
    """Return the time, and (process, figures) and (process, ids) of a test."""
    return await _now(db), await _figures(db, test=test), await _ids(db, test=test)


async def forget_old_load_tests(db: Executor) -> None:
    """Delete tests that ended KEPT_DAYS ago or are not the last KEPT, with all that was counted."""
    await _forget_old(db)
