"""A URL of http or https that a user or a stranger chose, read in one way only: what is checked is
what is asked.

Whatever programs understand differently (user names, backslashes, numbers written in odd ways,
percent signs in hosts) is refused, so there is nothing to disagree about.
"""

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from mailsacd.core.address import normal_domain
from mailsacd.core.errors import BadAddressError

MAX_URL_CHARACTERS: Final = 2_000

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_FIRST_FREE_PORT: Final = 1024  # below it no other services than the web's are talked to
_CHARACTERS: Final = re.compile(r"[!-~]*\Z")
_NEVER: Final = frozenset('<>"\\^`{|}')
_FORM: Final = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?([/?][^#]*)?(?:#.*)?\Z",
    re.IGNORECASE,
)
_AUTHORITY_END: Final = re.compile(r"[/?#]")
_TO_ENCODE: Final = re.compile(r"[^!-~]|[<>\"\\^`{|}]")
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUrl:
    """``host`` is a normal domain, or an IP address in its usual form without brackets.

    ``target`` is what a request line asks for: path and query, in visible ASCII.
    """

    secure: bool
    host: str
    port: int
    target: str

    @property
    def ip(self) -> str | None:
        """The host as an IP address; None when it is a name."""
        return self.host if ":" in self.host or _NUMBER.match(_last_label(self.host)) else None

    @property
    def authority(self) -> str:
        """For the Host field: the host, and the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _DEFAULT_PORTS["https" if self.secure else "http"]
        return host if self.port == usual else f"{host}:{self.port}"


def parse_http_url(text: str) -> HttpUrl:
    """``text`` as such a URL. Raises ValueError: a sentence without its subject."""
    if len(text) > MAX_URL_CHARACTERS:
        raise ValueError(f"is longer than {MAX_URL_CHARACTERS} characters")
    if not _CHARACTERS.match(text) or not _NEVER.isdisjoint(text):
        raise ValueError("has a character that a URL cannot have")
    authority = _AUTHORITY_END.split(text.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise ValueError("has a user name or password in it")
    found = _FORM.match(text)
    if found is None:
        raise ValueError("is not an http or https URL with a host")
    scheme, host, port, target = found.groups()
    secure = scheme.lower() == "https"
    target = target or "/"
    return HttpUrl(
        secure=secure,
        host=_normal_host(host),
        port=_checked_port(int(port or _DEFAULT_PORTS[scheme.lower()])),
        target=target if target.startswith("/") else f"/{target}",
    )


def encoded_url(text: str) -> str:
    """``text``, a URL as people write it, in the characters that URLs have (RFC 3987 section 3.1).

    A host in other letters becomes one in A-labels, unless it is none; what else may not be in a
    URL is percent-encoded.
    """
    scheme, mark, rest = text.strip().partition("://")
    authority = _AUTHORITY_END.split(rest, maxsplit=1)[0]
    target = _TO_ENCODE.sub(lambda found: quote(found[0], errors="replace"), rest[len(authority) :])
    host, colon, port = authority.partition(":")
    if not host.isascii():
        with suppress(BadAddressError):
            authority = f"{normal_domain(host)}{colon}{port}"
    return f"{scheme}{mark}{authority}{target}"


def _normal_host(host: str) -> str:
    try:
        if host.startswith("["):
            return str(ipaddress.IPv6Address(host[1:-1]))
        name = host.lower().removesuffix(".")
        if _NUMBER.match(_last_label(name)):
            return str(ipaddress.IPv4Address(name))
    except ValueError as e:
        raise ValueError("has an IP address in another form than 192.0.2.1 or [2001:db8::1]") from e
    if name.endswith("."):
        raise ValueError("has a host that ends in two dots")
    try:
        return normal_domain(name)
    except BadAddressError as e:
        raise ValueError(f"has a bad host: {e.public}") from e


def _checked_port(port: int) -> int:
    if port not in _DEFAULT_PORTS.values() and not _FIRST_FREE_PORT <= port < 65_536:
        raise ValueError("has a port that is neither 80 nor 443 nor from 1024 to 65535")
    return port


def _last_label(host: str) -> str:
    return host.rpartition(".")[2].lower()
