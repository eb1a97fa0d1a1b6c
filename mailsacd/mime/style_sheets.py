"""The style sheets of a page, and its ``style`` attributes, as rules and declarations.

The parser is tinycss2 (CSS Syntax Level 3), which takes a time in proportion to what it reads,
a second for each MAX_SHEET_CHARS at worst. Sheets that a page only refers to are never fetched.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import tinycss2
from tinycss2.ast import AtRule, Declaration, IdentToken, Node, QualifiedRule, WhitespaceToken

from mailsacd.mime.selectors import Selector, read_selectors
from mailsacd.mime.tree import Element

MAX_SHEET_CHARS: Final = 150_000
"""So much of all ``style`` elements of a page is read."""

MAX_INLINE_CHARS: Final = 150_000
"""So much of its ``style`` attributes that differ is read."""

_MAX_NESTING: Final = 4  # of at-rules
_BLOCKS: Final = frozenset({"{} block", "() block", "[] block"})
_FOR_ALL_SCREENS: Final = frozenset({"all", "screen", "only"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Selectors and what they declare. It is ``conditional`` where a rule around it decides.

    ``line`` is that of the page on which it begins.
    """

    selectors: Sequence[Selector]
    declarations: Sequence[Declaration]
    conditional: bool
    line: int


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule that begins with ``@``: its ``name`` without that, and the words before its block.

    ``line`` is that of the page on which it begins.
    """

    name: str
    words: frozenset[str]
    line: int


class Styles:
    """All that a page says about how it looks. ``limited`` says that not all of it was read."""

    def __init__(self, root: Element) -> None:
        """``root`` is the page's tree."""
        self.rules: list[Rule] = []
        self.conditions: list[Condition] = []
        self.nested_rules = 0
        self.limited = False
        self._inline: dict[str, Sequence[Declaration]] = {}
        self._inline_room = MAX_INLINE_CHARS
        self._lines_before = 0  # the sheet that is being read
        self._read_sheets(root)

    def inline(self, element: Element) -> Sequence[Declaration]:
        """Return what the ``style`` attribute of ``element`` declares."""
        text = element.attributes.get("style", "")
        found = self._inline.get(text) if text else ()
        if found is None:
            self._inline_room -= len(text)
            if self._inline_room < 0:
                self.limited = True
                return ()
            found = tuple(_declarations(tinycss2.parse_blocks_contents(text, True, True)))
            self._inline[text] = found
        return found

    def _read_sheets(self, root: Element) -> None:
        room = MAX_SHEET_CHARS
        for element in root.elements():
            if element.name != "style":
                continue
            text = "".join(child for child in element.children if isinstance(child, str))
            self.limited |= len(text) > room
            self._lines_before = element.line - 1
            self._read(tinycss2.parse_stylesheet(text[:room], True, True), (), 0)
            room = max(room - len(text), 0)

    def _read(self, nodes: Iterable[Node], around: Sequence[bool], nesting: int) -> None:
        """Take the rules among ``nodes``; ``around`` tells which at-rules around are conditions."""
        for node in nodes:
            if isinstance(node, QualifiedRule):
                contents = tinycss2.parse_blocks_contents(node.content, True, True)
                self.nested_rules += any(isinstance(each, QualifiedRule) for each in contents)
                self.rules.append(
                    Rule(
                        tuple(read_selectors(node.prelude)),
                        tuple(_declarations(contents)),
                        any(around),
                        self._lines_before + node.source_line,
                    )
                )
            elif isinstance(node, AtRule):
                self._read_at_rule(node, around, nesting)

    def _read_at_rule(self, rule: AtRule, around: Sequence[bool], nesting: int) -> None:
        name = rule.lower_at_keyword
        words = frozenset(
            node.lower_value for node in nodes_in(rule.prelude) if isinstance(node, IdentToken)
        )
        self.conditions.append(Condition(name, words, self._lines_before + rule.source_line))
        if rule.content is None or name in ("font-face", "keyframes") or nesting >= _MAX_NESTING:
            return
        for_all = name == "media" and words <= _FOR_ALL_SCREENS
        contents = tinycss2.parse_rule_list(rule.content, True, True)
        self._read(contents, (*around, not for_all), nesting + 1)


def nodes_in(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield ``nodes``, and those in their blocks and functions, but for white space."""
    waiting = list(nodes)
    waiting.reverse()
    while waiting:
        node = waiting.pop()
        if isinstance(node, WhitespaceToken):
            continue
        yield node
        inside: Sequence[Node] = ()
        if node.type == "function":
            inside = node.arguments
        elif node.type in _BLOCKS:
            inside = node.content
        waiting.extend(reversed(inside))


def _declarations(nodes: Iterable[Node]) -> Iterator[Declaration]:
    return (node for node in nodes if isinstance(node, Declaration))
