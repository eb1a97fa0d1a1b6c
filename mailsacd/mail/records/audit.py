"""The audit log: what was done to accounts and to what they own, by whom and from where.

An entry is written in the transaction of what it tells of, so neither is there without the other.
Each topic has room of its own: who makes and takes back addresses all day long does not have it
forgotten that an API key was made.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypedDict, Unpack

from mailsacd.core.actor import Actor, managed_account
from mailsacd.core.audit import (
    MAX_DETAIL_CHARACTERS,
    MAX_SUBJECT_CHARACTERS,
    Act,
    AuditEntry,
    Author,
    Topic,
)
from mailsacd.core.token import moment_id, time_prefix
from mailsacd.store import audit as store
from mailsacd.store.pool import Database
from mailsacd.store.sql import Executor

MAX_OF_TOPIC: Final = 5_000
"""So many entries of an account are kept of each topic, the newest."""

LISTED: Final = 100

_ABOVE_ALL_IDS: Final = "~"
_DAY_MS: Final = 86_400_000


async def audit(db: Executor, account: str, by: Author, act: Act) -> None:
    """Record in the transaction ``db`` that ``by`` does ``act`` in it, to ``account``."""
    entry = AuditEntry(
        id=moment_id(datetime.now(UTC)),
        act=replace(
            act,
            subject=_clean(act.subject)[:MAX_SUBJECT_CHARACTERS],
            detail=_clean(act.detail)[:MAX_DETAIL_CHARACTERS],
        ),
        author=by,
    )
    await store.add_entry(db, account, entry)


class Wanted(TypedDict, total=False):
    """Which entries are wanted: of a time, in milliseconds since the epoch, and of a topic.

    They are ``limit`` (100) after the first ``skip`` (0).
    """

    since_ms: int | None
    until_ms: int | None
    topic: Topic | None
    limit: int
    skip: int


class AuditLog:
    """What its account, and it alone, may look up. Entries are kept for ``days`` days."""

    def __init__(self, database: Database, *, days: int, reactor: Any) -> None:
        self._database = database
        self.days = days
        self._reactor = reactor

    async def list(self, actor: Actor, **wanted: Unpack[Wanted]) -> list[AuditEntry]:
        """What was done to the account that ``actor`` manages, newest first.

        Raises UnauthenticatedError without credentials, ForbiddenError for who manages none.
        """
        account = managed_account(actor)
        until_ms = wanted.get("until_ms")
        return await store.list_entries(
            self._database,
            account,
            from_id=time_prefix(max(wanted.get("since_ms") or 0, self._oldest_ms())),
            before_id=_ABOVE_ALL_IDS if until_ms is None else time_prefix(until_ms),
            topic=wanted.get("topic"),
            limit=wanted.get("limit", LISTED),
            skip=wanted.get("skip", 0),
        )

    async def forget_old(self) -> None:
        """Delete what is too old, and what is beyond MAX_OF_TOPIC."""
        while await store.forget_entries(self._database, time_prefix(self._oldest_ms())):
            pass
        while await store.forget_surplus(self._database, MAX_OF_TOPIC):
            pass

    def _oldest_ms(self) -> int:
        return int(self._reactor.seconds() * 1000) - self.days * _DAY_MS


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd")
