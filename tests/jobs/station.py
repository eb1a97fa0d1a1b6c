"""All that delivers to webhooks, on a database of the test's and a clock that the test drives."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.task import Clock

from mailsacd.core.actor import Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.delivery import Delivery
from mailsacd.jobs.deliveries import LOOK_EVERY_S, DeliveryJob
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.delivering.deliveries import Deliveries
from mailsacd.mail.delivering.slack import SlackForms
from mailsacd.mail.limits.usage import Usage
from mailsacd.mail.push.payload import Payloads
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.records.activity import Activity
from mailsacd.outbound.dns import Resolver
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.post import Poster
from mailsacd.outbound.tls import verifying_context
from mailsacd.settings import DnsSettings, WebhookSettings
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.property import ANN, PLANS
from tests.outbound.receiver import Posted
from tests.patience import until

reactor: Any = the_reactor

CONTENT = b"From: Bob <bob@example.net>\r\nTo: box@a.example\r\nSubject: hello\r\n\r\nthe text\r\n"
EVERYTHING: dict[str, Any] = {"address": None, "state": None, "limit": 1000, "skip": 0}


class TestTime(Clock):
    """The time of day as the test has it; threads are the reactor's, and so are its turns: what
    is put off to the next one comes without the test moving the time."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__()
        self.advance(time.time())

    def callLater(self, delay: float, *args: Any, **kwargs: Any) -> Any:  # noqa: N802  Twisted's
        if delay == 0:
            reactor.callLater(0, self.advance, 0)
        return super().callLater(delay, *args, **kwargs)

    def getThreadPool(self) -> Any:  # noqa: N802  Twisted's
        return reactor.getThreadPool()

    def callFromThread(self, *args: Any) -> None:  # noqa: N802  Twisted's
        reactor.callFromThread(*args)


class Station:
    """A node's deliveries. ``start`` makes its job begin."""

    def __init__(
        self, database: Database, *, clock: TestTime | None = None, **settings: Any
    ) -> None:
        self.database = database
        self.clock = clock or TestTime()
        # A receiver that hangs is not to be given up while a test lasts, on a busy machine either
        usual = {"allowed_networks": ("127.0.0.0/8",), "timeout_s": 120.0}
        self.settings = WebhookSettings(**{**usual, **settings})
        notices = Notices("", LANES.rest, reactor=reactor)  # it hears nothing
        self.activity = Activity(database, reactor=reactor)
        self.usage = Usage(
            database,
            Accounts(database, PLANS, lambda _: None),
            self.activity,
            notices,
            reactor=reactor,
        )
        self.deliveries = Deliveries(
            database,
            self.activity,
            self.usage,
            Payloads(database, LANES.rest, reactor=reactor),
            SlackForms(LANES.rest, lambda: "https://mail.example"),
            reactor=self.clock,
        )
        dns = Resolver(DnsSettings(servers=("127.0.0.1:9",), timeout_s=0.1), reactor)
        poster = Poster(
            Guard(dns, self.settings.allowed_networks),
            verifying_context(setting="webhook.ca_file"),
            reactor,
            agent="test/1",
            timeout_s=self.settings.timeout_s,
        )
        self.job = DeliveryJob(self.deliveries, poster, self.settings, reactor=self.clock)
        self.ingest = Ingest(
            database,
            composer=Composer("mx.example", LANES.mail_in),
            budget=ByteBudget(1 << 24),
            reactor=reactor,
            observers=[self.job],
        )

    async def reserve(self, email: str, owner: str = "ann", **columns: Any) -> None:
        """A private address with these settings."""
        await self.database.run(
            "insert into address (email, domain, owner, webhook, webhook_slack,"
            " webhook_slack_to_from) values (%s, split_part(%s, '@', 2), %s, %s, %s, %s)",
            (
                email, email, owner, columns.get("webhook"), columns.get("webhook_slack"),
                columns.get("webhook_slack_to_from", True),
            ),
        )  # fmt: skip

    async def change(self, email: str, webhook: str | None) -> None:
        """Set the webhook of an address."""
        await self.database.run(
            "update address set webhook = %s where email = %s", (webhook, email)
        )

    async def mail(self, *inboxes: str, content: bytes = CONTENT) -> list[str]:
        """A message for them: its ids."""
        new = envelope(self.ingest, content, *inboxes)
        await self.ingest.deliver(new)
        return [f"{new.id}-{place}" for place in range(len(inboxes))]

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        await until(lambda: self.job.is_idle)

    async def pass_time(self, seconds: float, *, step_s: float = LOOK_EVERY_S) -> None:
        """Let time go on, and what is due be done."""
        while seconds > 0:
            self.clock.advance(min(step_s, seconds))
            seconds -= step_s
            await self.settle()

    async def listed(self, actor: Actor = ANN, **which: Any) -> list[Delivery]:
        """The account's."""
        return await self.deliveries.list(actor, **{**EVERYTHING, **which})

    async def states(self) -> list[str]:
        """Of all of them, oldest first."""
        return [delivery.state for delivery in reversed(await self.listed())]

    async def told(self, actor: Actor = ANN) -> list[tuple[str, str, int | None, str]]:
        """What is told of deliveries, oldest first."""
        return [event for event in await self.all_told(actor) if event[0].startswith("deliver")]

    async def all_told(self, actor: Actor = ANN) -> list[tuple[str, str, int | None, str]]:
        """What is told of anything, oldest first."""
        listed = await self.activity.list(actor, since_ms=None, until_ms=None, limit=1000, skip=0)
        return [(event.kind, event.subject, event.code, event.detail) for event in listed[::-1]]


def verify(posted: Posted, secret: str) -> Any:
    """The JSON of a webhook, whose signature has to be right."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    headers = posted.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + posted.body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert f"v1,{expected}" in headers["webhook-signature"].split(" ")
    return json.loads(posted.body)
