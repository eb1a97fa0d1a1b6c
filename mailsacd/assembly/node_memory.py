"""The memory that the workers of a node share."""

from dataclasses import dataclass, field

from mailsacd.core.limit_memory import LimitMemory
from mailsacd.mail.records.figure_memory import FigureMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMemory:
    """How much anybody has of what is limited (``limits``), and what is counted (``figures``).

    One that is made without them is that of a process that has no others beside it.
    """

    limits: LimitMemory = field(default_factory=LimitMemory)
    figures: FigureMemory = field(default_factory=FigureMemory)
