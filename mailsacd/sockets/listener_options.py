"""What the connections of a listener have in common."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime

from mailsacd.sockets.connections import Crowd
from mailsacd.sockets.fair_queue import Lane
from mailsacd.sockets.write_batch import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Limits, clock and TLS.

    ``proxies`` are the networks whose connections begin with a PROXY header. With
    ``tls_at_once`` they begin with a handshake, after that header.
    """

    crowd: Crowd[Any]
    clock: IReactorTime
    tls: IOpenSSLServerConnectionCreator | None
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    tls_at_once: bool = False
    outbox: Outbox = field(init=False)
    lane: Lane = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outbox", Outbox(self.clock))
        object.__setattr__(self, "lane", Lane(self.clock))
