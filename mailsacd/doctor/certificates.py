"""The TLS certificate: whose it is, and for how long."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from mailsacd.certificate import read_certificates
from mailsacd.core.errors import ConfigurationError
from mailsacd.doctor.finding import Finding, fault, ok, warning
from mailsacd.doctor.settings import is_public
from mailsacd.settings import Settings

AREA: Final = "certificate"
RENEWED_BEFORE: Final = timedelta(days=14)
"""certbot renews 30 days before the end: with less something is wrong with it."""


def look_at_certificate(settings: Settings, directory: Path, hostname: str) -> list[Finding]:
    """Return what is wrong with the certificate in force; ``directory`` is that of the data."""
    chosen = settings.tls.certificate
    file = Path(chosen) if chosen else directory / "tls.crt"
    if not chosen and is_public(settings):
        return [
            warning(
                AREA,
                "it is self-signed: clients that check it refuse it",
                "set tls.certificate and tls.private_key (docs/installation.md: certbot)",
            )
        ]
    if not chosen:
        return [ok(AREA, "self-signed, for this machine alone")]
    try:
        leaf = read_certificates(file)[0]
    except ConfigurationError as e:
        return [fault(AREA, e.public, "see who may read it, and what certbot says")]
    return [_age(leaf), *_names(leaf, hostname)]


def _age(leaf: x509.Certificate) -> Finding:
    left = leaf.not_valid_after_utc - datetime.now(UTC)
    told = f"valid until {leaf.not_valid_after_utc:%Y-%m-%d}"
    if left < timedelta(0):
        return fault(AREA, f"not {told}: it has expired", "renew it, and reload the daemon")
    if left < RENEWED_BEFORE:
        return warning(AREA, told, "renew it; `systemctl list-timers` tells of certbot's timer")
    return ok(AREA, told)


def _names(leaf: x509.Certificate, hostname: str) -> list[Finding]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    parent = hostname.partition(".")[2]
    if hostname in names or f"*.{parent}" in names:
        return []
    told = f"it is for {', '.join(names) or 'no name'}, and the server calls itself {hostname}"
    return [warning(AREA, told, "get one for server.hostname")]
