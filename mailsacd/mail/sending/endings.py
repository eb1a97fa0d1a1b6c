"""What follows from an outcome: done, tried again and when, or given up; and who is told.

Permanent failures end at once. Temporary ones are tried again on a schedule, and given up after a
time; whose sender asked for nothing else is told when it takes long (RFC 3461 section 5.2).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import OutgoingRecipient, RecipientState
from mailsacd.core.relay import Claim, Ending, QueuedMessage
from mailsacd.mail.sending.report_parts import one_line
from mailsacd.mail.sending.reports import Action
from mailsacd.mail.sending.rules import RelayRules

MAX_REPLY_CHARACTERS: Final = 500
_SUCCESS, _FAILURE, _DELAY = "SUCCESS", "FAILURE", "DELAY"
_USUAL: Final = frozenset({_FAILURE, _DELAY})  # RFC 3461 section 4.1: up to us


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
    rules: RelayRules,
) -> Consequence:
    """Return what follows from ``outcome`` of the attempt that ``claim`` was, which ends ``now``.

    An outcome without a host is of this one: whoever it is about is not put on the suppression
    list. Nobody is told of mail without a reverse-path.
    """
    state: RecipientState = "queued"
    told: Action | None = None
    due: datetime | None = None
    give_up = message.created + timedelta(seconds=rules.give_up_after_s)
    if outcome.kind == "delivered":
        state, told = "delivered", _success_told(claim.recipient, outcome)
    elif outcome.kind == "permanent" or now >= give_up:
        state, told = "failed", "failed" if _wants(claim.recipient, _FAILURE) else None
    else:
        due = min(give_up, now + timedelta(seconds=rules.wait_s(outcome, claim.attempts)))
        if not claim.is_delay_told and _wants(claim.recipient, _DELAY):
            tell = message.created + timedelta(seconds=rules.tell_after_s)
            told, due = ("delayed", due) if now >= tell else (None, min(due, tell))
    return Consequence(
        ending=_ending(claim, outcome, state, due, tells_delay=told == "delayed"),
        outcome=outcome,
        told=told if message.reverse_path else None,
        until=give_up if told == "delayed" else None,
    )


def _ending(
    claim: Claim,
    outcome: Outcome,
    state: RecipientState,
    due: datetime | None,
    *,
    tells_delay: bool,
) -> Ending:
    return Ending(
        claim=claim,
        state=state,
        due=due,
        code=outcome.code,
        status=one_line(outcome.status),
        reply=one_line(outcome.text)[:MAX_REPLY_CHARACTERS],
        host=one_line(outcome.host),
        suppress=bool(claim.account and outcome.host) and outcome.is_nobody_there,
        tells_delay=tells_delay,
    )


def _success_told(recipient: OutgoingRecipient, outcome: Outcome) -> Action | None:
    if not _wants(recipient, _SUCCESS) or outcome.is_dsn_passed_on:
        return None
    return "relayed" if outcome.host else "delivered"


def _wants(recipient: OutgoingRecipient, what: str) -> bool:
    if recipient.notify is None:
        return what in _USUAL
    return what in recipient.notify.upper().split(",")
