"""What is read out of a parsed message: its links, and its text, also when it has only HTML."""

import re
from collections.abc import Iterator, Sequence

from mailsacd.mime import plain, urls
from mailsacd.mime.bodies import Body, chosen, is_blank, within_limits
from mailsacd.mime.message import ParsedMessage, with_plain_newlines
from mailsacd.mime.parse import texts
from mailsacd.mime.trace import end_of_trace

SNIPPET_CHARS = 140
_MAX_WORDS = 100  # are looked at for a snippet
_DIVIDER = re.compile(r"[-=_*~#+>|.\u2500-\u257f\u2022\u2014]+\Z")
# Controls, marks that turn the direction of what follows, and halves of characters
_NOT_SHOWN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
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


def snippet_of_beginning(raw: bytes) -> str:
    """Return the first words of the text of a message, SNIPPET_CHARS at most, in one line.

    ``raw`` is the beginning of the message as it is stored, with its trace headers: what is not in
    it is not there. Lines that only divide are left out. The function never raises.
    """
    found: list[str] = []
    chars = 0
    for body in chosen(texts(raw[end_of_trace(raw) :]), "text"):
        text = plain.beginning_of_html(body.source, SNIPPET_CHARS) if body.is_html else body.source
        words = _in_one_line(text)
        found.append(words)
        chars += len(words)
        if chars > SNIPPET_CHARS:
            break
    return " ".join(filter(None, found))[:SNIPPET_CHARS].rstrip()


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


def _in_one_line(text: str) -> str:
    """The first words of ``text`` with nothing among them that a line cannot show."""
    words = text.split(None, _MAX_WORDS)[:_MAX_WORDS]
    line = " ".join([word[:SNIPPET_CHARS] for word in words if not _DIVIDER.match(word)])
    return " ".join(_NOT_SHOWN.sub("", plain.without_invisible(line)).split())


def _all(parsed: ParsedMessage) -> Iterator[str]:
    for body in parsed.bodies:
        yield from (urls.in_html if body.is_html else urls.in_text)(body.source)
