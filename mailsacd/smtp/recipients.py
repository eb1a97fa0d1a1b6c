"""What the use cases are asked about a peer: when it connects, at MAIL, and at each RCPT."""

from collections.abc import Awaitable

from twisted.internet.defer import Deferred

from mailsacd.core import reply
from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import DeniedError, ThrottledError
from mailsacd.smtp.conversation import Conversation
from mailsacd.smtp.replies import sent_away
from mailsacd.smtp.services import AdmitsPeer, SmtpServices
from mailsacd.smtp.session_faults import SessionFaults
from mailsacd.smtp.witness import SessionWitness


class Recipients:
    """Asks the use cases about the recipients of mail from one peer."""

    __slots__ = ("_accept", "_admission", "_clock", "_faults", "_peer", "_witness")

    def __init__(self, services: SmtpServices, faults: SessionFaults | None) -> None:
        self._faults = faults
        self._accept = services.accept
        self._admission = services.admission
        self._clock = services.clock
        self._witness = services.witness
        self._peer: AdmitsPeer

    def greet(self, conversation: Conversation, peer_ip: str) -> None:
        """Greet the peer at that IP address, or say that there is no service for it, or none now.

        This comes before `ask`.
        """
        self._peer = self._admission.of_peer(peer_ip)
        conversation.refuses = self._peer.refuses_sender
        if self._witness is not None:
            conversation.witness = SessionWitness(self._witness, peer_ip)
        try:
            self._peer.check_connection()
        except DeniedError:
            conversation.refuse_service(reply.SENDER_DENIED)
        except ThrottledError as e:
            conversation.close(sent_away(e))
        else:
            if self._faults is None or not self._faults.greets():
                conversation.greet()

    def ask(
        self, path: str, reverse_path: str, account: AccountIdentity | None
    ) -> Recipient | Awaitable[Recipient]:
        """Return where mail for the forward-path ``path`` goes: at once where that is possible.

        Who sends too fast waits for it; meanwhile no more is read from him than a few commands.
        Raises (or the awaitable does) what AcceptsRecipients and AdmitsPeer do.
        """
        found = self._accept.recipient(path)
        if not isinstance(found, Recipient):
            return self._looked_up(found, reverse_path, account)
        wait_s = self._peer.recipient(reverse_path, found, account)
        if wait_s != 0.0:
            return self._in_time(found, wait_s, reverse_path)
        faults = self._faults
        return found if faults is None else faults.recipient(reverse_path, found)

    async def _looked_up(
        self, looking: Awaitable[Recipient], reverse_path: str, account: AccountIdentity | None
    ) -> Recipient:
        found = await looking
        wait_s = self._peer.recipient(reverse_path, found, account)
        return await self._in_time(found, wait_s, reverse_path)

    async def _in_time(
        self, found: Recipient, wait_s: float | Awaitable[float], reverse_path: str
    ) -> Recipient:
        if not isinstance(wait_s, float):
            wait_s = await wait_s
        if wait_s > 0.0:
            waited: Deferred[None] = Deferred(lambda _: timer.cancel())
            timer = self._clock.callLater(wait_s, waited.callback, None)
            await waited
        if self._faults is None:
            return found
        meets = self._faults.recipient(reverse_path, found)
        return meets if isinstance(meets, Recipient) else await meets
