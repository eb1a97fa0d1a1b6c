"""Statements that keep how likely messages are spam, beside them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailsacd.core.message_form import NOT_SCORED
from mailsacd.store.sql import Executor, column, many, maybe, none


@dataclass(frozen=True, slots=True)
class KeptReport:
    """What is kept of a message's score: the text of core.spam, or None. ``account`` is whose the
    message is, which may want none of its mail scored (``unwilling``)."""

    report: str | None
    account: str | None
    unwilling: bool


# Rows that somebody else is changing are left out: who waits for none is in no deadlock.
_keep = none(
    f"""update message
       set spam = found.report, facts = replace(facts, '{NOT_SCORED}', found.fact),
           folder = case when found.moved and folder = 'inbox' and read is null
               then 'spam' else folder end
       from (
           select message.inbox, message.id, wanted.report, wanted.fact, wanted.moved
           from unnest(%(inboxes)s::text[], %(ids)s::text[], %(reports)s::text[],
                   %(facts)s::text[], %(moved)s::boolean[])
               as wanted (inbox, id, report, fact, moved)
           join message on message.inbox = wanted.inbox collate "C"
               and message.id = wanted.id collate "C"
           where message.spam is null
           for no key update of message skip locked
       ) found
       where message.inbox = found.inbox and message.id = found.id"""  # noqa: S608  no input in it
)
_find: maybe[KeptReport] = maybe(
    KeptReport,
    """select spam, coalesce(owner, saved_by), exists (
           select from account where name = coalesce(owner, saved_by) and disable_spam)
       from message where inbox = %(inbox)s and id = %(id)s""",
)
_disabled: many[str] = many(
    column, "select name from account where name = any(%(names)s::text[]) and disable_spam"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Of the message ``id`` in ``inbox``: ``report`` is the text of core.spam, ``fact`` what stands
    in its facts. ``moved``: it is to go to the folder spam."""

    inbox: str
    id: str
    report: str
    fact: str
    moved: bool


async def keep_scores(db: Executor, scored: Sequence[Scored]) -> None:
    """Write ``scored`` down, each message at most once.

    What has a score stays as it is. Messages that are gone by now are left out, and those that
    somebody is changing at this moment; whoever asks for these has them scored again. Only what
    nobody has read or filed is moved.
    """
    await _keep(
        db,
        inboxes=[each.inbox for each in scored],
        ids=[each.id for each in scored],
        reports=[each.report for each in scored],
        facts=[each.fact for each in scored],
        moved=[each.moved for each in scored],
    )


async def find_report(db: Executor, inbox: str, message_id: str) -> KeptReport:
    """Return what is kept of a message's score."""
    found = await _find(db, inbox=inbox, id=message_id)
    return found or KeptReport(None, None, unwilling=False)


async def those_who_want_none(db: Executor, accounts: Collection[str]) -> set[str]:
    """Return those of ``accounts`` whose mail is not to be scored."""
    return set(await _disabled(db, names=list(accounts)))
