"""Taking mail in: the ports for it, and what makes it durable."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailsacd.assembly.checking import Checking
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.core.budget import ByteBudget
from mailsacd.core.domain_names import EVERY_DOMAIN
from mailsacd.core.message import Observer
from mailsacd.mail.load_testing.recorder import Recorder
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.mail.receiving.admission import Admission, CaptureAdmission
from mailsacd.mail.receiving.capture import Capture
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.forwarding import Forwarding
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.receiving.load_test_intake import LoadTestIntake
from mailsacd.mail.receiving.refused_transcripts import RefusedTranscripts
from mailsacd.mail.receiving.witness import MailWitness
from mailsacd.ports import TLS
from mailsacd.settings import Settings
from mailsacd.smtp.factory import SmtpFactory
from mailsacd.smtp.services import ProvokesFaults, SmtpServices
from mailsacd.sockets.connection_factory import drain_all
from mailsacd.store.pool import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Testing:
    """What senders are tested by: ``recorder`` counts the mail of load tests, and by ``faults``
    mail fails on purpose."""

    recorder: Recorder
    faults: ProvokesFaults


class Receiving:
    """A part. ``factories`` are what listens, by the names of the ports. ``policy`` decides on
    recipients of mail from anybody and ``admission`` on who they are, ``ingest`` makes mail
    durable."""

    def __init__(
        self,
        ground: Ground,
        owners: Ownership,
        records: Records,
        testing: Testing,
        checking: Checking,
        observers: Iterable[Observer],
    ) -> None:
        """``checking`` finds out who sent mail, and ``observers`` are told of all that is stored.

        Raises ConfigurationError.
        """
        settings, intake = ground.settings, ground.intake
        directory = owners.directory.asking(intake)
        forwarding = Forwarding(directory, records.activity, settings.transcripts.of)
        self.ingest = Ingest(
            intake,
            composer=Composer(ground.hostname, ground.lanes.mail_in),
            budget=ByteBudget(settings.message.buffer_bytes),
            reactor=ground.reactor,
            observers=(*observers, *checking.observers),
            ownership=directory,
        )
        self.ingest.declare(ground.telemetry.figures)
        self.policy = RecipientPolicy(
            intake,
            directory,
            settings.message.accepted_domains,
            owners.domain_rules.hosting,
            forwarding=forwarding,
        )
        self.intake = LoadTestIntake(self.ingest, testing.recorder)
        self._witness = MailWitness(
            directory, records.activity, records.tracing, reactor=ground.reactor
        )
        self._transcripts = RefusedTranscripts(
            ground.database,
            owners.directory,
            owners.transcript_wishes,
            settings.transcripts,
            reactor=ground.reactor,
        )
        self.admission = Admission(records.denylist, records.throttle, directory)
        anybody = replace(self._from_anybody(ground, checking), faults=testing.faults)
        all_taken = captures_all(intake, directory, forwarding)
        captured = self._captured(ground.settings, records, replace(anybody, accept=all_taken))
        self.factories = {**twins("smtp", anybody), **twins("capture", captured)}

    async def start(self) -> None:
        """Write down what is refused."""
        self._transcripts.start()

    async def drain(self) -> None:
        """End the sessions; what was acknowledged to them is committed."""
        await drain_all(self.factories.values())

    async def finish(self) -> None:
        """Commit what came from those who hung up before they were answered."""
        await self.ingest.finish()
        await self._witness.finish()
        await self._transcripts.finish()

    def _from_anybody(self, ground: Ground, checking: Checking) -> SmtpServices:
        settings = ground.settings
        return SmtpServices(
            hostname=ground.hostname,
            settings=settings.smtp,
            message=settings.message,
            accept=self.policy,
            ingest=checking.around(self.intake),
            tls=ground.tls,
            self_signed=ground.self_signed,
            clock=ground.reactor,
            limits=ground.limits,
            witness=self._witness,
            transcripts=self._transcripts,
            admission=self.admission,
            telemetry=ground.telemetry,
        )

    def _captured(
        self, settings: Settings, records: Records, anybody: SmtpServices
    ) -> SmtpServices:
        return replace(
            anybody,
            settings=settings.capture,
            ingest=self.intake,
            admission=CaptureAdmission(records.throttle),
            capture=Capture(records.clients, self.intake, records.usage, records.activity),
            plain_login=settings.capture.plain_login,
            port="capture",
        )


def captures_all(
    database: Database, directory: Directory, forwarding: Forwarding
) -> RecipientPolicy:
    """Decides on recipients of who has logged in: none is refused for its domain."""
    return RecipientPolicy(database, directory, (EVERY_DOMAIN,), forwarding=forwarding)


def twins(name: str, services: SmtpServices) -> dict[str, SmtpFactory]:
    """The plain port and, if it is asked for, the one with TLS from the first byte."""
    built = {name: SmtpFactory(services)}
    if services.settings.tls_port >= 0:
        built[name + TLS] = SmtpFactory(replace(services, tls_at_once=True, port=name + TLS))
    return built
