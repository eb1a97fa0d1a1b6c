"""The memory that the workers of a node share."""

from dataclasses import dataclass, field

from mailsacd.mail.limits.rate_memory import RateMemory
from mailsacd.mail.records.figure_memory import FigureMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMemory:
    """How fast anybody may come (``rates``), and what is counted (``figures``).

    One that is made without them is that of a process that has no others beside it.
    """

    rates: RateMemory = field(default_factory=RateMemory)
    figures: FigureMemory = field(default_factory=FigureMemory)
