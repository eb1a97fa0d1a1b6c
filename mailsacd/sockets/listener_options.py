"""What the connections of a listener have in common."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime

from mailsacd.core.peer import is_loopback
from mailsacd.settings import PlainLogin
from mailsacd.sockets.connections import Connections
from mailsacd.sockets.fair_queue import FairQueue
from mailsacd.sockets.write_batch import WriteBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerOptions:
    """What all connections of a listening port share: limits, clock, TLS, and whose turn it is.

    ``proxies`` are the networks whose connections begin with a PROXY header. With
    ``tls_at_once`` they begin with a handshake, after that header. ``plain_login`` says who may
    send a password without TLS.
    """

    connections: Connections[Any]
    clock: IReactorTime
    tls: IOpenSSLServerConnectionCreator | None
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    tls_at_once: bool = False
    plain_login: PlainLogin = "never"
    write_batch: WriteBatch = field(init=False)
    fair_queue: FairQueue = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "write_batch", WriteBatch(self.clock))
        object.__setattr__(self, "fair_queue", FairQueue(self.clock))

    def is_proxy(self, peer_ip: str) -> bool:
        """Tell whether connections from that IP address begin with a PROXY header."""
        if not self.proxies:
            return False
        peer = ip_address(peer_ip)
        return any(peer in network for network in self.proxies)

    def trusts(self, peer_ip: str) -> bool:
        """Tell whether a password may come from that IP address without TLS."""
        is_near = self.plain_login == "loopback" and is_loopback(peer_ip)
        return is_near or self.plain_login == "always"
