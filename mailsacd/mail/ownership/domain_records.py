"""The DNS records of domains: which are to be published for a claim, and which are there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailsacd.core.dkim import DkimKey
from mailsacd.core.dns import Dns
from mailsacd.core.ownership import Domain
from mailsacd.mail.ownership.domain_keys import DomainKeys
from mailsacd.mail.ownership.domain_lookup import SPF, DnsEvidence, look_at
from mailsacd.mail.ownership.domain_rules import DomainRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A DNS record to publish. ``published`` tells whether the last look found it."""

    purpose: str
    type: str
    name: str
    value: str
    published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainView:
    """A claim, with the records to publish for it."""

    domain: Domain
    records: Sequence[Record]


class DomainRecords:
    """Asks ``dns`` for the records that ``rules`` and the ``keys`` of a domain ask for."""

    def __init__(self, dns: Dns, rules: DomainRules, keys: DomainKeys) -> None:
        self._dns = dns
        self._keys = keys
        self.rules = rules

    async def view(self, domain: Domain) -> DomainView:
        """Return a claim with its records."""
        return self._view(domain, await self._keys.of_domain(domain.name, domain.owner))

    async def views(self, account: str, domains: Sequence[Domain]) -> list[DomainView]:
        """Return claims of one account with their records."""
        keys = await self._keys.of_account(account)
        return [self._view(domain, keys.get(domain.name, ())) for domain in domains]

    async def have_keys(self, domain: Domain) -> None:
        """Make the keys of a claim where it has none."""
        await self._keys.have(domain.name, domain.owner)

    async def look(self, claim: Domain) -> DnsEvidence | None:
        """Look at the DNS now. None for a claim that needs no proof.

        Keys whose records are there sign from now on. Never fails for what the DNS says.
        """
        amiss = await self._keys.look(claim.name, claim.owner)
        if claim.hosted:
            return None
        evidence = await look_at(self._dns, claim, self.rules.mail_hosts)
        return replace(evidence, errors=(*evidence.errors, *amiss))

    def _view(self, domain: Domain, keys: Sequence[DkimKey]) -> DomainView:
        return DomainView(domain=domain, records=records_of(domain, self.rules.mail_hosts, keys))


def records_of(domain: Domain, mail_hosts: Sequence[str], keys: Sequence[DkimKey]) -> list[Record]:
    """What is to be published for ``domain``: where its mail comes to, whose it is, who sends it.

    ``keys`` are those that its mail is signed with.
    """
    spf = domain.found.get("spf")
    signing = [
        Record(
            purpose="DKIM",
            type="TXT",
            name=key.record_name,
            value=key.record_text,
            published=key.published,
        )
        for key in keys
    ]
    mail = [
        Record(
            purpose="MX",
            type="MX",
            name=domain.name,
            value=f"10 {host}.",
            published=domain.verified_mx,
        )
        for host in mail_hosts
    ]
    if domain.hosted:
        return [*mail, *signing]
    wanted_spf = " ".join([SPF, *(f"a:{host}" for host in mail_hosts), "~all"])
    return [
        *mail,
        Record(
            purpose="TXT",
            type="TXT",
            name=domain.name,
            value=domain.verification_txt,
            published=bool(domain.found.get("txt")),
        ),
        Record(purpose="SPF", type="TXT", name=domain.name, value=wanted_spf, published=bool(spf)),
        *signing,
    ]
