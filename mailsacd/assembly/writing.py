"""Mail that the server itself writes, and stored mail that it sends on."""

from collections.abc import Mapping

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.assembly.sending import Sending
from mailsacd.http.app import Group
from mailsacd.http.calls.password_links import PasswordLinkCalls
from mailsacd.http.calls.release import ReleaseCalls
from mailsacd.mail.sending.account_mail import AccountMail
from mailsacd.mail.sending.own_mail import OwnMail, OwnMailRules, own_sender
from mailsacd.mail.sending.release import Release, ReleasePatterns, ReleaseRules


class Writing:
    """A part. Its letters and what is released are queued as all mail is."""

    def __init__(
        self,
        ground: Ground,
        owners: Ownership,
        records: Records,
        sending: Sending,
        ports: Mapping[str, int],
    ) -> None:
        """``ports`` tells, once it listens, where. Raises ConfigurationError."""
        settings, database, reactor = ground.settings, ground.database, ground.reactor
        sender = own_sender(settings.relay.own_sender, ground.hostname)
        own_mail = OwnMail(
            sending.queueing,
            owners.directory,
            sending.senders,
            OwnMailRules(sender=sender, server=ground.hostname, front=lambda: ground.front(ports)),
            reactor=reactor,
        )
        self.account_mail = AccountMail(
            database, own_mail, reset_hours=settings.accounts.reset_hours, reactor=reactor
        )
        records.usage.warnings.listen(self.account_mail.warn)
        self._release = Release(
            owners.mailbox,
            sending.queueing,
            owners.directory,
            records.throttle,
            ReleaseRules(
                patterns=ReleasePatterns(settings.relay.release_to),
                own_sender=sender,
                max_recipients=settings.message.max_recipients,
            ),
            reactor=reactor,
        )

    def calls(self) -> tuple[Group, ...]:
        """Return the calls that release mail, and ask for a new password."""
        return ReleaseCalls(self._release), PasswordLinkCalls(self.account_mail)

    async def start(self) -> None:
        """Do nothing: it writes when it is asked to."""

    async def finish(self) -> None:
        """Finish the letters that are being written."""
        await self.account_mail.finish()
