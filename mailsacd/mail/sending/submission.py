"""Takes a message from an account to send it: by the API, or by SMTP (RFC 6409)."""

from dataclasses import dataclass, replace

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.core.outgoing import NewOutgoing, Origin, OutgoingRecipient
from mailsacd.mail.limits.throttle import Throttle
from mailsacd.mail.sending.completing import CONTENT, Completed
from mailsacd.mail.sending.draft import Draft
from mailsacd.mail.sending.mailboxes import Mailbox, written_address
from mailsacd.mail.sending.making import MessageMaker
from mailsacd.mail.sending.message_fields import MessageFields
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.mail.sending.senders import Senders
from mailsacd.mime import addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A whole message with its envelope, as a mail program submits it.

    Addresses are as `mailboxes.written_address` makes them. ``trace`` are whole header fields in
    CRLF lines, the newest first, that go on top. ``ret`` and ``envid`` are of RFC 3461. With
    ``only_as`` that address alone may be the sender, whatever else is the account's.
    """

    content: bytes
    reverse_path: str
    recipients: tuple[OutgoingRecipient, ...]
    trace: str = ""
    ret: str | None = None
    envid: str | None = None
    only_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was queued: ``to`` are all recipients, each of which took a credit."""

    id: str
    to: tuple[str, ...]
    sender: str


class Submission:
    """Every message that an account sends goes through here, on the same rules."""

    def __init__(
        self,
        queueing: Queueing,
        senders: Senders,
        throttle: Throttle,
        maker: MessageMaker,
        *,
        max_recipients: int,
    ) -> None:
        self._queueing = queueing
        self._senders = senders
        self._throttle = throttle
        self._maker = maker
        self._max_recipients = max_recipients

    async def send(self, actor: Actor, fields: MessageFields) -> Sent:
        """Queue the message that ``fields`` ask for; it is on disk when this returns.

        Raises UnauthenticatedError, InvalidInputError with each fault, ForbiddenError for a sender
        that is not the account's, NotEnoughCreditsError, TooLargeError, ThrottledError,
        MailLoopError and UnavailableError.
        """
        account = account_of(actor)
        draft = await self._maker.draft(fields)
        if draft.sender is not None:  # before the work that a message costs
            await self._senders.check(account, draft.sender.address)
        message = await self._maker.message(account, draft)
        sender = draft.sender or message.authors[0]
        new = _new(account, "api", message, sender.address, _recipients(draft, message))
        return Sent(
            id=await self._queue(account, new, message),
            to=tuple(one.address for one in new.recipients),
            sender=sender.address,
        )

    async def submit(self, account: str, submitted: Submitted) -> str:
        """Queue a whole message. Returns its id once it is on disk; raises what `send` does."""
        reverse_path = submitted.reverse_path
        message = await self._maker.completed(
            account,
            submitted.content,
            trace=submitted.trace,
            author=Mailbox(reverse_path) if reverse_path else None,
        )
        new = _new(account, "submission", message, reverse_path, submitted.recipients)
        new = replace(new, ret=submitted.ret, envid=submitted.envid)
        return await self._queue(account, new, message, submitted.only_as)

    async def check_sender(
        self, account: str, reverse_path: str, only_as: str | None = None
    ) -> None:
        """Return if ``account`` may send with that reverse-path. Raises as Senders.check."""
        await self._senders.check(account, reverse_path, only_as)

    async def _queue(
        self, account: str, new: NewOutgoing, message: Completed, only_as: str | None = None
    ) -> str:
        if len(new.recipients) > self._max_recipients:
            raise _fault("to", f"names more than {self._max_recipients} recipients")
        senders = {one.normal: one.address for one in message.authors}
        if new.reverse_path:
            senders.setdefault(Mailbox(new.reverse_path).normal, new.reverse_path)
        for address in senders.values():
            await self._senders.check(account, address, only_as)
        self._throttle.sent(account, len(new.recipients))
        return await self._queueing.queue(new, charged=True)


def _new(
    account: str,
    origin: Origin,
    message: Completed,
    reverse_path: str,
    recipients: tuple[OutgoingRecipient, ...],
) -> NewOutgoing:
    envelope = (reverse_path, *(one.address for one in recipients))
    return NewOutgoing(
        account=account,
        origin=origin,
        reverse_path=reverse_path,
        header_from=message.authors[0].address,
        subject=message.subject,
        message_id=message.message_id,
        content=message.content,
        recipients=recipients,
        smtputf8=not (message.is_ascii and all(map(str.isascii, envelope))),
    )


def _recipients(draft: Draft, message: Completed) -> tuple[OutgoingRecipient, ...]:
    """Those that the caller named; else, of a whole message, those that it names."""
    named = [one.address for one in draft.recipients]
    if not named:
        found = (one.address for text in message.to for one in addresses.parse(text)[0])
        try:
            several = [Mailbox(written_address(address)) for address in found if address]
        except ValueError as e:
            raise _fault(CONTENT, f"names a recipient that {e}") from e
        named = list({one.normal: one.address for one in several}.values())
    if not named:
        raise _fault(CONTENT, "names no recipient")
    return tuple(OutgoingRecipient(address=address) for address in named)


def _fault(field: str, problem: str) -> InvalidInputError:
    return InvalidInputError(
        f"Bad request: {field} {problem}", (Fault(field=field, problem=problem),)
    )
