"""SPF: whether a host may send mail of a domain (RFC 7208, ``check_host``), with its limits."""

import ipaddress
from typing import Any, Final

from mailsacd.core.address import is_domain
from mailsacd.core.authentication import Result, SpfResult
from mailsacd.core.dns import Found
from mailsacd.core.errors import LookupFailedError
from mailsacd.mail.authentication.evaluation import Evaluation, Question, UnusableError
from mailsacd.mail.authentication.spf_record import (
    MacroValues,
    Mechanism,
    find_record,
    parse_record,
)

MAX_LOOKUPS: Final = 10
"""Terms that ask the DNS, in all records together (RFC 7208 section 4.6.4)."""

MAX_VOIDS: Final = 2
"""Questions that may be answered by nothing (section 4.6.4)."""

MAX_NAMES: Final = 10
"""Hosts of an MX or PTR answer (section 4.6.4)."""


def check_spf(ip: str, sender: str, helo: str) -> Evaluation[SpfResult]:
    """Evaluate what the domain of ``sender``, a reverse-path, says of the peer at ``ip``.

    Of an empty reverse-path it is the domain of ``helo``.
    """
    identity: Any = "mailfrom" if sender else "helo"
    local, _, domain = (sender or f"postmaster@{helo}").rpartition("@")
    domain = domain.lower().rstrip(".")

    def told(result: Result, reason: str = "") -> SpfResult:
        return SpfResult(result=result, domain=domain, identity=identity, reason=reason)

    if not is_domain(domain):
        return told("none", "there is no domain to ask")
    try:
        check = _Check(ip, f"{local or 'postmaster'}@{domain}", helo)
        return told(*(yield from check.host(domain)))
    except UnusableError as e:
        return told(e.result, e.reason)


class _Check:
    """One check, however many records it leads to: it counts what was asked."""

    def __init__(self, ip: str, sender: str, helo: str) -> None:
        address = ipaddress.ip_address(ip.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        self._ip = address
        self._sender = sender
        self._helo = helo
        self._lookups = 0
        self._voids = 0

    def host(self, domain: str) -> Evaluation[tuple[Result, str]]:
        """Evaluate the record of ``domain``. Raises UnusableError."""
        texts = yield from self._ask("TXT", domain, counts=False)
        text = find_record(texts.records)
        if text is None:
            return "none", f"{domain} has no SPF record"
        record = parse_record(text)
        macros = MacroValues(ip=self._ip, sender=self._sender, helo=self._helo, domain=domain)
        for mechanism in record.mechanisms:
            matches = yield from self._matches(mechanism, macros)
            if matches:
                return mechanism.result, f"{mechanism.kind} of {domain}"
        if record.redirect is None:
            return "neutral", f"nothing of {domain} matches"
        self._count()
        target = macros.expand(record.redirect)
        result, reason = yield from self.host(target)
        if result == "none":
            raise UnusableError("permerror", f"{domain} redirects to {target}, which has no record")
        return result, reason

    def _matches(self, mechanism: Mechanism, macros: MacroValues) -> Evaluation[bool]:
        kind = mechanism.kind
        if kind == "all":
            return True
        if mechanism.network is not None:
            network = mechanism.network
            return network.version == self._ip.version and self._ip in network
        self._count()
        name = macros.expand(mechanism.domain) if mechanism.domain else macros.domain
        if kind in {"a", "mx"}:
            has = self._has_address if kind == "a" else self._has_mail_host
            return (yield from has(name, mechanism))
        looks = {"include": self._includes, "exists": self._exists, "ptr": self._has_name}[kind]
        return (yield from looks(name))

    def _exists(self, name: str) -> Evaluation[bool]:
        return bool((yield from self._ask("A", name)).records)

    def _includes(self, name: str) -> Evaluation[bool]:
        result, _ = yield from self.host(name)
        if result == "none":
            raise UnusableError("permerror", f"{name} is included, and has no SPF record")
        return result == "pass"

    def _has_address(self, name: str, mechanism: Mechanism) -> Evaluation[bool]:
        is_v4 = self._ip.version == 4
        found = yield from self._ask("A" if is_v4 else "AAAA", name)
        prefix = mechanism.prefix4 if is_v4 else mechanism.prefix6
        own = ipaddress.ip_network((self._ip, prefix), strict=False)
        addresses = (ipaddress.ip_address(text) for text in found.records)
        return any(a.version == self._ip.version and a in own for a in addresses)

    def _has_mail_host(self, name: str, mechanism: Mechanism) -> Evaluation[bool]:
        found = yield from self._ask("MX", name)
        if len(found.records) > MAX_NAMES:
            raise UnusableError("permerror", f"{name} has more than {MAX_NAMES} MX records")
        for record in found.records:
            if record.host:  # the empty one takes no mail (RFC 7505)
                matches = yield from self._has_address(record.host, mechanism)
                if matches:
                    return True
        return False

    def _has_name(self, name: str) -> Evaluation[bool]:
        try:
            found = yield from self._ask("PTR", str(self._ip))
        except UnusableError as e:
            if e.result == "temperror":  # section 5.5: then it does not match
                return False
            raise
        wanted = name.lower().rstrip(".")
        for host in found.records[:MAX_NAMES]:
            if host != wanted and not host.endswith(f".{wanted}"):
                continue
            try:
                addresses = yield Question("A" if self._ip.version == 4 else "AAAA", host)
            except LookupFailedError:
                continue
            if str(self._ip) in addresses.records:
                return True
        return False

    def _ask(self, kind: Any, name: str, *, counts: bool = True) -> Evaluation[Found[Any]]:
        """What the DNS says; ``counts`` tells whether nothing is a void look-up."""
        try:
            found: Found[Any] = yield Question(kind, name)
        except LookupFailedError as e:
            raise UnusableError("temperror", e.public) from e
        if not found.records and counts:
            self._voids += 1
            if self._voids > MAX_VOIDS:
                raise UnusableError("permerror", f"more than {MAX_VOIDS} look-ups find nothing")
        return found

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise UnusableError("permerror", f"more than {MAX_LOOKUPS} terms ask the DNS")
