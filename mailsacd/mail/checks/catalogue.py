"""The checks that look at nothing but the message, by their names."""

from collections.abc import Mapping

from mailsacd.mail.checks.accessibility import check_accessibility
from mailsacd.mail.checks.check import Check
from mailsacd.mail.checks.client_support import WELL_KNOWN, ClientSupport
from mailsacd.mail.checks.clients import clients_check
from mailsacd.mail.checks.headers import check_headers
from mailsacd.mail.checks.images import check_images
from mailsacd.mail.checks.size import check_size
from mailsacd.mail.checks.unsubscribe import check_unsubscribe


def checks_of_message(support: ClientSupport = WELL_KNOWN) -> Mapping[str, Check]:
    """All of them, in the order in which they are run and shown.

    ``support`` is what is known of mail clients.
    """
    return {
        "headers": check_headers,
        "unsubscribe": check_unsubscribe,
        "size": check_size,
        "accessibility": check_accessibility,
        "images": check_images,
        "clients": clients_check(support),
    }
