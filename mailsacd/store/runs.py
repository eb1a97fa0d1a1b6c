"""Statements on runs. A run that has ended is kept for a while: mail for it may be under way."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from mailsacd.core.run import Run
from mailsacd.store.erasures import erase_domain
from mailsacd.store.faults import remove_plan
from mailsacd.store.sql import Executor, many, maybe, none, one

FORGOTTEN_AFTER_S: Final = 900
"""So long after its end a run is known, and what still comes for it is its account's.

A transaction that began before the end may take longer: what it brings is hidden from everybody
(store.storing)."""

MAX_LISTED: Final = 10_000

_NAMES: Final = ("id", "domain", "owner", "name", "created", "ends")
_COLUMNS: Final = ", ".join(_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that begins now; ``key_hash`` is the SHA-256 of its key."""

    id: str
    domain: str
    owner: str
    name: str
    key_hash: bytes
    lasting_s: int


@dataclass(frozen=True, slots=True)
class RunKey:
    """What a key of a run is good for. ``suspended`` tells whether the account is."""

    account: str
    domain: str
    ends: datetime
    has_ended: bool
    suspended: bool


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How many runs there are: ``open`` ones of an account, all that it has, and open ones in all.

    Those that have ended count for ``known`` as long as they are known.
    """

    open: int
    known: int
    everybodys: int


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run whose mail is to be deleted; ``is_over`` tells that it can be forgotten after that.

    ``is_new`` tells that it was not deleted before.
    """

    id: str
    domain: str
    owner: str
    is_over: bool
    is_new: bool


def _run(*values: Any) -> Run:
    return Run(**dict(zip(_NAMES, values, strict=True)))


_add = one(
    _run,
    f"""with brought as (
            insert into domain (name, owner, enablews, verified, verification_txt, of_run)
            values (%(domain)s::text, %(owner)s::text, true, true, '', true)
        )
        insert into run (id, domain, owner, name, key_hash, ends)
        values (%(id)s, %(domain)s, %(owner)s, %(name)s, %(key_hash)s::bytea,
            now() + make_interval(secs => %(lasting_s)s::int))
        returning {_COLUMNS}""",  # noqa: S608  no input in it
)
_find = maybe(
    _run,
    f"""select {_COLUMNS} from run
        where id = %(id)s and owner = %(owner)s and ends > now()""",  # noqa: S608  as above
)
_list = many(
    _run,
    f"""select {_COLUMNS} from run where owner = %(owner)s and ends > now()
        order by created desc, id desc limit {MAX_LISTED}""",  # noqa: S608  as above
)
_end = maybe(
    _run,
    f"""update run set ends = now()
        where id = %(id)s and owner = %(owner)s and ends > now() returning {_COLUMNS}""",  # noqa: S608  as above
)
_counts = one(
    RunCounts,
    """select (select count(*) from run where owner = %(owner)s and ends > now()),
           (select count(*) from run where owner = %(owner)s),
           (select count(*) from run where ends > now())""",
)
_key = maybe(
    RunKey,
    """select run.owner, run.domain, run.ends, run.ends <= now(),
           account.suspended or account.removing
       from run join account on account.name = run.owner
       where run.key_hash = %(hash)s::bytea""",
)
_ended = many(
    EndedRun,
    f"""select id, domain, owner, ends < now() - interval '{FORGOTTEN_AFTER_S} seconds',
            erased is null
        from run where ends <= now()
            and (erased is null or ends < now() - interval '{FORGOTTEN_AFTER_S} seconds')
        order by ends limit %(limit)s::int for update skip locked""",  # noqa: S608  as above
)
# Of what was refused, as after the end: else it would be kept for days
_forget_refused = none(
    """delete from refused_transcript
       where account = %(owner)s and split_part(inbox, '@', -1) = %(domain)s"""
)
_erased = none("update run set erased = now() where id = %(id)s")
_forget = none(
    """with ended as (delete from run where id = %(id)s returning domain, owner)
       delete from domain using ended
       where domain.name = ended.domain and domain.owner = ended.owner and domain.of_run"""
)


async def add_run(db: Executor, new: NewRun) -> Run:
    """Begin a run, whose domain is the account's from then on."""
    return await _add(db, **asdict(new))


async def find_run(db: Executor, owner: str, run_id: str) -> Run | None:
    """Return a run of the account that has not ended, or None."""
    return await _find(db, owner=owner, id=run_id)


async def list_runs(db: Executor, owner: str) -> list[Run]:
    """Return an account's runs that have not ended, newest first, MAX_LISTED at most."""
    return await _list(db, owner=owner)


async def end_run(db: Executor, owner: str, run_id: str) -> Run | None:
    """End a run of the account now. Returns None when there is none that has not ended."""
    return await _end(db, owner=owner, id=run_id)


async def count_runs(db: Executor, owner: str) -> RunCounts:
    """Return how many runs ``owner`` and everybody have."""
    return await _counts(db, owner=owner)


async def find_run_key(db: Executor, key_hash: bytes) -> RunKey | None:
    """Return what the key with that SHA-256 is, or was, good for; None once that is forgotten."""
    return await _key(db, hash=key_hash)


async def claim_ended_runs(db: Executor, *, limit: int) -> Sequence[EndedRun]:
    """Return runs whose mail is to be deleted, within a transaction: no other node gets them.

    That is twice for each: when it has ended, and when it is to be forgotten.
    """
    return await _ended(db, limit=limit)


async def delete_mail(db: Executor, run: Run | EndedRun) -> None:
    """Have all mail of a run be gone (store.erasures), its faults, and what is known of its mail.

    That it was done is recorded, within a transaction.
    """
    await erase_domain(db, run.domain, run.owner)
    await _forget_refused(db, owner=run.owner, domain=run.domain)
    await remove_plan(db, run.domain, run.owner)
    await _erased(db, id=run.id)


async def forget_run(db: Executor, run_id: str) -> None:
    """Forget a run that has ended, and that its domain is the account's."""
    await _forget(db, id=run_id)
