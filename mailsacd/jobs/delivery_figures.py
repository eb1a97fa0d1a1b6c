"""What is told of attempts to deliver to webhooks and Slack."""

from typing import Final

from mailsacd.core.delivery import Attempt, Claim
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.traffic_log import milliseconds, printable

_KINDS: Final = ("webhook", "slack")
_ANSWERS: Final = ("2xx", "3xx", "4xx", "5xx", "none")
_DELIVERY: Final = (
    "delivery {delivery} of message {message}, attempt {attempt} to {target}: "
    "{code} {error} in {duration_ms} ms"
)


class DeliveryFigures:
    """How many attempts had which answer, and how long they took."""

    def __init__(self, telemetry: Telemetry) -> None:
        figures = telemetry.figures
        self._log = telemetry.log
        self._attempts = {
            (kind, answer): figures.counter(
                "mailsacd_delivery_attempts_total",
                "Requests to webhooks and Slack, by the class of their answer",
                kind=kind,
                answer=answer,
            )
            for kind in _KINDS
            for answer in _ANSWERS
        }
        self._seconds = {
            kind: figures.histogram(
                "mailsacd_delivery_attempt_seconds", "How long these requests took", kind=kind
            )
            for kind in _KINDS
        }

    def attempted(self, claim: Claim, attempt: Attempt, took_s: float) -> None:
        """An ``attempt`` was made, which ``took_s`` seconds."""
        answer = "none" if attempt.code is None else f"{attempt.code // 100}xx"
        kind = "slack" if claim.kind == "slack" else "webhook"
        counter = self._attempts.get((kind, answer)) or self._attempts[kind, "none"]
        counter.add()
        self._seconds[kind].observe(took_s)
        if self._log.wants(refused=not attempt.succeeded, took_s=took_s):
            self._log.line(
                _DELIVERY,
                delivery=claim.id,
                message=claim.message_id.rpartition("-")[0],
                attempt=claim.attempts + 1,
                target=printable(claim.target),
                code=attempt.code or 0,
                error=printable(attempt.error),
                duration_ms=milliseconds(took_s),
            )
