"""How long to wait before trying again what another host did not take."""

import random
from typing import Final

FIRST_DELAY_S: Final = 5.0
MAX_DELAY_S: Final = 300.0
JITTER: Final = 0.2
"""By so much of itself a delay varies either way: what failed together is not retried together."""


def delay_s(attempts: int, *, at_least_s: float = 0.0, chance: float | None = None) -> float:
    """Seconds until the next attempt when ``attempts`` (from 1) have failed.

    It doubles with each, up to MAX_DELAY_S, give or take JITTER. It is ``at_least_s``, and a part
    of JITTER more. ``chance`` is from 0 to 1, drawn at random unless it is given.
    """
    doublings = min(max(attempts, 1) - 1, 30)
    drawn = random.random() if chance is None else chance  # noqa: S311  no secret
    steady_s = min(FIRST_DELAY_S * (1 << doublings), MAX_DELAY_S)
    return max(steady_s * (1 - JITTER + 2 * JITTER * drawn), at_least_s * (1 + JITTER * drawn))
