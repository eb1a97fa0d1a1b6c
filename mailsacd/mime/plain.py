"""A text for reading, made from HTML: paragraphs, lists, tables, and numbered links."""

import re
from itertools import islice

from mailsacd.mime import markup
from mailsacd.mime.markup import Tag

MAX_REFERENCES = 1_000
MAX_REFERENCE_CHARS = 8_192
_MAX_INDENT = 8
_MAX_BEGINNING_TOKENS = 2_000

PARAGRAPH = frozenset({
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr",
    "fieldset", "form", "figure",
})  # fmt: skip
"""Elements with an empty line before and after them."""

LINE = frozenset({
    "div", "br", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "main", "nav",
    "aside", "address", "center", "caption", "thead", "tbody", "tfoot", "figcaption", "option",
    "legend", "html", "body",
})  # fmt: skip
"""Elements that begin and end a line."""

UNSEEN = frozenset({"template", "select", "svg", "annotation", "video", "audio"})
"""Elements that hold nothing to be read."""

ENDS_UNSEEN = frozenset({
    "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em",
    "embed", "font", "h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "input", "li",
    "menu", "meta", "nobr", "noscript", "object", "ol", "p", "pre", "ruby", "s", "select", "small",
    "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "textarea", "tfoot", "th",
    "thead", "tr", "tt", "u", "ul", "var",
})  # fmt: skip
"""What ends a picture or a choice that is never closed (HTML standard, 13.2.6.5)."""

_NEVER_CLOSED = frozenset({"svg", "select"})
_LIST = frozenset({"li", "ul", "ol"})
_SPACE = re.compile(r"[ \t\r\n\f\u2007]+")
# soft hyphens, and what fills a mail's preview; a zero-width non-joiner within a word is spelling
_INVISIBLE = re.compile(r"[\u200b\u034f\u00ad\ufeff]+|(?<!\w)\u200c+|\u200c+(?!\w)")
_REFERENCE = re.compile(r" ?\[\d{1,4}\]\Z")
_CUT_TAG = re.compile(r"<[a-zA-Z/!][^<>]*\Z")
_WEB = re.compile(r"(?:https?|ftp)://|mailto:", re.IGNORECASE)


def text_from_html(source: str) -> str:
    """Return the HTML in ``source`` as plain text with lines that end in ``\\n``.

    Links are numbered and listed at the end, MAX_REFERENCES of them. The function never raises.
    """
    writer = _Writer()
    for token in markup.tokens(source):
        if isinstance(token, Tag):
            writer.tag(token)
        else:
            writer.text(markup.unescape(token))
    return writer.result()


def beginning_of_html(source: str, chars: int, max_tokens: int = _MAX_BEGINNING_TOKENS) -> str:
    """Return the beginning of that text, of ``chars`` characters or more, or all of it.

    Links have no numbers in it. ``source`` may be cut off anywhere, and no more of it is read than
    that takes, nor than ``max_tokens`` tags and texts.
    """
    writer = _Writer(max_references=0)
    for token in islice(markup.tokens(_CUT_TAG.sub("", source)), max_tokens):
        if writer.chars >= chars:
            break
        if isinstance(token, Tag):
            writer.tag(token)
        else:
            writer.text(markup.unescape(token))
    return writer.result()


def without_invisible(text: str) -> str:
    """Return ``text`` without soft hyphens and what else fills a mail's preview unseen."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


class _Writer:
    """The text so far, and what it takes to go on with it."""

    def __init__(self, max_references: int = MAX_REFERENCES) -> None:
        self._max_references = max_references
        self.chars = 0  # but for white space around texts
        self.lines: list[str] = []
        self._line: list[str] = []
        self._blank_wanted = False
        self._unseen: str | None = None
        self._unseen_depth = 0
        self._preformatted = 0
        self._quotes = 0
        self._lists: list[int | None] = []
        self._item: str | None = None  # what the last item began with
        self._link: tuple[str | None, int] = (None, 0)  # and how many lines there were before
        self._references: dict[str, int] = {}

    def text(self, text: str) -> None:
        """Write a text whose references are decoded, its white space as HTML shows it."""
        if self._unseen is not None:
            return
        if self._preformatted:
            self.chars += len(text.strip())
            self._preformatted_text(text)
            return
        text = _SPACE.sub(" ", without_invisible(text))
        last = self._line[-1] if self._line else " "
        if last.endswith(" "):
            text = text.lstrip(" ")
        if text:
            self.chars += len(text.strip())
            if text[0].isalnum() and _REFERENCE.match(last):
                self._line.append(" ")  # links are often beside each other, divided by style alone
            self._line.append(text)

    def _preformatted_text(self, text: str) -> None:
        first, *others = text.replace("\r\n", "\n").split("\n")
        self._line.append(first)
        if others:
            self._end_line()
            quote = self._quote()
            self.lines.extend([(quote + line).rstrip() for line in others[:-1]])
            self._line.append(others[-1])

    def tag(self, tag: Tag) -> None:
        """Write what a tag means in plain text: line ends, marks of items, numbers of links."""
        name = tag.name
        if self._is_unseen(tag):
            return
        if not self._begins_item(tag):
            self._divide(name)
        if tag.closing:
            self._close(name)
        else:
            self._open(tag)

    def result(self) -> str:
        """Return all that was written, with the list of links at its end."""
        self._end_link()
        self._end_line()
        if self._references:
            self.lines += ["", *(f"[{n}] {url}" for url, n in self._references.items())]
        text = "\n".join(self.lines).strip("\n")
        return f"{text}\n" if text else ""

    def _is_unseen(self, tag: Tag) -> bool:
        """Whether the tag is inside, begins or ends a thing that is not for reading."""
        if self._unseen is None:
            if tag.closing or tag.name not in UNSEEN or tag.inside.rstrip().endswith("/"):
                return False
            self._unseen, self._unseen_depth = tag.name, 1
        elif tag.name == self._unseen:
            self._unseen_depth += -1 if tag.closing else 1
            if not self._unseen_depth:
                self._unseen = None
        elif self._unseen in _NEVER_CLOSED and tag.name in ENDS_UNSEEN:
            self._unseen = None
            return self._is_unseen(tag)
        return True

    def _divide(self, name: str) -> None:
        if name in PARAGRAPH:
            self._end_line()
            self._blank_wanted = True
        elif name in LINE:
            self._end_line(keep_empty=name == "br")

    def _begins_item(self, tag: Tag) -> bool:
        """Whether the tag opens a block that an item has at its start: it stands on its line."""
        return self._line == [self._item] and not tag.closing and tag.name not in _LIST

    def _open(self, tag: Tag) -> None:
        name = tag.name
        if name == "a":
            self._end_link()  # they are not in each other
            self._link = (_target(tag), len(self.lines))
        elif name == "img":
            self.text(tag.attributes().get("alt", ""))
        elif name in ("ul", "ol"):
            self._lists.append(0 if name == "ol" else None)
        elif name == "li":
            self._begin_item()
        elif name in ("td", "th") and self._line:
            self._line.append("  ")
        elif name == "pre":
            self._preformatted += 1
        elif name == "blockquote":
            self._quotes += 1
        elif name == "hr":
            self._line.append("-" * 40)
            self._end_line()

    def _close(self, name: str) -> None:
        if name == "a":
            self._end_link()
        elif name in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif name == "li":
            self._blank_wanted = False  # items stand together, whatever is in them
        elif name == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        elif name == "blockquote":
            self._quotes = max(0, self._quotes - 1)

    def _begin_item(self) -> None:
        indent = "  " * min(max(len(self._lists) - 1, 0), _MAX_INDENT)
        number = self._lists[-1] if self._lists else None
        if number is None:
            self._item = f"{indent}- "
        else:
            self._lists[-1] = number + 1
            self._item = f"{indent}{number + 1}. "
        self._line.append(self._item)

    def _end_link(self) -> None:
        (url, lines_before), self._link = self._link, (None, 0)
        if url is None or (url not in self._references and self._full()):
            return
        number = self._references.setdefault(url, len(self._references) + 1)
        if not self._line and len(self.lines) > lines_before and self.lines[-1]:
            # it is around a block, which has ended
            self.lines[-1] = f"{self.lines[-1]} [{number}]"
            return
        space = "" if not self._line or self._line[-1].endswith(" ") else " "
        self._line.append(f"{space}[{number}]")

    def _full(self) -> bool:
        return len(self._references) >= self._max_references

    def _quote(self) -> str:
        """What a line begins with in so many quotations."""
        return "> " * min(self._quotes, _MAX_INDENT)

    def _end_line(self, *, keep_empty: bool = False) -> None:
        line = "".join(self._line).rstrip()
        self._line.clear()
        if not line and not keep_empty and not self._preformatted:
            return
        quote = self._quote()
        if self._blank_wanted and line:
            self._blank_wanted = False
            if self.lines and self.lines[-1].strip("> "):
                # between two quoted lines the empty one is quoted too
                self.lines.append(quote.rstrip() if self.lines[-1].startswith(">") else "")
        if line or (self.lines and self.lines[-1].strip("> ")) or self._preformatted:
            self.lines.append((quote + line).rstrip())


def _target(tag: Tag) -> str | None:
    url = markup.url_in(tag.attributes().get("href", ""))
    return url if _WEB.match(url) and len(url) <= MAX_REFERENCE_CHARS else None
