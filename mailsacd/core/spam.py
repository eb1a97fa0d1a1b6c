"""How likely a message is spam: who says so, and why; its JSON."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Scorer = Literal["rspamd", "spamd", "classifier"]

MAX_REASONS: Final = 40
MAX_TEXT_CHARS: Final = 200


class SpamReason(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that matched, or a word that says something: points above 0 speak for spam."""

    name: str
    points: float
    text: Annotated[str, Meta(description="What the rule is, in the scorer's words")] = ""


class SpamReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one scorer says of one message.

    ``score`` is what messages have as `spam`: 0.5 is where the scorer itself begins to call a
    message spam. ``points`` are its own, of which ``required`` are spam; the classifier has none.
    """

    score: Annotated[float, Meta(ge=0, le=1)]
    scorer: Scorer
    points: float | None = None
    required: float | None = None
    reasons: tuple[SpamReason, ...]
    checked: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredMail:
    """What is scored: ``content`` without our trace headers, these as ``trace``, and how it came.

    ``ip``, ``helo`` and ``sender`` are those of the peer, empty where it did not come from outside.
    ``account`` is whose the message is; None: nobody's. ``tokens`` are what the classifier judges
    by, with their buckets; None: they are still to be found.
    """

    content: bytes
    recipients: tuple[str, ...]
    trace: bytes = b""
    ip: str = ""
    helo: str = ""
    sender: str = ""
    account: str | None = None
    tokens: Mapping[int, str] | None = None


_NOT_SHOWN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(SpamReport).decode


def report_text(report: SpamReport) -> str:
    """Return the JSON text that is stored: one object."""
    return _encode(report).decode()


def read_report(text: str) -> SpamReport:
    """Return what was stored as ``text``."""
    return _decode(text)


def likelihood(share: float) -> float:
    """Return ``share`` as a score: between 0 and 1, in thousandths."""
    return round(min(max(share, 0.0), 1.0), 3)


def by_weight(reasons: Iterable[SpamReason]) -> tuple[SpamReason, ...]:
    """Return the MAX_REASONS ``reasons`` with the most points for or against."""
    return tuple(sorted(reasons, key=lambda each: -abs(each.points))[:MAX_REASONS])


def shown(text: str) -> str:
    """Return ``text``, which may be a stranger's, as it can be stored and shown in a line."""
    return _NOT_SHOWN.sub("\N{REPLACEMENT CHARACTER}", text)[:MAX_TEXT_CHARS]
