"""The pictures that a page refers to, in its elements and in its styles."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tinycss2.ast import Declaration, FunctionBlock, StringToken, URLToken

from mailsacd.mail.checks.looks import Look, Looks
from mailsacd.mime.markup import url_in
from mailsacd.mime.style_sheets import Styles, nodes_in
from mailsacd.mime.tree import Element

MAX_PICTURES: Final = 1_000
"""So many are looked at."""

_TINY_PX: Final = 3.0
_ATTRIBUTES: Final = {"img": "src", "input": "src", "video": "poster"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A reference to a picture: its ``url``, and where it stands.

    It is ``tiny`` where it shows a dot at most, and ``hidden`` where it shows nothing.
    """

    url: str
    place: str
    tiny: bool = False
    hidden: bool = False

    @property
    def scheme(self) -> str:
        """The scheme of its URL in lower case, as ``https``; ``""`` for one that is relative."""
        scheme, colon, _ = self.url[:20].partition(":")
        if not colon and self.url.startswith("//"):
            return "https"
        return scheme.lower() if colon and scheme.isalnum() else ""

    @property
    def remote(self) -> bool:
        """Whether it is fetched from a server when the message is shown."""
        return self.scheme in ("http", "https")


def pictures_of(elements: Sequence[Element], styles: Styles, looks: Looks) -> Sequence[Picture]:
    """Return the pictures of a page, MAX_PICTURES at most, those of its elements first."""
    return tuple(islice(_found(elements, styles, looks), MAX_PICTURES))


def _found(elements: Sequence[Element], styles: Styles, looks: Looks) -> Iterator[Picture]:
    for element in elements:
        look = looks[element]
        name = _ATTRIBUTES.get(element.name, "")
        is_button = element.name == "input" and element.attributes.get("type", "") != "image"
        if name in element.attributes and not is_button:
            url = url_in(element.attributes[name])
            yield Picture(url, element.place(), tiny=_is_tiny(look), hidden=look.hidden)
        if element.attributes.get("background", "").strip():
            yield Picture(url_in(element.attributes["background"]), element.place())
        yield from _in_styles(styles.inline(element), element)
    for rule in styles.rules:
        yield from _in_styles(rule.declarations, None)


def _is_tiny(look: Look) -> bool:
    width, height = look.width_px, look.height_px
    return width is not None and height is not None and max(width, height) <= _TINY_PX


def _in_styles(declarations: Iterable[Declaration], element: Element | None) -> Iterator[Picture]:
    for declaration in declarations:
        for node in nodes_in(declaration.value):
            url = None
            if isinstance(node, URLToken):
                url = node.value
            elif isinstance(node, FunctionBlock) and node.lower_name == "url":
                url = next((a.value for a in node.arguments if isinstance(a, StringToken)), None)
            if url:
                place = element.place() if element is not None else f"<style>: {url[:150]}"
                yield Picture(url_in(url), place)
