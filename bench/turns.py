"""A server's turns under a load: how fast it was, what it did afterwards, what all that cost."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.generators import generator_cpu_s
from bench.processes import tree_cpu_s
from bench.quiet import settle
from bench.servers import Server

WARM_UP_MESSAGES: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn. ``after_s`` is how long the server went on after its last reply; None: to no end.

    ``cpu_s`` is of all processes of the server, until it was quiet; None where they are not known.
    """

    count: int
    sending_s: float
    after_s: float | None
    cpu_s: float | None
    generator_s: float

    @property
    def rate(self) -> float:
        """Messages a second, with what was done after the last reply counted in."""
        return self.count / (self.sending_s + (self.after_s or 0.0))


class Contestant:
    """A server's turns: its first call finds out how many messages make a turn of that length."""

    def __init__(self, server: Server, send: Callable[[Server, int], float], seconds: float):
        self._server = server
        self._send = send
        self._seconds = seconds
        self._count = 0
        self.turns: list[Turn] = []

    def __call__(self) -> float:
        """Messages a second in one turn, all work counted in. Returns when the server is quiet."""
        if not self._count:
            warm_up_s = self._send(self._server, WARM_UP_MESSAGES)
            wanted = int(WARM_UP_MESSAGES / warm_up_s * self._seconds)
            self._count = max(wanted, WARM_UP_MESSAGES)
            settle(self._server.pid)
        turn = self._turn()
        self.turns.append(turn)
        self._server.empty()
        settle(self._server.pid)
        return turn.rate

    def _turn(self) -> Turn:
        pid = self._server.pid
        before_s = tree_cpu_s(pid) if pid else 0.0
        generator_before_s = generator_cpu_s()
        sending_s = self._send(self._server, self._count)
        generator_s = generator_cpu_s() - generator_before_s
        after_s = settle(pid)
        return Turn(
            count=self._count,
            sending_s=sending_s,
            after_s=after_s,
            cpu_s=tree_cpu_s(pid) - before_s if pid else None,
            generator_s=generator_s,
        )

    @property
    def cpu_ms(self) -> list[float]:
        """Processor milliseconds a message of each turn; empty where no process is known."""
        return [turn.cpu_s * 1000 / turn.count for turn in self.turns if turn.cpu_s is not None]

    @property
    def after(self) -> str:
        """Messages a second until the last reply, and how long the server went on after it."""
        until_last_reply = median(turn.count / turn.sending_s for turn in self.turns)
        quiet = [turn.after_s for turn in self.turns if turn.after_s is not None]
        went_on = f"{median(quiet):.1f} s" if len(quiet) == len(self.turns) else "never quiet"
        return f"{until_last_reply:,.0f}/s until the last reply, {went_on} after it"
