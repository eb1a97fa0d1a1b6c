"""The port by which mail programs submit what is to be sent."""

from mailsacd.assembly.part import Ground
from mailsacd.assembly.receiving import twins
from mailsacd.mail.ownership.mail_clients import MailClients
from mailsacd.mail.sending.mail_programs import AnyRecipient, MailPrograms
from mailsacd.mail.sending.submission import Submission
from mailsacd.smtp.services import IngestsMail, SmtpServices
from mailsacd.sockets.connection_factory import drain_all


class Submitting:
    """A part. ``factories`` are what listens, by the names of the ports."""

    def __init__(
        self, ground: Ground, intake: IngestsMail, submission: Submission, clients: MailClients
    ) -> None:
        """What is in memory of mail counts together with what ``intake`` takes in.

        Raises ConfigurationError.
        """
        settings = ground.settings
        services = SmtpServices(
            hostname=ground.hostname,
            settings=settings.submission,
            message=settings.message,
            accept=AnyRecipient(),
            ingest=intake,
            tls=ground.tls,
            self_signed=ground.self_signed,
            clock=ground.reactor,
            limits=ground.limits,
            submission=MailPrograms(
                clients,
                submission,
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
