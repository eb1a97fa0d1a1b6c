"""What goes wrong on purpose in one session: asks for it, and does it (docs/faults.md).

Who has set up faults, and when they are provoked, is the use cases' affair. While there are none a
session asks one attribute at each command, and one at each recipient.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain
from typing import Final

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.fault import Phase, PlannedFault
from mailsacd.core.fault_condition import ExaminedMessage
from mailsacd.core.provocation import NOTHING, Occasion, Provocation, ProvokedError
from mailsacd.core.reply import THROTTLED, TOO_MANY_RECIPIENTS, Reply
from mailsacd.smtp.action import AskFault
from mailsacd.smtp.conversation import Conversation
from mailsacd.smtp.grammar import GrammarError, parse_mail
from mailsacd.smtp.pauses import Pauses
from mailsacd.smtp.services import ProvokesFaults
from mailsacd.sockets.connection import Connection

_APART: Final = TOO_MANY_RECIPIENTS.saying("It may fail on purpose, send it apart")
_DROPPED: Final = THROTTLED.saying("Dropped on purpose")
_OF_ALL: Final = frozenset({"data", "end"})
_LATER: Final = _OF_ALL | {"accepted"}

_Faults = tuple[tuple[PlannedFault, str], ...]


def faults_of(
    provoking: ProvokesFaults | None,
    conversation: Conversation,
    connection: Connection,
    clock: IReactorTime,
) -> "SessionFaults | None":
    """Return what goes wrong in a new session, or None where nothing ever does."""
    if provoking is None:
        return None
    return SessionFaults(provoking, conversation, connection, clock)


class SessionFaults:
    """The faults of one session, as its `Conversation` and its runner ask for them."""

    __slots__ = (
        "_connection",
        "_conversation",
        "_is_answered",
        "_pauses",
        "_peer",
        "_provoking",
    )

    def __init__(
        self,
        provoking: ProvokesFaults,
        conversation: Conversation,
        connection: Connection,
        clock: IReactorTime,
    ) -> None:
        self._provoking = provoking
        self._conversation = conversation
        self._connection = connection
        self._peer: tuple[PlannedFault, ...] = ()
        self._pauses = Pauses(provoking.places, connection, clock)
        self._is_answered = False

    def greets(self) -> bool:
        """Look at who has connected; whether what comes of it goes before the greeting."""
        if not self._provoking.active:
            return False
        self._conversation.faults = self
        self._peer = self._provoking.of_peer(self._connection.peer_ip)
        question = self._question("connect", (), "")
        if question is None:
            return False
        self._conversation.then(question)
        return True

    def question(
        self, conversation: Conversation, verb: bytes, argument: bytes, line: bytes
    ) -> AskFault | None:
        """As MeetsFaults. A command that has been asked about is done."""
        if self._is_answered:
            self._is_answered = False
            return None
        if verb in {b"EHLO", b"HELO"}:
            name = argument.strip().decode(errors="replace")
            return self._question("helo", self._provoking.of_host(name), name, line)
        if verb == b"STARTTLS":
            found = self._provoking.of_host(conversation.helo)
            return self._question("starttls", found, conversation.helo, line)
        if verb == b"MAIL":
            return self._about_sender(argument, line)
        if verb == b"DATA" or (verb == b"BDAT" and conversation.reader is None):
            met = _met(conversation.transaction.recipients, "data")
            return AskFault("data", met, line) if met else None
        return None

    async def answer(self, question: AskFault) -> Reply | None:
        """Do what goes wrong before a command. Returns its refusal; None: it is to be done.

        May raise UnavailableError.
        """
        found = await self._provoke(question.at, question.faults)
        await self._pauses.carry_out(found, question.at)
        self._is_answered = not found.ends and bool(question.line)
        return found.reply

    async def login(self, name: str) -> Reply | None:
        """As `answer`, before somebody logs in as ``name``."""
        if not self._provoking.active:
            return None
        found = [*self._peer, *self._provoking.of_name(name)]
        planned = tuple((each, name) for each in found if each.fault.at == "auth")
        provoked = await self._provoke("auth", planned)
        await self._pauses.carry_out(provoked, "auth")
        return provoked.reply

    def recipient(self, sender: str, found: Recipient) -> Recipient | Awaitable[Recipient]:
        """Return ``found``, with the faults that its mail may meet later on, at once or when it has
        met those of RCPT. Raises (or the awaitable does) ProvokedError or UnavailableError.

        One message has one answer. So a recipient that may have it fail is sent apart from those
        of others, whichever of them comes first."""
        if not self._provoking.active:
            return found
        planned = (*self._peer, *self._provoking.of_recipient(sender, found))
        later = tuple(each for each in planned if each.fault.at in _LATER)
        if later:
            self._conversation.faults = self
            found = replace(found, faults=later)
        if any(self._is_apart(each, found) for each in self._conversation.transaction.recipients):
            raise ProvokedError(_APART)
        name = found.original_inbox
        now = tuple((each, name) for each in planned if each.fault.at == "rcpt")
        return self._met_at_rcpt(now, found) if now else found

    def await_message(self, envelope: Envelope) -> bool:
        """Tell whether a whole message is to be given to `deliver`."""
        return any(each.faults for each in envelope.recipients)

    async def deliver(
        self,
        envelope: Envelope,
        store: Callable[[], Deferred[Reply | None]],
        stored: Callable[[], None],
    ) -> Reply | None:
        """Have ``store`` take the message, unless that goes wrong; its answer.

        ``stored`` hears when the message is not held any more, but its answer takes time.

        Raises ProvokedError, and what ``store`` fails with.
        """
        planned = _met(envelope.recipients, "end")
        found = await self._provoke("end", planned, ExaminedMessage(envelope.content))
        await self._pauses.wait(found, len(envelope.content))
        if found.drops:
            await self._pauses.abort()
            raise ProvokedError(_DROPPED)
        if found.reply is not None:
            raise ProvokedError(found.reply)
        answer = await store()
        self._provoking.accepted(envelope)
        if found.drip_s > 0.0:
            del envelope, store  # while the answer takes its time, its bytes are free
            stored()
            await self._pauses.drip(found, "end")
        return answer

    def _is_apart(self, one: Recipient, other: Recipient) -> bool:
        """Whether one has the mail of another owner's recipient fail."""
        return (self._has_all_fail(one) or self._has_all_fail(other)) and (
            self._owner(one) != self._owner(other)
        )

    def _has_all_fail(self, recipient: Recipient) -> bool:
        """Whether it has faults of a whole message, but for those that its peer has anyway."""
        return any(each.fault.at in _OF_ALL and each not in self._peer for each in recipient.faults)

    def _owner(self, recipient: Recipient) -> str:
        return self._provoking.owner_of(recipient.original_inbox.rpartition("@")[2])

    async def _met_at_rcpt(self, faults: _Faults, found: Recipient) -> Recipient:
        provoked = await self._provoke("rcpt", faults)
        await self._pauses.carry_out(provoked, "rcpt")
        if provoked.reply is not None:
            raise ProvokedError(provoked.reply)
        return found

    def _about_sender(self, argument: bytes, line: bytes) -> AskFault | None:
        try:
            path, _ = parse_mail(argument)
        except GrammarError:
            return None
        return self._question("mail", self._provoking.of_name(path), path, line)

    def _question(
        self, at: Phase, found: tuple[PlannedFault, ...], name: str, line: bytes = b""
    ) -> AskFault | None:
        here = tuple((each, name) for each in chain(self._peer, found) if each.fault.at == at)
        return AskFault(at, here, line) if here else None

    async def _provoke(
        self, at: Phase, faults: _Faults, message: ExaminedMessage | None = None
    ) -> Provocation:
        """What goes wrong of all: the longest of what takes time, and the first that ends it."""
        total = NOTHING
        sender = self._conversation.transaction.reverse_path
        for planned, name in faults:
            occasion = Occasion(
                at=at,
                peer_ip=self._connection.peer_ip,
                sender=name if at == "mail" else sender,
                name=name,
                message=message,
            )
            found = await self._provoking.provoke(planned, occasion)
            slower = max(total, found, key=lambda each: each.wait_s + each.drip_s)
            total = dataclasses.replace(
                found,
                wait_s=max(total.wait_s, found.wait_s),
                drip_s=max(total.drip_s, found.drip_s),
                owner=slower.owner,
            )
            if found.ends:
                break
        return total


def _met(recipients: Iterable[Recipient], at: Phase) -> _Faults:
    return tuple(
        (each, recipient.original_inbox)
        for recipient in recipients
        for each in recipient.faults
        if each.fault.at == at
    )
