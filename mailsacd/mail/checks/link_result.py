"""What opening the links of a message says of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mailsacd.mail.checks.check import (
    MAX_WHERE_CHARS,
    Reason,
    Result,
    gathered,
    not_applicable,
    scored,
)
from mailsacd.mail.checks.found_links import LeftOut, Link
from mailsacd.outbound.follow import Visit

NAME: Final = "links"
MAX_SHOWN: Final = 100
"""So many links are in the figures of a result."""

_MANY_REDIRECTS: Final = 2
_GONE: Final = frozenset({404, 410})
_REFUSES_PROGRAMS: Final = frozenset({401, 403, 405, 406, 407, 429, 451, 999})
_NOT_OPENED: Final = {
    "unsubscribe": "Not opened, since it looks as if it left a list",
    "one-time": "Not opened, since it looks as if it signed in or confirmed something",
    "tracking": "Not opened, since it tells its sender that the message is read",
    "limit": "Not opened, since there are too many",
    "time": "Not opened, since the others took too long",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one link: a visit, or why there was none."""

    link: Link
    visit: Visit | None = None
    left_out: LeftOut | Literal["limit", "time"] | None = None


def links_result(outcomes: Sequence[Outcome]) -> Result:
    """The result of the check, of all links of a message in their order."""
    if not outcomes:
        return not_applicable(NAME, "There are no links in it")
    visits = [outcome.visit for outcome in outcomes if outcome.visit is not None]
    reasons = [
        *_of_answers(visits),
        *_of_failures(visits),
        *_of_ways(outcomes),
        *_of_left_out(outcomes),
    ]
    data = {
        "found": len(outcomes),
        "opened": len(visits),
        "links": [_shown(outcome) for outcome in outcomes[:MAX_SHOWN]],
    }
    return scored(NAME, reasons, data)


def _of_answers(visits: Sequence[Visit]) -> Iterator[Reason]:
    answered = [(visit.urls[0], visit.status) for visit in visits if visit.status is not None]
    gone = [url for url, status in answered if status in _GONE]
    yield from gathered(40, "There is nothing at this link: it answers 404 or 410", gone)
    failing = [url for url, status in answered if 500 <= status < 600]
    yield from gathered(30, "The server of this link fails: it answers 500 or more", failing)
    refusing = [url for url, status in answered if status in _REFUSES_PROGRAMS]
    text = "The server answers programs with 401, 403 or 429: readers may see something else"
    yield from gathered(0, text, refusing)
    other = [
        url
        for url, status in answered
        if 400 <= status < 500 and status not in _GONE | _REFUSES_PROGRAMS
    ]
    yield from gathered(20, "The server does not take this link: it answers 400 or more", other)


def _of_failures(visits: Sequence[Visit]) -> Iterator[Reason]:
    by_tls = [visit.urls[0] for visit in visits if visit.tls_failed]
    yield from gathered(40, "Browsers warn of this link: its TLS or certificate is bad", by_tls)
    forbidden = [visit.urls[0] for visit in visits if visit.forbidden]
    text = "It leads to what is not on the public Internet: readers elsewhere cannot open it"
    yield from gathered(30, text, forbidden)
    failed = [
        visit for visit in visits if visit.error and not visit.tls_failed and not visit.forbidden
    ]
    if failed:
        text = f"It cannot be opened: {failed[0].error}"
        yield from gathered(40, text, [visit.urls[0] for visit in failed])


def _of_ways(outcomes: Sequence[Outcome]) -> Iterator[Reason]:
    """Redirects, and what goes without TLS."""
    visits = [outcome.visit for outcome in outcomes if outcome.visit and not outcome.link.is_loaded]
    long = [visit.urls[0] for visit in visits if len(visit.urls) - 1 > _MANY_REDIRECTS]
    yield from gathered(5, f"It redirects more than {_MANY_REDIRECTS} times", long)
    worse = [visit.urls[0] for visit in visits if _is_downgraded(visit)]
    yield from gathered(20, "It begins with https and leads to http", worse)
    plain = [
        visit.urls[0]
        for visit in visits
        if not visit.error and _is_plain(visit.urls[0]) and _is_plain(visit.urls[-1])
    ]
    yield from gathered(10, "It is http: anybody on the way reads along", plain)
    mixed = [each.link.url for each in outcomes if each.link.is_loaded and _is_plain(each.link.url)]
    text = "It is loaded by http: mail that is shown by https leaves it out, or asks for https"
    yield from gathered(15, text, mixed)


def _of_left_out(outcomes: Sequence[Outcome]) -> Iterator[Reason]:
    for left_out, text in _NOT_OPENED.items():
        urls = [outcome.link.url for outcome in outcomes if outcome.left_out == left_out]
        yield from gathered(0, text, urls)


def _is_plain(url: str) -> bool:
    return url[:5].lower() == "http:"


def _is_downgraded(visit: Visit) -> bool:
    urls = (*visit.urls, visit.stopped_before) if visit.stopped_before else visit.urls
    return not _is_plain(urls[0]) and any(map(_is_plain, urls))


def _shown(outcome: Outcome) -> dict[str, Any]:
    visit = outcome.visit or Visit(urls=())
    return {
        "url": outcome.link.url[:MAX_WHERE_CHARS],
        "loaded": outcome.link.is_loaded,
        "leftOut": outcome.left_out,
        "status": visit.status,
        "redirects": [url[:MAX_WHERE_CHARS] for url in visit.urls[1:]],
        "stoppedBefore": visit.stopped_before[:MAX_WHERE_CHARS] or None,
        "tls": _tls(visit),
        "error": visit.error or None,
    }


def _tls(visit: Visit) -> bool | None:
    """Whether TLS is good where the link leads; None without an answer, and without TLS."""
    if visit.tls_failed:
        return False
    return None if visit.status is None or _is_plain(visit.urls[-1]) else True
