"""How the elements of a page look, as far as its own HTML and style sheets tell.

The properties are the few that the checks ask about, inherited as CSS has it, on a white page and
without what a client's own dark mode would change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tinycss2.ast import (
    DimensionToken,
    FunctionBlock,
    IdentToken,
    Node,
    NumberToken,
    PercentageToken,
    URLToken,
)

from mailsacd.mail.checks.cascade import Cascade, Values
from mailsacd.mail.checks.colours import BLACK, WHITE, Colour, colour_in, colour_of_attribute
from mailsacd.mime.style_sheets import Styles, nodes_in
from mailsacd.mime.tree import Element

_LINK: Final = Colour(0, 0, 0.933)
_BOLD: Final = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_SIZES: Final = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 0.83}
_NAMED_SIZES: Final = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0,
    "x-large": 24.0, "xx-large": 32.0,
}  # fmt: skip
_IN_PX: Final = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78}
_WANTED: Final = frozenset({
    "color", "background", "background-color", "background-image", "display", "visibility",
    "opacity", "font", "font-size", "font-weight", "width", "height", "max-width", "max-height",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """How one element looks. Lengths are in pixels; None where nothing is said, or not in px.

    ``background`` is None where a picture is behind the text.
    """

    colour: Colour = BLACK
    background: Colour | None = WHITE
    hidden: bool = False
    font_px: float = 16.0
    bold: bool = False
    width_px: float | None = None
    height_px: float | None = None


class Looks:
    """The looks of all elements of a page. ``limited`` says that rules were left out."""

    def __init__(self, root: Element, styles: Styles) -> None:
        """``root`` is the page's tree, and ``styles`` what it says about looks."""
        cascade = Cascade(styles, _WANTED)
        self._looks: dict[Element, Look] = {root: Look()}
        for element in root.elements():
            above = self._looks[element.parent or root]
            self._looks[element] = _look(element, above, cascade.values(element))

        self.limited: Final = cascade.limited

    def __getitem__(self, element: Element) -> Look:
        return self._looks[element]


def _look(element: Element, above: Look, values: Values) -> Look:
    """How ``element`` looks, which stands in an element that looks like ``above``."""
    attributes = element.attributes
    look = replace(above, width_px=None, height_px=None)
    if element.name == "a" and "href" in attributes:
        look = replace(look, colour=_LINK)
    look = replace(
        look,
        bold=look.bold or element.name in _BOLD,
        font_px=look.font_px * _SIZES.get(element.name, 1.0),
        width_px=_attribute_px(attributes.get("width", "")),
        height_px=_attribute_px(attributes.get("height", "")),
        hidden=look.hidden or "hidden" in attributes,
    )
    for name in ("text", "color") if element.name in ("body", "font") else ():
        colour = colour_of_attribute(attributes.get(name, ""))
        look = look if colour is None else replace(look, colour=colour)
    if "bgcolor" in attributes:
        look = _on(look, colour_of_attribute(attributes["bgcolor"]))
    if attributes.get("background"):
        look = replace(look, background=None)
    for name, value in values.items():
        look = _declared(look, above, name, value)
    return look


def _declared(look: Look, above: Look, name: str, value: Sequence[Node]) -> Look:
    """``look`` after one declaration."""
    if name == "color":
        return replace(look, colour=colour_in(value) or look.colour)
    if name.startswith("background"):
        return _on(look, colour_in(value), picture=any(map(_is_picture, value)))
    if name in ("font-size", "font"):
        return _with_font(look, above, value, shorthand=name == "font")
    if name == "font-weight":
        return replace(look, bold=_is_bold(value, above))
    if name in ("width", "height", "max-width", "max-height"):
        return _with_length(look, name, value)
    return replace(look, hidden=look.hidden or _hides(name, value))


def _on(look: Look, colour: Colour | None, *, picture: bool = False) -> Look:
    """``look`` with ``colour`` laid over its background, and a picture over that."""
    if picture:
        return replace(look, background=None)
    if colour is None or not colour.alpha:
        return look
    if colour.alpha < 1 and look.background is None:
        return look
    return replace(look, background=colour.over(look.background or WHITE))


def _is_picture(node: Node) -> bool:
    if isinstance(node, FunctionBlock):
        return bool(node.lower_name.endswith(("url", "gradient", "image-set", "image")))
    return isinstance(node, URLToken)


def _with_font(look: Look, above: Look, value: Iterable[Node], *, shorthand: bool) -> Look:
    if shorthand:
        look = replace(look, bold=_is_bold(value, above))
    for node in value:
        size = _font_px(node, above.font_px)
        if size is not None:
            return replace(look, font_px=size, hidden=look.hidden or size == 0)
    return look


def _font_px(node: Node, above_px: float) -> float | None:
    if isinstance(node, PercentageToken):
        return above_px * float(node.value) / 100
    if isinstance(node, IdentToken):
        return _NAMED_SIZES.get(node.lower_value)
    if isinstance(node, DimensionToken) and node.lower_unit in ("em", "rem"):
        return float(node.value) * (above_px if node.lower_unit == "em" else 16.0)
    return _px(node)


def _is_bold(value: Iterable[Node], above: Look) -> bool:
    for node in value:
        if isinstance(node, IdentToken) and node.lower_value in ("bold", "bolder"):
            return True
        if isinstance(node, NumberToken) and node.value >= 100:
            return bool(node.value >= 700)
        if isinstance(node, IdentToken) and node.lower_value == "inherit":
            return above.bold
    return False


def _with_length(look: Look, name: str, value: Sequence[Node]) -> Look:
    length = next(filter(lambda found: found is not None, map(_px, value)), None)
    sides: Mapping[str, float | None] = {"width": look.width_px, "height": look.height_px}
    side = name.removeprefix("max-")
    before = sides[side]
    if name != side and (length is None or (before is not None and before <= length)):
        return look
    if side == "width":
        return replace(look, width_px=length)
    return replace(look, height_px=length)


def _px(node: Node) -> float | None:
    if isinstance(node, NumberToken):
        return 0.0 if node.value == 0 else None
    if isinstance(node, DimensionToken) and node.lower_unit in _IN_PX:
        return float(node.value) * _IN_PX[node.lower_unit]
    return None


def _attribute_px(value: str) -> float | None:
    value = value.strip().lower().removesuffix("px")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _hides(name: str, value: Sequence[Node]) -> bool:
    nodes = list(nodes_in(value))
    if name == "opacity":
        return any(isinstance(node, NumberToken) and node.value <= 0.01 for node in nodes)
    words = {node.lower_value for node in nodes if isinstance(node, IdentToken)}
    return "none" in words if name == "display" else bool(words & {"hidden", "collapse"})
