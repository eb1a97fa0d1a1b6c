"""A primary and a standby to be read from, with what tells where was read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet import reactor as the_reactor

from mailsacd.core.figures import Figures
from mailsacd.store.pool import Database
from mailsacd.store.replica_figures import Fallback
from mailsacd.store.replicas import Replicas
from mailsacd.store.sql import Executor, column, many
from mailsacd.store.standbys import Standbys
from tests.lanes import LANES
from tests.patience import until

reactor: Any = the_reactor
NUMBERS: many[int] = many(column, "select n from t order by n")


@dataclass
class Reading:
    """Where is read: ``cells`` has what was counted."""

    primary: Database
    standbys: Standbys
    cells: list[float] = field(default_factory=lambda: [0.0] * 100)

    def __post_init__(self) -> None:
        self.replicas = Replicas(self.primary, self.standbys, reactor=reactor)
        self._figures = Figures(self.cells)
        self.replicas.declare(self._figures)

    async def start(self) -> "Reading":
        """Start both, and wait until there is a standby."""
        await self.primary.start()
        self.standbys.begin()
        await until(lambda: self.standbys.is_there)
        return self

    async def numbers(self) -> Sequence[int]:
        """Read the table t."""
        return await self.replicas.reading(NUMBERS)

    async def write(self, number: int) -> None:
        """Put a row into the table t."""
        await self.primary.run("insert into t values (%s)", (number,))

    def read_on(self, where: str) -> int:
        """Return how often was read on the "standby", or the "primary"."""
        return self._count("mailsacd_reads_total", where)

    def fell_back(self, why: Fallback) -> int:
        """Return how often was read on the primary for that reason."""
        return self._count("mailsacd_read_fallbacks_total", why.value)

    def _count(self, name: str, label: str) -> int:
        (figure,) = (each for each in self._figures if each.name == name)
        (at,) = (at for labels, at in figure.children.items() if labels[0][1] == label)
        return int(self.cells[at])


def standbys_of(dsn: str, *, connections: int = 2, statement_timeout_s: float = 10) -> Standbys:
    """Return connections to the standby at ``dsn``, not begun yet."""
    return Standbys(
        dsn,
        LANES.rest,
        connections=connections,
        statement_timeout_s=statement_timeout_s,
        reactor=reactor,
    )


async def number_of(db: Executor) -> int:
    """Return the number of the server process that it is read by."""
    [[pid]], _ = await db.execute(_PID, ())
    return int(pid)


_PID = many(column, "select pg_backend_pid()")
MakeReading = Callable[..., Reading]
