"""What a check of a message found, and its JSON: a score with reasons, and figures."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

BEST: Final = 100

_Points = Annotated[int, Meta(ge=0, le=BEST)]


class CheckReason(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of fault in a message, or something worth knowing, which costs no points."""

    points: Annotated[_Points, Meta(description="What it takes off the score")]
    text: Annotated[str, Meta(description="What is the matter, in a sentence")]
    where: Annotated[
        str | None, Meta(description="A field, a tag or a URL that it is true of; null: of all")
    ] = None
    more: Annotated[int, Meta(ge=0, description="At so many further places it is the same")] = 0


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found. ``data`` are its figures, as JSON, with names in camelCase."""

    name: str
    score: Annotated[_Points | None, Meta(description="100 is best; null: nothing to be checked")]
    reasons: tuple[CheckReason, ...]
    data: Mapping[str, Any]
