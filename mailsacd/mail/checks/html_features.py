"""Which features of HTML and CSS a page uses, by their names at caniemail.com, and where.

Names are made from what is found, as ``css-`` and a property: those that nobody asks about are
dropped, so that no list of all there is has to be kept here.
"""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tinycss2.ast import (
    Declaration,
    DimensionToken,
    FunctionBlock,
    IdentToken,
    Node,
    PercentageToken,
    URLToken,
)

from mailsacd.mail.checks.check import Subject
from mailsacd.mail.checks.pictures import Picture
from mailsacd.mime.style_sheets import Condition, Rule, nodes_in
from mailsacd.mime.tree import Element

_Origin = Element | Rule | Condition | Picture | str
_VENDOR: Final = re.compile(r"-(?:webkit|moz|ms|o)-")
_SIDES: Final = re.compile(r"(padding|margin|border)-(?:top|right|bottom|left)(?:-[a-z]+)?\Z")
_GROUPS: Final = {
    "column-gap": "gap", "row-gap": "gap", "left": "left-right-top-bottom",
    "right": "left-right-top-bottom", "top": "left-right-top-bottom",
    "bottom": "left-right-top-bottom", "border-color": "border", "border-style": "border",
    "border-width": "border", "overflow-x": "overflow", "overflow-y": "overflow",
    "flex-flow": "flex-wrap", "grid-template-columns": "grid-template",
    "grid-template-rows": "grid-template", "grid-template-areas": "grid-template",
    "animation-name": "animation", "transition-property": "transition",
}  # fmt: skip
_DISPLAYS: Final = {
    "flex": "flex", "inline-flex": "flex", "grid": "grid", "inline-grid": "grid", "none": "none",
}  # fmt: skip
_FUNCTIONS: Final = {
    "calc": "css-unit-calc", "var": "css-variables", "lab": "css-modern-color",
    "lch": "css-modern-color", "oklab": "css-modern-color", "oklch": "css-modern-color",
    "hwb": "css-modern-color", "min": "css-function-min", "max": "css-function-max",
    "clamp": "css-function-clamp", "light-dark": "css-function-light-dark", "url": "",
}  # fmt: skip
_ELEMENTS: Final = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "html-h1-h6"),
    **dict.fromkeys(("ul", "ol", "dl"), "html-lists"),
    **dict.fromkeys(
        ("main", "section", "article", "aside", "header", "footer", "nav", "figure", "figcaption",
         "details", "summary", "mark", "time"),
        "html-semantics",
    ),
    "map": "html-image-maps", "applet": "html-object",
}  # fmt: skip
_ATTRIBUTE_NAMES: Final = {"loading": "html-loading-attribute"}  # others are called as they are
_ATTRIBUTES: Final = frozenset({
    "align", "aria-describedby", "aria-hidden", "aria-label", "aria-labelledby", "aria-live",
    "background", "cellpadding", "cellspacing", "dir", "height", "hidden", "lang", "loading",
    "popover", "required", "role", "srcset", "target", "valign", "width",
})  # fmt: skip
_EXTENSION: Final = re.compile(
    r"\.(apng|avif|bmp|gif|heif|ico|jpg|mp4|png|svg|tiff|webp)(?:[?#]|\Z)"
)
_DATA_TYPE: Final = re.compile(r"data:image/(apng|avif|bmp|gif|heif|png|svg|tiff|webp)\b")


@dataclass(slots=True)
class Use:
    """Where a feature is used first, and how often."""

    place: str
    count: int = 0


class Features:
    """The features that a page uses, of those that are ``known``, in the order of its source."""

    def __init__(self, subject: Subject, known: Container[str]) -> None:
        """``subject`` is the message; its HTML is looked at."""
        self.uses: dict[str, Use] = {}
        self._known = known
        self._of_inline: dict[str, tuple[str, ...]] = {}
        elements = subject.elements
        for element in elements:
            self._take(_of_element(element), element)
            style = element.attributes.get("style", "")
            if style not in self._of_inline:
                declared = _of_declarations(subject.styles.inline(element))
                self._of_inline[style] = tuple(dict.fromkeys(declared))
            self._take(self._of_inline[style], element)
        for rule in subject.styles.rules:
            self._take(_of_rule(rule), rule)
        for condition in subject.styles.conditions:
            self._take(_of_condition(condition), condition)
        if subject.styles.nested_rules:
            self._take(("css-nesting",), "in <style>")
        for picture in subject.pictures:
            self._take(_of_picture(picture), picture)

    def _take(self, names: Iterable[str], origin: _Origin) -> None:
        for name in names:
            if name in self._known:
                if name not in self.uses:
                    self.uses[name] = Use(_place(origin))
                self.uses[name].count += 1


def _place(origin: _Origin) -> str:
    match origin:
        case Element():
            return origin.place()
        case Picture():
            return origin.place
        case Condition() | Rule():
            return f"line {origin.line}: in <style>"
        case str():
            return origin


def _of_element(element: Element) -> Iterator[str]:
    attributes = element.attributes
    yield _ELEMENTS.get(element.name, f"html-{element.name}")
    if element.name in ("input", "button"):
        yield f"html-{element.name}-{attributes.get('type', 'text').lower()}"
    if element.name == "a":
        href = attributes.get("href", "").lstrip()[:8].lower()
        if href.startswith("#"):
            yield "html-anchor-links"
        elif href.startswith("mailto:"):
            yield "html-mailto-links"
    if element.name == "meta" and attributes.get("name", "").lower() == "color-scheme":
        yield "html-meta-color-scheme"
    for name in attributes:
        if name in _ATTRIBUTES:
            yield _ATTRIBUTE_NAMES.get(name, f"html-{name}")


def _of_rule(rule: Rule) -> Iterator[str]:
    for selector in rule.selectors:
        for kind in selector.kinds:
            yield f"css-{kind}"
    yield from dict.fromkeys(_of_declarations(rule.declarations))


def _of_condition(condition: Condition) -> Iterator[str]:
    yield f"css-at-{condition.name}"
    if condition.name == "media":
        for word in condition.words:
            yield f"css-at-media-{word}"


def _of_picture(picture: Picture) -> Iterator[str]:
    found = (_DATA_TYPE.match if picture.scheme == "data" else _EXTENSION.search)(
        picture.url[:2_000].lower()
    )
    if found is not None:
        yield f"image-{found[1]}"
    if picture.scheme == "data":
        yield "image-base64"


def _of_declarations(declarations: Iterable[Declaration]) -> Iterator[str]:
    for declaration in declarations:
        name = declaration.lower_name
        yield "css-variables" if name.startswith("--") else _of_property(name)
        if declaration.important:
            yield "css-important"
        yield from _of_value(name, declaration)


def _of_property(name: str) -> str:
    name = _VENDOR.sub("", name, count=1)
    side = _SIDES.match(name)
    return f"css-{side[1] if side else _GROUPS.get(name, name)}"


def _of_value(name: str, declaration: Declaration) -> Iterator[str]:
    for node in nodes_in(declaration.value):
        if isinstance(node, FunctionBlock):
            function = _VENDOR.sub("", node.lower_name, count=1).removeprefix("repeating-")
            yield _FUNCTIONS.get(function, f"css-{function}")
        elif isinstance(node, DimensionToken):
            yield f"css-unit-{node.lower_unit}"
        elif isinstance(node, PercentageToken):
            yield "css-unit-percent"
        elif name == "display" and isinstance(node, IdentToken):
            yield f"css-display-{_DISPLAYS.get(node.lower_value, node.lower_value)}"
        if name == "background" and _is_url(node):
            yield "css-background-image"


def _is_url(node: Node) -> bool:
    if isinstance(node, FunctionBlock):
        return bool(node.lower_name == "url")
    return isinstance(node, URLToken)
