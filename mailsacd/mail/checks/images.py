"""Pictures of a message: which of them track who reads it, and which are not shown at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from mailsacd.mail.checks.check import Reason, Result, Subject, gathered, not_applicable, scored
from mailsacd.mail.checks.open_pixels import has_identifier, has_trace, service_of, traces_of
from mailsacd.mail.checks.pictures import MAX_PICTURES, Picture

NAME: Final = "images"
MAX_SHOWN: Final = 50
"""So many trackers and hosts are named."""

_LARGE_INLINE_CHARS: Final = 30_000
_FEW_CHARS: Final = 40
_MAX_RECIPIENTS: Final = 20
_SPACER: Final = re.compile(
    r"/(?:spacer|blank|clear|transparent|shim|dot|trans)[\w-]{0,20}\.(?:gif|png)\Z", re.IGNORECASE
)
_KNOWN_SCHEMES: Final = frozenset({"http", "https", "cid", "data"})


@dataclass(frozen=True, slots=True)
class _Tracker:
    """A picture that tells its sender who opened the message: why that is believed, and whose."""

    picture: Picture
    why: str
    service: str = ""


def check_images(subject: Subject) -> Result:
    """Find pictures that track, that are not shown, or that only some clients show."""
    if subject.tree is None:
        return not_applicable(NAME, "The message has no HTML")
    pictures = subject.pictures
    remote = [each for each in pictures if each.remote]
    traces = traces_of(_recipients(subject))
    trackers = [found for each in remote if (found := _tracker(each, traces))]
    tracking = {id(each.picture) for each in trackers}
    reasons = (
        *_of_trackers(trackers),
        *_of_remote([each for each in remote if id(each) not in tracking]),
        *_not_remote(subject, pictures),
        *_hardly_any_text(subject, pictures),
        *_limits(subject, pictures),
    )
    return scored(NAME, reasons, _data(pictures, remote, trackers))


def _recipients(subject: Subject) -> list[str]:
    parsed = subject.parsed
    mailboxes = (*(parsed.to or ()), *(parsed.cc or ()))[:_MAX_RECIPIENTS]
    return [each.address for each in mailboxes]


def _tracker(picture: Picture, traces: frozenset[str]) -> _Tracker | None:
    """What makes a tracker of a remote picture; None when nothing does."""
    service = service_of(picture.url)
    if service:
        return _Tracker(picture, f"an open pixel of {service}", service)
    if has_trace(picture.url, traces):
        return _Tracker(picture, "a URL with the recipient's address in it")
    unseen = picture.tiny or picture.hidden
    if service is not None and (unseen or "?" in picture.url or has_identifier(picture.url)):
        return _Tracker(picture, "a URL like that of an open pixel")
    if picture.tiny and not _SPACER.search(picture.url.partition("?")[0]):
        return _Tracker(picture, "a picture of a single pixel")
    if picture.hidden and has_identifier(picture.url):
        return _Tracker(picture, "a hidden picture with an identifier in its URL")
    return None


def _of_trackers(trackers: Sequence[_Tracker]) -> list[Reason]:
    places: dict[str, list[str]] = {}
    for each in trackers:
        places.setdefault(each.why, []).append(each.picture.place)
    reasons: list[Reason] = []
    for number, (why, found) in enumerate(places.items()):
        points = (20 if number == 0 else 5) if number < 4 else 0
        text = f"A picture tells the sender who opened the message, and when: it is {why}"
        reasons += gathered(points, text, found)
    return reasons


def _of_remote(remote: Sequence[Picture]) -> list[Reason]:
    named = [each for each in remote if has_identifier(each.url)]
    text = "The URL of a picture has an identifier in it, which may tell who opened the message"
    reasons = [*_counted(2, 10, text, named)]
    text = "A picture is fetched without TLS, and not shown by clients that ask for it"
    reasons += _counted(3, 12, text, [each for each in remote if each.scheme == "http"])
    text = "A picture is on another server: many clients show it only when they are told to"
    return [*reasons, *_counted(0, 0, text, remote)]


def _not_remote(subject: Subject, pictures: Sequence[Picture]) -> list[Reason]:
    inline = [each for each in pictures if each.scheme == "data"]
    size = sum(len(each.url) for each in inline)
    text = f"Pictures in data: URLs, of {size} characters, are not shown by Gmail"
    reasons = [*_counted(5, 10, text, inline)]
    if size > _LARGE_INLINE_CHARS:
        text = "Pictures in data: URLs make the HTML so large that Gmail may clip it"
        reasons += _counted(10, 10, text, inline)
    ids = {each.content_id.lower() for each in subject.parsed.attachments if each.content_id}
    lost = [each for each in pictures if each.scheme == "cid" and _content_id(each) not in ids]
    reasons += _counted(10, 30, "A picture refers to an attachment that is not there", lost)
    nowhere = [each for each in pictures if each.scheme not in _KNOWN_SCHEMES]
    text = "A picture has a URL that leads nowhere from a message: it is empty, relative or local"
    return [*reasons, *_counted(10, 30, text, nowhere)]


def _content_id(picture: Picture) -> str:
    return unquote(picture.url[4:1_000]).strip("<>").lower()


def _hardly_any_text(subject: Subject, pictures: Sequence[Picture]) -> tuple[Reason, ...]:
    """A message of nothing but pictures is empty until they are shown."""
    seen = [each for each in pictures if not each.tiny and not each.hidden]
    if not seen or subject.tree is None:
        return ()
    chars = 0
    for element in subject.tree.elements():
        if not subject.looks[element].hidden and element.name not in ("style", "title"):
            texts = (child for child in element.children if isinstance(child, str))
            chars += sum(len(text.strip()) for text in texts)
        if chars > _FEW_CHARS:
            return ()
    text = "There is hardly any text beside the pictures: where they are blocked, nothing is seen"
    return gathered(15, text, [each.place for each in seen])


def _limits(subject: Subject, pictures: Sequence[Picture]) -> tuple[Reason, ...]:
    if len(pictures) < MAX_PICTURES and not subject.looks.limited:
        return ()
    return (Reason(points=0, text="Not all pictures and style sheets were looked at: too many"),)


def _counted(each: int, most: int, text: str, pictures: Sequence[Picture]) -> tuple[Reason, ...]:
    points = min(each * len(pictures), most)
    return gathered(points, text, [picture.place for picture in pictures])


def _data(
    pictures: Sequence[Picture], remote: Sequence[Picture], trackers: Sequence[_Tracker]
) -> dict[str, Any]:
    inline = [each for each in pictures if each.scheme == "data"]
    return {
        "images": len(pictures),
        "remote": len(remote),
        "attached": sum(each.scheme == "cid" for each in pictures),
        "inline": len(inline),
        "inlineChars": sum(len(each.url) for each in inline),
        "hosts": sorted({_host(each.url) for each in remote})[:MAX_SHOWN],
        "trackers": [
            {"url": each.picture.url[:300], "why": each.why, "service": each.service or None}
            for each in trackers[:MAX_SHOWN]
        ],
    }


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "")[:255]
    except ValueError:
        return ""
