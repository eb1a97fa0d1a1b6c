"""What the sanitiser lets through: names of elements, attributes and CSS properties.

None of them runs, loads or sends anything, or leads anywhere.
"""

from typing import Final

TAGS: Final = frozenset({
    "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote",
    "br", "caption", "center", "cite", "code", "col", "colgroup", "data", "dd", "del", "details",
    "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hgroup", "hr", "i", "ins", "kbd", "li", "main", "mark", "nav",
    "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike",
    "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time",
    "tr", "tt", "u", "ul", "var", "wbr",
})  # fmt: skip
"""Elements, in lower case."""

_ON_ANY = frozenset({
    "align", "bgcolor", "class", "dir", "height", "lang", "style", "title", "valign", "width",
})  # fmt: skip

ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": set(_ON_ANY),
    "col": {"span"},
    "colgroup": {"span"},
    "font": {"color", "face", "size"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "headers", "nowrap", "rowspan"},
    "th": {"colspan", "headers", "nowrap", "rowspan", "scope"},
    "time": {"datetime"},
    "ul": {"type"},
}
"""Attributes by element; those under ``*`` are allowed on every one."""

STYLE_PROPERTIES: Final = frozenset({
    "background-color", "border", "border-collapse", "border-color", "border-radius",
    "border-spacing", "border-style", "border-width", "border-bottom", "border-bottom-color",
    "border-bottom-style", "border-bottom-width", "border-left", "border-left-color",
    "border-left-style", "border-left-width", "border-right", "border-right-color",
    "border-right-style", "border-right-width", "border-top", "border-top-color",
    "border-top-style", "border-top-width", "box-sizing", "clear", "color", "direction",
    "display", "float", "font", "font-family", "font-size", "font-style", "font-variant",
    "font-weight", "height", "letter-spacing", "line-height", "list-style-position",
    "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top",
    "max-height", "max-width", "min-height", "min-width", "overflow", "padding", "padding-bottom",
    "padding-left", "padding-right", "padding-top", "table-layout", "text-align",
    "text-decoration", "text-indent", "text-overflow", "text-transform", "vertical-align",
    "white-space", "width", "word-break", "word-spacing", "word-wrap",
})  # fmt: skip
"""CSS properties in ``style`` attributes; `sanitise` looks at their values."""
