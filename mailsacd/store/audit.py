"""Statements on the audit log."""

from typing import Any, Final, TypedDict, Unpack

from mailsacd.core.audit import Act, AuditEntry, Author, Topic
from mailsacd.store.sql import Executor, many, none

_SOME: Final = 1_000


def _entry(id_: str, *columns: Any) -> AuditEntry:
    topic, action, subject, detail, kind, name, peer = columns
    return AuditEntry(
        id=id_,
        act=Act(topic, action, subject, detail),
        author=Author(kind=kind, name=name, peer=peer),
    )


class Which(TypedDict):
    """Which entries are wanted: with ids from ``from_id`` up to below ``before_id``.

    They are ``limit`` after the first ``skip``, of a topic unless that is None.
    """

    from_id: str
    before_id: str
    topic: Topic | None
    limit: int
    skip: int


# Not of an account that is being removed: nothing may be left for the next one of that name.
_insert = none(
    """insert into audit (id, account, topic, action, subject, detail, author, name, peer)
       select %(id)s, %(account)s, %(topic)s, %(action)s, subject, %(detail)s, %(author)s,
           %(name)s, %(peer)s
       from (values (%(subject)s)) as entry (subject)
       where exists (select from account where name = %(account)s and not removing)"""
)
_list = many(
    _entry,
    """select id, topic, action, subject, detail, author, name, peer from audit
       where account = %(account)s and id < %(before_id)s and id >= %(from_id)s
           and (%(topic)s::text is null or topic = %(topic)s::text)
       order by id desc limit %(limit)s offset %(skip)s""",
)
_forget = none(
    f"""delete from audit where id in (
            select id from audit where id < %(before)s order by id limit {_SOME})"""  # noqa: S608  no input in it
)
# From topic to topic of each account by the index
_forget_surplus = none(
    f"""with recursive line (account, topic) as (
            (select account, topic from audit order by account, topic limit 1)
            union all
            select next.account, next.topic from line cross join lateral (
                select account, topic from audit
                where (account, topic) > (line.account, line.topic)
                order by account, topic limit 1) next
        )
        delete from audit where id in (
            select old.id from line cross join lateral (
                select id from audit
                where audit.account = line.account and audit.topic = line.topic
                order by id desc offset %(most)s limit {_SOME}) old)"""  # noqa: S608  no input in it
)


async def add_entry(db: Executor, account: str, entry: AuditEntry) -> None:
    """Store an entry, but for an account that is not there or is being removed."""
    act, author = entry.act, entry.author
    await _insert(
        db,
        id=entry.id,
        account=account,
        topic=act.topic,
        action=act.action,
        subject=act.subject,
        detail=act.detail,
        author=author.kind,
        name=author.name,
        peer=author.peer,
    )


async def list_entries(db: Executor, account: str, **which: Unpack[Which]) -> list[AuditEntry]:
    """Return an account's entries, newest first."""
    return await _list(db, account=account, **which)


async def forget_entries(db: Executor, before_id: str) -> bool:
    """Delete some of the entries with ids below ``before_id``.

    Returns whether there may be more.
    """
    return await _forget(db, before=before_id) == _SOME


async def forget_surplus(db: Executor, most: int) -> int:
    """Delete some of what an account has of a topic beyond the ``most`` newest.

    Returns how many.
    """
    return await _forget_surplus(db, most=most)
