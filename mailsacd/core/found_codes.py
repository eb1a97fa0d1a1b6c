"""The one-time codes of a whole message: what is found in its subject, its text and its HTML."""

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from mailsacd.core.likelihood import likelihood
from mailsacd.core.one_time_code import ENOUGH, Sighting, sightings

MAX_CODES: Final = 3
NEAR: Final = 4.0
"""By how much less than the best one a code, or a link, may be rated."""

Form = Literal["text", "html"]
"""A form in which the body of a message is written."""

Score = Annotated[
    float, Meta(ge=0.5, le=0.99, description="How likely it is: 0.5 is a guess, 0.99 as told")
]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something was found first, in the subject or in a form of the body."""

    in_: Annotated[Literal["subject", "text", "html"], Meta(description="Where")] = msgspec.field(
        name="in"
    )
    context: Annotated[str, Meta(description="The words around it, in one line")]


class FoundCode(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code, as somebody types it, and where it stands."""

    code: str
    score: Score
    places: tuple[Place, ...]


def found_codes(subject: str, bodies: Mapping[Form, str]) -> tuple[FoundCode, ...]:
    """Return the one-time codes that a message tells, likeliest first, MAX_CODES at most.

    ``bodies`` is what a reader sees of the message, by the form in which it is written; of
    each the first one_time_code.MAX_CHARS characters count.
    """
    rated: dict[str, float] = {}
    places: dict[str, dict[str, Place]] = {}
    for form, seen in _all_sightings(subject, bodies):
        where: Literal["subject", "text", "html"] = "subject" if seen.is_in_subject else form
        rated[seen.code] = max(seen.rating, rated.get(seen.code, 0.0))
        places.setdefault(seen.code, {}).setdefault(where, Place(in_=where, context=seen.context))
    best = sorted(rated.items(), key=itemgetter(1), reverse=True)[:MAX_CODES]
    return tuple(
        FoundCode(code=code, score=likelihood(rating, ENOUGH), places=tuple(places[code].values()))
        for code, rating in best
        if rating >= best[0][1] - NEAR
    )


def _all_sightings(subject: str, bodies: Mapping[Form, str]) -> Iterator[tuple[Form, Sighting]]:
    for form, body in (bodies or {"text": ""}).items():
        for seen in sightings(subject, body):
            yield form, seen
