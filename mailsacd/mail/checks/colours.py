"""Colours of CSS and HTML, and how well one is seen on another (WCAG 2.2)."""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from tinycss2.ast import Node
from tinycss2.color4 import Color, parse_color

MAX_COLOUR_CHARS: Final = 100
_HEX: Final = frozenset("0123456789abcdefABCDEF")


class Colour(NamedTuple):
    """Red, green, blue and opacity in sRGB, each from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, below: "Colour") -> "Colour":
        """Return what is seen where this colour lies over ``below``, which lets nothing through."""
        share = self.alpha
        return Colour(
            self.red * share + below.red * (1 - share),
            self.green * share + below.green * (1 - share),
            self.blue * share + below.blue * (1 - share),
        )

    def as_hex(self) -> str:
        """Return it as ``#rrggbb``, without its opacity."""
        return "#" + "".join(f"{round(part * 255):02x}" for part in self[:3])


BLACK: Final = Colour(0, 0, 0)
WHITE: Final = Colour(1, 1, 1)


def colour_in(nodes: Iterable[Node]) -> Colour | None:
    """Return the first colour among ``nodes``."""
    return next(filter(None, map(_parsed, nodes)), None)


def colour_of_attribute(value: str) -> Colour | None:
    """Return the colour in ``value``, of an attribute like ``bgcolor``; the ``#`` may be missing.

    What browsers make of other values, by rules older than CSS, is not done here.
    """
    value = value.strip()
    if len(value) > MAX_COLOUR_CHARS:
        return None
    if len(value) in (3, 6) and _HEX.issuperset(value):
        value = f"#{value}"
    return _parsed(value)


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parsed(written: str | Node) -> Colour | None:
    try:
        found = parse_color(written)
        if not isinstance(found, Color):
            return None
        parts = list(found.to("srgb"))  # its coordinates, and its alpha
    except (ArithmeticError, NotImplementedError, TypeError, ValueError):
        return None  # a number too large, or a space of which tinycss2 makes no sRGB
    if any(part is None or not math.isfinite(part) for part in parts):
        return None
    return Colour(*(min(max(part or 0.0, 0.0), 1.0) for part in parts))
