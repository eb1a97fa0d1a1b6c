"""One mailbox with the mail of all inboxes: what is public, and what the asker's account has.

It is what test tools with a single mailbox show (mailsacd.facades). A message that went to several
inboxes is one message here, with a copy in each of them.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Final, TypeVar

import msgspec

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.errors import NotFoundError
from mailsacd.core.message_form import Mailboxes
from mailsacd.core.token import ENVELOPE_ID_LENGTH, time_of
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mime.message import ParsedMessage
from mailsacd.store import all_mail
from mailsacd.store.pool import Database

MAX_COPIES: Final = 500
"""So many of the newest copies are in the mailbox; Mailpit keeps as many messages."""

T = TypeVar("T")

_ENVELOPE_ID: Final = re.compile(rf"[0-9a-z]{{{ENVELOPE_ID_LENGTH}}}\Z")


class Copy(msgspec.Struct, frozen=True, rename="camel"):
    """A message as it is in one inbox: the fields of its JSON form that are needed here."""

    id: str = msgspec.field(name="_id")
    inbox: str
    original_inbox: str
    to: Mailboxes | None
    sender: Mailboxes = msgspec.field(name="from")
    cc: Mailboxes | None
    bcc: Mailboxes | None
    subject: str
    received: datetime
    size: int
    saved_by: str | None
    labels: tuple[str, ...]
    read: bool | None

    @property
    def envelope_id(self) -> str:
        """What the copies of one message have in common."""
        return self.id[:ENVELOPE_ID_LENGTH]


class Mail(msgspec.Struct, frozen=True):
    """A message with those of its copies that the asker may see, one at least."""

    copies: tuple[Copy, ...]

    @property
    def id(self) -> str:
        """The id of the envelope that it came in."""
        return self.first.envelope_id

    @property
    def first(self) -> Copy:
        """The copy that tells what all of them say."""
        return self.copies[0]

    @property
    def is_read(self) -> bool:
        """Whether all copies are read."""
        return all(copy.read for copy in self.copies)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all copies, each once, in order."""
        return tuple(sorted({label for copy in self.copies for label in copy.labels}))


_decode: Final = msgspec.json.Decoder(tuple[Copy, ...]).decode


class AllMail:
    """Lists, reads, marks and deletes messages of all inboxes.

    Each call raises UnauthenticatedError for an actor without an account where public mail is not
    shown to everybody, and UnavailableError.
    """

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        mailbox: Mailbox,
        *,
        shows_public: bool,
    ) -> None:
        """With ``shows_public`` everybody is shown all public mail, else accounts whose plan has
        the firehose."""
        self._database = database
        self._accounts = accounts
        self._mailbox = mailbox
        self._shows_public = shows_public

    async def sees_public(self, actor: Actor) -> bool:
        """Whether ``actor`` is shown all public mail: nobody is within a scope."""
        if actor.scope is not None:
            return False
        if self._shows_public:
            return True
        return (await self._accounts.limits(account_of(actor))).firehose

    async def newest(self, actor: Actor) -> tuple[Mail, ...]:
        """The messages, newest first: those of the newest MAX_COPIES copies."""
        found = await all_mail.newest_copies(self._database, await self._sight(actor), MAX_COPIES)
        return _together(_decode(found))

    async def find(self, actor: Actor, envelope_id: str) -> Mail:
        """The message of that id. Raises NotFoundError."""
        sight = await self._sight(actor)
        if not _ENVELOPE_ID.match(envelope_id):
            raise _not_found()
        received = time_of(envelope_id)
        found = await all_mail.copies_of(self._database, sight, envelope_id, received)
        for mail in _together(_decode(found)):
            return mail
        raise _not_found()

    async def view(self, actor: Actor, mail: Mail, view: Callable[[ParsedMessage], T]) -> T:
        """As `Mailbox.view`, of a message that was found. Raises NotFoundError: it is gone."""
        return await self._mailbox.view(actor, mail.first.inbox, mail.first.id, view)

    async def raw(self, actor: Actor, mail: Mail) -> bytes:
        """As `Mailbox.raw`, of a message that was found. Raises NotFoundError: it is gone."""
        return await self._mailbox.raw(actor, mail.first.inbox, mail.first.id)

    async def with_raw(self, actor: Actor, mail: Mail, make: Callable[[Mail, bytes], T]) -> T:
        """What ``make`` makes of a message and its stored bytes, in a thread if it is large.

        Raises NotFoundError: it is gone.
        """
        raw = await self.raw(actor, mail)
        return await self._mailbox.lane.run(len(raw), partial(make, mail, raw))

    async def set_read(self, actor: Actor, mails: Iterable[Mail], *, read: bool) -> None:
        """Mark messages as read, or as not; what is gone meanwhile is passed over."""
        others = [copy for copy in _copies(mails) if bool(copy.read) != read]
        await self._change(actor, others, partial(all_mail.set_read, read=read))

    async def set_labels(self, actor: Actor, mails: Iterable[Mail], labels: Sequence[str]) -> None:
        """Give messages these labels and no others, in all their inboxes."""
        unique = list(dict.fromkeys(labels))
        await self._change(actor, _copies(mails), partial(all_mail.set_labels, labels=unique))

    async def rename_label(self, actor: Actor, label: str, by: str | None) -> None:
        """Have ``by`` in place of a label, whatever its case, in the mailbox; None: take it off.

        Other labels stay as they are, those that somebody else gives meanwhile, too.
        """
        copies = [
            (copy, {each for each in copy.labels if each.lower() == label.lower()})
            for copy in _copies(await self.newest(actor))
        ]
        labels = sorted(set[str]().union(*(has for _, has in copies)))
        rename = partial(all_mail.rename_labels, labels=labels, by=by)
        await self._change(actor, (copy for copy, has in copies if has), rename)

    async def delete(self, actor: Actor, mails: Iterable[Mail]) -> None:
        """Delete messages that were found, starred ones, too."""
        await self._change(actor, _copies(mails), all_mail.delete_copies)

    async def delete_all(self, actor: Actor) -> None:
        """Delete what the actor sees, starred mail, too, and not only what is in the mailbox.

        That is what was there when this began: newer messages stay. Should so many of them come
        meanwhile that they fill the mailbox, what is older than they are may be left.
        """
        mails = newest = await self.newest(actor)
        while mails:
            await self.delete(actor, mails)
            mails = tuple(mail for mail in await self.newest(actor) if mail.id <= newest[0].id)

    async def _change(
        self, actor: Actor, copies: Iterable[Copy], change: Callable[..., Awaitable[int]]
    ) -> None:
        """``change`` is a function of store.all_mail: one statement for MAX_COPIES of them."""
        named = [(copy.inbox, copy.id) for copy in copies]
        if named:
            sight = await self._sight(actor)
            for start in range(0, len(named), MAX_COPIES):
                await change(self._database, sight, named[start : start + MAX_COPIES])

    async def _sight(self, actor: Actor) -> all_mail.Sight:
        domain = None if actor.scope is None else actor.scope.domain
        public = await self.sees_public(actor)
        return all_mail.Sight(account=actor.account, public=public, domain=domain)


def _together(copies: Iterable[Copy]) -> tuple[Mail, ...]:
    """The copies, which come newest first, as messages; of one, the first recipient's first."""
    groups = groupby(copies, key=lambda copy: copy.envelope_id)
    return tuple(
        Mail(tuple(sorted(group, key=lambda copy: int(copy.id[ENVELOPE_ID_LENGTH + 1 :]))))
        for _, group in groups
    )


def _copies(mails: Iterable[Mail]) -> Iterable[Copy]:
    return (copy for mail in mails for copy in mail.copies)


def _not_found() -> NotFoundError:
    return NotFoundError("There is no such message")
