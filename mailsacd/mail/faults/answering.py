"""Answers accepted mail on purpose, where its owner wants that, and to nobody but his own senders.

Mail that is answered may tell any sender. So what is sent goes to senders in domains that the same
account has proved to be its own, or that the operator allows; it costs the account a credit each,
as what it sends by itself, and each domain may send so much at a time.
"""

import secrets
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from twisted.logger import Logger

from mailsacd.core.address import parse_address
from mailsacd.core.allowance import Allowance
from mailsacd.core.domain_names import EVERY_DOMAIN, DomainNames
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import BadAddressError, MailsacdError
from mailsacd.core.fault import PlannedFault
from mailsacd.core.fault_condition import ExaminedMessage
from mailsacd.core.outgoing import NewOutgoing
from mailsacd.core.provocation import Occasion
from mailsacd.core.token import utc_from_ms
from mailsacd.fault_settings import FaultSettings
from mailsacd.mail.faults.answers import Answered, answer_to
from mailsacd.mail.faults.due import DueFaults
from mailsacd.mail.ownership.directory import Directory
from mailsacd.work.tasks import Tasks

AT_ONCE: Final = 60
AGAIN_S: Final = 2.0
"""A domain answers so many messages at once, and one more every so many seconds."""
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
        directory: Directory,
        queueing: Queues,
        settings: FaultSettings,
        *,
        hostname: str,
        reactor: Any,
    ) -> None:
        """Raises ConfigurationError."""
        self._due = due
        self._directory = directory
        self._queueing = queueing
        self._hostname = hostname
        self._reactor = reactor
        self._everywhere = EVERY_DOMAIN in settings.answer_domains
        self._allowed = DomainNames(settings.answer_domains, setting="faults.answer_domains")
        self._allowance = Allowance(
            reactor, at_once=AT_ONCE, again_s=AGAIN_S, remembered=_REMEMBERED
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
        await self._due.tell(planned, occasion, await self._sent(planned, answered))

    async def _sent(self, planned: PlannedFault, answered: Answered) -> str:
        """What became of the answer, in words."""
        made = answer_to(planned.fault, answered, planned.key)
        if made is None:
            return "not sent: no automatic mail may answer this message"
        if not await self._may_answer(answered.owner, answered.envelope.reverse_path):
            return "not sent: the sender is in no domain of the account's"
        try:
            self._allowance.spend(planned.domain, "the domain has answered too much lately")
            return f"queued as {await self._queueing.queue(made, charged=True)}"
        except MailsacdError as e:
            return f"not sent: {e.public}"

    async def _may_answer(self, owner: str, reverse_path: str) -> bool:
        try:
            domain = parse_address(reverse_path).domain
        except BadAddressError:
            return False
        if self._everywhere or domain in self._allowed:
            return True
        facts = await self._directory.domain(domain)
        return facts is not None and facts.owner == owner
