"""Webhooks and Slack are tested for whoever has set them up."""

from typing import Any, Final

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.address import inbox_of
from mailsacd.core.allowance import Allowance
from mailsacd.core.delivery import Delivery
from mailsacd.core.errors import ConflictError, NotFoundError, UnauthenticatedError
from mailsacd.core.token import moment_id, utc_from_ms
from mailsacd.mail.ownership.reservation import ANOTHERS
from mailsacd.store.addresses import find_address
from mailsacd.store.deliveries import add_tests, find_delivery
from mailsacd.store.pool import Database

AT_ONCE: Final = 20
AGAIN_S: Final = 3.0
"""So many tests may an account ask for at once, and then one every 3 seconds."""

_ACCOUNTS: Final = 10_000


class WebhookTests:
    """A test is a delivery of no stored message (mail.delivering.sample), made once."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._reactor = reactor
        self._allowance = Allowance(reactor, at_once=AT_ONCE, again_s=AGAIN_S, remembered=_ACCOUNTS)

    async def begin(self, actor: Actor, email: str) -> list[Delivery]:
        """Have a message that says so posted to each hook of an address, within a second.

        Returns the deliveries; the list of them (`Deliveries.list`) tells what came of each.
        Raises UnauthenticatedError, also for another's address, NotFoundError for one that nobody
        reserved, ConflictError where it has neither webhook nor Slack, and ThrottledError for an
        account that tests too often.
        """
        account, inbox = account_of(actor), str(inbox_of(email))
        found = await find_address(self._database, inbox)
        if found is None:
            raise NotFoundError(f"The address {inbox} is not reserved: it has no webhook")
        if found.owner != account:
            raise UnauthenticatedError(ANOTHERS.format(inbox))
        if found.webhook is None and found.webhook_slack is None:
            raise ConflictError(f"The address {inbox} has neither a webhook nor Slack")
        self._allowance.spend(account, "Too many webhooks were tested of late")
        now = utc_from_ms(int(self._reactor.seconds() * 1000))
        added = await add_tests(self._database, account, inbox, f"{moment_id(now)}-0")
        made = [await find_delivery(self._database, account, one, now) for one in added]
        return [delivery for delivery in made if delivery is not None]
