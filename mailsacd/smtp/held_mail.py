"""What one connection's mail takes of the memory for all mail, and for how long."""

from typing import Final

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.budget import ByteBudget

SLOW_AFTER_S: Final = 5.0
"""A message that takes longer to come in may have to make room for others."""


class HeldMail:
    """The bytes that are held for a connection."""

    __slots__ = ("_budget", "_clock", "_since_s", "held_bytes")

    def __init__(self, budget: ByteBudget, clock: IReactorTime) -> None:
        self._budget = budget
        self._clock = clock
        self._since_s = 0.0
        self.held_bytes = 0

    def change(self, count: int) -> bool:
        """``count`` bytes are held from now on; whether that became more than all may take."""
        change = count - self.held_bytes
        if not self.held_bytes:
            self._since_s = self._clock.seconds()
        self.held_bytes = count
        if change > 0:
            self._budget.take(change)
            return self._budget.exhausted
        if change < 0:
            self._budget.give(-change)
        return False

    def speed(self, count: int, now_s: float) -> float | None:
        """How many a second came of ``count`` bytes; None without any, and in the first moments."""
        lasted_s = now_s - self._since_s
        return count / lasted_s if count and lasted_s > SLOW_AFTER_S else None
