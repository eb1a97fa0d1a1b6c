"""The elements of HTML as a tree, made in one pass that nothing in it can make slow.

It is for who asks how a page is built, and not for who shows it: of what browsers repair only that
is done here which authors leave out by habit, as the ends of paragraphs, items and cells.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Final

from mailsacd.mime import markup, nesting
from mailsacd.mime.markup import Tag

MAX_DEPTH: Final = 100
"""What is deeper stands, in the tree, in the element of this depth."""

MAX_PLACE_CHARS: Final = 200

_ROOT: Final = ""
_LINK: Final[nesting.Reach] = (frozenset({"a"}), nesting.SCOPE)  # none is in another
_EMPTIED: Final = frozenset({"script", "iframe"})  # what is in them is nothing to a mail client
_KEPT_RAW: Final = frozenset({"style", "title"}) | _EMPTIED


@dataclass(slots=True, eq=False)
class Element:
    """An element; ``name`` and the names of ``attributes`` are in lower case.

    Character references are decoded, in ``attributes`` and in those of the ``children`` that are
    texts. ``line`` is where the start tag begins, from 1. The root of a tree has the name ``""``
    and no ``parent``.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: "Element | None" = None
    children: "list[Element | str]" = field(default_factory=list)
    line: int = 0

    def elements(self) -> Iterator["Element"]:
        """Yield all elements in this one, in the order of their start tags."""
        waiting = list(reversed(self.children))
        while waiting:
            child = waiting.pop()
            if isinstance(child, Element):
                yield child
                waiting.extend(reversed(child.children))

    def ancestors(self) -> Iterator["Element"]:
        """Yield what this element is in, the innermost first, without the root."""
        above = self.parent
        while above is not None and above.name != _ROOT:
            yield above
            above = above.parent

    def text(self) -> str:
        """All texts in this element, but those of `style` and `title` elements in it."""
        found: list[str] = []
        waiting = list(reversed(self.children))
        while waiting:
            child = waiting.pop()
            if isinstance(child, str):
                found.append(child)
            elif child.name not in _KEPT_RAW:
                waiting.extend(reversed(child.children))
        return "".join(found)

    def shown(self) -> str:
        """The start tag, shortly, as `<td class="top">`: to say where something is."""
        written = "".join(f' {name}="{value}"' for name, value in self.attributes.items())
        return f"<{self.name}{written}>"

    def place(self) -> str:
        """The line and the start tag, of MAX_PLACE_CHARS at most: to find it in the source."""
        place = f"line {self.line}: {self.shown()}"
        return place if len(place) <= MAX_PLACE_CHARS else f"{place[: MAX_PLACE_CHARS - 1]}…"


def tree_of(source: str) -> Element:
    """Return the root of a tree of the elements in ``source``. The function never raises.

    There are comments in it no more than in `markup.tokens`, whose limits hold. The text of a
    `style` is as it was written, and a `script` or `iframe` is empty.
    """
    growing = _Growing(source)
    for token in markup.tokens(source, kept_raw=_KEPT_RAW):
        if not isinstance(token, Tag):
            growing.text(token)
        elif token.closing:
            growing.end(token.name)
        else:
            growing.start(token)
    return growing.root


class _Growing:
    """A tree, and which of its elements are open: the outermost first."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._line, self._counted = 1, 0  # lines, and the characters that they are counted up to
        self.root = Element(_ROOT)
        self._open = [self.root]

    def text(self, text: str) -> None:
        parent = self._open[-1]
        if parent.name not in _EMPTIED:
            parent.children.append(text if parent.name == "style" else markup.unescape(text))

    def start(self, tag: Tag) -> None:
        name = tag.name
        if name in nesting.PARENTS:
            place = self._innermost(nesting.PARENTS[name], frozenset())
            if place > 0:
                del self._open[place + 1 :]
        elif name in nesting.BLOCKS:
            self._end(nesting.PARAGRAPH)
            if name in nesting.ENDS:
                self._end(nesting.ENDS[name])
        elif name == "a":
            self._end(_LINK)
        parent = self._open[-1]
        self._line += self._source.count("\n", self._counted, tag.start)
        self._counted = tag.start
        element = Element(name, tag.attributes(), parent, line=self._line)
        parent.children.append(element)
        opens = len(self._open) <= MAX_DEPTH or name in _KEPT_RAW  # whose texts are not the page's
        if opens and name not in markup.VOID:
            self._open.append(element)

    def end(self, name: str) -> None:
        self._end((frozenset({name}), nesting.ENDED_WITHIN.get(name, nesting.SCOPE)))

    def _end(self, reach: nesting.Reach) -> None:
        place = self._innermost(*reach)
        if place > 0:
            del self._open[place:]

    def _innermost(self, wanted: Set[str], scope: Set[str]) -> int:
        """Where the innermost open element of ``wanted`` is; 0 if ``scope`` comes before it."""
        for place in range(len(self._open) - 1, 0, -1):
            name = self._open[place].name
            if name in wanted:
                return place
            if name in scope:
                return 0
        return 0
