"""The texts of a message, and which of them its text and its page consist of.

A message has a text beside others, or several forms of one text to choose from (RFC 2046 sections
5.1.3 and 5.1.4). A reader shows all that stand beside each other, in their order, and of several
forms the one that was asked for, unless it is blank: docs/specifications.md has a table.
"""

import html
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import msgspec

from mailsacd.mime import charset, markup, pieces
from mailsacd.mime.structure import Leaf

_MAX_META_BYTES = 1_024  # HTML standard, 13.2.3.2; what is found by reading bytes is not UTF-16
_META_CHARSET = re.compile(
    rb"<meta\s[^<>]{0,200}?\bcharset\s*=\s*[\"']?((?!utf-?(?:7|16|32))[\w.:-]{1,40})", re.IGNORECASE
)
_PICTURE = re.compile(r"<(?:img|picture|svg|object|embed|video|canvas)[\s/>]", re.IGNORECASE)
# White space, and what is as invisible: joiners, marks of direction, soft hyphens, fillers
_BLANK = re.compile(
    r"[\s\0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]*+\Z"
)


View = Literal["text", "page", "page without pictures"]
"""In what a message is shown."""


class Body(msgspec.Struct, frozen=True, dict=True):
    """A text of a message: a leaf that is ``text/plain``, or ``text/html``."""

    leaf: Leaf

    @property
    def is_html(self) -> bool:
        """Tell HTML from a plain text."""
        return self.leaf.media_type == "text/html"

    @cached_property
    def source(self) -> str:
        """The text as it was sent. HTML may say its charset itself, where its part does not."""
        content, declared = self.leaf.content, self.leaf.charset
        if declared is None and self.is_html and not content.isascii():
            meta = _META_CHARSET.search(content, 0, _MAX_META_BYTES)
            declared = meta[1].decode("ascii") if meta else None
        return charset.decode(content, declared)

    @cached_property
    def has_words(self) -> bool:
        """Whether there is anything to read in it."""
        if not self.is_html:
            return not is_blank(self.source)
        texts = (token for token in markup.tokens(self.source) if isinstance(token, str))
        return any(not is_blank(markup.unescape(text)) for text in texts)

    @cached_property
    def shows_something(self) -> bool:
        """Whether there is anything for the eye in it, be it a picture."""
        return self.has_words or (self.is_html and _PICTURE.search(self.source) is not None)


def is_blank(text: str) -> bool:
    """Return whether nothing of ``text`` is visible."""
    return _BLANK.match(text) is not None


def chosen(bodies: Sequence[Body], view: View) -> Sequence[Body]:
    """Return those of ``bodies`` that ``view`` shows, in order; one that is blank if all are.

    Of the forms of one text those with HTML are the page's, and those without are the text's. The
    others are taken where these show nothing.
    """
    found = _chosen(bodies, 0, view) if len(bodies) > 1 else bodies
    if len(found) <= 1:
        return found
    return [body for body in found if _is_seen(body, view)] or found[:1]


def _is_seen(body: Body, view: View) -> bool:
    return body.shows_something if view == "page" else body.has_words


def _chosen(bodies: Sequence[Body], depth: int, view: View) -> Sequence[Body]:
    found: list[Body] = []
    branches: list[list[Body]] = []  # of the alternatives at hand
    before: tuple[int, int] | None = None
    for body in bodies:
        here = _branch(body, depth)
        if branches and (here is None or before is None or here[0] != before[0]):
            found += _of_alternatives(branches, depth, view)
            branches = []
        if here is None:
            found.append(body)
        elif branches and here == before:
            branches[-1].append(body)
        else:
            branches.append([body])
        before = here
    return [*found, *_of_alternatives(branches, depth, view)] if branches else found


def _of_alternatives(branches: list[list[Body]], depth: int, view: View) -> Sequence[Body]:
    fallback: Sequence[Body] = ()
    as_html = view != "text"
    for wanted in (as_html, not as_html):
        found = [
            body
            for branch in branches
            if any(body.is_html for body in branch) is wanted
            for body in _chosen(branch, depth + 1, view)
        ]
        if any(_is_seen(body, view) for body in found):
            return found
        fallback = fallback or found
    return fallback


def _branch(body: Body, depth: int) -> tuple[int, int] | None:
    """Which alternatives it is in at this depth, and in which of them; None when in none."""
    branches = body.leaf.branches
    return branches[depth] if len(branches) > depth else None


def page_source(bodies: Sequence[Body]) -> str | None:
    """Return the HTML of ``bodies``, or None when none of those that are shown is HTML.

    Texts among them are put between as they are, preformatted.
    """
    shown = chosen(bodies, "page")
    if not any(body.is_html for body in shown):
        return None
    return "\n".join(body.source if body.is_html else preformatted(body.source) for body in shown)


def preformatted(text: str) -> str:
    """Return ``text`` as HTML that shows it with its lines."""
    escaped = "".join(map(html.escape, pieces.texts(text, 0, len(text))))
    return f"<pre>{escaped}</pre>"


def within_limits(bodies: Sequence[Body]) -> Sequence[Body]:
    """Return ``bodies`` up to and with the one in which a limit of `markup` is reached, of all."""
    tags = chars = 0
    for count, body in enumerate(bodies[:-1], 1):
        tags += body.source.count("<")
        chars += len(body.source)
        if tags >= markup.MAX_TAGS or chars >= markup.MAX_CHARS:
            return bodies[:count]
    return bodies
