"""Statements that search an account's own mail by any part of its subject, senders, recipients.

What is common is found among the newest messages, what is rare by the index of three-byte pieces
(see the schema). What is neither is found by a walk from the newest message on, half a microsecond
a message: common texts soon, and what only old mail has, or a rare single letter, in half a second
of a million messages.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Final

from mailsacd.core.search import Terms
from mailsacd.store.inbox import IN_FOLDER, KEPT, OWNED, WITH_LABEL, list_filed
from mailsacd.store.sql import Executor, column, many, none, one
from mailsacd.store.views import AS_JSON_ARRAY, COLUMNS, IdPage

RECENT: Final = 5_000
"""So many of the newest messages are looked at before the index is asked."""
WALKED: Final = 20_000
"""So many, if what was found among these promises that this will do."""
RARE: Final = 2_000
"""Of what occurs more often in the index not all is read: to read so many, in the order of the
table, takes as long as to walk past ten times as many."""
INDEX_WORK_MB: Final = 64
"""What a look into the index may take of memory for a moment. With less than all the places of a
frequent text need (48 bytes for each page of the table), it is no longer known which rows of
a page they are, and the entries of all its rows are made again, 25 µs each."""
GRAM_BYTES: Final = 3
GRAMS_AT_MOST: Final = 4
SAMPLE: Final = 50
"""The newest messages that tell which pieces of a text are rare."""

# In a select of their own the terms are folded once, not row after row
_ANYWHERE: Final = "(select folded(%(anywhere)s::text))"
_SUBJECT: Final = "(select folded(%(subject)s::text))"
_SENDER: Final = "(select folded(%(sender)s::text))"
_RECIPIENTS: Final = "(select folded(%(recipients)s::text))"
_MATCHES: Final = f"""{OWNED} and {KEPT}
    and (%(anywhere)s::text is null or strpos(subject, {_ANYWHERE}) > 0
         or strpos(sender, {_ANYWHERE}) > 0 or strpos(recipients, {_ANYWHERE}) > 0)
    and (%(subject)s::text is null or strpos(subject, {_SUBJECT}) > 0)
    and (%(sender)s::text is null or strpos(sender, {_SENDER}) > 0)
    and (%(recipients)s::text is null or strpos(recipients, {_RECIPIENTS}) > 0)
    and (%(read)s::boolean is null or (read is true) = %(read)s::boolean)
    and (%(folder)s::text is null or {IN_FOLDER}) and (%(label)s::text is null or {WITH_LABEL})"""
_GRAMS: Final = " || ".join(
    f"search_grams(%(viewer)s::text, {term})"
    for term in (_ANYWHERE, _SUBJECT, _SENDER, _RECIPIENTS)
)

# Of a long text the entries that are rarest among the newest messages: to put together the places
# of one that every message has takes longer than to read what the rare ones find.
_RAREST: Final = f"""array(
    select gram from unnest({_GRAMS}) gram
    order by (select count(*) from newest where gram = any(grams)) limit {GRAMS_AT_MOST})"""  # noqa: S608  parts of SQL, no input
_NEWEST: Final = f"""with newest as materialized (
    select search_grams(owner, subject, sender, recipients) as grams from (
        select owner, subject, sender, recipients from message
        where owner = %(viewer)s::text order by id desc limit {SAMPLE}
    ) newest
)"""  # noqa: S608  as above

_newest: many[str] = many(
    column,
    f"""select id from (
            select * from message where owner = %(viewer)s::text
            order by id desc limit %(rows)s::bigint
        ) message where {_MATCHES} order by id desc limit %(limit)s""",  # noqa: S608  parts of SQL, no input
)


def _by_grams(condition: str, first: str = "") -> many[str]:
    return many(
        column,
        f"""{first} select id from message
            where search_grams(owner, subject, sender, recipients) {condition} and {_MATCHES}
            limit {RARE + 1}""",  # noqa: S608  as above
    )


_rare = _by_grams(f"@> (select {_GRAMS})")
_rare_by_some = _by_grams(f"@> {_RAREST}", _NEWEST)
_pair = _by_grams("&& (select search_grams_around(%(viewer)s::text, folded(%(pair)s::text)))")
_walk: many[str] = many(
    column,
    f"select id from message where {_MATCHES} order by id desc limit %(limit)s",  # noqa: S608  as above
)
_room = none(f"set local work_mem = '{INDEX_WORK_MB}MB'")
_with_mark = {
    read: many(
        column,
        f"""select id from message
            where {OWNED} and {KEPT} and read is {"" if read else "not"} true
            order by id desc limit %(limit)s""",  # noqa: S608  as above
    )
    for read in (True, False)
}
_fetch: one[str] = one(
    column,
    f"""select {AS_JSON_ARRAY} from (
            select {COLUMNS} from message where {OWNED} and {KEPT} and id = any(%(ids)s::text[])
        ) page""",  # noqa: S608  as above
)


async def search(db: Executor, account: str, terms: Terms, *, limit: int) -> str:
    """Return the newest ``limit`` of the account's messages that fit, as a JSON array."""
    if terms != Terms() and terms == Terms(folder=terms.folder, label=terms.label):
        page = IdPage(before_id=None, from_id=None, limit=limit, skip=0)
        return await list_filed(db, account, terms.folder, terms.label, **page)
    ids = await _found(db, account, terms, limit)
    return await _fetch(db, viewer=account, ids=ids)


async def _found(db: Executor, account: str, terms: Terms, limit: int) -> list[str]:
    params = {"viewer": account, **asdict(terms)}
    if not terms.texts:
        if terms == Terms(read=terms.read):
            return await _with_mark[bool(terms.read)](db, viewer=account, limit=limit)
        return await _walk(db, limit=limit, **params)
    found = await _newest(db, rows=RECENT, limit=limit, **params)
    if len(found) < limit <= len(found) * WALKED // RECENT:  # so often that they are not far behind
        found = await _newest(db, rows=WALKED, limit=limit, **params)
    if len(found) == limit:
        return found
    texts = [text.encode() for text in terms.texts]
    indexed = await db.together(partial(_indexed, params=params, texts=texts))
    if indexed is not None and len(indexed) <= RARE:
        return sorted(indexed, reverse=True)[:limit]
    return await _walk(db, limit=limit, **params)


async def _indexed(
    db: Executor, *, params: dict[str, object], texts: Sequence[bytes]
) -> list[str] | None:
    """What the index finds, not in order, RARE + 1 at most; None: it has nothing of the texts."""
    await _room(db)
    grams = sum(max(len(text) - GRAM_BYTES + 1, 0) for text in texts)
    if grams > GRAMS_AT_MOST:
        return await _rare_by_some(db, **params)
    if grams:
        return await _rare(db, **params)
    pair = next((text for text in texts if len(text) == GRAM_BYTES - 1), None)
    return None if pair is None else await _pair(db, pair=pair.decode(), **params)
