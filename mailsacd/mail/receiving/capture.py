"""Capturing mail: a program under test sends to whom it likes, and everything stays here.

Who sends has logged in; what he sends is stored in the inboxes of its recipients, of whatever
domain, and goes nowhere else.
"""

from typing import Final, Protocol

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from mailsacd.core.account import AccountIdentity
from mailsacd.core.activity import CAPTURED
from mailsacd.core.envelope import Envelope
from mailsacd.core.token import message_id
from mailsacd.mail.limits.usage import Usage
from mailsacd.mail.ownership.mail_clients import MailClients
from mailsacd.mail.records.activity import Activity
from mailsacd.store.usage import CAPTURE

_CODE: Final = 250


class DeliversMail(Protocol):
    """Makes mail durable (mail.receiving.ingest), or counts it (load_test_intake, beside that)."""

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        """Return what fires once that is done."""


class Capture:
    """Counts a message as one operation of the account, however many recipients it has."""

    def __init__(
        self,
        clients: MailClients,
        ingest: DeliversMail,
        usage: Usage,
        activity: Activity,
    ) -> None:
        self._clients = clients
        self._ingest = ingest
        self._usage = usage
        self._activity = activity

    async def log_in(self, name: str, secret: str, peer: str) -> AccountIdentity:
        """Return the account that logs in. Raises what MailLogins.log_in does."""
        return await self._clients.log_in(name, secret, peer)

    async def deliver(self, envelope: Envelope, account: AccountIdentity) -> None:
        """Returns once ``envelope`` is committed, starred for ``account`` if that wants it so.

        Raises ThrottledError when the month's operations are used up, UnauthenticatedError for an
        account that was removed or suspended after it logged in, and what Ingest raises.
        """
        name = account.name
        found = await self._clients.account(account)
        if all(recipient.load_test for recipient in envelope.recipients):
            await self._ingest.deliver(envelope)  # nothing of it is kept, or counts for the plan
            return
        await self._usage.check(name)
        if found.capture_private:
            envelope = replace(envelope, saved_by=name)
        storing: Deferred[None] = self._ingest.deliver(envelope)
        await storing
        self._usage.count(name, CAPTURE)
        for place, recipient in enumerate(envelope.recipients):
            self._activity.record(
                CAPTURED,
                account=name,
                subject=recipient.original_inbox,
                code=_CODE,
                detail=message_id(envelope.id, place),
            )
