"""Sends a stored message on: what was captured in a test goes to somebody real.

Only to whom the operator's setting allows, ``relay.release_to``. The message stays as it is, with
its own From, and before it stands who sent it on (Resent fields, RFC 5322 section 3.6.6): the inbox
that it is in, if it is the account's own, or else the server. It is signed for the domain of that
one: never for the domain of a From that anybody may have written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, make_msgid
from functools import partial
from typing import Any, Final, Protocol

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.address import inbox_of, normal_domain, parse_address
from mailsacd.core.errors import (
    BadAddressError,
    ConfigurationError,
    Fault,
    ForbiddenError,
    InvalidInputError,
)
from mailsacd.core.outgoing import NewOutgoing, OutgoingRecipient
from mailsacd.core.ownership import CATCH_ALL_LOCAL
from mailsacd.mail.limits.throttle import Throttle
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.sending.compose import address_field
from mailsacd.mail.sending.mailboxes import Mailbox, written_address
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.mime import header
from mailsacd.mime.trace import LOOP_FIELD, end_of_trace, parse_stored
from mailsacd.work.threads import Lane

MAX_TEXT_CHARACTERS: Final = 998  # of a subject or a Message-ID that is kept

_RETURN_PATH: Final = re.compile(rb"Return-Path:[^\r\n]*\r\n")
_ANY_NEWLINE: Final = re.compile(rb"\r\n|\r|\n")
_LOOP_FIELD: Final = re.compile(
    rb"^%b[ \t]*:[^\r\n]*\r\n" % LOOP_FIELD.encode(), re.IGNORECASE | re.MULTILINE
)


class StoredMail(Protocol):
    """Gives messages to those who may read them (mail.reading.mailbox)."""

    lane: Lane

    async def raw(self, actor: Actor, email: str, message_id: str) -> bytes:
        """Return the stored bytes, with the trace headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What was queued: ``to`` are the recipients, each of which took a credit."""

    id: str
    to: tuple[str, ...]
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRules:
    """``patterns`` say whom mail may be released to, as the setting has them. ``own_sender`` sends
    what the account may not send as the inbox."""

    patterns: "ReleasePatterns"
    own_sender: str
    max_recipients: int


class ReleasePatterns:
    """Addresses, domains, ``*.example.com`` for all names below one, and ``*`` for everybody."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises ConfigurationError for what is none of these."""
        self._everybody = "*" in patterns
        patterns = [p.removeprefix("*@") for p in patterns]
        try:
            self._parents = tuple(f".{normal_domain(p[2:])}" for p in patterns if p[:2] == "*.")
            self._addresses = {str(parse_address(p)) for p in patterns if "@" in p}
            named = (p for p in patterns if "@" not in p and p[:2] != "*." and p != "*")
            self._domains = set(map(normal_domain, named))
        except BadAddressError as e:
            raise ConfigurationError(f"relay.release_to: {e.public}") from e

    def allow(self, address: str) -> bool:
        """Return whether mail may be released to ``address``."""
        normal = parse_address(address)
        return (
            self._everybody
            or normal.domain in self._domains
            or str(normal) in self._addresses
            or normal.domain.endswith(self._parents)
        )


class Release:
    """Messages come from ``mail``; large ones are written anew in its lane."""

    def __init__(
        self,
        mail: StoredMail,
        queueing: Queueing,
        directory: Directory,
        throttle: Throttle,
        rules: ReleaseRules,
        *,
        reactor: Any,
    ) -> None:
        self._mail = mail
        self._queueing = queueing
        self._directory = directory
        self._throttle = throttle
        self._rules = rules
        self._reactor = reactor

    async def release(
        self, actor: Actor, email: str, message_id: str, to: Sequence[str]
    ) -> Released:
        """Send a message of the inbox ``email`` on to the addresses ``to``.

        It is on disk when this returns. Raises what reading the message does, InvalidInputError,
        ForbiddenError for a recipient that the setting does not allow, NotEnoughCreditsError,
        ThrottledError and UnavailableError.
        """
        account = account_of(actor)
        recipients = self._recipients(to)
        stored = await self._mail.raw(actor, email, message_id)
        sender = await self._sender(account, email)
        now = datetime.fromtimestamp(int(self._reactor.seconds()), UTC)
        resent = partial(_resent, stored, sender or self._rules.own_sender, recipients, now)
        content, subject, message_id = await self._mail.lane.run(len(stored), resent)
        self._throttle.sent(account, len(recipients))
        new = NewOutgoing(
            account=account,
            origin="release",
            reverse_path=sender or "",
            header_from=sender or self._rules.own_sender,
            subject=subject,
            message_id=message_id,
            content=content,
            recipients=tuple(OutgoingRecipient(address=each) for each in recipients),
            smtputf8=not (
                content.partition(b"\r\n\r\n")[0] + "".join(recipients).encode()
            ).isascii(),
        )
        return Released(
            id=await self._queueing.queue(new, charged=True),
            to=recipients,
            sender=new.header_from,
        )

    def _recipients(self, to: Sequence[str]) -> tuple[str, ...]:
        found: dict[str, str] = {}
        for text in to:
            try:
                address = written_address(text)
            except ValueError as e:
                raise _fault(str(e)) from e
            if not self._rules.patterns.allow(address):
                raise ForbiddenError(
                    f"The setting relay.release_to does not allow to release mail to {address}"
                )
            found.setdefault(str(parse_address(address)), address)
        if not found:
            raise _fault("names nobody: there has to be a recipient")
        if len(found) > self._rules.max_recipients:
            raise _fault(f"names more than {self._rules.max_recipients} recipients")
        return tuple(found.values())

    async def _sender(self, account: str, email: str) -> str | None:
        """The inbox, where it is the account's own and nobody else reads it; None: the server.

        What cannot be delivered is reported there.
        """
        address = inbox_of(email)
        holding = await self._directory.holder(address)
        is_own = holding.owner == account and address.local != CATCH_ALL_LOCAL
        return str(address) if is_own else None


def _resent(
    stored: bytes, sender: str, recipients: Sequence[str], now: datetime
) -> tuple[bytes, str, str]:
    """The message as it goes out, its subject and its Message-ID. Runs in any thread."""
    if b"\0" in stored:
        raise InvalidInputError("The message has a NUL in it, which no mail may have")
    start = end_of_trace(stored)
    trace = _RETURN_PATH.sub(b"", stored[:start], count=1)  # RFC 5321 section 4.4: not on the way
    content, section = header.read(stored[start:])
    lines = _ANY_NEWLINE.sub(b"\r\n", content)
    if not section.fields:  # all of it is body
        lines = b"\r\n" + lines
    head, end, body = lines.partition(b"\r\n\r\n")
    # Who releases begins anew: what was sent from here before is no loop
    lines = _LOOP_FIELD.sub(b"", head + end) + body
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    parsed = parse_stored(stored)
    resent_id = make_msgid(domain=sender.rpartition("@")[2])
    fields = (
        address_field("Resent-From", (Mailbox(sender),)),
        address_field("Resent-To", [Mailbox(each) for each in recipients]),
        f"Resent-Date: {format_datetime(now)}\r\n",
        f"Resent-Message-ID: {resent_id}\r\n",
    )
    whole = "".join(fields).encode() + trace + lines
    message_id = parsed.message_id or resent_id.strip("<>")
    return whole, parsed.subject[:MAX_TEXT_CHARACTERS], message_id[:MAX_TEXT_CHARACTERS]


def _fault(problem: str) -> InvalidInputError:
    return InvalidInputError(f"Bad request: to {problem}", (Fault(field="to", problem=problem),))
