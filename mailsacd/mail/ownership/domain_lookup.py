"""Looks at the DNS of a domain: who has proved that it is theirs, and whether its mail comes here.

Knows no database: what is done about it is in mail.ownership.domain_proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mailsacd.core.dns import Dns, MailHost
from mailsacd.core.errors import LookupFailedError
from mailsacd.core.ownership import Domain

TOKEN_PREFIX: Final = "mailsac_"  # noqa: S105  how the proof begins, known to everybody
SPF: Final = "v=spf1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsEvidence:
    """What was seen. ``texts`` is None when the domain's servers did not answer."""

    texts: tuple[str, ...] | None
    mail_comes_here: bool
    spf: str | None
    errors: tuple[str, ...]

    def proves(self, verification_txt: str) -> bool:
        """Return whether ``verification_txt``, a claim's proof, is among the TXT records."""
        return self.texts is not None and verification_txt in self.texts

    def found(self, verification_txt: str) -> dict[str, Any]:
        """What is kept, to tell which records are published."""
        return {"txt": self.proves(verification_txt), "spf": self.spf}


async def look_at(dns: Dns, domain: Domain, mail_hosts: Sequence[str]) -> DnsEvidence:
    """What the domain's own servers say now. Never fails: what is amiss is in ``errors``."""
    errors: list[str] = []
    texts: tuple[str, ...] | None = None
    hosts: tuple[MailHost, ...] = ()
    try:
        answer = await dns.texts(domain.name, at_source=True)
        texts = answer.records
        if not answer.exists:
            errors.append(f"{domain.name} does not exist in the DNS")
        elif domain.verification_txt not in texts:
            errors.append(f"{domain.name} has no TXT record {domain.verification_txt}")
    except LookupFailedError as e:
        errors.append(f"TXT: {e.public}")
    try:
        hosts = (await dns.mail_hosts(domain.name, at_source=True)).records
        errors += _mail_errors(domain.name, hosts, mail_hosts)
    except LookupFailedError as e:
        errors.append(f"MX: {e.public}")
    spf = [text for text in texts or () if text.lower().split(" ")[0] == SPF]
    if len(spf) > 1:
        errors.append(f"{domain.name} has {len(spf)} SPF records, and may have one (RFC 7208)")
    return DnsEvidence(
        texts=texts,
        mail_comes_here=any(host.host in mail_hosts for host in hosts),
        spf=spf[0] if len(spf) == 1 else None,
        errors=tuple(errors),
    )


def _mail_errors(name: str, hosts: Sequence[MailHost], ours: Sequence[str]) -> list[str]:
    if not hosts:
        return [f"{name} has no MX record: it should be {' or '.join(ours)}"]
    others = [host.host or "." for host in hosts if host.host not in ours]
    if len(others) == len(hosts):
        return [f"The MX record of {name} is {', '.join(others)}: it should be {' or '.join(ours)}"]
    if others:
        return [f"Some mail for {name} goes to {', '.join(others)}: its MX records name them too"]
    return []
