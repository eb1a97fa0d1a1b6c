"""The operator's part in domains: which are lent out, and where their mail should come to."""

from dataclasses import dataclass

from mailsacd.core.address import normal_domain
from mailsacd.core.domain_names import DomainNames
from mailsacd.core.errors import BadAddressError, ConfigurationError
from mailsacd.settings import DomainSettings, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRules:
    """The operator's part: see the section ``domains`` of the settings."""

    hosting: str
    mail_hosts: tuple[str, ...]
    recheck_s: int
    unverified_days: int


def rules_of(settings: DomainSettings, hostname: str) -> DomainRules:
    """The rules, with names in their normal form. Raises ConfigurationError for what is none."""
    try:
        return DomainRules(
            hosting=normal_domain(settings.hosting) if settings.hosting else "",
            mail_hosts=tuple(map(normal_domain, settings.mail_hosts or (hostname,))),
            recheck_s=settings.recheck_hours * 3_600,
            unverified_days=settings.unverified_days,
        )
    except BadAddressError as e:
        raise ConfigurationError(f"domains: {e.public}") from e


def operators_domains(settings: Settings, hostname: str) -> tuple[str, ...]:
    """The domains of the operator's own, with keys of their own to sign with (normal).

    They are the server's ``hostname`` (normal), what is lent out, and those that
    ``message.accepted_domains`` names. A host without a dot in its name is known to
    nobody else. Raises ConfigurationError.
    """
    hosting = rules_of(settings.domains, hostname).hosting
    named = DomainNames(settings.message.accepted_domains).names
    found = dict.fromkeys((hostname, hosting, *named))
    return tuple(name for name in found if "." in name and not name.startswith("["))
