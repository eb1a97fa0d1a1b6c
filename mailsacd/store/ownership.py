"""Statements that tell who holds an address or a domain, and that change whose messages are."""

from datetime import datetime
from typing import Any, Final

from mailsacd.core.load_test import LoadTestRun
from mailsacd.core.ownership import AddressFacts, DomainFacts
from mailsacd.core.token import milliseconds, time_prefix
from mailsacd.store.deletion import deletion
from mailsacd.store.events import COMMIT_WITHIN_S
from mailsacd.store.retention import PUBLIC, THERE, kept, there
from mailsacd.store.sql import Executor, maybe, none, one
from mailsacd.store.views import ABOVE_ALL_IDS


def _facts(
    owner: str | None,
    run_ends_ms: int | None,
    test: str | None,
    header: str,
    ends_ms: int,
    *flags: Any,
) -> DomainFacts:
    claimed, is_private, enablews, catch_all, forwards, hooks, transcripts = map(bool, flags)
    return DomainFacts(
        owner=owner,
        claimed=claimed,
        is_private=is_private,
        catch_all=catch_all,
        enablews=enablews,
        forwards=forwards,
        hooks=hooks,
        transcripts=transcripts,
        load_test=None if test is None else LoadTestRun(id=test, header=header, ends_ms=ends_ms),
        run_ends_ms=run_ends_ms,
    )


_address_facts = maybe(
    AddressFacts, "select owner, forward, transcript from address where email = %(email)s"
)
_domain_facts = maybe(
    _facts,
    """select found.owner,
           (select (extract(epoch from ends) * 1000)::bigint from run where domain = %(name)s),
           test.id, test.header, (extract(epoch from test.ends) * 1000)::bigint,
           claims > 0, is_private, enablews,
           (select catch_all from address
            where email = '*@' || %(name)s::text and address.owner = found.owner),
           exists (select 1 from address where domain = %(name)s and forward is not null),
           exists (select 1 from address
                   where domain = %(name)s and (webhook is not null or webhook_slack is not null)),
           exists (select 1 from address where domain = %(name)s and transcript)
       from (
           select count(*) as claims, max(owner) filter (where verified) as owner,
               bool_or(is_private) filter (where verified) as is_private,
               bool_or(enablews) filter (where verified) as enablews
           from domain where name = %(name)s
       ) found
       left join load_test test on test.domain = %(name)s and test.owner = found.owner
           and test.ends > now()
       where claims > 0 or exists (select 1 from address where domain = %(name)s)""",
)
_WITHIN: Final = "message.inbox = %(inbox)s::text and message.id between %(first)s and %(last)s"
_adopt = none(
    f"""update message set owner = %(owner)s::text, private = true, subject = texts.subject,
           sender = texts.sender, recipients = texts.recipients
       from message as old, search_texts(old.facts) as texts
       where {_WITHIN} and old.inbox = %(inbox)s and old.id = message.id
           and (message.owner is null
               or message.owner = %(owner)s::text and not message.private)
           and (message.saved_by is null or message.saved_by = %(owner)s::text)
           and {THERE} and {there(owner="%(owner)s::text")}""",  # noqa: S608  no input in it
)
_remove_beyond = deletion(f"where {_WITHIN} and {PUBLIC} and not ({kept('%(inbox)s::text')})")
_hide_domain = none(
    f"""update message set private = true
       where owner = %(owner)s and domain = %(domain)s and not private and {THERE}"""  # noqa: S608  as above
)

_others: one[bool] = one(
    bool,
    """select exists (
           select 1 from address where domain = %(domain)s and owner <> %(owner)s)""",
)


async def address_facts(db: Executor, email: str) -> AddressFacts | None:
    """Return what is known of an address, or None when nobody reserved it."""
    return await _address_facts(db, email=email)


async def domain_facts(db: Executor, name: str) -> DomainFacts | None:
    """Return what is known of a domain, or None when nobody owns or has claimed anything of it."""
    return await _domain_facts(db, name=name)


async def has_others_addresses(db: Executor, domain: str, owner: str) -> bool:
    """Return whether another account than ``owner`` has reserved an address of a domain."""
    return await _others(db, domain=domain, owner=owner)


async def adopt_messages(
    db: Executor, inbox: str, owner: str, *, around: datetime | None = None
) -> None:
    """Make the inbox's public messages ``owner``'s, and private.

    What others have starred stays as it is. What was beyond the limits of public mail, and is not
    yet removed, is removed now. With ``around`` only those are looked at that may have been under
    way at that time.
    """
    within = {"inbox": inbox, "first": "", "last": ABOVE_ALL_IDS}
    if around is not None:
        ms = milliseconds(around)
        within["first"] = time_prefix(ms - COMMIT_WITHIN_S * 1_000)
        within["last"] = time_prefix(ms + COMMIT_WITHIN_S * 1_000)
    await _remove_beyond(db, **within)
    await _adopt(db, owner=owner, **within)


async def hide_domain_messages(db: Executor, domain: str, owner: str) -> None:
    """Make the owner's messages of a domain private."""
    await _hide_domain(db, domain=domain, owner=owner)
