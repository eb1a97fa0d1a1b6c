"""Parts of statements: what is read of a message's row, and whom a row is there for."""

from typing import Any, Final, TypedDict

import msgspec

from mailsacd.core.message import Message
from mailsacd.core.message_form import NO_AUTH, UNTOUCHED, Marks, message_json
from mailsacd.store.retention import THERE, THERE_AMONG_MANY, kept

_MARKS: Final = msgspec.structs.fields(Marks)

COLUMNS: Final = ", ".join(("inbox", "id", "facts", "auth", *(mark.name for mark in _MARKS)))
ABOVE_ALL_IDS: Final = "~"

_FOR_VIEWER: Final = """(saved_by is null and (not private or owner = %(viewer)s::text)
                      or saved_by = %(viewer)s::text)"""
VISIBLE: Final = f"({_FOR_VIEWER} and {THERE})"
"""Of an inbox that the account ``viewer`` (null: the public) may look into: a starred message is
there for who starred it, a private one for its owner, any other for everybody."""

VISIBLE_AMONG_MANY: Final = f"({_FOR_VIEWER} and {THERE_AMONG_MANY})"
"""The same, for statements that look at many rows."""

_REACHABLE: Final = """(%(open)s::boolean or saved_by = %(viewer)s::text
                      or owner = %(viewer)s::text)"""
REACHABLE: Final = f"({VISIBLE} and {_REACHABLE})"
"""The same, of an inbox that ``viewer`` may look into only if ``open``: else what is the viewer's
own is there all the same, such as the mail of an address that was released."""

REACHABLE_AMONG_MANY: Final = f"({VISIBLE_AMONG_MANY} and {_REACHABLE})"
"""The same, for statements that look at many rows."""

KEPT: Final = kept("%(inbox)s::text", "%(viewer)s::text")
"""What has not gone beyond a limit of what is stored, of rows of ``inbox``."""


def _constant(value: str | tuple[()] | None) -> str:
    """One of ours in SQL: a text, no elements, or nothing."""
    if value is None:
        return "null"
    text = value if isinstance(value, str) else "{}"
    return "'" + text.replace("'", "''") + "'"


UNMARKED_COLUMNS: Final = ", ".join(
    (
        "inbox, id, facts, auth",
        *(f"{_constant(getattr(UNTOUCHED, mark.name))} as {mark.name}" for mark in _MARKS),
    )
)
"""COLUMNS of a row as if nobody had done anything to the message."""


def _as_json() -> str:
    """What core.message_form.message_json does, in SQL over COLUMNS.

    PostgreSQL's own JSON functions write texts with the same escapes. Most messages are untouched:
    for these the text of the marks is a constant.
    """
    untouched = " and ".join(
        f"{mark.name} is not distinct from {_constant(getattr(UNTOUCHED, mark.name))}"
        for mark in _MARKS
    )
    constant = _constant(message_json("", UNTOUCHED, None).decode().removesuffix(NO_AUTH))
    written = " || ".join(
        f"""',"{mark.encode_name}":' || coalesce(to_json({mark.name})::text, 'null')"""
        for mark in _MARKS
    )
    marks = f"case when {untouched} then {constant} else {written} end"
    return f"""facts || {marks} || coalesce(',"auth":' || auth || '}}', '{NO_AUTH}')"""


AS_JSON: Final = _as_json()
"""A row with COLUMNS as the text of a message in JSON."""

AS_JSON_ARRAY: Final = f"'[' || coalesce(string_agg({AS_JSON}, ',' order by id desc), '') || ']'"
"""Rows with COLUMNS as the text of one JSON array of such messages, newest first."""


class IdPage(TypedDict):
    """Which part of a list is wanted.

    It has ``limit`` messages after the first ``skip``, of the ids from ``from_id`` up to below
    ``before_id`` (None: no bound).
    """

    before_id: str | None
    from_id: str | None
    limit: int
    skip: int


def bounds(page: IdPage) -> dict[str, str | int]:
    """Return the parameters ``before``, ``from``, ``limit`` and ``skip`` of a statement."""
    return {
        "before": page["before_id"] or ABOVE_ALL_IDS,
        "from": page["from_id"] or "",
        "limit": page["limit"],
        "skip": page["skip"],
    }


def as_message(inbox: str, id_: str, facts: str, auth: str | None, *marks: Any) -> Message:
    """Return the message that is in a row of COLUMNS, in which arrays are lists."""
    values: list[Any] = [tuple(mark) if isinstance(mark, list) else mark for mark in marks]
    return Message(inbox=inbox, id=id_, facts=facts, marks=Marks(*values), auth=auth)
