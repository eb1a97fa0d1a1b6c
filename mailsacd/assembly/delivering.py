"""Webhooks and Slack."""

from collections.abc import Mapping

from mailsacd import __version__
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.http.app import Group
from mailsacd.http.calls.deliveries import DeliveryCalls
from mailsacd.jobs.deliveries import DeliveryJob
from mailsacd.mail.delivering.deliveries import Deliveries
from mailsacd.mail.delivering.slack import SlackForms
from mailsacd.mail.delivering.webhook_tests import WebhookTests
from mailsacd.mail.push.payload import Payloads
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.post import Poster
from mailsacd.outbound.tls import verifying_context


class Delivering:
    """A part. ``job`` observes the mail that is stored."""

    def __init__(
        self,
        ground: Ground,
        owners: Ownership,
        records: Records,
        forms: Payloads,
        ports: Mapping[str, int],
    ) -> None:
        """``ports`` tells, once it listens, where. Raises ConfigurationError."""
        settings, reactor = ground.settings, ground.reactor
        self.deliveries = Deliveries(
            ground.database,
            records.activity,
            records.usage,
            forms,
            SlackForms(ground.lanes.rest, lambda: ground.front(ports)),
            reactor=reactor,
        )
        self.tests = WebhookTests(ground.database, reactor=reactor)
        poster = Poster(
            Guard(owners.resolver, settings.webhook.allowed_networks),
            verifying_context(settings.webhook.ca_file, setting="webhook.ca_file"),
            reactor,
            agent=f"mailsacd/{__version__}",
            timeout_s=settings.webhook.timeout_s,
        )
        self.job = DeliveryJob(
            self.deliveries, poster, settings.webhook, tracing=records.tracing, reactor=reactor
        )
        self.job.declare(ground.telemetry)

    def calls(self) -> tuple[Group, ...]:
        """Return the calls about webhooks and their deliveries."""
        return (DeliveryCalls(self.deliveries, self.tests),)

    async def start(self) -> None:
        """Begin to deliver, with what is due already."""
        self.job.start()

    async def finish(self) -> None:
        """Stop delivering; what is under way may end."""
        await self.job.stop()
