"""What is said of an account's events: the name of each kind, and where an event leads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailsacd.core import activity
from mailsacd.core.activity import Event
from mailsacd.core.token import time_of
from mailsacd.web.filters import segment

KINDS: Final = {
    activity.RECEIVED: "Received",
    activity.FORWARDED: "Forwarded",
    activity.CAPTURED: "Captured",
    activity.REFUSED: "Refused",
    activity.THROTTLED: "Slowed or sent away",
    activity.RECYCLED: "Recycled",
    activity.USAGE_WARNING: "Usage warning",
    activity.PUSHED: "Pushed",
    activity.DELIVERED: "Posted to a webhook",
    activity.DELIVERY_FAILED: "Webhook failed",
    activity.WEBHOOK_DISABLED: "Webhook switched off",
    activity.SENT: "Sent",
    activity.SEND_DELAYED: "Sending delayed",
    activity.SEND_FAILED: "Sending failed",
    activity.SIGNED_IN: "Signed in",
    activity.SIGN_IN_FAILED: "Wrong password",
    activity.LOAD_TEST: "Load test",
    activity.RUN: "Run",
}
"""Those that an account is told of; `storage-full` is the operator's."""

_BAD: Final = frozenset({
    activity.REFUSED, activity.THROTTLED, activity.DELIVERY_FAILED, activity.WEBHOOK_DISABLED,
    activity.SEND_FAILED, activity.SIGN_IN_FAILED,
})  # fmt: skip
_WARN: Final = frozenset({activity.USAGE_WARNING, activity.RECYCLED, activity.SEND_DELAYED})
_OF_MESSAGES: Final = frozenset({activity.RECEIVED, activity.PUSHED})
"""Kinds whose subject is an inbox, and whose detail is the id of a message in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventText:
    """``tone`` is a class of the style sheet, ``path`` where the event leads; ``""``: nowhere."""

    time: datetime
    label: str
    tone: str
    subject: str
    path: str
    detail: str
    code: int | None
    times: int


def text_of(event: Event) -> EventText:
    """What is said of ``event``."""
    tone = "bad" if event.kind in _BAD else "warn" if event.kind in _WARN else ""
    of_message = event.kind in _OF_MESSAGES and event.subject != "*"
    path = f"/inbox/{segment(event.subject)}/{segment(event.detail)}" if of_message else ""
    return EventText(
        time=time_of(event.id),
        label=KINDS.get(event.kind, event.kind),
        tone=tone,
        subject="Others of this hour" if event.subject == "*" else event.subject,
        path=path,
        detail="" if of_message else event.detail,
        code=event.code,
        times=event.times,
    )
