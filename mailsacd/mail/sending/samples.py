"""A message for whoever wants to see what an address does with its mail, as its webhook."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import make_msgid
from typing import Any, Final, Protocol

from msgspec.structs import replace

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.allowance import Allowance
from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.errors import NotFoundError
from mailsacd.core.token import message_id
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.sending import letters
from mailsacd.mail.sending.local import Policy, local_reception

AT_ONCE: Final = 10
AGAIN_S: Final = 60.0
"""So many may an account have at once, and then one a minute."""

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRules:
    """``sender`` is who writes, ``hostname`` our own name."""

    sender: str
    hostname: str


class Intake(Protocol):
    """Stores mail (mail.receiving.ingest)."""

    def new_envelope_id(self) -> tuple[str, int]:
        """An id for a message, and the millisecond that goes with it."""

    def deliver(self, envelope: Envelope) -> Awaitable[None]:
        """Store ``envelope``, and return once it is committed."""


class SampleMail:
    """It is stored as mail from outside is, so all that follows does, too. It costs nothing."""

    def __init__(
        self,
        addresses: Addresses,
        policy: Policy,
        intake: Intake,
        rules: SampleRules,
        *,
        reactor: Any,
    ) -> None:
        self._addresses = addresses
        self._policy = policy
        self._intake = intake
        self._rules = rules
        self._reactor = reactor
        self._allowance = Allowance(
            reactor, at_once=AT_ONCE, again_s=AGAIN_S, remembered=_REMEMBERED
        )

    async def send(self, actor: Actor, email: str) -> tuple[str, str]:
        """Store a message for an address of the account's; its id, and the inbox that it went to.

        Raises BadAddressError, UnauthenticatedError without an account and for another's address,
        NotFoundError for one that is nobody's, ForbiddenError where its mail is not taken,
        ThrottledError and UnavailableError.
        """
        account = account_of(actor)
        view = await self._addresses.get(actor, email)
        if view.owner is None:
            raise NotFoundError(f"The address {view.email} is not reserved")
        self._allowance.spend(account, "Too many sample messages were asked for of late")
        found = self._policy.recipient(view.email)
        recipient = found if isinstance(found, Recipient) else await found
        id_, received_ms = self._intake.new_envelope_id()
        await self._intake.deliver(
            Envelope(
                id=id_,
                received_ms=received_ms,
                reverse_path="",
                recipients=(replace(recipient, load_test=None),),
                reception=local_reception(self._rules.hostname),
                content=self._content(view.email),
            )
        )
        return message_id(id_, 0), recipient.inbox

    def _content(self, address: str) -> bytes:
        rules = self._rules
        return letters.written(
            letters.sample_letter(address=address, server=rules.hostname),
            letters.Envelope(
                sender=rules.sender,
                recipient=address,
                date=datetime.fromtimestamp(int(self._reactor.seconds()), UTC),
                message_id=make_msgid(domain=rules.sender.rpartition("@")[2]),
            ),
        )
