"""What happened, as an account or the operator looks it up."""

from dataclasses import dataclass
from typing import Final

RECEIVED: Final = "received"
CAPTURED: Final = "captured"
FORWARDED: Final = "forwarded"
REFUSED: Final = "refused"
THROTTLED: Final = "throttled"
RECYCLED: Final = "recycled"
STORAGE_FULL: Final = "storage-full"
USAGE_WARNING: Final = "usage-warning"
PUSHED: Final = "pushed"
DELIVERED: Final = "delivered"
DELIVERY_FAILED: Final = "delivery-failed"
WEBHOOK_DISABLED: Final = "webhook-disabled"
SIGNED_IN: Final = "signed-in"
SIGN_IN_FAILED: Final = "sign-in-failed"
SENT: Final = "sent"
SEND_DELAYED: Final = "send-delayed"
SEND_FAILED: Final = "send-failed"
LOAD_TEST: Final = "load-test"
RUN: Final = "run"


@dataclass(frozen=True, slots=True)
class Event:
    """``id`` rises with time, and tells it (see core.token).

    ``account`` is None for what concerns the operator alone. ``code`` is an SMTP reply's or an
    HTTP status, where there was one; ``subject`` the address, domain or peer that it is about.
    ``times`` tells how often it happened within seconds.
    """

    id: str
    account: str | None
    kind: str
    code: int | None
    subject: str
    detail: str
    times: int
