"""Reading on standbys without ever reading one's own write too early (docs/adr/0044).

The primary is asked how far it is, and a standby is read from once it has come there: so what it
shows is never older than the request. Where that takes longer than a moment, or there is no standby
that will do, the primary is read from as if there were none.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsacd.core.errors import MailsacdError, StatementError
from mailsacd.core.figures import Figures
from mailsacd.store.failures import took_too_long
from mailsacd.store.pool import Database
from mailsacd.store.positions import Position, position_of, reached
from mailsacd.store.replica_figures import Fallback, ReplicaFigures
from mailsacd.store.sql import Executor
from mailsacd.store.standbys import Standbys
from mailsacd.store.transaction import Transaction

T = TypeVar("T")

REPLAYED_WITHIN_S: Final = 0.02
"""So long a read waits for a standby to come to where the primary was."""
READY_WITHIN_S: Final = 0.25
"""So long it waits for all that comes before it reads there: a connection, answers, and that."""
REST_S: Final = 1.0
"""After a standby would not do none is tried for so long: who reads then waits for nothing."""

_LOOK_AGAIN_S: Final = 0.001  # then after twice as long, and so on

_log = Logger()


class Replicas:
    """A Reader: on ``standbys``, each read in a transaction, else on ``primary``."""

    def __init__(self, primary: Database, standbys: Standbys, *, reactor: Any) -> None:
        """Both are started, and stopped, by whoever made them."""
        self._primary = primary
        self._standbys = standbys
        self._reactor = reactor
        self._figures = ReplicaFigures(Figures())
        self._resting_until_s = 0.0
        self._has_warned = False

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell where was read."""
        self._figures = ReplicaFigures(figures)
        self._standbys.declare(figures, "standby")

    async def reading(self, work: Callable[[Executor], Awaitable[T]]) -> T:
        """Read as of a Reader, on a standby if one will do."""
        try:
            read = await self._on_standby(work)
        except _NoStandbyError as e:
            self._fall_back(e.why)
        else:
            self._figures.on_standby.add()
            return read
        self._figures.on_primary.add()
        return await work(self._primary)

    async def _on_standby(self, work: Callable[[Executor], Awaitable[T]]) -> T:
        """Raises _NoStandbyError, and what the primary raises."""
        if self._reactor.seconds() < self._resting_until_s:
            raise _NoStandbyError(Fallback.RESTING)
        if not self._standbys.is_there:
            raise _NoStandbyError(Fallback.AWAY)
        try:
            position = await position_of(self._primary)
        except StatementError as e:  # some that call themselves PostgreSQL have no such function
            raise _NoStandbyError(Fallback.OTHER_DATABASE) from e
        return await _Attempt(self._reactor, position, self._figures).run(self._standbys, work)

    def _fall_back(self, why: Fallback) -> None:
        self._figures.fallbacks[why].add()
        if why in {Fallback.RESTING, Fallback.AWAY}:
            return  # that took no time
        self._resting_until_s = self._reactor.seconds() + REST_S
        self._standbys.try_another()
        if why is Fallback.OTHER_DATABASE and not self._has_warned:
            self._has_warned = True
            _log.warn(
                "the {t} is no standby of the {p}, and is not read from",
                t=str(self._standbys.target),
                p=str(self._primary.target),
            )


class _Attempt:
    """One read on a standby. It is given up when that is not ready to be read from in time."""

    def __init__(self, reactor: Any, position: Position, figures: ReplicaFigures) -> None:
        self._reactor = reactor
        self._position = position
        self._figures = figures
        self._is_given_up = False
        self._since_s = reactor.seconds()

    async def run(self, standbys: Standbys, work: Callable[[Executor], Awaitable[T]]) -> T:
        """Return what ``work`` returns. Raises _NoStandbyError."""

        async def in_transaction(transaction: Transaction) -> T:
            await self._wait(transaction)
            giving_up.cancel()
            return await work(transaction)

        def give_up() -> None:
            self._is_given_up = True
            reading.cancel()

        # First, for all answers may come in this turn
        giving_up = self._reactor.callLater(READY_WITHIN_S, give_up)
        reading = ensureDeferred(standbys.transaction(in_transaction))
        try:
            return await reading
        except CancelledError as e:
            if self._is_given_up:
                raise _NoStandbyError(Fallback.SLOW) from e
            raise
        except MailsacdError as e:
            if took_too_long(e):  # the primary would take as long
                raise
            raise _NoStandbyError(Fallback.FAILED) from e
        finally:
            if giving_up.active():
                giving_up.cancel()

    async def _wait(self, standby: Transaction) -> None:
        """Return when the standby has come to the position.

        Each statement of the transaction sees what was replayed when it begins (read committed).
        """
        pause_s = _LOOK_AGAIN_S
        until_s = self._reactor.seconds() + REPLAYED_WITHIN_S
        while not await self._is_there(standby):
            if self._reactor.seconds() > until_s:
                raise _NoStandbyError(Fallback.BEHIND)
            await deferLater(self._reactor, pause_s)
            pause_s *= 2
        self._figures.waited.observe(self._reactor.seconds() - self._since_s)

    async def _is_there(self, standby: Transaction) -> bool:
        server = await reached(standby, self._position)
        if not server.is_standby:
            raise _NoStandbyError(Fallback.PROMOTED)
        if not server.is_same_database:
            raise _NoStandbyError(Fallback.OTHER_DATABASE)
        if not server.is_same_timeline:
            raise _NoStandbyError(Fallback.OTHER_TIMELINE)
        return server.is_there


class _NoStandbyError(Exception):
    """No standby can be read from, and ``why``."""

    def __init__(self, why: Fallback) -> None:
        super().__init__(why.value)
        self.why = why
