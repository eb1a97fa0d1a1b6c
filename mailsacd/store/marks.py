"""Statements that change what people do to messages: stars, labels, folders, read marks.

Each changes one message, if it is there for ``viewer`` (see store.views), and answers what it then
is; None: it is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailsacd.core.message import MAX_LABELS, Message
from mailsacd.store.retention import there
from mailsacd.store.sql import Executor, column, maybe
from mailsacd.store.views import COLUMNS, KEPT, REACHABLE, as_message

_ROW: Final = f"where inbox = %(inbox)s and id = %(id)s and {REACHABLE} and {KEPT}"


def _change(assignment: str, condition: str = "true") -> maybe[Message]:
    return maybe(
        as_message,
        f"update message set {assignment} {_ROW} and {condition} returning {COLUMNS}",  # noqa: S608  parts of SQL, no input
    )


def _starred_where(condition: str) -> maybe[Message]:
    """Star the message where ``condition`` holds, and take the star off where it does not."""
    # What was starred when all else in its inbox went has to stay: for as long as that is being
    # removed (see store.erasures) it keeps its star.
    return _change(
        f"""saved_by = case when {condition} then coalesce(saved_by, %(viewer)s::text)
            when not {there(saved_by="null")} then saved_by end"""
    )


_exists: maybe[str] = maybe(column, f"select id from message {_ROW}")  # noqa: S608  as above
_toggle_star = _starred_where("saved_by is null")
_set_star = _starred_where("%(starred)s::boolean")
_read = _change("read = %(read)s::boolean")
_folder = _change("folder = %(folder)s::text")
_labels = _change("labels = %(labels)s::text[]")
_add_label = _change(
    """labels = case when %(label)s::text = any(labels) then labels
              else labels || %(label)s::text end""",
    f"(cardinality(labels) < {MAX_LABELS} or %(label)s::text = any(labels))",
)
_remove_label = _change("labels = array_remove(labels, %(label)s::text)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message is, who asks, and whether that account may look into the inbox."""

    inbox: str
    id: str
    viewer: str | None
    open: bool

    def params(self) -> dict[str, object]:
        """Return the parameters of the statements that say where the message is and who asks."""
        return {"inbox": self.inbox, "id": self.id, "viewer": self.viewer, "open": self.open}


async def toggle_star(db: Executor, place: Place) -> Message | None:
    """Star the message for the viewer, or take the viewer's star off."""
    return await _toggle_star(db, **place.params())


async def set_star(db: Executor, place: Place, *, starred: bool) -> Message | None:
    """Star the message for the viewer, or take the star off; once more changes nothing."""
    return await _set_star(db, starred=starred, **place.params())


async def set_read(db: Executor, place: Place, *, read: bool) -> Message | None:
    """Mark the message as read, or as not read."""
    return await _read(db, read=read, **place.params())


async def move(db: Executor, place: Place, folder: str) -> Message | None:
    """Put the message into a folder."""
    return await _folder(db, folder=folder, **place.params())


async def add_label(db: Executor, place: Place, label: str) -> Message | None:
    """Add a label, unless the message has it. Returns None, too, when it has MAX_LABELS others."""
    return await _add_label(db, label=label, **place.params())


async def remove_label(db: Executor, place: Place, label: str) -> Message | None:
    """Take a label off the message, if it has it."""
    return await _remove_label(db, label=label, **place.params())


async def replace_labels(db: Executor, place: Place, labels: Sequence[str]) -> Message | None:
    """Give the message these labels in place of those it has."""
    return await _labels(db, labels=list(labels), **place.params())


async def exists(db: Executor, place: Place) -> bool:
    """Return whether the message is there for the viewer."""
    return await _exists(db, **place.params()) is not None
