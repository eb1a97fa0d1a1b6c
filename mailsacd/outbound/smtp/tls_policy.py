"""Whether, and how well, the way to a host has to be protected by TLS."""

import ipaddress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mailsacd.core.errors import ConfigurationError
from mailsacd.outbound.smtp.mta_sts import Mode, StsPolicy
from mailsacd.outbound.smtp.opening import TlsUse
from mailsacd.outbound.smtp.routing import Host, Route, domain_policies
from mailsacd.outbound.smtp.sts_policies import StsPolicies
from mailsacd.settings import RelaySettings

SUBMISSIONS_PORT: Final = 465  # RFC 8314 section 3.3: TLS from the first byte


class TlsLevel(Enum):
    """The words of the settings."""

    NEVER = "never"
    OPPORTUNISTIC = "opportunistic"
    ENCRYPT = "encrypt"
    VERIFY = "verify"
    IMPLICIT = "implicit"

    @property
    def use(self) -> TlsUse:
        """Whether a session begins TLS."""
        return {
            TlsLevel.NEVER: TlsUse.NEVER,
            TlsLevel.OPPORTUNISTIC: TlsUse.OFFERED,
            TlsLevel.ENCRYPT: TlsUse.REQUIRED,
            TlsLevel.VERIFY: TlsUse.REQUIRED,
            TlsLevel.IMPLICIT: TlsUse.IMPLICIT,
        }[self]

    @property
    def verifies(self) -> bool:
        """Whether the certificate has to be one of the host, and good."""
        return self in {TlsLevel.VERIFY, TlsLevel.IMPLICIT}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy:
    """For all hosts of a route. ``level`` is None where it depends on the address ("auto");
    ``sts`` is a policy that is to be enforced."""

    level: TlsLevel | None
    sts: StsPolicy | None = None

    def allows(self, host: str) -> bool:
        """Whether mail may go to ``host`` (RFC 8461 section 4.1)."""
        return self.sts is None or self.sts.names(host)


class TlsPolicies:
    """Finds the policy of a route; ``sts`` is None where MTA-STS is off."""

    def __init__(self, settings: RelaySettings, sts: StsPolicies | None) -> None:
        """Raises ConfigurationError for a policy that is none."""
        self._sts = sts
        self._has_password = bool(settings.smarthost_user)
        word = settings.smarthost_tls
        self._smarthost = None if word == "auto" else TlsLevel(word)
        policies = domain_policies(settings.tls_policies, "relay.tls_policies")
        self._chosen = {domain: _level(word) for domain, word in policies.items()}

    async def policy(self, domain: str, route: Route) -> TlsPolicy:
        """The policy for mail to ``domain`` by ``route``."""
        if route.is_smarthost:
            return TlsPolicy(level=self._smarthost)
        if domain in self._chosen:
            return TlsPolicy(level=self._chosen[domain])
        if self._sts is not None and not route.is_chosen and not domain.startswith("["):
            policy = await self._sts.policy(domain)
            if policy is not None and policy.mode is Mode.ENFORCE:
                return TlsPolicy(level=TlsLevel.VERIFY, sts=policy)
        return TlsPolicy(level=TlsLevel.OPPORTUNISTIC)

    def level(self, policy: TlsPolicy, host: Host, address: str) -> TlsLevel:
        """How to speak to ``host`` at ``address``."""
        if policy.level is not None:
            return policy.level
        if host.port == SUBMISSIONS_PORT:
            return TlsLevel.IMPLICIT
        is_near = ipaddress.ip_address(address).is_loopback
        needs_it = self._has_password and not is_near
        return TlsLevel.VERIFY if needs_it else TlsLevel.OPPORTUNISTIC


def _level(word: str) -> TlsLevel:
    try:
        return TlsLevel(word)
    except ValueError as e:
        known = ", ".join(level.value for level in TlsLevel)
        raise ConfigurationError(f"relay.tls_policies: {word!r} is none of {known}") from e
