"""Statements that search an account's own mail by any part of its subject, senders, recipients.

What is common is found among the newest messages, what is rare by the index of three-byte pieces
(see the schema). What is neither is common enough for a walk from the newest message on.
"""

from dataclasses import asdict
from typing import Final

from mailsacd.core.search import Terms
from mailsacd.store.inbox import KEPT, OWNED
from mailsacd.store.sql import Executor, column, many, one
from mailsacd.store.views import AS_JSON_ARRAY, COLUMNS

RECENT: Final = 2_000
"""So many of the newest messages are looked at before the index is asked."""
RARE: Final = 5_000
"""Of what occurs more often in the index not all is read."""
GRAM_BYTES: Final = 3

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
    and (%(read)s::boolean is null or (read is true) = %(read)s::boolean)"""
_GRAMS: Final = " || ".join(
    f"search_grams(%(viewer)s::text, {term})"
    for term in (_ANYWHERE, _SUBJECT, _SENDER, _RECIPIENTS)
)

_recent: many[str] = many(
    column,
    f"""select id from (
            select * from message where owner = %(viewer)s::text order by id desc limit {RECENT}
        ) message where {_MATCHES} order by id desc limit %(limit)s""",  # noqa: S608  parts of SQL, no input
)
_rare: many[str] = many(
    column,
    f"""select id from message
        where search_grams(owner, subject, sender, recipients)
            @> (select {_GRAMS})
            and {_MATCHES}
        limit {RARE + 1}""",  # noqa: S608  as above
)
_walk: many[str] = many(
    column,
    f"select id from message where {_MATCHES} order by id desc limit %(limit)s",  # noqa: S608  as above
)
_walk_marks: many[str] = many(
    column,
    f"""select id from message
        where {OWNED} and {KEPT} and (read is true) = %(read)s::boolean
        order by id desc limit %(limit)s""",  # noqa: S608  as above
)
_fetch: one[str] = one(
    column,
    f"""select {AS_JSON_ARRAY} from (
            select {COLUMNS} from message where {OWNED} and {KEPT} and id = any(%(ids)s::text[])
        ) page""",  # noqa: S608  as above
)


async def search(db: Executor, account: str, terms: Terms, *, limit: int) -> str:
    """Return the newest ``limit`` of the account's messages that fit, as a JSON array."""
    ids = await _found(db, account, terms, limit)
    return await _fetch(db, viewer=account, ids=ids)


async def _found(db: Executor, account: str, terms: Terms, limit: int) -> list[str]:
    if not terms.texts:  # the index of the account's messages has the marks
        return await _walk_marks(db, viewer=account, read=terms.read, limit=limit)
    params = {"viewer": account, **asdict(terms)}
    found = await _recent(db, limit=limit, **params)
    if len(found) == limit:
        return found
    if any(len(text.encode()) >= GRAM_BYTES for text in terms.texts):
        found = await _rare(db, **params)
        if len(found) <= RARE:
            return sorted(found, reverse=True)[:limit]
    return await _walk(db, limit=limit, **params)
