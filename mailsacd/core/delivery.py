"""A message on its way to a webhook or to Slack."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

SLACK: Final = "slack"
"""The kind of those to Slack; all others are ``webhook``."""

RETRIED_FOR: Final = timedelta(days=1)
"""So long after it came, or was asked for once more, a delivery is tried."""

_GONE: Final = 410

State = Literal["pending", "delivering", "delivered", "failed"]
STATES: Final[tuple[State, ...]] = ("pending", "delivering", "delivered", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery that this node has taken on, until the time ``until``.

    ``id`` is the event's id, the same in each attempt; ``attempts`` counts those that failed
    since ``begun``. ``wanted_url`` is what the address says now: None when the owner took it back,
    or may have nothing delivered any more. ``first`` tells that no other delivery of the message
    comes before it. ``to_from`` is the address's webhookSlackToFrom. A test is of no stored
    message, and is tried once.
    """

    id: str
    account: str
    address: str
    kind: str
    url: str
    target: str
    inbox: str
    message_id: str
    attempts: int
    begun: datetime
    until: datetime
    first: bool
    wanted_url: str | None
    to_from: bool
    is_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One as its owner sees it. ``due`` is of the next attempt, None when there is none.

    ``code`` is the HTTP status of the last attempt, ``error`` why that failed.
    """

    id: str
    address: str
    kind: str
    url: str
    inbox: str
    message_id: str
    state: State
    attempts: int
    created: datetime
    due: datetime | None
    finished: datetime | None
    code: int | None
    error: str
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one ended: with an HTTP status, or (``code`` None) without, for the reason ``error``.

    ``retry_after_s`` is how long the receiver asked to be left alone.
    """

    code: int | None
    error: str = ""
    retry_after_s: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it: it answered with a status of 2xx."""
        return self.code is not None and 200 <= self.code <= 299

    @property
    def is_unwanted(self) -> bool:
        """Whether the receiver wants nothing more, ever: it answered 410."""
        return self.code == _GONE
