"""Mail programs that submit messages by SMTP (RFC 6409), on the rules of the API.

What a program leaves out is added, and what it may not send is refused, by `submission`; here is
what SMTP tells beside the message.
"""

from mailsacd.core.account import AccountIdentity
from mailsacd.core.address import parse_address
from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.errors import BadAddressError, InvalidInputError
from mailsacd.core.outgoing import OutgoingRecipient
from mailsacd.mail.ownership.mail_clients import MailClients
from mailsacd.mail.sending.mailboxes import written_address
from mailsacd.mail.sending.submission import Submission, Submitted
from mailsacd.mime.trace import received_field


class AnyRecipient:
    """Takes recipients of every domain. Whether there is such a host is seen when it is sent."""

    def recipient(self, path: str) -> Recipient:
        """Return the recipient that ``path``, a forward-path, stands for.

        Raises BadAddressError for what is no address, or has no domain (RFC 6409 section 4.2).
        """
        try:
            written = written_address(path)
        except ValueError as e:
            raise BadAddressError(f"The recipient {e}") from e
        normal = parse_address(written)
        return Recipient(original_inbox=written, inbox=str(normal), domain=normal.domain)


class MailPrograms:
    """``hostname`` is what we call ourselves in the trace.

    With ``hides_client`` that does not tell from where a message came.
    """

    def __init__(
        self, clients: MailClients, submission: Submission, hostname: str, *, hides_client: bool
    ) -> None:
        self._clients = clients
        self._submission = submission
        self._hostname = hostname
        self._hides_client = hides_client

    async def log_in(self, name: str, secret: str, peer: str) -> AccountIdentity:
        """Return the account that logs in. Raises what MailLogins.log_in does."""
        return await self._clients.log_in(name, secret, peer)

    async def check_sender(self, account: AccountIdentity, reverse_path: str) -> None:
        """Return if who logged in as ``account`` may send with that reverse-path.

        Everybody may with an empty one: so programs confirm that mail was read (RFC 8098 section
        3). Whether there still is such an account is asked once, with the message. Raises
        ForbiddenError, BadAddressError or UnavailableError.
        """
        if reverse_path:
            await self._submission.check_sender(account.name, reverse_path, account.address)

    async def submit(self, envelope: Envelope, account: AccountIdentity) -> str:
        """Queue the message for its recipients; return its id once that is committed.

        Raises what Submission.submit does.
        """
        await self._clients.account(account)
        trace = received_field(envelope, self._hostname, hides_client=self._hides_client)
        path = envelope.reverse_path
        submitted = Submitted(
            content=envelope.content,
            reverse_path=written_address(path) if path else "",  # one that `check_sender` passed
            recipients=tuple(map(_outgoing, envelope.recipients)),
            trace=trace.decode(),
            ret=envelope.ret,
            envid=envelope.envid,
            only_as=account.address,
        )
        try:
            return await self._submission.submit(account.name, submitted)
        except InvalidInputError as e:  # which names the fields of a call
            faults = "; ".join(f"The message {fault.problem}" for fault in e.faults)
            raise InvalidInputError(faults or e.public, e.faults) from e


def _outgoing(recipient: Recipient) -> OutgoingRecipient:
    return OutgoingRecipient(
        address=recipient.original_inbox, notify=recipient.notify, orcpt=recipient.orcpt
    )
