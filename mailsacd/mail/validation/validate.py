"""Says of an address whether it is one, and whether its domain belongs to a disposable provider.

The form is judged by email-validator, strictly as RFC 5321 and RFC 5322 have it, and not by
core.address: that takes what mail is really sent to, such as two dots in a row, which a sign-up
form should not. Whether mail can be delivered is not asked: only the DNS is, never a mail server.
"""

from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final, TypeVar

import email_validator
from disposable_email_domains import blocklist
from twisted.internet.defer import DeferredSemaphore, FirstError, ensureDeferred, gatherResults
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.dns import Dns
from mailsacd.core.errors import MailsacdError

T = TypeVar("T")

MAX_HOSTS: Final = 8
"""MX hosts of a domain that are looked at, those of the highest priority."""

MAX_ADDRESSES: Final = 16
"""IP addresses of a domain and its MX hosts that are looked at."""

TIMEOUT_S: Final = 6.0
"""What the DNS has not answered by then is left out."""

MAX_CHARACTERS: Final = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
REMEMBERED: Final = 10_000
REMEMBER_S: Final = 600.0
REMEMBER_FAILURE_S: Final = 20.0
DOMAINS_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``local`` and ``domain`` are empty when ``valid`` is False; the domain is in A-labels.

    ``disposable`` are the known disposable providers among ``aliases``: the domain, its MX hosts,
    the names that share their IP addresses; ``aliases`` has those addresses, too.
    """

    email: str
    valid: bool
    local: str
    domain: str
    disposable: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(slots=True)
class _Relations:
    """What a domain was found to belong together with, as far as the DNS answered."""

    names: list[str]
    addresses: list[str] = field(default_factory=list)
    whole: bool = True

    def result(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.names, *self.addresses]))


class Validator:
    """Remembers for a while what it found out. Never fails for what the DNS does."""

    def __init__(self, dns: Dns, *, reactor: Any) -> None:
        self._dns = dns
        self._reactor = reactor
        self._known: Recent[str, tuple[float, tuple[str, ...]]] = Recent(REMEMBERED)
        self._places = DeferredSemaphore(DOMAINS_AT_ONCE)

    async def check(self, email: str) -> Verdict:
        """Return what is known of one address."""
        return (await self.check_all([email]))[0]

    async def check_all(self, emails: Sequence[str]) -> list[Verdict]:
        """The same of several, in their order; each domain is looked up once."""
        parts = [_parts(email) for email in emails]
        domains = list(dict.fromkeys(p[1] for p in parts if p is not None and p[1][0] != "["))
        looked_up = await _all(self._related(d) for d in domains)
        related = dict(zip(domains, looked_up, strict=True))
        return [
            _verdict(email, found, related.get(found[1], (found[1],)) if found else ())
            for email, found in zip(emails, parts, strict=True)
        ]

    async def _related(self, domain: str) -> tuple[str, ...]:
        known = self._known.get(domain)
        if known is not UNKNOWN and known[0] > self._reactor.seconds():
            return known[1]
        relations = _Relations([domain])
        looking = self._places.run(lambda: ensureDeferred(self._look_up(domain, relations)))
        try:
            await looking.addTimeout(TIMEOUT_S, self._reactor)
        except DeferredTimeoutError:
            relations.whole = False
        found = relations.result()
        seconds = REMEMBER_S if relations.whole else REMEMBER_FAILURE_S
        self._known.remember(domain, (self._reactor.seconds() + seconds, found))
        return found

    async def _look_up(self, domain: str, relations: _Relations) -> None:
        """Into ``relations``, so that what is found in time counts."""
        try:
            found = await self._dns.mail_hosts(domain)
        except MailsacdError:
            relations.whole = False
        else:
            relations.names += [r.host for r in found.records[:MAX_HOSTS] if r.host]
        hosts = list(dict.fromkeys(relations.names))
        await _all(self._add_addresses(h, relations) for h in hosts)
        addresses = list(dict.fromkeys(relations.addresses))[:MAX_ADDRESSES]
        relations.addresses = addresses
        await _all(self._add_names(a, relations) for a in addresses)

    async def _add_addresses(self, host: str, relations: _Relations) -> None:
        try:
            found = await self._dns.addresses(host)
        except MailsacdError:
            relations.whole = False
        else:
            # Others shall not learn by our resolver what addresses a private network has,
            # nor, by asking for the names of these, what its machines are called.
            relations.addresses += [ip for ip in found.records if ip_address(ip).is_global]

    async def _add_names(self, ip: str, relations: _Relations) -> None:
        try:
            found = await self._dns.names(ip)
        except MailsacdError:
            relations.whole = False
        else:
            relations.names += found.records[:MAX_HOSTS]


async def _all(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of ``works`` in their order, done at the same time. Raises what one raises.

    Twisted hides the error in another, so that who gives the work up is not told that it was.
    """
    try:
        return await gatherResults([ensureDeferred(w) for w in works], consumeErrors=True)
    except FirstError as e:
        e.subFailure.raiseException()


def _parts(email: str) -> tuple[str, str] | None:
    """Local part and domain in lower case; None for what has not the form of an address."""
    if len(email) > MAX_CHARACTERS:  # many long texts would take long to be found none
        return None
    try:
        valid = email_validator.validate_email(
            email,
            check_deliverability=False,
            test_environment=True,  # names below test may be asked about, here of all places
            allow_quoted_local=True,
            allow_domain_literal=True,
            strict=True,
        )
    except email_validator.EmailSyntaxError:
        return None
    domain = (valid.ascii_domain or valid.domain).lower()
    if domain[0] != "[" and "." not in domain:  # RFC 5321 section 2.3.5: fully qualified
        return None
    return valid.local_part.lower(), domain


def _verdict(email: str, parts: tuple[str, str] | None, related: Sequence[str]) -> Verdict:
    if parts is None:
        return Verdict(email=email, valid=False, local="", domain="", disposable=(), aliases=())
    disposable = _disposable(related)
    return Verdict(
        email=email,
        valid=True,
        local=parts[0],
        domain=parts[1],
        disposable=disposable,
        aliases=tuple(dict.fromkeys([*related, *disposable])),
    )


def _disposable(names: Iterable[str]) -> tuple[str, ...]:
    """The known providers among the names and what they are below."""
    found = []
    for name in names:
        domain = name
        while domain:
            if domain in blocklist:
                found.append(domain)
            domain = domain.partition(".")[2]
    return tuple(dict.fromkeys(found))
