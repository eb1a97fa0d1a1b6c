"""Whether texts can be told from what is behind them (WCAG 2.2, success criterion 1.4.3)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mailsacd.mail.checks.check import Subject
from mailsacd.mail.checks.colours import Colour, contrast
from mailsacd.mail.checks.looks import Look
from mailsacd.mime.bodies import is_blank
from mailsacd.mime.tree import Element

NEEDED: Final = 4.5
NEEDED_OF_LARGE: Final = 3.0
MAX_PAIRS: Final = 20
"""So many pairs of colours are told of; there are hardly ever more."""

_LARGE_PX: Final = 24.0  # 18 pt
_LARGE_BOLD_PX: Final = 18.66  # 14 pt
_NOT_SHOWN: Final = frozenset({"style", "title"})


@dataclass(slots=True)
class Faint:
    """Texts of one colour on another, less apart than is needed: where they are."""

    colour: Colour
    background: Colour
    needed: float
    elements: list[Element] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The contrast ratio, from 1 to 21, rounded down: what is too low never looks enough."""
        return int(contrast(self.colour, self.background) * 100) / 100


def faint_texts(subject: Subject) -> tuple[Faint, ...]:
    """Return the pairs of colours that are too near each other, the faintest first.

    Texts that nobody sees are left out, and those on pictures, of which nothing is known.
    """
    found: dict[tuple[str, str, float], Faint] = {}
    seen: dict[tuple[Colour, Colour, float], bool] = {}
    for element, look in _texts(subject):
        if look.background is None:
            continue
        needed = NEEDED_OF_LARGE if _is_large(look) else NEEDED
        key = (look.colour, look.background, needed)
        if key not in seen:
            shown = look.colour.over(look.background)
            seen[key] = contrast(shown, look.background) < needed
        if seen[key]:
            shown = look.colour.over(look.background)
            names = (shown.as_hex(), look.background.as_hex(), needed)
            found.setdefault(names, Faint(shown, look.background, needed)).elements.append(element)
    return tuple(sorted(found.values(), key=lambda faint: faint.ratio)[:MAX_PAIRS])


def _texts(subject: Subject) -> Iterator[tuple[Element, Look]]:
    """The elements that have a text of their own which is to be read, and how they look."""
    for element in subject.elements:
        look = subject.looks[element]
        if look.hidden or element.name in _NOT_SHOWN:
            continue
        if any(isinstance(child, str) and not is_blank(child) for child in element.children):
            yield element, look


def _is_large(look: Look) -> bool:
    return look.font_px >= (_LARGE_BOLD_PX if look.bold else _LARGE_PX)
