"""What one connection's mail takes of the memory for all mail, and for how long."""

from typing import Final

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.budget import ByteBudget

SLOW_AFTER_S: Final = 5.0
"""A message that takes longer to come in may have to make room for others."""
DRIPPING_AFTER_S: Final = 600.0
SLOWEST_BYTES_PER_S: Final = 100.0
"""A message that takes longer than DRIPPING_AFTER_S has to come in as fast as this on average."""


class HeldMail:
    """The bytes that are held for a connection, and the pace of the message under way."""

    __slots__ = ("_budget", "_came", "_clock", "_since_s", "held_bytes")

    def __init__(self, budget: ByteBudget, clock: IReactorTime) -> None:
        self._budget = budget
        self._clock = clock
        self._since_s = 0.0
        self._came = 0
        self.held_bytes = 0

    def begin(self) -> None:
        """Take note that a message begins to come in now."""
        self._since_s = self._clock.seconds()
        self._came = 0

    def came(self, count: int) -> None:
        """Take note that ``count`` bytes of it have come, whether they are kept or not."""
        self._came += count

    def change(self, count: int) -> bool:
        """Hold ``count`` bytes from now on. Returns whether that is more than all together may."""
        change = count - self.held_bytes
        self.held_bytes = count
        if change > 0:
            self._budget.take(change)
            return self._budget.exhausted
        if change < 0:
            self._budget.give(-change)
        return False

    def speed(self, now_s: float) -> float | None:
        """Return the bytes a second that have come up to ``now_s``; None in the first moments."""
        lasted_s = now_s - self._since_s
        return self._came / lasted_s if lasted_s > SLOW_AFTER_S else None

    def is_dripping(self, now_s: float) -> bool:
        """Tell whether the message takes so long, at ``now_s``, that its end is not waited for."""
        lasted_s = now_s - self._since_s
        return lasted_s > DRIPPING_AFTER_S and self._came < lasted_s * SLOWEST_BYTES_PER_S
