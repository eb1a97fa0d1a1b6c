"""How long to wait before trying again what another host did not take."""

import random
from dataclasses import dataclass
from typing import Final

FIRST_DELAY_S: Final = 5.0
MAX_DELAY_S: Final = 300.0
JITTER: Final = 0.2
"""By so much of itself a delay varies either way: what failed together is not retried together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Delays of ``first_s`` seconds, of twice that, and so on up to ``most_s``, give or take the
    part ``jitter`` of each."""

    first_s: float
    most_s: float
    jitter: float = JITTER

    def delay_s(
        self, attempts: int, *, at_least_s: float = 0.0, chance: float | None = None
    ) -> float:
        """Seconds until the next attempt when ``attempts`` (from 1) have failed.

        It is ``at_least_s``, and a part of the jitter more. ``chance`` is from 0 to 1, drawn at
        random unless it is given.
        """
        doublings = min(max(attempts, 1) - 1, 30)
        drawn = random.random() if chance is None else chance  # noqa: S311  no secret
        steady_s = min(self.first_s * (1 << doublings), self.most_s)
        spread = 1 - self.jitter + 2 * self.jitter * drawn
        return max(steady_s * spread, at_least_s * (1 + self.jitter * drawn))


WEBHOOKS: Final = Schedule(first_s=FIRST_DELAY_S, most_s=MAX_DELAY_S)
"""When a webhook is called again."""
