"""HTML from strangers made fit to be shown."""

import html

import nh3

from mailsacd.mime.parse import ParsedMessage


def sanitised_page(parsed: ParsedMessage) -> str:
    """The message as a whole HTML page without anything that acts or loads."""
    if parsed.html is None:
        return _page(f"<pre>{html.escape(parsed.text or '')}</pre>")
    return _page(nh3.clean(parsed.html, tags=set(nh3.ALLOWED_TAGS) - {"a", "img"}))


def page_as_sent(parsed: ParsedMessage) -> str:
    """The HTML as it was sent."""
    if parsed.html is None:
        return _page(f"<pre>{html.escape(parsed.text or '')}</pre>")
    return parsed.html


def _page(body: str) -> str:
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>{body}</body></html>\n'
