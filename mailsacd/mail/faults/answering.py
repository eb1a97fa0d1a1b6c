"""Answers accepted mail on purpose, where its owner wants that, and to nobody but his own senders.

Mail that is answered may tell any sender: `AnsweredSenders` knows who is. What is sent costs the
account a credit each, as what it sends by itself, and each account may send so much at a time, and
to each address.
"""

import secrets
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from twisted.logger import Logger

from mailsacd.core.allowance import Allowance
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import MailsacdError
from mailsacd.core.fault import PlannedFault
from mailsacd.core.fault_condition import ExaminedMessage
from mailsacd.core.outgoing import NewOutgoing
from mailsacd.core.provocation import Occasion
from mailsacd.core.token import utc_from_ms
from mailsacd.mail.faults.answered_senders import AnsweredSenders
from mailsacd.mail.faults.answers import Answered, answer_to
from mailsacd.mail.faults.due import DueFaults
from mailsacd.work.tasks import Tasks

AT_ONCE: Final = 60
AGAIN_S: Final = 2.0
"""An account answers so many messages at once, and one more every so many seconds."""
TO_ONE_AT_ONCE: Final = 20
TO_ONE_AGAIN_S: Final = 10.0
"""To one address so many answers of all accounts go at once, and one more every so many seconds."""
MOST: Final = 200
"""So many answers are made at a time; of more, none is."""

_REMEMBERED: Final = 2_000

_log = Logger()


class Queues(Protocol):
    """Puts messages on their way (mail.sending.queueing)."""

    def queue(self, new: NewOutgoing, *, charged: bool) -> Awaitable[str]:
        """Queue ``new``, for a credit if ``charged``; its id. Raises one of core.errors."""


class Answering:
    """Makes answers, and has them sent by ``queueing``."""

    def __init__(
        self,
        due: DueFaults,
        senders: AnsweredSenders,
        queueing: Queues,
        *,
        hostname: str,
        reactor: Any,
    ) -> None:
        self._due = due
        self._senders = senders
        self._queueing = queueing
        self._hostname = hostname
        self._reactor = reactor
        self._allowance = Allowance(
            reactor, at_once=AT_ONCE, again_s=AGAIN_S, remembered=_REMEMBERED
        )
        self._to_one = Allowance(
            reactor, at_once=TO_ONE_AT_ONCE, again_s=TO_ONE_AGAIN_S, remembered=_REMEMBERED
        )
        self._tasks = Tasks("answer mail on purpose", most=MOST, clock=reactor)

    def accepted(self, envelope: Envelope) -> None:
        """Answer a message that is stored, for each of its recipients that have that."""
        message = ExaminedMessage(envelope.content)
        for recipient in envelope.recipients:
            for planned in recipient.faults:
                if planned.fault.at == "accepted":
                    self._begin(planned, envelope, message, recipient.original_inbox)

    async def finish(self) -> None:
        """Return when what is under way is queued."""
        await self._tasks.finish()

    def _begin(
        self, planned: PlannedFault, envelope: Envelope, message: ExaminedMessage, recipient: str
    ) -> None:
        try:
            self._tasks.run(self._answer(planned, envelope, message, recipient))
        except MailsacdError as e:
            _log.warn("mail for {to} is not answered: {why}", to=recipient, why=e.public)

    async def _answer(
        self, planned: PlannedFault, envelope: Envelope, message: ExaminedMessage, recipient: str
    ) -> None:
        occasion = Occasion(
            at="accepted",
            peer_ip=envelope.reception.peer_ip,
            sender=envelope.reverse_path,
            name=recipient,
            message=message,
        )
        if planned.owner is None or not await self._due.is_due(planned, occasion):
            return
        answered = Answered(
            envelope=envelope,
            message=message,
            recipient=recipient,
            owner=planned.owner,
            time=utc_from_ms(int(self._reactor.seconds() * 1000)),
            token=secrets.token_hex(12),
            hostname=self._hostname,
        )
        self._due.tell(planned, occasion, await self._sent(planned, answered))

    async def _sent(self, planned: PlannedFault, answered: Answered) -> str:
        """What became of the answer, in words."""
        made = answer_to(planned.fault, answered, planned.key)
        if made is None:
            return "not sent: no automatic mail may answer this message"
        owner, target = answered.owner, answered.envelope.reverse_path
        try:
            why_not = await self._senders.why_not(owner, answered.envelope)
            if why_not:
                return f"not sent: {why_not}"
            self._to_one.spend(target, "its sender was sent too much lately")
            self._allowance.spend(owner, "the account has answered too much lately")
            return f"queued as {await self._queueing.queue(made, charged=True)}"
        except MailsacdError as e:
            return f"not sent: {e.public}"
