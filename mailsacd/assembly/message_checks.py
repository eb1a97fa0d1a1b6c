"""Checks of messages on request."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.mail.checks.on_request import MessageChecks
from mailsacd.mail.reading.mailbox import Mailbox


def make_message_checks(ground: Ground, owners: Ownership) -> MessageChecks:
    """What checks messages, for calls and pages."""
    mailbox = Mailbox(ground.database, owners.access_control, ground.lanes.readers)
    return MessageChecks(mailbox, ground.lanes.readers)
