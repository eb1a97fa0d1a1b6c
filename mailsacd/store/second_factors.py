"""Statements on second factors, and the codes for when they are lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailsacd.store.sql import Executor, maybe, none


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """``sealed`` is the secret, which counts once it is ``confirmed``.

    No code of a step up to ``last_step`` counts any more. ``codes_left`` are the recovery codes
    that were not used. ``failures`` are the codes that were wrong since one was right; of the
    device none is taken for ``refused_for_s`` seconds.
    """

    sealed: bytes
    confirmed: datetime | None
    last_step: int
    codes_left: int
    failures: int
    refused_for_s: int


_COLUMNS = """sealed, confirmed, last_step, (
    select count(*) from recovery_code where recovery_code.login = second_factor.login),
    failures, greatest(ceil(extract(epoch from refused_until - clock_timestamp()))::int, 0)"""
_find = maybe(SecondFactor, f"select {_COLUMNS} from second_factor where login = %(login)s")  # noqa: S608  no input in it
_lock = maybe(
    SecondFactor,
    f"select {_COLUMNS} from second_factor where login = %(login)s for update",  # noqa: S608  as above
)
_begin = none(
    """insert into second_factor (login, sealed) values (%(login)s, %(sealed)s::bytea)
       on conflict (login) do update set sealed = excluded.sealed, created = now(), last_step = 0,
           failures = 0, refused_until = null
           where second_factor.confirmed is null"""
)
_confirm = none("update second_factor set confirmed = now() where login = %(login)s")
_note_step = none("update second_factor set last_step = %(step)s::bigint where login = %(login)s")
_note_right = none(
    "update second_factor set failures = 0, refused_until = null where login = %(login)s"
)
_note_wrong = none(
    """update second_factor set failures = failures + 1,
           refused_until = clock_timestamp() + make_interval(secs => %(refused_for_s)s::int)
       where login = %(login)s"""
)
_delete = none("delete from second_factor where login = %(login)s and confirmed is not null")
_take_code = none(
    "delete from recovery_code where login = %(login)s and code_hash = %(code_hash)s::bytea"
)
_delete_codes = none("delete from recovery_code where login = %(login)s")
_insert_codes = none(
    """insert into recovery_code (login, code_hash)
       select %(login)s, unnest(%(code_hashes)s::bytea[])"""
)


async def find_factor(db: Executor, login: str) -> SecondFactor | None:
    """Return the second factor of a login, confirmed or not, or None."""
    return await _find(db, login=login)


async def lock_factor(db: Executor, login: str) -> SecondFactor | None:
    """Return the second factor as `find_factor` does, and lock it until the transaction ends."""
    return await _lock(db, login=login)


async def begin_factor(db: Executor, login: str, sealed: bytes) -> bool:
    """Give a login a secret, which is yet to be confirmed. Returns False where one is."""
    return await _begin(db, login=login, sealed=sealed) == 1


async def confirm_factor(db: Executor, login: str) -> None:
    """Have signing in take a code from now on."""
    await _confirm(db, login=login)


async def note_step(db: Executor, login: str, step: int) -> None:
    """Have no code of that step, or an earlier one, count any more."""
    await _note_step(db, login=login, step=step)


async def note_right(db: Executor, login: str) -> None:
    """Forget the wrong codes: one was right."""
    await _note_right(db, login=login)


async def note_wrong(db: Executor, login: str, refused_for_s: int) -> None:
    """Count a wrong code, and have no code of the device taken for so many seconds from now."""
    await _note_wrong(db, login=login, refused_for_s=refused_for_s)


async def delete_factor(db: Executor, login: str) -> bool:
    """Take a login's second factor and recovery codes away. Returns False when it has none.

    One that was begun and not confirmed is none.
    """
    return await _delete(db, login=login) == 1


async def replace_codes(db: Executor, login: str, code_hashes: Sequence[bytes]) -> None:
    """Have these recovery codes count for a login, by their SHA-256, and no others."""
    await _delete_codes(db, login=login)
    await _insert_codes(db, login=login, code_hashes=list(code_hashes))


async def take_recovery_code(db: Executor, login: str, code_hash: bytes) -> bool:
    """Use a recovery code up. Returns False when it is none of the login's, or no more."""
    return await _take_code(db, login=login, code_hash=code_hash) == 1
