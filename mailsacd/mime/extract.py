"""What is read out of a parsed message: its links, and its text, also when it has only HTML."""

from collections.abc import Iterator, Sequence

from mailsacd.mime import plain, urls
from mailsacd.mime.bodies import Body, chosen, is_blank, within_limits
from mailsacd.mime.message import ParsedMessage, with_plain_newlines
from mailsacd.mime.parse import texts
from mailsacd.mime.trace import end_of_trace

MAX_LINKS = 1_000
MAX_LINK_CHARS = 8_192
MAX_LINKS_CHARS = 65_536  # all of a message's links together: they are stored with its facts


def links(parsed: ParsedMessage) -> tuple[tuple[str, ...], bool]:
    """Return the URLs in the message and whether a limit left some out.

    These are the http, https and ftp URLs of all its texts, in their order, each once. In HTML they
    count wherever they stand: in an attribute of any element, or in the text. A URL without a host
    is left out. At most MAX_LINKS are returned, of at most MAX_LINK_CHARS characters each and
    MAX_LINKS_CHARS together, and urls.MAX_CANDIDATES are looked at in each text.
    """
    found = tuple(filter(None, dict.fromkeys(_all(parsed))))
    limited = any(urls.has_too_many(body.source) for body in parsed.bodies)
    if len(found) <= MAX_LINKS and sum(map(len, found)) <= MAX_LINK_CHARS:
        return found, limited
    short = [url for url in found if len(url) <= MAX_LINK_CHARS]
    room = MAX_LINKS_CHARS
    for count, url in enumerate(short):
        room -= len(url)
        if room < 0 or count >= MAX_LINKS:
            return tuple(short[:count]), True
    return tuple(short), limited or len(short) < len(found)


def text_of(parsed: ParsedMessage) -> str:
    """Return the text of the message, with lines that end in ``\\n``.

    This is all that its readers are shown, in the order of the message: texts as they are, and
    where there is none, or a blank one, a text made from the HTML. Without either it is ``""``.
    """
    return readable(parsed.bodies)


def text_of_stored(raw: bytes) -> str:
    """Return the same as ``text_of(parse_stored(raw))`` without working out anything else.

    ``raw`` is the message as it is stored, with its trace headers.
    """
    return readable(texts(raw[end_of_trace(raw) :]))


def readable(bodies: Sequence[Body]) -> str:
    """Return the text of the message whose texts are ``bodies``."""
    parts = [
        plain.text_from_html(with_plain_newlines(body.source))
        if body.is_html
        else with_plain_newlines(body.source)
        for body in within_limits(chosen(bodies, "text"))
    ]
    if len(parts) > 1:
        parts = [part for part in parts if not is_blank(part)] or parts[:1]
    return "\n".join(parts)


def _all(parsed: ParsedMessage) -> Iterator[str]:
    for body in parsed.bodies:
        yield from (urls.in_html if body.is_html else urls.in_text)(body.source)
