"""The port by which mail programs submit what is to be sent."""

from mailsacd.assembly.part import Ground
from mailsacd.assembly.receiving import Receiving, twins
from mailsacd.assembly.records import Records
from mailsacd.assembly.sending import Sending
from mailsacd.mail.sending.mail_programs import AnyRecipient, MailPrograms
from mailsacd.smtp.services import SmtpServices
from mailsacd.sockets.connection_factory import drain_all


class Submitting:
    """A part. ``factories`` are what listens, by the names of the ports."""

    def __init__(
        self, ground: Ground, records: Records, receiving: Receiving, sending: Sending
    ) -> None:
        """What is in memory of mail counts together with what ``receiving`` takes in.

        Raises ConfigurationError.
        """
        settings = ground.settings
        services = SmtpServices(
            hostname=ground.hostname,
            settings=settings.submission,
            message=settings.message,
            accept=AnyRecipient(),
            ingest=receiving.intake,
            tls=ground.tls,
            self_signed=ground.self_signed,
            clock=ground.reactor,
            limits=ground.limits,
            submission=MailPrograms(
                records.clients,
                sending.submission,
                ground.hostname,
                hides_client=settings.submission.hide_client,
            ),
            plain_login=settings.submission.plain_login,
            telemetry=ground.telemetry,
            port="submission",
        )
        self.factories = twins("submission", services)

    async def start(self) -> None:
        """Do nothing: the part has nothing to do before mail comes."""

    async def drain(self) -> None:
        """End the sessions; what was acknowledged to them is committed."""
        await drain_all(self.factories.values())

    async def finish(self) -> None:
        """Do nothing: who hung up before he was answered submits again."""
