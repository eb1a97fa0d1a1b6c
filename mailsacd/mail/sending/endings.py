"""What follows from an outcome: done, tried again and when, or given up; and who is told.

Permanent failures end at once. Temporary ones are tried again on a schedule, and given up after a
time; whose sender asked for nothing else is told when it takes long (RFC 3461 section 5.2).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mailsacd.core.backoff import Schedule
from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import OutgoingRecipient, RecipientState
from mailsacd.core.relay import Claim, Ending, QueuedMessage
from mailsacd.mail.sending.reports import Action, one_line

MAX_REPLY_CHARACTERS: Final = 500
GREYLISTED_MOST_S: Final = 900.0
"""A host that greylists is asked again within this time, or when it says itself."""
MAX_ASKED_S: Final = 3_600.0

_JITTER: Final = 0.1
_SUCCESS, _FAILURE, _DELAY = "SUCCESS", "FAILURE", "DELAY"
_USUAL: Final = frozenset({_FAILURE, _DELAY})  # RFC 3461 section 4.1: up to us


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When mail is tried again, when its sender hears that it is late, and when it is given up."""

    first_s: float
    most_s: float
    tell_after_s: float
    give_up_after_s: float

    def wait_s(self, outcome: Outcome, attempts: int) -> float:
        """Seconds until the next attempt when ``attempts`` have failed, the last with ``outcome``."""
        schedule = Schedule(first_s=self.first_s, most_s=self.most_s, jitter=_JITTER)
        asked_s = outcome.asks_to_wait_s
        if asked_s is None:
            return schedule.delay_s(attempts)
        soon = Schedule(
            first_s=self.first_s, most_s=min(self.most_s, GREYLISTED_MOST_S), jitter=_JITTER
        )
        return soon.delay_s(attempts, at_least_s=min(asked_s, MAX_ASKED_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What is written down, and what the sender is told (``told`` None: nothing).

    ``until`` is until when a delayed message is tried.
    """

    ending: Ending
    outcome: Outcome
    told: Action | None
    until: datetime | None = None


def consequence(
    claim: Claim,
    message: QueuedMessage,
    outcome: Outcome,
    now: datetime,
    patience: Patience,
) -> Consequence:
    """Return what follows from ``outcome`` of the attempt that ``claim`` was, which ends ``now``.

    An outcome without a host is of this one: whoever it is about is not put on the suppression
    list. Nobody is told of mail without a reverse-path.
    """
    if outcome.kind == "delivered":
        told = _success_told(claim.recipient, outcome)
        return _consequence(claim, message, outcome, "delivered", told)
    give_up = message.created + timedelta(seconds=patience.give_up_after_s)
    if outcome.kind == "permanent" or now >= give_up:
        told = "failed" if _wants(claim.recipient, _FAILURE) else None
        return _consequence(claim, message, outcome, "failed", told)
    tell = message.created + timedelta(seconds=patience.tell_after_s)
    due = min(give_up, now + timedelta(seconds=patience.wait_s(outcome, claim.attempts)))
    if claim.is_delay_told or not _wants(claim.recipient, _DELAY):
        return _consequence(claim, message, outcome, "queued", None, due=due)
    if now >= tell:
        return _consequence(claim, message, outcome, "queued", "delayed", due=due, until=give_up)
    return _consequence(claim, message, outcome, "queued", None, due=min(due, tell))


def _consequence(
    claim: Claim,
    message: QueuedMessage,
    outcome: Outcome,
    state: RecipientState,
    told: Action | None,
    *,
    due: datetime | None = None,
    until: datetime | None = None,
) -> Consequence:
    ending = Ending(
        claim=claim,
        state=state,
        due=due,
        code=outcome.code,
        status=one_line(outcome.status),
        reply=one_line(outcome.text)[:MAX_REPLY_CHARACTERS],
        host=one_line(outcome.host),
        suppress=bool(claim.account and outcome.host) and outcome.is_nobody_there,
        tells_delay=told == "delayed",
    )
    shown = told if message.reverse_path else None
    return Consequence(ending=ending, outcome=outcome, told=shown, until=until)


def _success_told(recipient: OutgoingRecipient, outcome: Outcome) -> Action | None:
    if not _wants(recipient, _SUCCESS) or outcome.is_dsn_passed_on:
        return None
    return "relayed" if outcome.host else "delivered"


def _wants(recipient: OutgoingRecipient, what: str) -> bool:
    if recipient.notify is None:
        return what in _USUAL
    return what in recipient.notify.upper().split(",")
