"""What is told of reads that may go to a standby."""

from enum import Enum

from mailsacd.core.figures import Figures


class Fallback(Enum):
    """Why something was read on the primary all the same."""

    AWAY = "away"
    """There is no connection to a standby."""

    SLOW = "slow"
    """No connection was free, or no answer came, in time."""

    BEHIND = "behind"
    """It had not replayed enough in time."""

    PROMOTED = "promoted"
    """It is a primary now."""

    OTHER_DATABASE = "other-database"
    """It is a standby of another one."""

    OTHER_TIMELINE = "other-timeline"
    """It does not follow the primary, or not yet (after a failover)."""

    FAILED = "failed"
    """It broke off what was being read, or refused it."""

    RESTING = "resting"
    """One of these was so a moment ago, and it was not tried again."""


class ReplicaFigures:
    """Counts reads by where they were made, and how long was waited for a standby."""

    def __init__(self, figures: Figures) -> None:
        about = "What takes long and only reads, by where it was read"
        self.on_standby = figures.counter("mailsacd_reads_total", about, where="standby")
        self.on_primary = figures.counter("mailsacd_reads_total", about, where="primary")
        self.waited = figures.histogram(
            "mailsacd_replica_wait_seconds",
            "How long it took until a standby could be read from, where one was",
        )
        self.fallbacks = {
            why: figures.counter(
                "mailsacd_read_fallbacks_total",
                "What was read on the primary because no standby would do",
                why=why.value,
            )
            for why in Fallback
        }
