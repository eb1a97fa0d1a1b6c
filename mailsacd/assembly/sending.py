"""Sending mail."""

from typing import Final

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.http.app import Group
from mailsacd.http.calls.outgoing import OutgoingCalls
from mailsacd.mail.sending.making import MessageMaker
from mailsacd.mail.sending.outgoing_queue import OutgoingQueue
from mailsacd.mail.sending.own_fields import OwnFields
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.mail.sending.senders import Senders
from mailsacd.mail.sending.signing import Signer
from mailsacd.mail.sending.submission import Submission
from mailsacd.work.loop import Loop

FORGET_EVERY_S: Final = 300.0


class Sending:
    """A part. ``submission`` takes what accounts send, ``queueing`` what the daemon makes, and
    ``signer`` signs both."""

    def __init__(self, ground: Ground, owners: Ownership, records: Records) -> None:
        settings, database, reactor = ground.settings, ground.database, ground.reactor
        self.signer = Signer(
            database,
            owners.notices,
            ground.lanes.rest,
            lent=owners.domain_rules.hosting,
            reactor=reactor,
        )
        self.queueing = Queueing(
            owners.accounts,
            ground.lanes.rest,
            reactor=reactor,
            signer=self.signer,
            max_open_bytes=settings.sending.max_queued_bytes,
        )
        self.senders = Senders(
            owners.directory, settings.message.accepted_domains, owners.domain_rules.hosting
        )
        maker = MessageMaker(
            OwnFields(database, settings.sending),
            ground.lanes.rest,
            max_bytes=settings.message.max_bytes,
            max_attachments=settings.sending.max_attachments,
            reactor=reactor,
        )
        self.submission = Submission(
            self.queueing,
            self.senders,
            records.throttle,
            maker,
            max_recipients=settings.message.max_recipients,
        )
        self.queue = OutgoingQueue(database, kept_days=settings.relay.kept_days, reactor=reactor)
        self._forgetting = Loop(
            "forget what was sent",
            self.queue.forget_old,
            every_s=FORGET_EVERY_S,
            clock=reactor,
            cancels=True,
        )

    def calls(self) -> tuple[Group, ...]:
        """Return the calls that send mail."""
        return (OutgoingCalls(self.submission, self.queue),)

    async def start(self) -> None:
        """Begin to forget what was sent long ago."""
        self._forgetting.start()

    async def finish(self) -> None:
        """Stop forgetting; what is queued is on disk."""
        await self._forgetting.stop()
