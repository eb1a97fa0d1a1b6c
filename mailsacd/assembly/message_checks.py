"""Checks of messages on request."""

from mailsacd import __version__
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.mail.checks.caniemail import read_client_support
from mailsacd.mail.checks.catalogue import checks_of_message
from mailsacd.mail.checks.links import LinkChecks
from mailsacd.mail.checks.on_request import MessageChecks
from mailsacd.mail.limits.throttle import Throttle
from mailsacd.outbound.follow import Follower
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.tls import verifying_context


def make_message_checks(ground: Ground, owners: Ownership, throttle: Throttle) -> MessageChecks:
    """What checks messages, for calls and pages. Raises ConfigurationError."""
    mailbox = owners.mailbox
    links = _link_checks(ground, owners, throttle) if ground.settings.checks.links else None
    file = ground.settings.checks.caniemail_file
    checks = checks_of_message(read_client_support(file, setting="checks.caniemail_file"))
    return MessageChecks(mailbox, ground.lanes.readers, checks, links)


def _link_checks(ground: Ground, owners: Ownership, throttle: Throttle) -> LinkChecks:
    settings = ground.settings.checks
    follower = Follower(
        Guard(owners.resolver, settings.allowed_networks, setting="checks.allowed_networks"),
        verifying_context(settings.ca_file, setting="checks.ca_file"),
        ground.reactor,
        agent=f"mailsacd/{__version__}",
    )
    return LinkChecks(follower, throttle, ground.reactor)
