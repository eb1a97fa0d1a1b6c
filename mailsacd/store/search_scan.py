"""The statements that go through messages from the newest on, for a search that has to read them.

What SQL can tell (core.narrowing) is asked here; who searches looks at the rest. Of public mail the
texts are not in columns: that a column is null tells nothing. Nor does what a column has not that
may have been cut.
"""

from dataclasses import dataclass
from typing import Final, Literal

from mailsacd.core.message import Message
from mailsacd.core.narrowing import Narrowing
from mailsacd.store.inbox import IN_FOLDER, OWNED, WITH_LABEL
from mailsacd.store.inbox import KEPT as KEPT_OF_ACCOUNT
from mailsacd.store.sql import Executor, many
from mailsacd.store.views import ABOVE_ALL_IDS, COLUMNS, KEPT, VISIBLE_AMONG_MANY, as_message

SUBJECT_CHARACTERS: Final = 1_000
PEOPLE_CHARACTERS: Final = 4_000
"""What is kept in columns of a subject, of the senders, of To and of Cc (schema/0016)."""

Kind = Literal["account", "domain", "inbox"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where is searched: in all that the account ``viewer`` owns, in that of a domain, or in what
    it sees of an inbox. ``name`` is the domain or inbox in normal form; ``is_open`` tells that the
    viewer may look into whatever inbox a message of the place is in.
    """

    kind: Kind
    viewer: str | None
    name: str = ""
    is_open: bool = False


_ROWS: Final[dict[Kind, str]] = {
    "account": f"{OWNED} and {KEPT_OF_ACCOUNT}",
    "domain": f"domain = %(domain)s::text and {OWNED} and {KEPT_OF_ACCOUNT}",
    "inbox": f"inbox = %(inbox)s::text and {VISIBLE_AMONG_MANY} and {KEPT}",
}


def _may_have(column: str, cut_at: int) -> str:
    # in a select of its own the text is folded once, not row after row
    return f"""(%({column})s::text is null or {column} is null
        or strpos({column}, (select folded(%({column})s::text))) > 0
        or length({column}) >= {cut_at})"""


_MAY_FIT: Final = f"""{_may_have("subject", SUBJECT_CHARACTERS)}
    and {_may_have("sender", PEOPLE_CHARACTERS)} and {_may_have("recipients", PEOPLE_CHARACTERS)}
    and (%(read)s::boolean is null or (read is true) = %(read)s::boolean)
    and (%(starred)s::boolean is null or (saved_by is not null) = %(starred)s::boolean)
    and (%(folder)s::text is null or {IN_FOLDER}) and (%(label)s::text is null or {WITH_LABEL})"""

_next = {
    kind: many(
        as_message,
        f"""select {COLUMNS} from message
            where {rows} and id < %(before_id)s and id >= %(from_id)s and {_MAY_FIT}
            order by id desc limit %(limit)s""",  # noqa: S608  parts of SQL, no input
    )
    for kind, rows in _ROWS.items()
}


async def next_messages(
    db: Executor, place: Place, narrowed: Narrowing, *, before_id: str | None, limit: int
) -> list[Message]:
    """Return the newest ``limit`` messages of ``place`` below ``before_id`` that may fit."""
    conditions = narrowed.conditions()
    bounds = (narrowed.before_id, before_id)
    conditions["before_id"] = min((id_ for id_ in bounds if id_ is not None), default=ABOVE_ALL_IDS)
    conditions["from_id"] = narrowed.from_id or ""
    conditions[place.kind] = place.name
    return await _next[place.kind](db, viewer=place.viewer, limit=limit, **conditions)
