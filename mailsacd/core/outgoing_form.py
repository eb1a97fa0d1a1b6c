"""How a message on its way is shown: by the API, and by the operator's commands."""

from typing import Any

from mailsacd.core.outgoing import Outgoing, RecipientStanding
from mailsacd.core.token import iso_time


def shown(outgoing: Outgoing) -> dict[str, Any]:
    """A message on its way as the API answers it."""
    return {
        "_id": outgoing.id,
        "from": outgoing.reverse_path,
        "to": [recipient.address for recipient in outgoing.recipients],
        "subject": outgoing.subject,
        "messageId": outgoing.message_id,
        "size": outgoing.size,
        "origin": outgoing.origin,
        "created": iso_time(outgoing.created),
        "ended": outgoing.ended and iso_time(outgoing.ended),
        "recipients": [_shown_recipient(recipient) for recipient in outgoing.recipients],
    }


def _shown_recipient(recipient: RecipientStanding) -> dict[str, Any]:
    return {
        "address": recipient.address,
        "state": recipient.state,
        "sending": bool(recipient.sending),
        "attempts": recipient.attempts,
        "nextAttempt": recipient.due and iso_time(recipient.due),
        "code": recipient.code,
        "status": recipient.status,
        "reply": recipient.reply,
        "host": recipient.host,
        "lastAttempt": recipient.tried and iso_time(recipient.tried),
        "finished": recipient.finished and iso_time(recipient.finished),
    }
