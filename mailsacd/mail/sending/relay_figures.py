"""What is told of attempts to send mail."""

from typing import Final

from mailsacd.core.relay import Ending
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.traffic_log import printable

_OUTCOMES: Final = {"delivered": "delivered", "queued": "deferred", "failed": "failed"}
_RELAY: Final = (
    "relay of message {message} to {recipient}, attempt {attempt}, {outcome}: "
    "{host} {code} {status} {reply}"
)


class RelayFigures:
    """How many attempts had which outcome."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._log = telemetry.log
        self._attempts = {
            state: telemetry.figures.counter(
                "mailsacd_relay_attempts_total",
                "Attempts to send mail to a recipient, by their outcome",
                outcome=outcome,
            )
            for state, outcome in _OUTCOMES.items()
        }

    def ended(self, ending: Ending) -> None:
        """An attempt has ended so."""
        self._attempts[ending.state].add()
        if self._log.wants(refused=ending.state != "delivered"):
            self._log.line(
                _RELAY,
                message=ending.claim.message_id,
                recipient=printable(ending.claim.recipient.address),
                attempt=ending.claim.attempts,
                outcome=_OUTCOMES[ending.state],
                host=printable(ending.host),
                code=ending.code or 0,
                status=printable(ending.status),
                reply=printable(ending.reply),
            )
