"""The ports that take mail in, built from the same parts."""

from collections.abc import Mapping
from dataclasses import replace

from mailsacd.mail.accept import EVERY_DOMAIN, Accept
from mailsacd.mail.activity import Activity
from mailsacd.mail.capture import Capture
from mailsacd.mail.directory import Directory
from mailsacd.ports import TLS
from mailsacd.settings import Settings
from mailsacd.smtp.factory import SmtpFactory
from mailsacd.smtp.services import SmtpServices, refuse_nobody
from mailsacd.store.pool import Database


def captures_all(database: Database, directory: Directory, activity: Activity) -> Accept:
    """Decides on recipients of who has logged in: none is refused for its domain."""
    return Accept(database, directory, (EVERY_DOMAIN,), activity=activity)


def receivers(
    settings: Settings, receiving: SmtpServices, capture: Capture, accept: Accept
) -> Mapping[str, SmtpFactory]:
    """The listeners by the names of their ports; ``receiving`` are the parts of the usual one.

    ``capture`` and ``accept`` are of the one on which people log in. Raises ConfigurationError.
    """
    capturing = replace(
        receiving,
        settings=settings.capture,
        accept=accept,
        refuses=refuse_nobody,
        capture=capture,
        plain_login=settings.capture.plain_login,
    )
    built = {}
    for name, services in (("smtp", receiving), ("capture", capturing)):
        built[name] = SmtpFactory(services)
        if services.settings.tls_port >= 0:
            built[name + TLS] = SmtpFactory(replace(services, tls_at_once=True))
    return built
