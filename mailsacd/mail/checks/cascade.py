"""What is declared for each element of a page, by its sheets and its own ``style`` attribute.

This is the cascade (CSS Cascading Level 4, section 6) for the properties that are asked for,
without what only media queries, scripts or a client's own style sheet would add.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final

from tinycss2.ast import Declaration, Node

from mailsacd.mime.selectors import Selector, classes_of
from mailsacd.mime.style_sheets import Styles
from mailsacd.mime.tree import Element

MAX_STEPS: Final = 100_000
"""So often is looked, in all, whether a rule of a sheet fits an element."""

Values = dict[str, Sequence[Node]]
"""What counts of a property by its name, the property that was declared last at the end."""


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A selector with what it declares, and how it stands among the others."""

    selector: Selector
    declarations: Sequence[Declaration]
    order: int

    @property
    def rank(self) -> tuple[tuple[int, int, int], int]:
        return self.selector.specificity, self.order


class Cascade:
    """The rules of a page that declare any of ``wanted``, by what they ask of the element itself.

    ``limited`` says that rules were left out.
    """

    def __init__(self, styles: Styles, wanted: Set[str]) -> None:
        """``styles`` is all that the page says about looks, ``wanted`` are names of properties."""
        self._styles = styles
        self._wanted = wanted
        self._steps_left = MAX_STEPS
        self._by_key: dict[str, list[_Ranked]] = {}
        for order, rule in enumerate(styles.rules):
            declarations = list(self._only_wanted(rule.declarations))
            if rule.conditional or not declarations:
                continue
            for selector in rule.selectors:
                if not any(each.beyond_tree for each in selector.compounds):
                    ranked = _Ranked(selector, declarations, order)
                    self._by_key.setdefault(_key(selector), []).append(ranked)

    def values(self, element: Element) -> Values:
        """Return what is declared for ``element``, the strongest declaration of each property."""
        important: Values = {}
        values: Values = {}
        inline = self._only_wanted(self._styles.inline(element))
        for declaration in (*self._of_sheets(element), *inline):
            into = important if declaration.important else values
            into.pop(declaration.lower_name, None)  # a shorthand counts if it comes later
            into[declaration.lower_name] = declaration.value
        for name, value in important.items():
            values.pop(name, None)
            values[name] = value
        return values

    @property
    def limited(self) -> bool:
        """Whether not all rules were tried on all elements."""
        return self._steps_left <= 0 or self._styles.limited

    def _only_wanted(self, declarations: Iterable[Declaration]) -> Iterator[Declaration]:
        return (each for each in declarations if each.lower_name in self._wanted)

    def _of_sheets(self, element: Element) -> Iterator[Declaration]:
        """What sheets declare for ``element``, the weakest first."""
        fitting: list[_Ranked] = []
        for each in self._candidates(element) if self._by_key else ():
            self._steps_left -= len(each.selector.compounds)
            if self._steps_left <= 0:
                return
            if each.selector.fits(element):
                fitting.append(each)
        fitting.sort(key=lambda each: each.rank)
        for each in fitting:
            yield from each.declarations

    def _candidates(self, element: Element) -> Iterator[_Ranked]:
        keys = [f"#{element.attributes['id']}"] if "id" in element.attributes else []
        keys += [f".{name}" for name in dict.fromkeys(classes_of(element))]
        for key in (*keys, element.name, ""):
            yield from self._by_key.get(key, ())


def _key(selector: Selector) -> str:
    last = selector.compounds[-1]
    if last.id:
        return f"#{last.id}"
    return f".{last.classes[0]}" if last.classes else last.name
