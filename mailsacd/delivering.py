"""Webhooks and Slack: built, started and ended together."""

from typing import Any

from mailsacd import __version__
from mailsacd.core.dns import Dns
from mailsacd.http.app import Group
from mailsacd.http.deliveries import DeliveryCalls
from mailsacd.jobs.deliveries import DeliveryJob
from mailsacd.mail.deliveries import Deliveries
from mailsacd.mail.pushed import PushedForms
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.post import Poster
from mailsacd.outbound.tls import verifying_context
from mailsacd.records import Records
from mailsacd.settings import Settings
from mailsacd.store.pool import Database


class Delivering:
    """A part of the assembly. ``job`` observes the mail that is stored."""

    def __init__(
        self, settings: Settings, database: Database, records: Records, dns: Dns, reactor: Any
    ) -> None:
        """Raises ConfigurationError."""
        self._deliveries = Deliveries(
            database,
            records.activity,
            records.usage,
            PushedForms(database, reactor=reactor),
            public_url=settings.http.public_url,
            reactor=reactor,
        )
        poster = Poster(
            Guard(dns, settings.webhook.allowed_networks),
            verifying_context(settings.webhook.ca_file, setting="webhook.ca_file"),
            reactor,
            agent=f"mailsacd/{__version__}",
            timeout_s=settings.webhook.timeout_s,
        )
        self.job = DeliveryJob(self._deliveries, poster, settings.webhook, reactor=reactor)

    def calls(self) -> tuple[Group, ...]:
        """The calls about them."""
        return (DeliveryCalls(self._deliveries),)
