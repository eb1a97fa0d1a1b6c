"""Removes the rows of mail that is gone: of purged inboxes and domains, and of removed accounts."""

from typing import Any, Final

from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.store.erasures import anything_erased, erase_owned, remove_erased
from mailsacd.store.inbox import purge_owned
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.work.loop import Loop

LOOK_EVERY_S: Final = 5.0
PAUSE_S: Final = 0.02
"""Between two batches: others, who read and store mail, come first."""


class Erasing:
    """Any number of nodes may do this: each batch, and each account, is one node's."""

    def __init__(self, database: Database, accounts: Accounts, *, reactor: Any) -> None:
        self._database = database
        self._accounts = accounts
        self._loops = tuple(
            Loop(what, step, every_s=LOOK_EVERY_S, clock=reactor, cancels=True)
            for what, step in (
                ("remove mail that is gone", self._remove_some),
                ("go on with removals of accounts", self._remove_accounts),
            )
        )

    def start(self) -> None:
        """Begin, with what a crash broke off, too."""
        for loop in self._loops:
            loop.start(0)

    async def stop(self) -> None:
        """End: what was under way is gone on with later, or by another node."""
        for loop in self._loops:
            await loop.stop()

    async def _remove_some(self) -> float | None:
        if not await anything_erased(self._database):
            return None
        return PAUSE_S if await self._database.transaction(remove_erased) else None

    async def _remove_accounts(self) -> float | None:
        return PAUSE_S if await self._accounts.go_on_with_removals() else None


async def delete_owned_mail(transaction: Transaction, inbox: str, account: str) -> None:
    """Delete what the account owns in an inbox; what is much is gone now, and removed later."""
    if await purge_owned(transaction, inbox, account):
        await erase_owned(transaction, inbox, account)
