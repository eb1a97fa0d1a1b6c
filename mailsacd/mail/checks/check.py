"""What a check is: a function of a message that tells what is wrong with it, and how much.

It is pure. All checks that are asked for run one after the other in one thread, and what they share
of the message, its subject, is worked out once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from mailsacd.core.check_result import BEST
from mailsacd.core.check_result import CheckReason as Reason
from mailsacd.core.check_result import CheckResult as Result
from mailsacd.mail.checks.looks import Looks
from mailsacd.mail.checks.pictures import Picture, pictures_of
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.parse import parse
from mailsacd.mime.style_sheets import Styles
from mailsacd.mime.trace import end_of_trace
from mailsacd.mime.tree import Element, tree_of

__all__ = [
    "BEST", "MAX_REASONS", "MAX_WHERE_CHARS", "Check", "Reason", "Result", "Subject", "gathered",
    "not_applicable", "overall", "scored",
]  # fmt: skip

MAX_REASONS: Final = 100
"""So many reasons has a result at most. A check gathers faults of one kind in one reason."""

MAX_WHERE_CHARS: Final = 300


class Subject:
    """A message that is checked. What is made of it is made when first asked for, and kept.

    ``content`` is the message as it was received, without the trace headers of this server, which
    are no fault of its author's; ``parsed`` is what is in it. ``received`` is when it came, in UTC;
    None where nobody knows.
    """

    def __init__(self, stored: bytes, received: datetime | None = None) -> None:
        """``stored`` is the message as it is stored, with its trace headers."""
        self.received: Final = received
        self.content: Final = stored[end_of_trace(stored) :]
        self.parsed: Final[ParsedMessage] = parse(self.content)

    @cached_property
    def tree(self) -> Element | None:
        """The elements of the HTML that is shown, as a root whose children they are; None: none."""
        html = self.parsed.html
        return None if html is None else tree_of(html)

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """All elements of that HTML, in their order; none when there is none."""
        return () if self.tree is None else tuple(self.tree.elements())

    @cached_property
    def styles(self) -> Styles:
        """What that HTML says about how it looks; nothing when there is none."""
        return Styles(self.tree or Element(""))

    @cached_property
    def looks(self) -> Looks:
        """How its elements look: colours, sizes, and what is hidden."""
        return Looks(self.tree or Element(""), self.styles)

    @cached_property
    def pictures(self) -> Sequence[Picture]:
        """The pictures of that HTML, MAX_PICTURES at most."""
        return pictures_of(self.elements, self.styles, self.looks)


Check = Callable[[Subject], Result]


def scored(name: str, reasons: Sequence[Reason], data: Mapping[str, Any]) -> Result:
    """The result of the check ``name``: the best score less the points of ``reasons``.

    The worst reasons come first.
    """
    worst_first = sorted(reasons, key=lambda reason: -reason.points)
    lost = sum(reason.points for reason in reasons)
    return Result(
        name=name,
        score=max(BEST - lost, 0),
        reasons=tuple(worst_first[:MAX_REASONS]),
        data=data,
    )


def overall(results: Iterable[Result]) -> int | None:
    """The worst score of ``results``: a chain is as good as that. None where none has one."""
    return min((result.score for result in results if result.score is not None), default=None)


def not_applicable(name: str, why: str) -> Result:
    """The result of the check ``name`` of a message in which there is nothing to be checked."""
    return Result(name=name, score=None, reasons=(Reason(points=0, text=why),), data={})


def gathered(points: int, text: str, places: Sequence[str]) -> tuple[Reason, ...]:
    """One reason for the same fault at all of ``places``, of which the first is shown; none: none.

    It costs ``points`` however many places there are.
    """
    if not places:
        return ()
    where = places[0][:MAX_WHERE_CHARS]
    return (Reason(points=points, text=text, where=where, more=len(places) - 1),)
