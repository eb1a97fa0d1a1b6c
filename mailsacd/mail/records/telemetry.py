"""What is told of how the daemon does: figures to be read, and lines in the log."""

from dataclasses import dataclass, field

from mailsacd.core.figures import Figures
from mailsacd.mail.records.traffic_log import TrafficLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Where parts declare ``figures`` while they are built, and the ``log`` of what comes in.

    One that is made without them is for nobody to see.
    """

    figures: Figures = field(default_factory=Figures)
    log: TrafficLog = field(default_factory=TrafficLog)
