"""SPF records as values: their terms, and the macros in these (RFC 7208 sections 4.6, 5 to 7)."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from mailsacd.core.authentication import Result
from mailsacd.mail.authentication.evaluation import UnusableError

MAX_RECORD_CHARACTERS: Final = 8_192
"""Of a longer record nothing is read: real ones have some hundreds."""

_MAX_NAME: Final = 253  # RFC 7208 section 7.3

_RESULTS: Final[dict[str, Result]] = {
    "": "pass", "+": "pass", "-": "fail", "~": "softfail", "?": "neutral",
}  # fmt: skip
_CASELESS: Final = re.IGNORECASE | re.ASCII  # else U+017F is an s
_VERSION: Final = re.compile(r"v=spf1(?: |\Z)", _CASELESS)
_MODIFIER: Final = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)\Z", re.DOTALL)
_MECHANISM: Final = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9._-]*)(.*)\Z", re.DOTALL)
_PREFIXES: Final = re.compile(r"(.*?)(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?\Z", re.DOTALL)
_NETWORK: Final = re.compile(r":([0-9A-Fa-f:.]+)(?:/(0|[1-9][0-9]{0,2}))?\Z")
_MACRO: Final = re.compile(
    r"%(?:\{([slodiphv])([1-9][0-9]{0,2})?(r)?([.+,/_=-]*)\}|([%_-]))", _CASELESS
)
_LITERAL: Final = re.compile(r"[!-$&-~]+")
_DOMAIN_END: Final = re.compile(
    r"(?:\.(?:[0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?"
    r"|%\{[A-Za-z][0-9]*r?[.+,/_=-]*\})\Z",
    _CASELESS,
)

Kind = Literal["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"]
_KINDS: Final[dict[str, Kind]] = {
    "all": "all", "include": "include", "a": "a", "mx": "mx", "ptr": "ptr", "ip4": "ip4",
    "ip6": "ip6", "exists": "exists",
}  # fmt: skip
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One mechanism: ``result`` is what comes out where it matches.

    ``domain`` is a macro string, or empty for the domain that is checked. ``prefix4`` and
    ``prefix6`` are the lengths of what is compared of addresses. ``network`` is for ip4 and ip6.
    """

    kind: Kind
    result: Result
    domain: str = ""
    prefix4: int = 32
    prefix6: int = 128
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """The mechanisms in order, and where to go on if none matches (a macro string)."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str | None


def find_record(texts: Iterable[str]) -> str | None:
    """Return the one SPF record of TXT records, None without any. UnusableError for several."""
    records = [text for text in texts if _VERSION.match(text)]
    if len(records) > 1:
        raise UnusableError("permerror", "there are several SPF records")
    return records[0] if records else None


def parse_record(text: str) -> SpfRecord:
    """Return the record that ``text`` is. Raises UnusableError for any fault in it."""
    if len(text) > MAX_RECORD_CHARACTERS:
        raise UnusableError("permerror", "the SPF record is too long")
    mechanisms: list[Mechanism] = []
    once: dict[str, str] = {}
    for term in text.split(" ")[1:]:
        if not term:
            continue
        modifier = _MODIFIER.match(term)
        if modifier is None:
            mechanisms.append(_mechanism(term))
            continue
        name = modifier[1].lower()
        if name in {"redirect", "exp"}:
            if name in once:
                raise _bad(term)
            once[name] = _domain_spec(modifier[2], term)
        else:
            _check_macros(modifier[2], term)
    return SpfRecord(tuple(mechanisms), once.get("redirect"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroValues:
    """What macros stand for. ``sender`` is a whole address, ``domain`` the one being checked."""

    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    sender: str
    helo: str
    domain: str

    def expand(self, text: str) -> str:
        """Return ``text``, a macro string without faults, as a name of at most 253 characters."""
        name = _MACRO.sub(self._expanded, text)
        if len(name) <= _MAX_NAME:
            return name
        cut = name[-_MAX_NAME - 1 :]
        return cut.partition(".")[2]

    def _expanded(self, macro: re.Match[str]) -> str:
        letter, count, reverse, delimiters, escape = macro.groups()
        if escape is not None:
            return {"%": "%", "_": " ", "-": "%20"}[escape]
        value = self._value(letter.lower())
        if count or reverse or delimiters:
            parts = re.split(f"[{re.escape(delimiters or '.')}]", value)
            parts = parts[::-1] if reverse else parts
            value = ".".join(parts[-int(count) :] if count else parts)
        return quote(value, safe="") if letter.isupper() else value

    def _value(self, letter: str) -> str:
        local, _, domain = self.sender.rpartition("@")
        is_v4 = self.ip.version == 4
        return {
            "s": self.sender,
            "l": local,
            "o": domain,
            "d": self.domain,
            "h": self.helo,
            "v": "in-addr" if is_v4 else "ip6",
            "i": str(self.ip) if is_v4 else ".".join(self.ip.exploded.replace(":", "")),
            "p": "unknown",  # RFC 7208 section 7.2 advises against looking it up
        }[letter]


def _mechanism(term: str) -> Mechanism:
    found = _MECHANISM.match(term)
    kind = _KINDS.get(found[2].lower()) if found else None
    if found is None or kind is None:
        raise _bad(term)
    result, rest = _RESULTS[found[1]], found[3]
    match kind:
        case "all":
            if rest:
                raise _bad(term)
            return Mechanism(kind=kind, result=result)
        case "ip4" | "ip6":
            return Mechanism(kind=kind, result=result, network=_network(kind, rest, term))
        case "include" | "exists":
            if not rest.startswith(":"):
                raise _bad(term)
            return Mechanism(kind=kind, result=result, domain=_domain_spec(rest[1:], term))
        case "ptr":
            domain = _domain_spec(rest[1:], term) if rest.startswith(":") else ""
            if rest and not domain:
                raise _bad(term)
            return Mechanism(kind=kind, result=result, domain=domain)
    return _with_prefixes(kind, result, rest, term)


def _with_prefixes(kind: Kind, result: Result, rest: str, term: str) -> Mechanism:
    found = _PREFIXES.match(rest)
    domain, four, six = found.groups() if found else (rest, None, None)
    if domain and not domain.startswith(":"):
        raise _bad(term)
    prefix4 = 32 if four is None else int(four)
    prefix6 = 128 if six is None else int(six)
    if prefix4 > 32 or prefix6 > 128:
        raise _bad(term)
    name = _domain_spec(domain[1:], term) if domain else ""
    return Mechanism(kind=kind, result=result, domain=name, prefix4=prefix4, prefix6=prefix6)


def _network(kind: Kind, rest: str, term: str) -> Network:
    found = _NETWORK.match(rest)
    if found is None:
        raise _bad(term)
    address, prefix = found.groups()
    try:
        if kind == "ip4":
            return ipaddress.IPv4Network((address, int(prefix or 32)), strict=False)
        return ipaddress.IPv6Network((address, int(prefix or 128)), strict=False)
    except ValueError as e:
        raise _bad(term) from e


def _domain_spec(text: str, term: str) -> str:
    _check_macros(text, term)
    if not _DOMAIN_END.search(text):
        raise _bad(term)
    return text


def _check_macros(text: str, term: str) -> None:
    position = 0
    while position < len(text):
        piece = _LITERAL.match(text, position) or _MACRO.match(text, position)
        if piece is None:
            raise _bad(term)
        position = piece.end()


def _bad(term: str) -> UnusableError:
    shown = term if len(term) <= 60 else term[:57] + "..."
    return UnusableError("permerror", f"the SPF record has {shown!a}")
