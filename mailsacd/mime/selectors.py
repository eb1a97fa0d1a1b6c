"""Selectors of style sheets, cut into what they ask of an element (Selectors Level 4).

Only what an element is by itself, and what it stands in, can be told from the tree. A selector
that asks for more, as ``a:hover`` or ``h1 + p``, is read all the same, and fits no element.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tinycss2.ast import (
    FunctionBlock,
    HashToken,
    IdentToken,
    LiteralToken,
    Node,
    SquareBracketsBlock,
    WhitespaceToken,
)

from mailsacd.mime.tree import Element

MAX_COMPOUNDS: Final = 8
"""A selector with more parts than this fits nothing."""

MAX_CLASSES: Final = 50
"""So many classes of one element are looked at."""

_COMBINATORS: Final = {">": "child", "+": "adjacent-sibling", "~": "general-sibling"}
_ALWAYS_TRUE: Final = frozenset({"link", "any-link", "root"})  # as far as mail goes


@dataclass(slots=True)
class Compound:
    """What one part of a selector asks of one element. ``name`` is ``""`` for any element."""

    name: str = ""
    id: str = ""
    classes: list[str] = field(default_factory=list)
    beyond_tree: bool = False
    combinator: str = ""  # what stands before this part

    def fits(self, element: Element) -> bool:
        """Return whether ``element`` is as this part asks."""
        if self.beyond_tree or (self.name and self.name != element.name):
            return False
        if self.id and self.id != element.attributes.get("id"):
            return False
        return not self.classes or set(self.classes) <= set(classes_of(element))


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector of a list; ``kinds`` are the names of what it uses, as ``pseudo-class-hover``.

    ``specificity`` counts ids, classes and names, as (1, 0, 2).
    """

    compounds: Sequence[Compound]
    kinds: frozenset[str]
    specificity: tuple[int, int, int]

    def fits(self, element: Element) -> bool:
        """Return whether the selector selects ``element``, in steps as many as it is deep."""
        if len(self.compounds) > MAX_COMPOUNDS or not self.compounds[-1].fits(element):
            return False
        around = element.ancestors()
        for place in range(len(self.compounds) - 2, -1, -1):
            combinator = self.compounds[place + 1].combinator
            if combinator == "child":
                above = next(around, None)
                if above is None or not self.compounds[place].fits(above):
                    return False
            elif combinator != "descendant" or not any(map(self.compounds[place].fits, around)):
                return False
        return True


def classes_of(element: Element) -> list[str]:
    """Return the classes of ``element``, MAX_CLASSES at most."""
    return element.attributes.get("class", "").split(None, MAX_CLASSES)[:MAX_CLASSES]


def read_selectors(prelude: Sequence[Node]) -> Iterator[Selector]:
    """Yield the selectors of the list in ``prelude``, what stands before the block of a rule."""
    start = 0
    for place, node in enumerate(prelude):
        if isinstance(node, LiteralToken) and node.value == ",":
            yield _read(prelude[start:place])
            start = place + 1
    yield _read(prelude[start:])


def _read(nodes: Sequence[Node]) -> Selector:
    reader = _Reader()
    for node in nodes:
        reader.take(node)
    return reader.result()


class _Reader:
    """A selector as far as it has been read."""

    def __init__(self) -> None:
        self._compounds = [Compound()]
        self._kinds: set[str] = set()
        self._counts = [0, 0, 0]
        self._pending = ""  # a combinator
        self._colons = 0
        self._after_dot = False

    def take(self, node: Node) -> None:
        """Read the next node of the selector."""
        if isinstance(node, WhitespaceToken):
            self._pending = self._pending or ("descendant" if self._has_begun() else "")
        elif isinstance(node, LiteralToken) and node.value in _COMBINATORS:
            self._pending = _COMBINATORS[node.value]
        elif isinstance(node, LiteralToken) and node.value == ":":
            self._begin()
            self._colons += 1
        elif isinstance(node, LiteralToken) and node.value == ".":
            self._begin()
            self._after_dot = True
        else:
            self._take_simple(node)

    def result(self) -> Selector:
        """Return the selector that all nodes together are."""
        ids, classes, names = self._counts
        return Selector(self._compounds, frozenset(self._kinds), (ids, classes, names))

    def _has_begun(self) -> bool:
        return self._counts != [0, 0, 0] or bool(self._kinds)

    def _begin(self) -> Compound:
        """The part that the next simple selector belongs to."""
        if self._pending:
            self._kinds.add(f"selector-{self._pending}")
            self._compounds.append(Compound(combinator=self._pending))
            self._pending = ""
        return self._compounds[-1]

    def _take_simple(self, node: Node) -> None:
        compound = self._begin()
        if self._colons:
            self._take_pseudo(node, compound)
        elif isinstance(node, IdentToken) and self._after_dot:
            compound.classes.append(node.value)
            self._count(1, "selector-class")
        elif isinstance(node, IdentToken):
            compound.name = node.lower_value
            self._count(2, "selector-type")
        elif isinstance(node, HashToken):
            compound.id = node.value
            self._count(0, "selector-id")
        elif isinstance(node, LiteralToken) and node.value == "*":
            self._kinds.add("selector-universal")
        else:
            compound.beyond_tree = True
            if isinstance(node, SquareBracketsBlock):
                self._count(1, "selector-attribute")
        self._after_dot, self._colons = False, 0

    def _take_pseudo(self, node: Node, compound: Compound) -> None:
        name = ""
        if isinstance(node, IdentToken):
            name = node.lower_value
        elif isinstance(node, FunctionBlock):
            name = node.lower_name
        is_element = self._colons > 1 or name in ("before", "after", "first-letter", "first-line")
        if name not in _ALWAYS_TRUE:
            compound.beyond_tree = True
        self._count(2 if is_element else 1, f"pseudo-{'element' if is_element else 'class'}-{name}")

    def _count(self, place: int, kind: str) -> None:
        self._counts[place] += 1
        self._kinds.add(kind)
