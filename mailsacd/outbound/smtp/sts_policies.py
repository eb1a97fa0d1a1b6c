"""Looks for the MTA-STS policies of domains, and remembers them (RFC 8461 sections 3.3, 5.1).

They are kept in memory alone, for MAX_POLICIES domains: after a start the first mail to a domain
asks again, which an attacker in the way could then prevent; what is written down would be worth
little more, as the domains that matter are mailed again soon.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from twisted.logger import Logger

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.dns import Dns
from mailsacd.core.errors import LookupFailedError
from mailsacd.outbound.smtp.mta_sts import (
    BadPolicyError,
    StsPolicy,
    parse_policy,
    record_id,
)
from mailsacd.work.sharing import Sharing

MAX_POLICIES: Final = 5_000
RETRY_S: Final = 300.0
"""After a failure a policy is not asked for again for so long (section 3.3)."""

Fetch = Callable[[str], Awaitable[str]]
"""The text of a domain's policy. Raises BadPolicyError."""

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    id: str
    policy: StsPolicy
    until_s: float


class StsPolicies:
    """``fetch`` reads a policy; ``clock`` tells the time."""

    def __init__(self, dns: Dns, fetch: Fetch, clock: Any) -> None:
        self._dns = dns
        self._fetch = fetch
        self._clock = clock
        self._known: Recent[str, _Known] = Recent(MAX_POLICIES)
        self._failed: Recent[str, float] = Recent(MAX_POLICIES)
        self._sharing: Sharing[str, StsPolicy | None] = Sharing()

    async def policy(self, domain: str) -> StsPolicy | None:
        """The policy of ``domain`` (normal); None: it has none, or it cannot be had.

        A policy that is known holds until its time is up, even when its record is gone.
        """
        return await self._sharing.get(domain, lambda: self._find(domain))

    async def _find(self, domain: str) -> StsPolicy | None:
        known = self._known.get(domain)
        if known is not UNKNOWN and known.until_s <= self._clock.seconds():
            self._known.forget(domain)
            known = UNKNOWN
        try:
            found = await self._dns.texts(f"_mta-sts.{domain}")
        except LookupFailedError:
            current = None
        else:
            current = record_id(found.records)
        if current is not None and (known is UNKNOWN or known.id != current):
            fetched = await self._fetched(domain, current)
            if fetched is not None:
                return fetched
        return None if known is UNKNOWN else known.policy

    async def _fetched(self, domain: str, current: str) -> StsPolicy | None:
        failed_s = self._failed.get(domain)
        if failed_s is not UNKNOWN and self._clock.seconds() < failed_s + RETRY_S:
            return None
        try:
            policy = parse_policy(await self._fetch(domain))
        except BadPolicyError as e:
            self._failed.remember(domain, self._clock.seconds())
            _log.info("No MTA-STS policy of {domain}: {why}", domain=domain, why=str(e))
            return None
        until_s = self._clock.seconds() + policy.max_age_s
        self._known.remember(domain, _Known(id=current, policy=policy, until_s=until_s))
        self._failed.forget(domain)
        return policy
