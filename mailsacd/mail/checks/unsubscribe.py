"""Whether one can leave a list with one click (RFC 2369, RFC 8058), as large receivers ask for.

Gmail and Yahoo want it of everybody who sends them more than 5,000 messages a day.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from mailsacd.core.address import parse_address
from mailsacd.core.errors import BadAddressError
from mailsacd.mail.checks.check import (
    MAX_WHERE_CHARS,
    Reason,
    Result,
    Subject,
    not_applicable,
    scored,
)
from mailsacd.mail.checks.one_time import leaves_a_list
from mailsacd.mime import comments, header
from mailsacd.mime.extract import links

NAME: Final = "unsubscribe"
ONE_CLICK: Final = "list-unsubscribe=one-click"
MAX_URLS: Final = 20

_FIELD: Final = b"list-unsubscribe"
_POST: Final = b"list-unsubscribe-post"
_IN_ANGLES: Final = re.compile(r"<([^<>]{1,4000})>")
_OF_LISTS: Final = frozenset({b"list-id", b"list-post", b"list-help", b"feedback-id"})
_BULK: Final = frozenset({"bulk", "list", "junk"})
_TAG_H: Final = re.compile(r"(?:^|;)\s*h\s*=([^;]*)")


def check_unsubscribe(subject: Subject) -> Result:
    """Whether List-Unsubscribe and List-Unsubscribe-Post are there, are well-formed, and signed.

    Mail that is not for a list needs none: then the score is None.
    """
    fields = _values(subject, _FIELD)
    if not fields:
        if signs := _signs_of_a_list(subject):
            text = "It looks like mail to a list, and there is no List-Unsubscribe"
            return scored(NAME, (Reason(points=50, text=text, where=signs),), _data([], False))
        return not_applicable(
            NAME, "There is no List-Unsubscribe, which ordinary mail need not have"
        )
    urls = urls_of_field(fields[0])[:MAX_URLS]
    reasons = [*_of_field(fields, urls), *_of_post(subject, urls), *_of_signatures(subject)]
    one_click = any(map(_is_https, urls)) and _says_one_click(subject)
    return scored(NAME, reasons, _data(urls, one_click))


def urls_of_field(value: str) -> list[str]:
    """Return the URLs of a List-Unsubscribe, unfolded: those in angle brackets and in no comment
    (RFC 2369 section 2)."""
    return [url.strip() for url in _IN_ANGLES.findall(comments.removed(value))]


def _data(urls: Sequence[str], one_click: bool) -> dict[str, Any]:
    return {"urls": [url[:MAX_WHERE_CHARS] for url in urls], "oneClick": one_click}


def _values(subject: Subject, wanted: bytes) -> list[str]:
    return [header.unfold(raw) for name, raw in subject.parsed.fields if name.lower() == wanted]


def _signs_of_a_list(subject: Subject) -> str | None:
    """What tells that the message went to many; None: nothing does."""
    for name, raw in subject.parsed.fields:
        if name.lower() in _OF_LISTS:
            return name.decode("ascii")
        if name.lower() == b"precedence" and header.unfold(raw).lower() in _BULK:
            return "Precedence"
    return next(
        (url[:MAX_WHERE_CHARS] for url in links(subject.parsed)[0] if leaves_a_list(url)), None
    )


def _of_field(fields: Sequence[str], urls: Sequence[str]) -> Iterator[Reason]:
    if len(fields) > 1:
        yield Reason(points=20, text="There may be one List-Unsubscribe (RFC 2369 section 2)")
    if not urls:
        text = "A URL of List-Unsubscribe stands in angle brackets (RFC 2369 section 2)"
        yield Reason(points=50, text=text, where=fields[0][:MAX_WHERE_CHARS])
        return
    for url in urls:
        yield from _of_url(url)
    if not any(map(_is_https, urls)):
        text = "No https URL is there, which one click needs (RFC 8058 section 3.1)"
        yield Reason(points=20, text=text)


def _of_url(url: str) -> Iterator[Reason]:
    where, lowered = url[:MAX_WHERE_CHARS], url.lower()
    if lowered.startswith("mailto:"):
        if not _is_address(url[len("mailto:") :].partition("?")[0]):
            yield Reason(points=20, text="It is no mail address", where=where)
    elif lowered.startswith("http:"):
        yield Reason(points=20, text="It tells everybody on its way who leaves: http", where=where)
    elif not _is_https(url):
        yield Reason(points=10, text="Nobody unsubscribes by such a URL", where=where)


def _is_https(url: str) -> bool:
    return re.match(r"https://[^/?#\s]", url, re.IGNORECASE) is not None


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except BadAddressError:
        return False
    return True


def _says_one_click(subject: Subject) -> bool:
    values = _values(subject, _POST)
    return len(values) == 1 and "".join(values[0].split()).lower() == ONE_CLICK


def _of_post(subject: Subject, urls: Sequence[str]) -> Iterator[Reason]:
    if not any(map(_is_https, urls)):
        return
    values = _values(subject, _POST)
    if not values:
        text = "There is no List-Unsubscribe-Post: one click does not do (RFC 8058 section 3.1)"
        yield Reason(points=30, text=text)
    elif not _says_one_click(subject):
        text = "List-Unsubscribe-Post has to be List-Unsubscribe=One-Click, once"
        yield Reason(points=30, text=text, where=values[0][:MAX_WHERE_CHARS])


def _of_signatures(subject: Subject) -> Iterator[Reason]:
    """A signature has to cover both fields (RFC 8058 section 4); `auth` tells whether it holds."""
    for signature in _values(subject, b"dkim-signature"):
        found = _TAG_H.search(signature)
        signed = {name.strip().lower() for name in (found[1] if found else "").split(":")}
        if {_FIELD.decode(), _POST.decode()} <= signed:
            return
    text = (
        "No DKIM signature covers List-Unsubscribe and List-Unsubscribe-Post (RFC 8058 section 4)"
    )
    yield Reason(points=20, text=text)
