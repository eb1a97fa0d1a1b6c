"""Tells the hubs of all nodes that mail was stored.

After the commit and not within it: PostgreSQL lets transactions that give notices commit one after
the other, each with a sync of its own, and wakes whoever listens to anything for each of them. A
notice that is lost costs a second, and never a message: hubs also look by themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsacd.core.errors import MailsacdError
from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.store.notices import MAIL, give_notice
from mailsacd.store.pool import Database

GAP_S: Final = 0.02
"""Between two notices: what is stored meanwhile is announced together."""

_log = Logger()


class Announcer:
    """An observer of ingest. ``wake`` is called at once: for the hub of this node."""

    def __init__(self, database: Database, wake: Callable[[], None], *, reactor: Any) -> None:
        self._database = database
        self._wake = wake
        self._reactor = reactor
        self._due = False
        self._announcing: Deferred[None] | None = None

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:  # noqa: ARG002
        """Mail was stored: the first of it is announced now, more after the gap."""
        self._wake()
        self._due = True
        if self._announcing is None:
            self._announcing = ensureDeferred(self._announce())
            self._announcing.addErrback(lambda f: _log.failure("mail is not announced", f))
            self._announcing.addBoth(self._announced)

    async def finish(self) -> None:
        """Wait until all is announced."""
        if self._announcing is not None:
            await self._announcing

    async def _announce(self) -> None:
        while self._due:
            self._due = False
            with suppress(MailsacdError):
                await give_notice(self._database, MAIL, "")
            await deferLater(self._reactor, GAP_S)

    def _announced(self, _: None) -> None:
        self._announcing = None
