"""Where mail for a domain goes: the operator's way, or the hosts of its MX records."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mailsacd.core.address import normal_domain
from mailsacd.core.dns import Dns, MailHost
from mailsacd.core.errors import BadAddressError, ConfigurationError, LookupFailedError
from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.settings import RelaySettings

MAX_HOSTS: Final = 5
"""So many of a domain's hosts are tried (RFC 5321 section 5.1 asks for two at least)."""

_HOST_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+)(?::(\d{1,5}))?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A server: a normal domain or an IP address, and a port."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Hosts in the order in which they are tried. ``is_chosen`` says that the operator named the
    host, who is then trusted wherever it is; ``is_smarthost`` that it is the one to log in at."""

    hosts: tuple[Host, ...]
    is_chosen: bool = False
    is_smarthost: bool = False


class Routing:
    """Finds routes. ``own_names`` are those under which MX records name this server."""

    def __init__(self, settings: RelaySettings, own_names: Iterable[str], dns: Dns) -> None:
        """Raises ConfigurationError for what is no host or no route."""
        self._dns = dns
        self._port = settings.port
        self._own_names = frozenset(own_names)
        self._smarthost = self._read_smarthost(settings.smarthost)
        self._chosen = dict(map(self._read_route, settings.routes))

    def destination(self, domain: str) -> str:
        """What mail for ``domain`` has in common with that for others: a host, or the domain."""
        chosen = self._chosen.get(domain) or self._smarthost
        return str(chosen.hosts[0]) if chosen else domain

    async def route(self, domain: str) -> Route:
        """The way to ``domain`` (normal, or an address literal). Raises RouteError."""
        chosen = self._chosen.get(domain) or self._smarthost
        if chosen is not None:
            return chosen
        if domain.startswith("["):
            address = domain[1:-1].removeprefix("ipv6:")
            return Route(hosts=(Host(name=address, port=self._port),))
        names = await self._mail_hosts(domain)
        return Route(hosts=tuple(Host(name=name, port=self._port) for name in names[:MAX_HOSTS]))

    async def _mail_hosts(self, domain: str) -> list[str]:
        """RFC 5321 section 5.1."""
        try:
            found = await self._dns.mail_hosts(domain)
        except LookupFailedError as e:
            raise _no_route("4.4.3", e.public) from e
        if not found.exists:
            raise _no_route("5.1.2", f"There is no domain {domain}")
        if not found.records:  # the domain is a host, then
            return [domain]
        hosts = [record for record in found.records if record.host]
        if not hosts:
            raise _no_route("5.1.10", f"{domain} takes no mail (RFC 7505)")
        return _ordered(self._without_own(domain, hosts))

    def _without_own(self, domain: str, hosts: list[MailHost]) -> list[MailHost]:
        """Those that are preferred to this server: mail goes towards the best, or in circles."""
        own = [record.preference for record in hosts if record.host in self._own_names]
        better = [record for record in hosts if not own or record.preference < min(own)]
        if not better:
            text = f"The mail of {domain} comes to this server, where nobody has such an address"
            raise _no_route("5.4.6", text)
        return better

    def _read_smarthost(self, text: str) -> Route | None:
        if not text:
            return None
        host = self._read_host(text, "relay.smarthost")
        return Route(hosts=(host,), is_chosen=True, is_smarthost=True)

    def _read_route(self, text: str) -> tuple[str, Route]:
        domain, *hosts = text.split()
        if not hosts:
            raise ConfigurationError(f"relay.routes: {text!r} is not a domain and a host")
        named = tuple(self._read_host(host, "relay.routes") for host in hosts[:MAX_HOSTS])
        return _domain_of(domain, "relay.routes"), Route(hosts=named, is_chosen=True)

    def _read_host(self, text: str, setting: str) -> Host:
        found = _HOST_PORT.match(text)
        port = int(found[2] or self._port) if found else 0
        if found is None or not 1 <= port <= 65_535:
            raise ConfigurationError(f"{setting}: {text!r} is not host:port")
        if found[1].startswith("["):
            literal = _domain_of(f"[IPv6:{found[1][1:-1]}]", setting)
            return Host(name=literal.removeprefix("[ipv6:")[:-1], port=port)
        return Host(name=_domain_of(found[1], setting), port=port)


def domain_policies(texts: Iterable[str], setting: str) -> dict[str, str]:
    """Read a setting of ``domain word`` each. Raises ConfigurationError."""
    policies = {}
    for text in texts:
        words = text.split()
        if len(words) != 2:
            raise ConfigurationError(f"{setting}: {text!r} is not a domain and a word")
        policies[_domain_of(words[0], setting)] = words[1]
    return policies


def _ordered(hosts: list[MailHost]) -> list[str]:
    """The most preferred first, and those that are equal in any order (RFC 5321 section 5.1)."""
    drawn = sorted(hosts, key=lambda record: (record.preference, random.random()))  # noqa: S311  no secret
    return list(dict.fromkeys(record.host for record in drawn))


def _domain_of(text: str, setting: str) -> str:
    try:
        return normal_domain(text)
    except BadAddressError as e:
        raise ConfigurationError(f"{setting}: {e.public}") from e


def _no_route(status: str, text: str) -> RouteError:
    return RouteError(Outcome(code=None, status=status, text=text))
