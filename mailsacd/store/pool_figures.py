"""What a pool of connections tells of itself."""

from collections.abc import Awaitable, Callable, Sized
from typing import TypeVar

from mailsacd.core.figures import Figures

T = TypeVar("T")


class PoolFigures:
    """How a pool stands, and how long was waited for a connection where none was free.

    ``name`` tells the pools of a process apart.
    """

    def __init__(
        self, figures: Figures, name: str, open_: Sized, idle: Sized, waiting: Sized
    ) -> None:
        """``open_`` are its connections, ``idle`` those that are free; ``waiting`` is the line."""
        gauge = figures.gauge
        self._waited = figures.histogram(
            "mailsacd_pool_wait_seconds",
            "How long was waited for a connection to the database, where none was free",
            pool=name,
        )
        gauge("mailsacd_pool_open", "Connections to the database", lambda: len(open_), pool=name)
        gauge(
            "mailsacd_pool_in_use",
            "Connections to the database that something has",
            lambda: len(open_) - len(idle),
            pool=name,
        )
        gauge(
            "mailsacd_pool_waiting",
            "What waits for a connection to the database",
            lambda: len(waiting),
            pool=name,
        )

    async def timed(self, waiting: Awaitable[T], seconds: Callable[[], float]) -> T:
        """Return what ``waiting`` does, having counted how long that took, by a clock."""
        since_s = seconds()
        try:
            return await waiting
        finally:
            self._waited.observe(seconds() - since_s)
