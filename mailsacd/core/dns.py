"""What is asked of the DNS, as values."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The records of one kind; ``exists`` is False where the name itself does not (NXDOMAIN)."""

    records: tuple[T, ...]
    exists: bool = True


@dataclass(frozen=True, slots=True, order=True)
class MailHost:
    """An MX record. ``host`` is normal; the empty one says that no mail is taken (RFC 7505)."""

    preference: int
    host: str


class Dns(Protocol):
    """Asks the DNS. Names are normal domains (see core.address), and so are answers.

    Aliases are followed. What is asked ``at_source`` is asked of the domain's own servers, so
    that no cache between makes it older. Every call raises LookupFailedError when there is no
    answer: servers that are silent or fail, and chains of aliases that do not end.
    """

    async def texts(self, name: str, *, at_source: bool = False) -> Found[str]:
        """The TXT records of a name, each joined from its pieces (RFC 1035 section 3.3.14)."""

    async def mail_hosts(self, name: str, *, at_source: bool = False) -> Found[MailHost]:
        """The hosts of a domain's MX records, most preferred first (RFC 5321 section 5.1)."""

    async def addresses(self, name: str) -> Found[str]:
        """The IPv4 and IPv6 addresses of a host, IPv4 first."""

    async def names(self, address: str) -> Found[str]:
        """The host names of an IP address: its PTR records (RFC 1035 section 3.5)."""
