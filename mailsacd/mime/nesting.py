"""How elements of HTML stand in each other, as far as the sanitiser lets them through.

HTML standard, section 13.2.6 (tree construction). Names are in lower case.
"""

from collections.abc import Mapping, Set
from typing import Final

FORMATTING: Final = frozenset({
    "b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u",
})  # fmt: skip
"""Elements that a parser opens again after what they were in has ended."""

HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
"""Elements of which one that stands directly in another one ends it."""

BLOCKS: Final = HEADINGS | {
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt",
    "figcaption", "figure", "footer", "header", "hgroup", "hr", "li", "main", "nav", "ol", "p",
    "pre", "section", "summary", "table", "ul",
}  # fmt: skip
"""Elements whose start ends an open paragraph."""

INLINE: Final = FORMATTING | {"br", "span", "wbr"}
"""Elements that mean nothing between the cells of a table."""

RUBY: Final = frozenset({"rt", "rp"})
"""Annotations in ruby."""

ENDED_BY_RUBY: Final = RUBY | {"p", "li", "dd", "dt"}
"""Elements that the start of an annotation ends."""

TABLE: Final = frozenset({"table"})
CELLS: Final = frozenset({"td", "th", "caption"})
SECTIONS: Final = frozenset({"tbody", "thead", "tfoot"})

SCOPE: Final = CELLS | TABLE
"""Elements of which nothing that is inside ends anything that is outside."""

WITHOUT_TEXT: Final = TABLE | SECTIONS | {"tr", "colgroup"}
"""Elements in which only parts of a table may stand directly."""

PARENTS: Final[Mapping[str, Set[str]]] = {
    **dict.fromkeys(("caption", "colgroup", *SECTIONS), TABLE),
    "col": TABLE | {"colgroup"},
    "tr": TABLE | SECTIONS,
    **dict.fromkeys(("td", "th"), TABLE | SECTIONS | {"tr"}),
}
"""Parts of a table, and what each may stand in: its start ends all that is open inside of that."""

Reach = tuple[Set[str], Set[str]]
"""Elements that are ended, unless they are outside of an open element of the second set."""

PARAGRAPH: Final[Reach] = (frozenset({"p"}), SCOPE)
_LIST_ITEM: Final[Reach] = (frozenset({"li"}), SCOPE | {"ul", "ol"})
_TERM: Final[Reach] = (frozenset({"dt", "dd"}), SCOPE | {"dl"})

ENDS: Final[Mapping[str, Reach]] = {
    "li": _LIST_ITEM, "dt": _TERM, "dd": _TERM, "table": (TABLE, CELLS),
}  # fmt: skip
"""What the start of a block ends, beside a paragraph."""

ENDED_WITHIN: Final[Mapping[str, Set[str]]] = {
    **dict.fromkeys(PARENTS, TABLE),
    "table": frozenset(),
    "li": _LIST_ITEM[1],
    "dt": _TERM[1],
    "dd": _TERM[1],
}
"""From inside of what an end tag ends nothing that is outside, where that is not SCOPE."""
