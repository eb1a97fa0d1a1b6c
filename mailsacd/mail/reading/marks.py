"""What people do to messages: stars, labels, folders, read marks.

Whoever may read a message may label, move and mark it, as anyone may delete from a public inbox; a
star needs an account, for it makes the message that account's alone to see.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.core.message import MAX_LABELS, Filing, Message
from mailsacd.core.message_form import FOLDERS
from mailsacd.mail.reading.access import Access, AccessControl
from mailsacd.store import marks
from mailsacd.store.marks import Place
from mailsacd.store.pool import Database
from mailsacd.store.recycling import remove_beside, remove_beyond

_ChangeStar = Callable[[Database, Place], Awaitable[Message | None]]


class Marks:
    """Each call answers the message as it then is.

    All raise BadAddressError, UnauthenticatedError, ForbiddenError, NotFoundError and
    UnavailableError as mail.reading.mailbox does.
    """

    def __init__(
        self, database: Database, access_control: AccessControl, filing: Filing | None = None
    ) -> None:
        """``filing`` is told of what is moved."""
        self._database = database
        self._filing = filing
        self._access_control = access_control

    async def toggle_star(self, actor: Actor, email: str, message_id: str) -> Message:
        """Star a message, so that only the actor's account sees it, or take the star off."""
        return await self._starred(actor, email, message_id, marks.toggle_star)

    async def set_star(
        self, actor: Actor, email: str, message_id: str, *, starred: bool
    ) -> Message:
        """As `toggle_star`, to what is asked for: once more changes nothing."""
        change = partial(marks.set_star, starred=starred)
        return await self._starred(actor, email, message_id, change)

    async def _starred(
        self, actor: Actor, email: str, message_id: str, change: _ChangeStar
    ) -> Message:
        account_of(actor)
        access, place = await self._place(actor, email, message_id)
        await remove_beside(self._database, place.inbox, place.id)
        message = access.found(await change(self._database, place))
        if message.marks.saved_by is None:  # it may be public now, and one too much
            await remove_beyond(self._database, (place.inbox,))
        return message

    async def set_read(self, actor: Actor, email: str, message_id: str, *, read: bool) -> Message:
        """Mark a message as read, or as not."""
        access, place = await self._place(actor, email, message_id)
        return access.found(await marks.set_read(self._database, place, read=read))

    async def move(self, actor: Actor, email: str, message_id: str, folder: str) -> Message:
        """Put a message into one of FOLDERS. Raises InvalidInputError for another."""
        if folder not in FOLDERS:
            raise _bad("folder", f"is none of {', '.join(FOLDERS)}")
        access, place = await self._place(actor, email, message_id)
        message = access.found(await marks.move(self._database, place, folder))
        if self._filing is not None:
            self._filing.moved(actor.account, place.inbox, place.id, folder)
        return message

    async def add_label(self, actor: Actor, email: str, message_id: str, label: str) -> Message:
        """Label a message; a label that it has stays where it is.

        Raises InvalidInputError when it has MAX_LABELS others.
        """
        access, place = await self._place(actor, email, message_id)
        labelled = await marks.add_label(self._database, place, label)
        if labelled is None and await marks.exists(self._database, place):
            raise _bad("label", f"is one too many: a message has at most {MAX_LABELS}")
        return access.found(labelled)

    async def remove_label(self, actor: Actor, email: str, message_id: str, label: str) -> Message:
        """Take a label off a message, if it has it."""
        access, place = await self._place(actor, email, message_id)
        return access.found(await marks.remove_label(self._database, place, label))

    async def replace_labels(
        self, actor: Actor, email: str, message_id: str, labels: Sequence[str]
    ) -> Message:
        """Give a message these labels (MAX_LABELS at most, each once) and no others."""
        access, place = await self._place(actor, email, message_id)
        unique = list(dict.fromkeys(labels))
        return access.found(await marks.replace_labels(self._database, place, unique))

    async def _place(self, actor: Actor, email: str, message_id: str) -> tuple[Access, Place]:
        access = await self._access_control.access(actor, email)
        place = Place(inbox=access.inbox, id=message_id, viewer=actor.account, open=access.is_open)
        return access, place


def _bad(field: str, problem: str) -> InvalidInputError:
    return InvalidInputError(
        f"Bad request: {field} {problem}", (Fault(field=field, problem=problem),)
    )
