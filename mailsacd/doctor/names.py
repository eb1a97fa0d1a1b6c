"""What the DNS says of the server."""

from typing import Final

from mailsacd.core.dns import Dns
from mailsacd.core.errors import LookupFailedError
from mailsacd.doctor.finding import Finding, fault, ok, warning
from mailsacd.doctor.settings import is_public
from mailsacd.settings import Settings

AREA: Final = "dns"


async def look_at_names(settings: Settings, hostname: str, dns: Dns) -> list[Finding]:
    """Return whether the server's name, its addresses and its domains lead to each other."""
    if not is_public(settings):
        return [ok(AREA, "not looked at: no other machine gets at the ports")]
    try:
        found = await _host(hostname, dns)
        hosting = settings.domains.hosting
        if hosting:
            found += await _mail(hosting, (hostname, *settings.domains.mail_hosts), dns)
    except LookupFailedError as e:
        return [fault(AREA, e.public, "see dns.servers, and /etc/resolv.conf")]
    return found


async def _host(hostname: str, dns: Dns) -> list[Finding]:
    addresses = (await dns.addresses(hostname)).records
    if not addresses:
        return [fault(AREA, f"{hostname} has no address", "publish an A and an AAAA record")]
    found = [ok(AREA, f"{hostname} is {', '.join(addresses)}")]
    for address in addresses:
        names = (await dns.names(address)).records
        if hostname not in names:
            told = f"{address} is {', '.join(names) or 'nobody'} and not {hostname}"
            advice = "have your provider set the PTR record, or other servers refuse your mail"
            found.append(warning(AREA, told, advice))
    return found


async def _mail(domain: str, hosts: tuple[str, ...], dns: Dns) -> list[Finding]:
    named = [each.host for each in (await dns.mail_hosts(domain)).records]
    if set(named) & set(hosts):
        return [ok(AREA, f"mail for {domain} comes here")]
    told = f"mail for {domain} goes to {', '.join(named) or 'nobody'}"
    return [fault(AREA, told, f"publish: {domain} MX 10 {hosts[0]}")]
