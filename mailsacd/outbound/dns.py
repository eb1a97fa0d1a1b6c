"""Asks name servers: the ones that the settings name, or a domain's own.

Answers are trusted as far as DNS goes: each question has a source port and an id of its own, and
an answer counts only from the server that was asked, for the name that was asked for.
"""

import ipaddress
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.error import ConnectError
from twisted.names import dns

from mailsacd.core.address import normal_domain
from mailsacd.core.dns import Found, MailHost
from mailsacd.core.errors import BadAddressError, ConfigurationError, LookupFailedError
from mailsacd.outbound.exchange import Server, exchange
from mailsacd.settings import DnsSettings

MAX_ALIASES: Final = 8
"""CNAME records that are followed one after the other."""

MAX_SERVERS: Final = 4
"""Servers of a domain that are tried."""

MAX_LABELS: Final = 12
"""Labels of a name above which its servers are not looked for."""

MAX_TIMEOUTS: Final = 4
"""So many times what one server may take is all that may be spent on one kind of record."""

AT_ONCE: Final = 100
MAX_WAITING: Final = 1_000

_RESOLV_CONF: Final = Path("/etc/resolv.conf")


class Resolver:
    """Asks name servers, as core.dns.Dns says.

    ``settings`` may name them; else they are those of this machine. Raises ConfigurationError for
    what is no address of a server.
    """

    def __init__(self, settings: DnsSettings, reactor: Any) -> None:
        self._servers = [_server(text) for text in settings.servers] or _system_servers()
        self._source_port = settings.authority_port
        self._allowed = [_network(text) for text in settings.allowed_networks]
        self._timeout_s = settings.timeout_s
        self._reactor = reactor
        self._places = DeferredSemaphore(AT_ONCE)
        self._waiting = 0

    async def texts(self, name: str, *, at_source: bool = False) -> Found[str]:
        """The TXT records of a name, as core.dns.Dns says."""
        found = await self._find(name, dns.TXT, at_source=at_source)
        texts = (b"".join(record.data).decode("utf-8", "replace") for record in found.records)
        return Found(tuple(texts), found.exists)

    async def mail_hosts(self, name: str, *, at_source: bool = False) -> Found[MailHost]:
        """The hosts of a domain's MX records, as core.dns.Dns says."""
        found = await self._find(name, dns.MX, at_source=at_source)
        hosts = {MailHost(r.preference, _name(r.name)) for r in found.records}
        return Found(tuple(sorted(hosts)), found.exists)

    async def addresses(self, name: str) -> Found[str]:
        """The IP addresses of a host, IPv4 first, as core.dns.Dns says."""
        v4, v6 = await self.addresses_of(name, 4), await self.addresses_of(name, 6)
        return Found(v4.records + v6.records, v4.exists or v6.exists)

    async def addresses_of(self, name: str, version: Literal[4, 6]) -> Found[str]:
        """The addresses of a host of one version of IP. Raises LookupFailedError."""
        found = await self._find(name, dns.A if version == 4 else dns.AAAA, at_source=False)
        if version == 4:
            return Found(tuple(r.dottedQuad() for r in found.records), found.exists)
        texts = (str(ipaddress.IPv6Address(record.address)) for record in found.records)
        return Found(tuple(texts), found.exists)

    async def names(self, address: str) -> Found[str]:
        """The host names of an IP address, as core.dns.Dns says."""
        pointer = ipaddress.ip_address(address).reverse_pointer
        found = await self._find(pointer, dns.PTR, at_source=False)
        return Found(tuple(_name(record.name) for record in found.records), found.exists)

    async def _find(self, name: str, kind: int, *, at_source: bool) -> Found[Any]:
        """The payloads of the records of ``kind`` at the end of the aliases of ``name``."""
        finding = ensureDeferred(self._follow_aliases(name, kind, at_source=at_source))
        finding.addTimeout(MAX_TIMEOUTS * self._timeout_s, self._reactor)
        try:
            return await finding
        except DeferredTimeoutError as e:
            raise LookupFailedError(f"The name servers take too long over {name}") from e

    async def _follow_aliases(self, name: str, kind: int, *, at_source: bool) -> Found[Any]:
        alias = name
        for _ in range(MAX_ALIASES):
            servers = await self._own_servers(alias) if at_source else ()
            answer = await self._ask(servers or self._servers, alias, kind)
            end, records = _follow(answer, alias, kind)
            if records or end == alias:
                return Found(records, answer.rCode == dns.OK)
            alias = end
        raise LookupFailedError(f"{name} has too many aliases in the DNS")

    async def _own_servers(self, name: str) -> Sequence[Server]:
        """The addresses of the name servers of the zone that ``name`` is in.

        None when they are such as the daemon may not talk to: the usual servers know then.
        """
        labels = name.split(".")
        if len(labels) > MAX_LABELS:
            raise LookupFailedError(f"{name} has too many labels")
        for start in range(len(labels)):
            zone = ".".join(labels[start:])
            answer = await self._ask(self._servers, zone, dns.NS)
            hosts = [_name(r.name) for r in _follow(answer, zone, dns.NS)[1]]
            if hosts:
                return await self._addresses_of(hosts)
        raise LookupFailedError(f"No name servers are known for {name}")

    async def _addresses_of(self, hosts: list[str]) -> list[Server]:
        servers: list[Server] = []
        random.shuffle(hosts)
        for host in hosts[:MAX_SERVERS]:
            try:
                found = await self.addresses(host)
            except LookupFailedError:
                continue
            servers += [(ip, self._source_port) for ip in found.records if self._may_ask(ip)]
            if len(servers) >= MAX_SERVERS:
                break
        return servers[:MAX_SERVERS]

    def _may_ask(self, ip: str) -> bool:
        address = ipaddress.ip_address(ip)
        return address.is_global or any(address in network for network in self._allowed)

    async def _ask(self, servers: Sequence[Server], name: str, kind: int) -> dns.Message:
        """The first usable answer."""
        query = dns.Query(_encoded(name), kind, dns.IN)
        for server in servers:
            try:
                answer = await self._exchange(server, query)
            except (dns.DNSQueryTimeoutError, ConnectError, OSError, EOFError, ValueError):
                continue
            if answer.rCode in {dns.OK, dns.ENAME} and not _is_referral(answer):
                return answer
        raise LookupFailedError(f"The name servers do not answer for {name}")

    async def _exchange(self, server: Server, query: dns.Query) -> dns.Message:
        if self._waiting >= MAX_WAITING:
            raise LookupFailedError("Too many questions are under way")
        self._waiting += 1
        try:
            return await self._places.run(exchange, self._reactor, server, query, self._timeout_s)
        finally:
            self._waiting -= 1


def _follow(answer: dns.Message, name: str, kind: int) -> tuple[str, tuple[Any, ...]]:
    """Along the aliases in ``answer``: the name at their end, and its records of ``kind``."""
    end = name
    for _ in range(MAX_ALIASES):
        here = [record for record in answer.answers if _name(record.name) == end]
        records = tuple(record.payload for record in here if record.type == kind)
        aliases: list[Any] = [record.payload for record in here if record.type == dns.CNAME]
        if records or not aliases:
            return end, records
        end = _name(aliases[0].name)
    raise LookupFailedError(f"{name} has too many aliases in the DNS")


def _is_referral(answer: dns.Message) -> bool:
    """Whether the server only knows of others that would know: it is not one of the domain's."""
    sends_on = any(record.type == dns.NS for record in answer.authority)
    return sends_on and not answer.answers and not answer.auth


def _name(name: dns.Name) -> str:
    return name.name.decode("ascii", "backslashreplace").lower().rstrip(".")


def _encoded(name: str) -> bytes:
    try:
        normal = normal_domain(name)
    except BadAddressError as e:
        raise LookupFailedError(e.public) from e
    if normal.startswith("["):
        raise LookupFailedError(f"{normal} is an address, not a name")
    return normal.encode("ascii")


def _server(text: str) -> Server:
    """``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, str(dns.PORT)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    try:
        ip = str(ipaddress.ip_address(host))
        return ip, range(65_536)[int(port)]
    except (ValueError, IndexError) as e:
        raise ConfigurationError(f"dns.servers: {text!r} is not an IP address with a port") from e


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as e:
        raise ConfigurationError(f"dns.allowed_networks: {e}") from e


def _system_servers() -> list[Server]:
    """Those of this machine; read once, at start."""
    try:
        lines = _RESOLV_CONF.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [
        words[1] for words in map(str.split, lines) if words[:1] == ["nameserver"] and words[1:]
    ]
    servers = []
    for text in named:
        try:
            servers.append((str(ipaddress.ip_address(text.partition("%")[0])), dns.PORT))
        except ValueError:
            continue
    return servers or [("127.0.0.1", dns.PORT)]
