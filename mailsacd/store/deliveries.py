"""Statements on deliveries to webhooks and Slack.

Times come from the node's clock, but never from one that is behind the database's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict, Unpack

from mailsacd.core.delivery import Attempt, Claim, Delivery, State
from mailsacd.store.sql import Executor, column, many, maybe, none, one

ANY_OTHER: Final = ""

# Not delivered any more: taken back, the address released, the account gone or suspended.
_WANTED: Final = """(select case delivery.kind when 'slack' then address.webhook_slack
               else address.webhook end
           from address join account on account.name = address.owner
           where address.email = delivery.address and address.owner = delivery.account
               and not account.suspended and not account.removing)"""
_STATE: Final = """case when delivered then 'delivered' when finished is not null then 'failed'
               when claimed and due > greatest(now(), %(now)s::timestamptz) then 'delivering'
               else 'pending' end"""


class Which(TypedDict):
    """Which deliveries are wanted.

    They are ``limit`` after the first ``skip``, of an address and in a state unless these are None.
    """

    address: str | None
    state: State | None
    limit: int
    skip: int


def _claim(*columns: object) -> Claim:
    return Claim(**dict(zip(Claim.__dataclass_fields__, columns, strict=True)))  # type: ignore[arg-type]


def _delivery(*columns: object) -> Delivery:
    return Delivery(**dict(zip(Delivery.__dataclass_fields__, columns, strict=True)))  # type: ignore[arg-type]


_is_any_due: one[bool] = one(
    column,
    """select exists (select from delivery
       where due <= greatest(now(), %(now)s::timestamptz))""",
)
# From line to line by the index, one for each URL of an account's, so that a long one costs the
# others nothing; those before the same target take turns. More rows are locked than are taken:
# those are free again at once.
_HOOK: Final = 'md5(url) collate "C"'
_take = many(
    _claim,
    f"""with recursive waiting as (
           (select target, account, {_HOOK} as hook from delivery where due is not null
            order by target, account, hook limit 1)
           union all
           select next.target, next.account, next.hook from waiting cross join lateral (
               select target, account, {_HOOK} as hook from delivery
               where due is not null and (target, account, {_HOOK})
                   > (waiting.target, waiting.account, waiting.hook)
               order by target, account, hook limit 1
           ) next
       ), ready as (
           select locked.id, waiting.target, waiting.account,
               coalesce(of_target.room, %(target_room)s::integer) as target_room,
               coalesce(of_account.room, %(account_room)s::integer) as account_room,
               row_number() over (
                   partition by waiting.target, waiting.account, waiting.hook
                   order by locked.due) as turn,
               random() as lot
           from waiting
           left join unnest(%(targets)s::text[], %(target_rooms)s::integer[])
               as of_target (name, room) on of_target.name = waiting.target
           left join unnest(%(accounts)s::text[], %(account_rooms)s::integer[])
               as of_account (name, room) on of_account.name = waiting.account
           left join unnest(%(line_accounts)s::text[], %(line_urls)s::text[],
                   %(line_rooms)s::integer[])
               as of_line (account, url, room)
               on of_line.account = waiting.account and md5(of_line.url) = waiting.hook
           cross join lateral (
               select id, due from delivery
               where target = waiting.target and account = waiting.account
                   and {_HOOK} = waiting.hook
                   and due <= greatest(now(), %(now)s::timestamptz)
               order by due
               limit least(coalesce(of_target.room, %(target_room)s::integer),
                   coalesce(of_account.room, %(account_room)s::integer), of_line.room)
               for update skip locked
           ) locked
       ), ranked as (
           select id, turn, lot, target_room, account_room,
               row_number() over (partition by target order by turn, lot) as of_target,
               row_number() over (partition by account order by turn, lot) as of_account
           from ready
       ), taken as (
           select id from ranked
           where of_target <= target_room and of_account <= account_room
           order by turn, lot limit %(limit)s
       )
       update delivery set claimed = true, due = greatest(now(), %(now)s::timestamptz)
           + %(lease_s)s * interval '1 second'
       from taken where delivery.id = taken.id
       returning delivery.id, account, address, kind, url, target, inbox, message_id, attempts,
           begun, due, not exists (
               select from delivery other where other.id >= delivery.message_id
                   and other.id < delivery.id and other.message_id = delivery.message_id),
           {_WANTED},
           coalesce((select webhook_slack_to_from from address
                     where email = delivery.address), true), is_test""",  # noqa: S608  no input in it
)
_delivered = none(
    """update delivery set delivered = true, claimed = false, due = null,
           finished = greatest(now(), %(now)s::timestamptz), attempts = attempts + 1,
           code = %(code)s, error = ''
       where id = %(id)s"""
)
# Only by who holds it still: one that took too long must not undo what another node found.
_retry = none(
    """update delivery set claimed = false, due = %(due)s::timestamptz, attempts = attempts + 1,
           code = %(code)s::integer, error = %(error)s
       where id = %(id)s and claimed and due = %(until)s::timestamptz"""
)
_move = none(
    """update delivery set claimed = false, url = %(url)s,
           due = greatest(now(), %(now)s::timestamptz)
       where id = %(id)s and claimed and due = %(until)s::timestamptz"""
)
_end = none(
    """update delivery set claimed = false, due = null,
           finished = greatest(now(), %(now)s::timestamptz), attempts = attempts + %(tried)s,
           code = %(code)s::integer, error = %(error)s
       where id = %(id)s and claimed and due = %(until)s::timestamptz"""
)
_unhook = none(
    """update address set updated = now(),
           webhook = case when %(kind)s::text = 'slack' then webhook end,
           webhook_slack = case when %(kind)s::text = 'slack' then null else webhook_slack end
       where email = %(email)s and owner = %(owner)s
           and case when %(kind)s::text = 'slack' then webhook_slack else webhook end = %(url)s"""
)
_SHOWN: Final = f"""id, address, kind, url, inbox, message_id, {_STATE} as state, attempts, created,
    due, finished, code, error, is_test"""
_list = many(
    _delivery,
    f"""select * from (select {_SHOWN} from delivery
            where account = %(account)s
                and (%(address)s::text is null or address = %(address)s::text)
            order by account, id desc) listed
        where %(state)s::text is null or state = %(state)s::text
        order by id desc limit %(limit)s offset %(skip)s""",  # noqa: S608  no input in it
)
_find = maybe(
    _delivery,
    f"select {_SHOWN} from delivery where account = %(account)s and id = %(id)s",  # noqa: S608  no input in it
)
_add_tests: many[str] = many(
    column,
    """insert into delivery (id, account, address, kind, url, inbox, message_id, is_test)
       select %(message_id)s || '-' || left(hook.kind, 1) || 1, owner, email, hook.kind, hook.url,
           email, %(message_id)s, true
       from address cross join lateral (
           values ('webhook', webhook), ('slack', webhook_slack)) hook (kind, url)
       where email = %(email)s and owner = %(owner)s and hook.url is not null
       returning id""",
)
_again = none(
    f"""update delivery set delivered = false, finished = null, claimed = false, attempts = 0,
            begun = greatest(now(), %(now)s::timestamptz),
            due = greatest(now(), %(now)s::timestamptz), url = coalesce({_WANTED}, url)
        where account = %(account)s and id = %(id)s and {_STATE} <> 'delivering'"""  # noqa: S608  no input in it
)


async def is_any_due(db: Executor, now: datetime) -> bool:
    """Return whether there is any delivery to be claimed, or to be taken over."""
    return await _is_any_due(db, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """How many may be taken on: in ``all``; for each of ``targets`` and of ``accounts``, by the
    name ANY_OTHER for those that are not named; for ``lines``, which are an account and a URL.
    """

    all: int
    targets: Mapping[str, int]
    accounts: Mapping[str, int]
    lines: Mapping[tuple[str, str], int]


async def claim_deliveries(
    db: Executor, now: datetime, rooms: Rooms, *, lease_s: int
) -> list[Claim]:
    """Take on some deliveries that are due. Nobody else gets them within ``lease_s`` seconds."""
    return await _take(
        db,
        now=now,
        lease_s=lease_s,
        limit=rooms.all,
        target_room=rooms.targets[ANY_OTHER],
        targets=list(rooms.targets),
        target_rooms=list(rooms.targets.values()),
        account_room=rooms.accounts[ANY_OTHER],
        accounts=list(rooms.accounts),
        account_rooms=list(rooms.accounts.values()),
        line_accounts=[account for account, _ in rooms.lines],
        line_urls=[url for _, url in rooms.lines],
        line_rooms=list(rooms.lines.values()),
    )


async def record_delivered(db: Executor, claim: Claim, now: datetime, code: int) -> bool:
    """Record that the receiver took the delivery and answered ``code``.

    Returns False when there is no such delivery any more: its account is gone.
    """
    return await _delivered(db, id=claim.id, now=now, code=code) == 1


async def record_failed(db: Executor, claim: Claim, due: datetime, attempt: Attempt) -> None:
    """Record that the attempt failed. The next one is due at ``due``."""
    await _retry(
        db, id=claim.id, until=claim.until, due=due, code=attempt.code, error=attempt.error
    )


async def record_ended(
    db: Executor, claim: Claim, now: datetime, last: Attempt, *, tried: bool
) -> bool:
    """Record that there is no further attempt.

    ``last`` was ``tried`` just now, or says why none was. Returns False when another node holds the
    delivery by now.
    """
    ended = await _end(
        db,
        id=claim.id,
        until=claim.until,
        now=now,
        tried=int(tried),
        code=last.code,
        error=last.error,
    )
    return ended == 1


async def unhook(db: Executor, claim: Claim) -> bool:
    """Clear the URL that the delivery went to from its address's settings.

    Returns False when the address has another one by now, or is another's.
    """
    params = {"email": claim.address, "owner": claim.account, "kind": claim.kind, "url": claim.url}
    return await _unhook(db, **params) == 1


async def move_delivery(db: Executor, claim: Claim, now: datetime, url: str) -> None:
    """Have the delivery go to another URL, where it is due at once."""
    await _move(db, id=claim.id, until=claim.until, now=now, url=url)


async def list_deliveries(
    db: Executor, account: str, now: datetime, **which: Unpack[Which]
) -> list[Delivery]:
    """Return an account's deliveries, those of the newest message first."""
    return await _list(db, account=account, now=now, **which)


async def find_delivery(
    db: Executor, account: str, delivery_id: str, now: datetime
) -> Delivery | None:
    """Return one of an account's deliveries, or None."""
    return await _find(db, account=account, id=delivery_id, now=now)


async def add_tests(db: Executor, owner: str, email: str, message_id: str) -> list[str]:
    """Have each hook of an address of the owner's tested, with a message of that id.

    Returns the deliveries' ids, none where the address has neither webhook nor Slack.
    """
    return await _add_tests(db, owner=owner, email=email, message_id=message_id)


async def deliver_again(db: Executor, account: str, delivery_id: str, now: datetime) -> bool:
    """Make a delivery due now, to the URL that is set now.

    Returns False when it is being delivered.
    """
    return await _again(db, account=account, id=delivery_id, now=now) == 1
