"""What one connection's message takes of the memory for messages that are read slowly."""

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.budget import ByteBudget


class UnsentMail:
    """The bytes that are held for a connection, and since when its peer has read none of them."""

    __slots__ = ("_budget", "_bytes", "_clock", "_stuck_since_s")

    def __init__(self, budget: ByteBudget, clock: IReactorTime) -> None:
        self._budget = budget
        self._clock = clock
        self._bytes = 0
        self._stuck_since_s: float | None = None

    def change(self, count: int) -> None:
        """``count`` bytes are held from now on."""
        change, self._bytes = count - self._bytes, count
        if change > 0:
            self._budget.take(change)
        elif change < 0:
            self._budget.give(-change)

    def reads(self, does: bool) -> None:
        """Whether the peer reads, from now on."""
        self._stuck_since_s = None if does else self._clock.seconds()

    def stuck_s(self, now_s: float) -> float:
        """For how long the peer has not read what is held for it; 0 when nothing is."""
        if not self._bytes or self._stuck_since_s is None:
            return 0.0
        return now_s - self._stuck_since_s
