"""All that sends mail, on a database of the test's, a clock that the test drives, and hosts that do
as they are told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred

from mailsacd.core.actor import Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.core.outgoing import NewOutgoing, OutgoingRecipient
from mailsacd.jobs.courier import Couriers
from mailsacd.jobs.leases import Leases
from mailsacd.jobs.relay import LOOK_EVERY_S, RelayJob
from mailsacd.jobs.relay_line import Lines
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.sending.local import LocalDelivery, OwnDomains
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.mail.sending.recorder import Recorder
from mailsacd.mail.sending.relay import Relay
from mailsacd.mail.sending.reporting import Reporting
from mailsacd.mail.sending.rules import relay_rules
from mailsacd.outbound.smtp.transmission import Transmission
from mailsacd.settings import RelaySettings
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.jobs.station import TestTime
from tests.lanes import LANES
from tests.mail.property import ANN, PLANS
from tests.patience import until

reactor: Any = the_reactor

HOSTNAME = "mx.here.example"
CONTENT = b"From: ann@ann.example\r\nTo: bob@b.example\r\nSubject: hello\r\n\r\nthe text\r\n"
OK = Outcome(code=250, status="2.0.0", text="queued", host="mx.b.example")
LATER = Outcome(code=451, status="4.3.0", text="not now", host="mx.b.example")
NEVER = Outcome(code=550, status="5.1.1", text="no such user", host="mx.b.example")
AWAY = Outcome(code=None, status="4.4.1", text="connection refused")

Answer = Callable[[str], Outcome | Deferred[Outcome]]


class Host:
    """A connection to a host that answers for each recipient what the test says."""

    def __init__(self, world: "World", domain: str) -> None:
        self._world = world
        self._domain = domain
        self.is_usable = True

    async def send(self, transmission: Transmission) -> tuple[Outcome, ...]:
        """Answer for each recipient."""
        self._world.sent.append(transmission)
        outcomes = []
        for recipient in transmission.recipients:
            answer = self._world.answer(recipient.address)
            outcomes.append(answer if isinstance(answer, Outcome) else await answer)
            if outcomes[-1].code is None:
                self.is_usable = False
        return tuple(outcomes)

    async def close(self) -> None:
        """Count it."""
        self._world.open[self._domain] -= 1


@dataclass
class World:
    """All other hosts."""

    answer: Answer = lambda _: OK
    sent: list[Transmission] = field(default_factory=list)
    open: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    connected: list[str] = field(default_factory=list)
    away: dict[str, Outcome] = field(default_factory=dict)
    one_host: bool = False

    def destination(self, domain: str) -> str:
        """The host for a domain."""
        return "smarthost" if self.one_host else domain

    async def connect(self, domain: str) -> Host:
        """Connect to it, unless it is away."""
        self.connected.append(domain)
        if domain in self.away:
            raise RouteError(self.away[domain])
        name = self.destination(domain)
        self.open[name] = self.open.get(name, 0) + 1
        self.most[name] = max(self.most.get(name, 0), self.open[name])
        return Host(self, name)

    @property
    def got(self) -> list[str]:
        """The addresses that mail was sent to, in order."""
        return [each.address for one in self.sent for each in one.recipients]


class PostOffice:
    """A node's sending. ``job.start`` begins it; time passes when the test says so."""

    def __init__(
        self,
        database: Database,
        *,
        world: World | None = None,
        clock: TestTime | None = None,
        accepted: Sequence[str] = ("*",),
        **settings: Any,
    ) -> None:
        self.database = database
        self.clock = clock or TestTime()
        self.world = world or World()
        self.settings = RelaySettings(**settings)
        self.notices = Notices("", LANES.rest, reactor=reactor)  # it hears nothing
        self.activity = Activity(database, reactor=reactor)
        directory = Directory(database, self.notices)
        accounts = Accounts(database, PLANS, lambda _: None)
        self.queueing = Queueing(accounts, LANES.rest, reactor=self.clock)
        self.ingest = Ingest(
            database,
            composer=Composer(HOSTNAME, LANES.mail_in),
            budget=ByteBudget(1 << 24),
            reactor=reactor,
        )
        self.relay = Relay(database, self.settings, HOSTNAME, reactor=self.clock)
        self.recorder = Recorder(
            database,
            self.queueing,
            Reporting(HOSTNAME, None, reactor=self.clock),
            self.activity,
            relay_rules(self.settings),
            reactor=self.clock,
        )
        self.leases = Leases(self.relay, self.settings.lease_s, reactor=self.clock)
        local = LocalDelivery(
            HOSTNAME,
            OwnDomains(HOSTNAME, "lent.example", accepted, directory),
            RecipientPolicy(database, directory, accepted, "lent.example"),
            self.ingest,
        )
        couriers = Couriers(self.world, self.settings.max_connections_per_domain)
        lines = Lines(self.relay, self.recorder, local, couriers, self.leases)
        self.job = RelayJob(self.relay, lines, self.leases, self.settings, reactor=self.clock)

    async def queue(
        self,
        *recipients: str | OutgoingRecipient,
        account: str | None = "ann",
        reverse_path: str = "ann@ann.example",
        content: bytes = CONTENT,
        **others: Any,
    ) -> str:
        """Queue a message."""
        new = NewOutgoing(
            account=account,
            origin="api",
            reverse_path=reverse_path,
            header_from="ann@ann.example",
            subject="hello",
            message_id="1@ann.example",
            content=content,
            recipients=tuple(
                OutgoingRecipient(address=one) if isinstance(one, str) else one
                for one in recipients
            ),
            **others,
        )
        return await self.queueing.queue(new, charged=False)

    def start(self) -> None:
        """Begin to send."""
        self.recorder.start()
        self.job.start()

    async def settle(self) -> None:
        """Look now, and wait until nothing is under way."""
        self.job.wake()
        await until(lambda: self.job.is_idle)

    async def pass_time(self, seconds: float, *, step_s: float = LOOK_EVERY_S) -> None:
        """Let time go on, and what is due be done."""
        while seconds > 0:
            self.clock.advance(min(step_s, seconds))
            seconds -= step_s
            await self.settle()

    async def rows(self) -> list[tuple[str, str, int, int | None, str | None]]:
        """Address, state, attempts, code and status of each recipient, by message and place."""
        return await self.database.fetch(
            "select address, state, attempts, code, status from outgoing_recipient"
            " order by message_id, place"
        )

    async def reports(self) -> list[tuple[str, bytes]]:
        """What was queued as a report: to whom, and the whole of it."""
        found = await self.database.fetch(
            "select address, id from outgoing_recipient r join outgoing_message"
            " on id = r.message_id where origin = 'report' order by id"
        )
        told = []
        for address, message_id in found:
            message = await self.relay.find(message_id)
            told.append((address, message.content if message else b""))
        return told

    async def stored(self, inbox: str) -> int:
        """How many messages an inbox has."""
        [(count,)] = await self.database.fetch(
            "select count(*) from message where inbox = %s", (inbox,)
        )
        return int(count)

    async def told(self, actor: Actor = ANN) -> list[tuple[str, str, int | None]]:
        """What is told of sent mail, oldest first."""
        listed = await self.activity.list(actor, since_ms=None, until_ms=None, limit=1000, skip=0)
        return [
            (event.kind, event.subject, event.code)
            for event in listed[::-1]
            if event.kind.startswith("sen")
        ]
