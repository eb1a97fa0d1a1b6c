"""When mail is tried again, and when it is given up."""

from dataclasses import dataclass
from typing import Final

from mailsacd.core.backoff import Schedule
from mailsacd.core.outcome import Outcome
from mailsacd.settings import RelaySettings

GREYLISTED_MOST_S: Final = 900.0
"""A host that greylists is asked again within this time, or when it says itself."""
MAX_ASKED_S: Final = 3_600.0

_JITTER: Final = 0.1

_HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRules:
    """When mail is tried again, when its sender hears that it is late, when it is given up, and for
    how long nothing is sent to an address that failed for good (0 days: it is)."""

    first_s: float
    most_s: float
    tell_after_s: float
    give_up_after_s: float
    suppressed_days: int

    def wait_s(self, outcome: Outcome, attempts: int) -> float:
        """Seconds until the next attempt when so many have failed, the last with ``outcome``."""
        schedule = Schedule(first_s=self.first_s, most_s=self.most_s, jitter=_JITTER)
        asked_s = outcome.asks_to_wait_s
        if asked_s is None:
            return schedule.delay_s(attempts)
        soon = Schedule(
            first_s=self.first_s, most_s=min(self.most_s, GREYLISTED_MOST_S), jitter=_JITTER
        )
        return soon.delay_s(attempts, at_least_s=min(asked_s, MAX_ASKED_S))


def relay_rules(settings: RelaySettings) -> RelayRules:
    """Return the rules as the operator's settings have them."""
    return RelayRules(
        first_s=settings.retry_first_s,
        most_s=settings.retry_most_s,
        tell_after_s=settings.delay_notice_hours * _HOUR_S,
        give_up_after_s=settings.give_up_hours * _HOUR_S,
        suppressed_days=settings.suppressed_days,
    )
