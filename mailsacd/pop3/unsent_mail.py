"""What one connection's message takes of the memory for messages that are read slowly."""

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.budget import ByteBudget


class UnsentMail:
    """Counts the bytes held for a connection, and since when its peer has read none of them."""

    __slots__ = ("_budget", "_bytes", "_clock", "_stuck_since_s")

    def __init__(self, budget: ByteBudget, clock: IReactorTime) -> None:
        self._budget = budget
        self._clock = clock
        self._bytes = 0
        self._stuck_since_s: float | None = None

    def change(self, count: int) -> None:
        """Hold ``count`` bytes from now on."""
        change, self._bytes = count - self._bytes, count
        if change > 0:
            self._budget.take(change)
        elif change < 0:
            self._budget.give(-change)

    def reads(self, does: bool) -> None:
        """Take note of whether the peer reads, from now on."""
        self._stuck_since_s = None if does else self._clock.seconds()

    def stuck_s(self, now_s: float) -> float:
        """Return for how many seconds the peer has read nothing at ``now_s``; 0 if none is held."""
        if not self._bytes or self._stuck_since_s is None:
            return 0.0
        return now_s - self._stuck_since_s
