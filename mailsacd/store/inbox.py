"""Statements on all the mail of an account, or of a domain, wherever it went."""

from typing import Final, Unpack

from mailsacd.store.deletion import Deletion, deletion
from mailsacd.store.retention import THERE, THERE_FOR_VIEWER, kept_of_account
from mailsacd.store.sql import Executor, column, one
from mailsacd.store.views import (
    ABOVE_ALL_IDS,
    AS_JSON_ARRAY,
    COLUMNS,
    VISIBLE_AMONG_MANY,
    IdPage,
    bounds,
)

BATCH: Final = 500
"""How many messages one statement deletes at most."""

_OWN: Final = "owner = %(viewer)s::text and (saved_by is null or saved_by = %(viewer)s::text)"
OWNED: Final = f"{_OWN} and {THERE_FOR_VIEWER}"
"""The account's own mail, but what another account has starred."""

KEPT: Final = kept_of_account("%(viewer)s::text")
"""What the account has not got beyond its limit, of rows that count for it."""

IN_FOLDER: Final = "folder = %(folder)s::text"
WITH_LABEL: Final = "(labels <> '{}' and %(label)s::text = any(labels))"
# A statement is planned once, for any folder and label: what has no parameter in it tells the
# planner that there is an index of just these rows (schema: 0039_filed.sql)
_FILED: Final = f"(folder <> 'inbox' and {IN_FOLDER})"
_IN_INBOX: Final = "folder = 'inbox'"

_WINDOW: Final = """and id < %(before)s and id >= %(from)s
                    order by id desc limit %(limit)s offset %(skip)s"""


def _list(condition: str) -> one[str]:
    page = f"select {COLUMNS} from message where {condition} {_WINDOW}"  # noqa: S608  parts of SQL, no input
    return one(column, f"select {AS_JSON_ARRAY} from ({page}) page")  # noqa: S608  as above


_owned = _list(f"{OWNED} and {KEPT}")
# What is left out is passed over in the index alone; not while some of it is gone (store.erasures)
_IDS: Final = " union all ".join(
    f"""(select id from message where {own} and {KEPT} and id < %(before)s and id >= %(from)s
             and {while_} order by id desc limit %(limit)s::bigint + %(skip)s::bigint)"""  # noqa: S608  as above
    for own, while_ in (
        (_OWN, "not (select exists (select from erasure))"),
        (OWNED, "(select exists (select from erasure))"),
    )
)
_owned_after_some = one(
    column,
    f"""select {AS_JSON_ARRAY} from (
            select {COLUMNS} from message where {OWNED} and id = any(array(
                select id from ({_IDS}) found
                order by id desc limit %(limit)s offset %(skip)s))
        ) page""",  # noqa: S608  as above
)
_filed = {
    (in_folder, labelled): _list(" and ".join(filter(None, (OWNED, KEPT, in_folder, labelled))))
    for in_folder in ("", _IN_INBOX, _FILED)
    for labelled in ("", WITH_LABEL)
    if in_folder or labelled
}
_starred = _list(f"saved_by = %(viewer)s::text and {THERE} and {KEPT}")
_of_domain = _list(f"domain = %(domain)s and {OWNED} and {KEPT}")


def inbox_deletion(count: int) -> Deletion[int]:
    """Return a statement that deletes ``count`` messages of an inbox, or ``limit`` if that is less.

    They are the newest of those with ids below ``before`` that the viewer sees and nobody has
    starred.
    """
    return deletion(
        f"""where inbox = %(inbox)s and id = any(array(
                select id from message where inbox = %(inbox)s and id < %(before)s
                    and saved_by is null and {VISIBLE_AMONG_MANY}
                order by id desc limit least({count}, %(limit)s))) and saved_by is null"""  # noqa: S608  parts of SQL, no input
    )


def domain_deletion(count: int) -> Deletion[int]:
    """Return a statement that deletes ``count`` messages of a domain that the viewer owns."""
    return deletion(
        f"""where (inbox, id) in (
                select inbox, id from message where domain = %(domain)s and {OWNED}
                limit {count}) and {OWNED}"""  # noqa: S608  parts of SQL, no input
    )


_purge_inbox = inbox_deletion(BATCH)
_purge_owned = deletion(
    f"""where inbox = %(inbox)s and id = any(array(
            select id from message where inbox = %(inbox)s and {OWNED}
            order by id desc limit {BATCH})) and {OWNED}"""  # noqa: S608  parts of SQL, no input
)
_purge_domain = domain_deletion(BATCH)


async def list_owned(db: Executor, account: str, **page: Unpack[IdPage]) -> str:
    """Return what the account owns, newest first, as the text of a JSON array."""
    listed = _owned_after_some if page["skip"] else _owned
    return await listed(db, viewer=account, **bounds(page))


async def list_filed(
    db: Executor, account: str, folder: str | None, label: str | None, **page: Unpack[IdPage]
) -> str:
    """Return what the account owns in ``folder``, with ``label``, as `list_owned` does.

    One of both may be None: it does not matter.
    """
    in_folder = "" if folder is None else _IN_INBOX if folder == "inbox" else _FILED
    listed = _filed[in_folder, "" if label is None else WITH_LABEL]
    return await listed(db, viewer=account, folder=folder, label=label, **bounds(page))


async def list_starred(db: Executor, account: str, **page: Unpack[IdPage]) -> str:
    """Return what the account has starred in any inbox, newest first, as a JSON array."""
    return await _starred(db, viewer=account, **bounds(page))


async def list_of_domain(db: Executor, account: str, domain: str, **page: Unpack[IdPage]) -> str:
    """Return what the account owns of a domain's mail, newest first, as a JSON array."""
    return await _of_domain(db, viewer=account, domain=domain, **bounds(page))


async def purge_inbox(
    db: Executor, inbox: str, viewer: str, before_id: str | None, limit: int | None
) -> int:
    """Delete some of what ``viewer`` sees in the inbox and nobody has starred. Returns how many.

    They are the newest of the ids below ``before_id`` (None: of all), ``limit`` at most (None: as
    many as one statement deletes).
    """
    return await _purge_inbox(
        db,
        inbox=inbox,
        viewer=viewer,
        before=before_id or ABOVE_ALL_IDS,
        limit=BATCH if limit is None else limit,
    )


async def purge_domain(db: Executor, domain: str, account: str) -> int:
    """Delete some of what the account owns of a domain's mail, starred too. Returns how many."""
    return await _purge_domain(db, domain=domain, viewer=account)


async def purge_owned(db: Executor, inbox: str, account: str) -> int:
    """Delete some of what the account owns in an inbox, starred too. Returns how many."""
    return await _purge_owned(db, inbox=inbox, viewer=account)
