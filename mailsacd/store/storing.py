"""The one statement that makes mail durable, with all that follows from it.

It stores the raw messages and everybody's copies, says whose they are, puts down what is to be
delivered to webhooks and Slack, and leaves one event for those who wait for mail.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from mailsacd.core.errors import StatementError
from mailsacd.core.message import NewEnvelope, NewMessage, Owned
from mailsacd.core.run import DOMAIN_FORM, is_of_run
from mailsacd.core.token import utc_from_ms
from mailsacd.store.raw_messages import COLUMNS, VALUES, insert_raws
from mailsacd.store.sql import Executor, many, none

# Arrays are unpacked side by side where they are selected: in the from clause of a statement they
# would be copied into a table first.
_NEW: Final = """unnest(%(inboxes)s::text[]) as inbox, unnest(%(ids)s::text[]) as id,
    (%(raw_ids)s::text[])[unnest(%(places)s::integer[])] as raw_id,
    unnest(%(domains)s::text[]) as domain,
    (%(times)s::timestamptz[])[unnest(%(places)s::integer[])] as received,
    (%(sizes)s::integer[])[unnest(%(places)s::integer[])] as bytes,
    (%(auths)s::text[])[unnest(%(places)s::integer[])] as auth,
    unnest(%(facts)s::text[]) as facts, unnest(%(transcripts)s::bytea[]) as transcript,
    unnest(%(attachments)s::text[])::uuid[] as attachments"""


def _raws_unless(apart: bool) -> str:
    return "" if apart else f"raws as (insert into raw_message ({COLUMNS}) select {VALUES}),"


# Nobody owns anything of the domains: no owner to look for, nothing to deliver.
_PUBLIC: Final = f"""events as (
        insert into event (messages) values (%(event)s)
    )
    insert into message (inbox, id, raw_id, domain, received, bytes, auth, facts, transcript,
        attachments)
    select {_NEW}"""  # noqa: S608  parts of SQL, no input

# An address that is reserved goes before its domain. Before both goes the account that forwarded
# the mail to there: if it gave the address up just now, the mail is neither lost nor another's.
# What comes for a run that is forgotten is nobody's, and hidden from everybody.
# The subqueries are closed by their offsets: whose a row is, is worked out once, and its texts only
# where there is an owner.
_OWNED: Final = f"""copies as (
    insert into message (inbox, id, raw_id, domain, received, bytes, auth, facts, transcript,
        attachments, passed, saved_by, owner, private, subject, sender, recipients)
    select inbox, id, raw_id, domain, received, bytes, auth, facts, transcript, attachments,
        passed, saved_by, owner, private, texts.subject, texts.sender, texts.recipients
    from (
        select new.inbox, new.id, raw_id, new.domain, received, bytes, auth, facts,
            new.transcript, attachments,
            case when ways is not null
                then array(select json_array_elements_text(ways::json)) end as passed,
            saver.name as saved_by,
            coalesce(forwarder.name, address.owner, domain.owner) as owner,
            address.owner is not null or coalesce(domain.is_private, new.domain ~ '{DOMAIN_FORM}')
                or new.saved_by is distinct from saver.name
                or coalesce(forwarder.name <> domain.owner, forwarder.name is not null) as private
        from (
            select {_NEW}, unnest(%(ways)s::text[]) as ways,
                unnest(%(forwarders)s::text[]) as forwarded_by,
                unnest(%(savers)s::text[]) as saved_by
        ) new
        left join address on address.email = new.inbox collate "C"
        left join domain on domain.name = new.domain collate "C" and domain.verified
        left join account forwarder
            on forwarder.name = forwarded_by collate "C" and not forwarder.removing
        left join account saver on saver.name = new.saved_by collate "C" and not saver.removing
        offset 0
    ) stamped
    left join lateral (
        select * from search_texts(facts) where owner is not null offset 0
    ) texts on true
    returning id, inbox, owner, private, saved_by, passed
), events as (
    insert into event (messages)
    select json_agg(json_build_array(id, inbox, owner, private, saved_by, passed, exists (
        select from address join domain on domain.name = address.domain
        where address.email = '*@' || split_part(inbox, '@', -1) and address.owner = copies.owner
            and address.catch_all and domain.verified and domain.owner = copies.owner
            and exists (select from address reserved where reserved.email = copies.inbox))))::text
    from copies
)"""  # noqa: S608  as above

# Those of the addresses on the way, and those of the enabled catch-alls that these would have been
# in, were they not reserved.
_HOOKS: Final = """hooks as (
    insert into delivery (id, account, address, kind, url, inbox, message_id)
    select copies.id || '-' || left(hook.kind, 1) || path.place, copies.owner, address.email,
        hook.kind, hook.url, copies.inbox, copies.id
    from copies
    cross join array_append(passed, inbox) as ways
    cross join lateral (
        select email, min(place) as place
        from unnest(ways || array(select '*@' || split_part(way, '@', -1) from unnest(ways) way))
            with ordinality named (email, place)
        group by email
    ) path
    join address on address.email = path.email and address.owner = copies.owner
        and (path.place <= cardinality(ways) or address.catch_all and exists (
            select from domain
            where name = address.domain and verified and domain.owner = copies.owner))
    cross join lateral (
        values ('webhook', address.webhook), ('slack', address.webhook_slack)
    ) hook (kind, url)
    where hook.url is not null and coalesce(copies.saved_by = copies.owner, true)
    returning message_id
)"""


def _whose(id_: str, *whose: Any) -> tuple[str, Owned]:
    return id_, Owned(*whose)


_SOMEBODYS: Final = {
    True: f"""{_OWNED}, {_HOOKS}
    select id, owner, private, id in (select message_id from hooks)
    from copies where owner is not null""",  # noqa: S608  as above
    False: f"{_OWNED} select id, owner, private, false from copies where owner is not null",  # noqa: S608  as above
}
# By whether the raw messages are stored by another statement
_store_public = {apart: none(f"with {_raws_unless(apart)} {_PUBLIC}") for apart in (False, True)}
_store_somebodys = {
    (apart, hooks): many(_whose, f"with {_raws_unless(apart)} {text}")
    for apart in (False, True)
    for hooks, text in _SOMEBODYS.items()
}


_encode = msgspec.json.Encoder().encode


async def store_envelopes(
    db: Executor,
    batch: Sequence[NewEnvelope],
    *,
    public: bool = False,
    hooks: bool = True,
) -> dict[str, Owned]:
    """Store all of ``batch`` in one statement: all of it is committed, or nothing.

    Where raw messages are on other servers these have a statement of their own before, in one
    transaction with it.

    Mail of a run that is forgotten is stored as nobody's, hidden from everybody, until it is as old
    as public mail gets.

    Tells which of the messages, by id, are somebody's. ``public`` says that nobody owns anything
    of any of the domains nor starred nor forwarded any of them, so that this need not be looked up;
    not ``hooks``, that no address of these has a webhook or Slack. The reactor is held while the
    raws are sent: who makes a batch bounds its bytes. Raises StatementError, also for a text that
    PostgreSQL cannot hold.
    """
    copies = [(new, message) for new in batch for message in new.messages]
    public = public and not any(is_of_run(message.domain) for _, message in copies)
    places = [place for place, new in enumerate(batch, 1) for _ in new.messages]
    params: dict[str, Any] = _raws(batch) | _copies(copies) | {"places": places}
    params |= {"event": _event(copies)} if public else _ways(copies)
    try:
        if not db.is_distributed:
            return await _store(db, params, public=public, hooks=hooks)

        async def work(transaction: Executor) -> dict[str, Owned]:
            await insert_raws(transaction, **params)
            return await _store(transaction, params, public=public, hooks=hooks)

        return await db.together(work)
    except ValueError as e:
        raise StatementError("The database cannot hold the text of a message") from e


async def _store(
    db: Executor, params: dict[str, Any], *, public: bool, hooks: bool
) -> dict[str, Owned]:
    if public:
        await _store_public[db.is_distributed](db, **params)
        return {}
    return dict(await _store_somebodys[db.is_distributed, hooks](db, **params))


Copies = Sequence[tuple[NewEnvelope, NewMessage]]


def _raws(batch: Sequence[NewEnvelope]) -> dict[str, object]:
    return {
        "raw_ids": [new.id for new in batch],
        "times": [utc_from_ms(new.received_ms) for new in batch],
        "bodies": [new.raw for new in batch],
        "sizes": [new.size for new in batch],
        "counts": [len(new.messages) for new in batch],
        "plain": [new.plain for new in batch],
        "wire_sizes": [new.wire_size for new in batch],
        "auths": [new.auth for new in batch],
    }


def _copies(copies: Copies) -> dict[str, object]:
    return {
        "inboxes": [message.inbox for _, message in copies],
        "ids": [message.id for _, message in copies],
        "domains": [message.domain for _, message in copies],
        "facts": [message.facts for _, message in copies],
        "transcripts": [message.transcript for _, message in copies],
        "attachments": [
            f"{{{','.join(new.attachments)}}}" if new.attachments else None for new, _ in copies
        ],
    }


def _ways(copies: Copies) -> dict[str, object]:
    """What decides whose the copies are: how they came there, and who starred them."""
    return {
        "ways": [_json(message.passed) if message.passed else None for _, message in copies],
        "forwarders": [message.forwarder for _, message in copies],
        "savers": [new.saved_by for new, _ in copies],
    }


def _event(copies: Copies) -> str:
    return _json([(message.id, message.inbox) for _, message in copies])


def _json(value: object) -> str:
    return _encode(value).decode()
