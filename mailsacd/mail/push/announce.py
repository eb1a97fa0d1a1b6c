"""Tells the hubs of all nodes that mail was stored.

After the commit and not within it: PostgreSQL lets transactions that give notices commit one after
the other, each with a sync of its own, and wakes whoever listens to anything for each of them. A
notice that is lost costs a second, and never a message: hubs also look by themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, Final

from twisted.internet.task import deferLater

from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.store.notices import MAIL, give_notice
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

GAP_S: Final = 0.02
"""Between two notices: what is stored meanwhile is announced together."""


class Announcer:
    """An observer of ingest. ``wake`` is called at once: for the hub of this node."""

    def __init__(self, database: Database, wake: Callable[[], None], *, reactor: Any) -> None:
        self._database = database
        self._wake = wake
        self._reactor = reactor
        self._announcing = Loop("announce mail", self._announce, every_s=inf, clock=reactor)
        self.finish = self._announcing.finish

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:  # noqa: ARG002
        """Mail was stored: the first of it is announced now, more after the gap."""
        self._wake()
        self._announcing.wake()

    async def _announce(self) -> None:
        try:
            await give_notice(self._database, MAIL, "")
        finally:
            await deferLater(self._reactor, GAP_S)
