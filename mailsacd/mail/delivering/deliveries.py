"""Messages on their way to webhooks and Slack: what is sent, what becomes of it, who may ask.

A delivery is a row that was written with the message, so none is ever lost; it is tried until the
receiver takes it, for a day. Trying is the work of a job (see jobs.deliveries).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, Unpack

from mailsacd.core.activity import DELIVERED, DELIVERY_FAILED, WEBHOOK_DISABLED
from mailsacd.core.actor import Actor, account_of, unlimited_account
from mailsacd.core.audit import SERVER, Act, author_of
from mailsacd.core.backoff import WEBHOOKS
from mailsacd.core.delivery import RETRIED_FOR, SLACK, Attempt, Claim, Delivery
from mailsacd.core.errors import ConflictError, NotFoundError
from mailsacd.core.message import Message
from mailsacd.core.token import utc_from_ms
from mailsacd.core.webhook_signature import new_secret, shown_secret, signature_headers
from mailsacd.mail.delivering.sample import sample
from mailsacd.mail.delivering.slack import SlackForms
from mailsacd.mail.limits.usage import Usage
from mailsacd.mail.ownership.directory import announce
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.records.audit import audit
from mailsacd.store import deliveries as store
from mailsacd.store import delivery_pruning as pruning
from mailsacd.store import webhook_secrets as secrets
from mailsacd.store.compression import compress
from mailsacd.store.deliveries import Rooms, Which
from mailsacd.store.messages import find_message, find_raw
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.store.usage import PUSH

KEPT_FOR: Final = timedelta(days=7)
"""So long an ended delivery may be looked up, and asked for once more."""

MAX_OF_ACCOUNT: Final = 100_000
"""So many deliveries of an account are kept, and of more the newest."""

BOTH_SECRETS_FOR: Final = timedelta(days=1)
"""So long after a change of the secret the one before signs along."""

MAX_BODY_BYTES: Final = 33_554_432


class Forms(Protocol):
    """Makes the pushed form of messages (mail.push.payload)."""

    async def form(self, message: Message, stored: bytes) -> bytes:
        """One JSON object; ``stored`` is the compressed raw message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A request to make: what is sent to a delivery's URL."""

    body: bytes
    headers: Mapping[str, str]


class Deliveries:
    """Deliveries to webhooks and Slack. All calls may raise UnavailableError."""

    def __init__(
        self,
        database: Database,
        activity: Activity,
        usage: Usage,
        forms: Forms,
        slack: SlackForms,
        *,
        reactor: Any,
    ) -> None:
        self._database = database
        self._activity = activity
        self._usage = usage
        self._forms = forms
        self._slack = slack
        self._reactor = reactor

    # For the job

    async def is_any_due(self) -> bool:
        """Return whether any delivery is due, so that claiming is worth while."""
        return await store.is_any_due(self._database, self._now())

    async def claim(self, rooms: Rooms, *, lease_s: int) -> list[Claim]:
        """Claim deliveries that are due, for a while (see store.deliveries.claim)."""
        return await store.claim_deliveries(self._database, self._now(), rooms, lease_s=lease_s)

    async def message(self, claim: Claim) -> Message | None:
        """The message to be delivered; None when ``claim`` is settled: ended, or moved elsewhere.

        It goes where the address says now. Who changes a URL wants what waits for the old one,
        and who clears it wants nothing more.
        """
        if claim.wanted_url is None:
            await self._end(claim, Attempt(None, f"The address has no {claim.kind} any more"))
        elif claim.wanted_url != claim.url:
            await store.move_delivery(self._database, claim, self._now(), claim.wanted_url)
        elif claim.is_test:
            return sample(claim.address, claim.message_id)[0]
        else:
            found = await find_message(self._database, claim.inbox, claim.message_id, claim.account)
            if found is None:
                await self._end(claim, _DELETED)
            return found
        return None

    async def post(self, claim: Claim, message: Message) -> Post | None:
        """What to send now; None when ``claim`` is settled."""
        stored = await self._stored(claim)
        if stored is None:
            await self._end(claim, _DELETED)
            return None
        body = await self._body(claim, message, stored)
        if len(body) > MAX_BODY_BYTES:
            await self._end(claim, Attempt(None, "The message is too large to be posted"))
            return None
        if claim.kind == SLACK:  # which looks at no signature
            return Post(body=body, headers={})
        keys = [key for key in await self._secrets(claim.account) if key is not None]
        time_s = int(self._reactor.seconds())
        return Post(body=body, headers=signature_headers(claim.id, time_s, body, keys))

    async def _stored(self, claim: Claim) -> bytes | None:
        """The compressed raw message; None when it is not there any more."""
        if claim.is_test:
            return compress(sample(claim.address, claim.message_id)[1])
        return await find_raw(self._database, claim.inbox, claim.message_id, claim.account)

    async def record(self, claim: Claim, attempt: Attempt) -> None:
        """``attempt`` was made: it is done, or due again, or failed for good."""
        now = self._now()
        if attempt.succeeded:
            assert attempt.code is not None  # noqa: S101  for mypy: it succeeded
            if not await store.record_delivered(self._database, claim, now, attempt.code):
                return
            self._tell(DELIVERED, claim, attempt)
            if not claim.first:  # the first push of a message is free
                self._usage.count(claim.account, PUSH)
            return
        told = attempt if attempt.error else Attempt(attempt.code, _refused(attempt.code))
        wait_s = WEBHOOKS.delay_s(claim.attempts + 1, at_least_s=attempt.retry_after_s)
        due = now + timedelta(seconds=wait_s)
        if claim.is_test:
            await self._end(claim, told, tried=True)
        elif attempt.is_unwanted:
            if await self._end(claim, told, tried=True):
                await self._disable(claim, Attempt(attempt.code, claim.url))
        elif due >= claim.begun + RETRIED_FOR:
            await self._end(claim, told, tried=True)
        else:
            await store.record_failed(self._database, claim, due, told)

    async def _disable(self, claim: Claim, attempt: Attempt) -> None:
        """Have the address post there no longer: the receiver wants nothing more."""

        async def work(transaction: Transaction) -> bool:
            if not await store.unhook(transaction, claim):
                return False
            told = f"{claim.kind}: the receiver wants nothing more"
            act = Act("address", "changed", claim.address, told)
            await audit(transaction, claim.account, SERVER, act)
            await announce(transaction, claim.address)
            return True

        if await self._database.transaction(work):
            self._tell(WEBHOOK_DISABLED, claim, attempt)

    async def forget_old(self) -> None:
        """Delete what ended more than KEPT_FOR ago, and an account's beyond MAX_OF_ACCOUNT."""
        while await pruning.forget_ended(self._database, self._now() - KEPT_FOR):
            pass
        while await pruning.forget_surplus(self._database, MAX_OF_ACCOUNT):
            pass

    # For their owner

    async def list(self, actor: Actor, **which: Unpack[Which]) -> list[Delivery]:
        """The account's, newest message first. Raises UnauthenticatedError."""
        account = account_of(actor)
        return await store.list_deliveries(self._database, account, self._now(), **which)

    async def redeliver(self, actor: Actor, delivery_id: str) -> Delivery:
        """Have one tried again at once, and for a day, whatever came of it.

        Raises UnauthenticatedError, NotFoundError, and ConflictError while it is being tried.
        """
        account = account_of(actor)
        again = await store.deliver_again(self._database, account, delivery_id, self._now())
        found = await store.find_delivery(self._database, account, delivery_id, self._now())
        if found is None:
            raise NotFoundError("There is no such delivery")
        if not again:
            raise ConflictError("It is being delivered just now")
        return found

    async def secret(self, actor: Actor) -> str:
        """What the account's webhooks are signed with. Raises UnauthenticatedError."""
        return shown_secret((await self._secrets(account_of(actor)))[0])

    async def rotate_secret(self, actor: Actor) -> str:
        """A new secret; the one before signs along for BOTH_SECRETS_FOR.

        Raises UnauthenticatedError, and ForbiddenError for a team user who is not elevated.
        """
        account = unlimited_account(actor)
        await self._secrets(account)  # so that there is one to be changed

        async def work(transaction: Transaction) -> None:
            await secrets.rotate(transaction, account, self._now(), fresh=new_secret())
            act = Act("account", "changed", account, "webhook secret")
            await audit(transaction, account, author_of(actor), act)

        await self._database.transaction(work)
        return await self.secret(actor)

    async def _body(self, claim: Claim, message: Message, stored: bytes) -> bytes:
        if claim.kind != SLACK:
            return await self._forms.form(message, stored)

        with_people = claim.to_from and not claim.is_test  # no message to link to
        return await self._slack.form(message, stored, with_people=with_people)

    async def _secrets(self, account: str) -> tuple[bytes, bytes | None]:
        since = self._now() - BOTH_SECRETS_FOR
        return await secrets.of_account(self._database, account, since, fresh=new_secret())

    async def _end(self, claim: Claim, last: Attempt, *, tried: bool = False) -> bool:
        """Returns False when the delivery is another node's by now, or gone with its account."""
        if not await store.record_ended(self._database, claim, self._now(), last, tried=tried):
            return False
        self._tell(DELIVERY_FAILED, claim, last)
        return True

    def _tell(self, kind: str, claim: Claim, attempt: Attempt) -> None:
        self._activity.record(
            kind,
            account=claim.account,
            subject=claim.address,
            code=attempt.code,
            detail=f"{claim.kind} {claim.id} {attempt.error}".rstrip(),
        )

    def _now(self) -> datetime:
        return utc_from_ms(int(self._reactor.seconds() * 1000))


_DELETED: Final = Attempt(None, "The message is not there any more")


def _refused(code: int | None) -> str:
    if code is not None and 300 <= code <= 399:
        return f"The answer was {code}: redirects are not followed"
    return f"The answer was {code}"
