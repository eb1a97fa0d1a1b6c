"""Puts messages on their way: the row of each recipient is what promises that it is sent.

The message, its recipients and what they cost are written in one transaction; when that commits
the relays of all nodes are told.
"""

from dataclasses import replace
from typing import Any, Final, Protocol

from mailsacd.core.errors import NotEnoughCreditsError, NotFoundError, ThrottledError
from mailsacd.core.outgoing import NewOutgoing
from mailsacd.core.token import EnvelopeIds
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.store.compression import compress
from mailsacd.store.notices import OUTGOING, give_notice
from mailsacd.store.outgoing import charge_sends, insert_outgoing, open_bytes
from mailsacd.store.sql import Executor
from mailsacd.work.threads import Lane

MAX_OPEN_BYTES: Final = 268_435_456
RETRY_AFTER_S: Final = 300


class Signing(Protocol):
    """Signs messages (mail.sending.signing)."""

    async def sign(self, header_from_domain: str, content: bytes) -> bytes:
        """Return ``content`` with a signature of that domain, or as it is without a key."""


class Queueing:
    """Ids are made by the node; ``lane`` is where large messages are compressed."""

    def __init__(
        self,
        accounts: Accounts,
        lane: Lane,
        *,
        reactor: Any,
        signer: Signing | None = None,
        max_open_bytes: int = MAX_OPEN_BYTES,
    ) -> None:
        """Without a ``signer`` messages go out as they are.

        What is charged to an account waits while it has ``max_open_bytes`` at most in all.
        """
        self._accounts = accounts
        self._lane = lane
        self._reactor = reactor
        self._signer = signer
        self._max_open_bytes = max_open_bytes
        self._ids = EnvelopeIds()

    async def queue(self, new: NewOutgoing, *, charged: bool) -> str:
        """Sign and queue ``new``. Returns its id once that is committed.

        ``charged`` takes a credit of the account's for each recipient. Raises
        NotEnoughCreditsError, ThrottledError when too much of the account's waits already,
        NotFoundError when there is no such account any more, and UnavailableError.
        """
        if self._signer is not None:
            domain = new.header_from.rpartition("@")[2]
            new = replace(new, content=await self._signer.sign(domain, new.content))
        body = await self._compressed(new.content)
        limit = (await self._accounts.limits(new.account or "")).sends if charged else 0

        async def work(transaction: Executor) -> str:
            if charged:
                await self._charge(transaction, new, limit)
            return await self._insert(transaction, new, body)

        return await self._accounts.database.transaction(work)

    async def queue_in(self, transaction: Executor, new: NewOutgoing) -> str:
        """Queue ``new`` as it is in somebody's transaction, free of charge. Returns its id.

        For what is small: it is compressed here and now. Raises NotFoundError when its account is
        gone.
        """
        return await self._insert(transaction, new, compress(new.content))

    async def _compressed(self, content: bytes) -> bytes:
        return await self._lane.run(len(content), lambda: compress(content))

    async def _insert(self, transaction: Executor, new: NewOutgoing, body: bytes) -> str:
        outgoing_id, _ = self._ids.next(int(self._reactor.seconds() * 1000))
        if not await insert_outgoing(transaction, outgoing_id, new, body):
            raise NotFoundError("There is no such account")
        await give_notice(transaction, OUTGOING, "")
        return outgoing_id

    async def _charge(self, transaction: Executor, new: NewOutgoing, limit: int) -> None:
        account, wanted = new.account or "", len(new.recipients)
        if not await charge_sends(transaction, account, wanted, limit):
            told = f"Not enough credits for {wanted} recipients: the plan has {limit} a month"
            raise NotEnoughCreditsError(told)
        # Whoever else sends for the account waits for the row that was charged
        if await open_bytes(transaction, account) + len(new.content) > self._max_open_bytes:
            told = f"More than {self._max_open_bytes} bytes of yours would wait to be sent"
            raise ThrottledError(told, retry_after_s=RETRY_AFTER_S)
