"""Sending what is queued: to addresses received here, and to other hosts."""

from typing import Final

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.receiving import Receiving
from mailsacd.assembly.records import Records
from mailsacd.assembly.relays import make_relays
from mailsacd.assembly.sending import Sending
from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.http.app import Group
from mailsacd.http.calls.suppressions import SuppressionCalls
from mailsacd.jobs.courier import Connection, Couriers, Hosts
from mailsacd.jobs.leases import Leases
from mailsacd.jobs.relay import RelayJob
from mailsacd.jobs.relay_line import Lines
from mailsacd.mail.sending.local import LocalDelivery, OwnDomains
from mailsacd.mail.sending.recorder import Recorder
from mailsacd.mail.sending.relay import Relay
from mailsacd.mail.sending.reporting import Reporting
from mailsacd.mail.sending.rules import relay_rules
from mailsacd.mail.sending.suppressions import Suppressions
from mailsacd.store.notices import OUTGOING

_OFF: Final = Outcome(
    code=None, status="5.7.1", text="This server sends nothing to other hosts (relay.enabled)"
)


class Relaying:
    """A part. It ends before the one that stores mail, for it stores what is for here."""

    def __init__(
        self,
        ground: Ground,
        owners: Ownership,
        records: Records,
        receiving: Receiving,
        sending: Sending,
    ) -> None:
        """Raises ConfigurationError."""
        settings, database, reactor = ground.settings, ground.database, ground.reactor
        relay = Relay(database, settings.relay, ground.hostname, reactor=reactor)
        self._recorder = Recorder(
            database,
            sending.queueing,
            Reporting(ground.hostname, sending.signer, reactor=reactor),
            records.activity,
            relay_rules(settings.relay),
            reactor=reactor,
        )
        self._recorder.declare(ground.telemetry)
        leases = Leases(relay, settings.relay.lease_s, reactor=reactor)
        hosts = make_relays(ground, owners.resolver) if settings.relay.enabled else _NoHosts()
        local = LocalDelivery(
            ground.hostname,
            OwnDomains(
                ground.hostname,
                owners.domain_rules.hosting,
                settings.message.accepted_domains,
                owners.directory,
            ),
            receiving.policy,
            receiving.ingest,
        )
        couriers = Couriers(hosts, settings.relay.max_connections_per_domain)
        lines = Lines(relay, self._recorder, local, couriers, leases)
        self._job = RelayJob(relay, lines, leases, settings.relay, reactor=reactor)
        self.suppressions = Suppressions(database)
        owners.notices.subscribe(OUTGOING, lambda _: self._job.wake(), self._job.wake)

    def calls(self) -> tuple[Group, ...]:
        """Return the calls about addresses that nothing is sent to."""
        return (SuppressionCalls(self.suppressions),)

    async def start(self) -> None:
        """Begin to send, with what an earlier run left undone."""
        self._recorder.start()
        self._job.start()

    async def finish(self) -> None:
        """Stop sending; what was sent is written down."""
        await self._job.stop()
        await self._recorder.finish()


class _NoHosts(Hosts):
    """Nothing goes out."""

    def destination(self, domain: str) -> str:  # noqa: ARG002  as Hosts has it
        """The same for all domains."""
        return ""

    async def connect(self, domain: str) -> Connection:  # noqa: ARG002  as Hosts has it
        """Raise RouteError, whatever the domain."""
        raise RouteError(_OFF)
