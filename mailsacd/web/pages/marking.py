"""What forms have done with messages: one, or all that were selected."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Final

import msgspec

from mailsacd.core.actor import Actor
from mailsacd.core.errors import Fault, InvalidInputError, NotFoundError
from mailsacd.core.message import MAX_LABEL_CHARACTERS
from mailsacd.core.message_form import Folder
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.api.parameters import MESSAGE_ID
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.marks import Marks
from mailsacd.web.filters import plural
from mailsacd.web.visit import Visit

MAX_AT_ONCE: Final = 100

_FIELDS: Final = ("action", "folder", "label")
_DONE: Final = {
    "read": "marked as read",
    "unread": "marked as unread",
    "star": "starred",
    "unstar": "no longer starred",
    "delete": "deleted",
}


class MarkingForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a form says beside which messages it is about."""

    action: str
    folder: Folder = "inbox"
    label: Annotated[str, msgspec.Meta(max_length=MAX_LABEL_CHARACTERS)] = ""


Act = Callable[[Actor, str, str, MarkingForm], Awaitable[None]]
"""Does it with the message of an inbox that has this id."""


class Marking:
    """Stars, marks, labels, moves and deletes messages as their forms say."""

    def __init__(self, mailbox: Mailbox, marks: Marks) -> None:
        self._mailbox = mailbox
        self._marks = marks
        self._acts: Mapping[str, Act] = {
            "read": partial(self._read, read=True),
            "unread": partial(self._read, read=False),
            "star": partial(self._star, starred=True),
            "unstar": partial(self._star, starred=False),
            "delete": self._delete,
            "move": self._move,
            "label": self._label,
            "unlabel": self._unlabel,
        }

    async def do(self, visit: Visit, email: str, ids: Sequence[str], action: str = "") -> str:
        """As `do_with`, with the messages ``ids`` of the inbox ``email``."""
        return await self.do_with(visit, [(email, message_id) for message_id in ids], action)

    async def do_with(
        self, visit: Visit, messages: Sequence[tuple[str, str]], action: str = ""
    ) -> str:
        """Do what the form that was sent says with ``messages``; what to tell of it.

        They are inboxes and ids. ``action`` goes before the one that the form has.
        What is not there any more is left out. Raises InvalidInputError, UnauthenticatedError and
        ForbiddenError, and what the use cases raise.
        """
        fields = visit.fields()
        given = {n: fields[n] for n in _FIELDS if n in fields}
        form = struct_of(MarkingForm, {**given, "action": action} if action else given)
        act = self._acts.get(form.action)
        if act is None:
            fault = Fault(field="action", problem=f"is none of {', '.join(self._acts)}")
            raise InvalidInputError("The form does not say what to do", (fault,))
        if form.action in {"label", "unlabel"} and not form.label.strip():
            return "Type a label first"
        done = 0
        for email, message_id in messages[:MAX_AT_ONCE]:
            try:
                await act(visit.actor, email, MESSAGE_ID.convert(message_id), form)
            except NotFoundError:
                continue
            done += 1
        return _told(form, done)

    async def _read(
        self, actor: Actor, email: str, message_id: str, _: MarkingForm, *, read: bool
    ) -> None:
        await self._marks.set_read(actor, email, message_id, read=read)

    async def _star(
        self, actor: Actor, email: str, message_id: str, _: MarkingForm, *, starred: bool
    ) -> None:
        await self._marks.set_star(actor, email, message_id, starred=starred)

    async def _delete(self, actor: Actor, email: str, message_id: str, _: MarkingForm) -> None:
        await self._mailbox.delete(actor, email, message_id)

    async def _move(self, actor: Actor, email: str, message_id: str, form: MarkingForm) -> None:
        await self._marks.move(actor, email, message_id, form.folder)

    async def _label(self, actor: Actor, email: str, message_id: str, form: MarkingForm) -> None:
        await self._marks.add_label(actor, email, message_id, form.label.strip())

    async def _unlabel(self, actor: Actor, email: str, message_id: str, form: MarkingForm) -> None:
        await self._marks.remove_label(actor, email, message_id, form.label)


def _told(form: MarkingForm, done: int) -> str:
    if not done:
        return "No message was selected"
    what = {
        "move": f"moved to {form.folder}",
        "label": f"labelled {form.label.strip()}",
        "unlabel": f"no longer labelled {form.label}",
    }
    return f"{plural(done, 'message')} {_DONE.get(form.action) or what[form.action]}"
