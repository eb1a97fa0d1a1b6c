"""HTML from strangers written anew: allowed tags alone, nested and closed as HTML nests them.

A parser of HTML repairs what is nested badly, and that repair is what makes it slow: it opens
elements again, moves them out of tables, looks through all that is open. What is written here has
nothing to be repaired (HTML standard, section 13.2.6), so that a parser takes one step a tag.
"""

import html
from collections.abc import Iterator, Set
from typing import Final

from mailsacd.mime import markup, nesting
from mailsacd.mime.allowed import ATTRIBUTES, TAGS
from mailsacd.mime.markup import Tag

MAX_DEPTH: Final = 200
MAX_FORMATTING: Final = 16
"""So many elements like ``<b>`` are open in each other at most."""

MAX_REOPENED_CHARS: Final = 500_000
"""So much is written, in all, to open such elements again in the next block, and to end them."""

MAX_RUN_CHARS: Final = 1_000
"""A longer text is divided by comments, which nh3 leaves out: for references and no-break spaces
it takes time that grows with the square of a text's length."""

_ALLOWED = {name: ATTRIBUTES["*"] | ATTRIBUTES.get(name, set()) for name in TAGS}
_REOPENING_CHARS = 25  # what each costs, as time goes, beside its length

_Element = tuple[str, str]
"""The name of an open element, and its start tag as it was written: ``""`` if it was left out."""


def balanced(source: str) -> Iterator[str]:
    """Yield the HTML in ``source``, written anew, in pieces that are to be joined.

    Only the tags and attributes in `allowed` are written. Every element is closed, and none is
    deeper than MAX_DEPTH. The characters ``&``, ``<`` and ``>`` of texts are written as references.
    What is left of ``source`` after MAX_CHARS have been written is left out. The function never
    raises.
    """
    writer = _Writer()
    room = markup.MAX_CHARS
    for token in markup.tokens(source):
        if not isinstance(token, Tag):
            writer.text(markup.unescape(token))
        elif token.name in TAGS:
            if token.closing:
                writer.end(token.name)
            else:
                writer.start(token)
        if writer.out:
            piece = "".join(writer.out)
            writer.out.clear()
            room -= len(piece)
            if room < 0:
                break
            yield piece
    writer.close(0)
    yield from writer.out


class _Writer:
    """What is open, and what is written because of the token at hand."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._open: list[_Element] = []
        self._counts = dict.fromkeys(TAGS, 0)  # of what is open, by name
        self._formatting = 0
        self._run = 0  # so many characters of text were written since the last tag
        self._room = MAX_REOPENED_CHARS

    def text(self, text: str) -> None:
        """Write ``text``, its references decoded; a long one is divided by comments."""
        if not text.isspace():
            self._enter_cell()
        for start in range(0, len(text), MAX_RUN_CHARS):
            piece = text[start : start + MAX_RUN_CHARS]
            self._run += len(piece)
            if self._run > MAX_RUN_CHARS:
                self.out.append("<!---->")
                self._run = len(piece)
            self.out.append(html.escape(piece, quote=False))

    def start(self, tag: Tag) -> None:
        """Write a start tag after the end tags of all elements that it ends."""
        name = tag.name
        if name in nesting.PARENTS:
            formatting: list[_Element] = []
            parent = self._find(nesting.PARENTS[name])
            if parent < 0:
                return  # outside of a table it means nothing
            self.close(parent + 1)
            if name in ("td", "th") and self._open[-1][0] != "tr":
                self._push(("tr", "<tr>"))
        elif name in nesting.INLINE and self._is_between_cells():
            return
        else:
            formatting = self._end_before(name) if name in nesting.BLOCKS else []
            if name in nesting.RUBY and self._find({"ruby"}, nesting.SCOPE) >= 0:
                self._end_annotation()
            self._enter_cell()
        if name == "table":  # it holds none
            self._reopen(formatting)
            formatting = []
        written = f"<{name}{_attributes(tag)}>"
        if name in markup.VOID:
            self._run = 0
            self.out.append(written)
        elif len(self._open) < MAX_DEPTH:
            self._push((name, written))
        self._reopen(formatting)

    def end(self, name: str) -> None:
        """Write the end tag of ``name``, after those of all inside, if it is open."""
        place = self._find({name}, nesting.ENDED_WITHIN.get(name, nesting.SCOPE))
        if place >= 0:
            formatting = self.close(place)
            if name in nesting.FORMATTING:
                self._reopen(formatting[1:])
            elif name in nesting.BLOCKS and name != "table":
                self._reopen(formatting)

    def close(self, place: int) -> list[_Element]:
        """Write the end tags of all elements from ``place`` on, innermost first.

        ``place`` counts from the outermost open element, which is 0. The formatting elements among
        those that have ended are returned.
        """
        ended = self._open[place:]
        del self._open[place:]
        self.out.extend(f"</{name}>" for name, written in reversed(ended) if written)
        formatting = [element for element in ended if element[0] in nesting.FORMATTING]
        self._formatting -= len(formatting)
        for name, _ in ended:
            self._counts[name] -= 1
        self._run = 0
        return formatting

    def _is_between_cells(self) -> bool:
        return bool(self._open) and self._open[-1][0] in nesting.WITHOUT_TEXT

    def _enter_cell(self) -> None:
        """Open a cell where a table has no place for what comes: a parser would move it out."""
        if not self._is_between_cells():
            return
        if self._open[-1][0] == "colgroup":
            self.close(len(self._open) - 1)
        if self._open[-1][0] != "tr":
            self._push(("tr", "<tr>"))
        self._push(("td", "<td>"))

    def _push(self, element: _Element) -> None:
        name, written = element
        if name in nesting.FORMATTING:
            self._formatting += 1
            if self._formatting > MAX_FORMATTING:
                written = ""  # its end tag must not end another one
        self._open.append((name, written))
        self._counts[name] += 1
        self._run = 0
        self.out.append(written)

    def _reopen(self, formatting: list[_Element]) -> None:
        for element in formatting:
            self._room -= len(element[1]) + _REOPENING_CHARS
            if self._room >= 0 and len(self._open) < MAX_DEPTH:
                self._push(element)

    def _end_before(self, name: str) -> list[_Element]:
        """End what the start of a block ends; what of it was formatting is given back."""
        formatting: list[_Element] = []
        for reach in (nesting.ENDS.get(name), nesting.PARAGRAPH):
            place = -1 if reach is None else self._find(*reach)
            if place >= 0:
                formatting += self.close(place)
        if name in nesting.HEADINGS and self._open and self._open[-1][0] in nesting.HEADINGS:
            self.close(len(self._open) - 1)
        return formatting

    def _end_annotation(self) -> None:
        """End what the start of an annotation ends, in ruby."""
        place = len(self._open)
        while self._open[place - 1][0] in nesting.ENDED_BY_RUBY:
            place -= 1
        self.close(place)

    def _find(self, wanted: Set[str], stops: Set[str] = frozenset()) -> int:
        """The place of the innermost open element of ``wanted`` with no ``stops`` inside, or -1."""
        counts = self._counts
        if not any(map(counts.__getitem__, wanted)):
            return -1
        for place in range(len(self._open) - 1, -1, -1):
            name = self._open[place][0]
            if name in wanted:
                return place
            if name in stops:
                break
        return -1


def _attributes(tag: Tag) -> str:
    """The allowed attributes as they are written in a start tag, a space before each."""
    if not tag.inside.strip(" /"):
        return ""
    allowed = _ALLOWED[tag.name]
    return "".join(
        f' {name}="{html.escape(value)}"'
        for name, value in tag.attributes().items()
        if name in allowed
    )
