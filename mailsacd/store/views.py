"""Parts of statements: what is read of a message's row, and whom a row is there for."""

from typing import Any, Final, TypedDict

from mailsacd.core.message import Message

COLUMNS: Final = "inbox, id, facts, saved_by, folder, labels, read"
_ABOVE_ALL_IDS: Final = "~"

VISIBLE: Final = """(saved_by is null and (not private or owner = %(viewer)s::text)
                     or saved_by = %(viewer)s::text)"""
"""Of an inbox that the account ``viewer`` (null: the public) may look into: a starred message is
there for who starred it, a private one for its owner, any other for everybody."""

REACHABLE: Final = f"""({VISIBLE} and (%(open)s::boolean or saved_by = %(viewer)s::text
                        or owner = %(viewer)s::text))"""
"""The same, of an inbox that ``viewer`` may look into only if ``open``: else what is the viewer's
own is there all the same, such as the mail of an address that was released."""

# What Message.as_json does. PostgreSQL's own JSON functions write the texts with the same escapes.
_AS_JSON: Final = """facts || case
    when saved_by is null and folder = 'inbox' and labels = '{}' and read is null
    then ',"savedBy":null,"folder":"inbox","labels":[],"read":null}'
    else ',"savedBy":' || coalesce(to_json(saved_by)::text, 'null')
      || ',"folder":' || to_json(folder)
      || ',"labels":' || array_to_json(labels)
      || ',"read":' || coalesce(read::text, 'null') || '}'
    end"""

AS_JSON_ARRAY: Final = f"'[' || coalesce(string_agg({_AS_JSON}, ',' order by id desc), '') || ']'"
"""Rows with COLUMNS as the text of one JSON array of `Message.as_json`, newest first."""


class Page(TypedDict):
    """Of ids from ``from_id`` up to below ``before_id`` (unless None) ``limit`` after ``skip``."""

    before_id: str | None
    from_id: str | None
    limit: int
    skip: int


def bounds(page: Page) -> dict[str, str | int]:
    """The parameters ``before``, ``from``, ``limit`` and ``skip`` of a statement."""
    return {
        "before": page["before_id"] or _ABOVE_ALL_IDS,
        "from": page["from_id"] or "",
        "limit": page["limit"],
        "skip": page["skip"],
    }


def as_message(
    inbox: str, id_: str, facts: str, saved_by: str | None, folder: str, *rest: Any
) -> Message:
    """A message out of COLUMNS."""
    labels, read = rest
    return Message(
        inbox=inbox,
        id=id_,
        facts=facts,
        saved_by=saved_by,
        folder=folder,
        labels=tuple(labels),
        read=read,
    )
