"""What the connections of a listener have in common."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime

from mailsacd.core.peer import is_loopback
from mailsacd.setting_types import PlainLogin, StartTls
from mailsacd.sockets.connections import Connections
from mailsacd.sockets.fair_queue import FairQueue
from mailsacd.sockets.write_batch import WriteBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerOptions:
    """What all connections of a listening port share: limits, clock, TLS, and whose turn it is.

    ``proxies`` are the networks whose connections begin with a PROXY header. With
    ``tls_at_once`` they begin with a handshake, after that header. ``plain_login`` says who may
    send a password without TLS, ``starttls`` who may begin TLS on a plain port (see settings);
    ``self_signed`` that clients which check the certificate do not know who signed it.
    """

    connections: Connections[Any]
    clock: IReactorTime
    tls: IOpenSSLServerConnectionCreator | None
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    tls_at_once: bool = False
    plain_login: PlainLogin = "never"
    starttls: StartTls = "auto"
    self_signed: bool = False
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

    def offers_tls(self, local_ip: str, *, needed: bool = False) -> bool:
        """Tell whether TLS may be begun on a plain connection to the IP address ``local_ip``.

        Many mailers begin TLS wherever it is offered, and check the certificate: with one that is
        self-signed they would not send at all. On the same machine nobody listens in, so `auto`
        offers it there only when it is ``needed``, since nothing can be done without.
        """
        if self.tls is None or self.tls_at_once or self.starttls == "never":
            return False
        is_best_left = self.self_signed and is_loopback(local_ip) and not needed
        return self.starttls != "auto" or not is_best_left

    @property
    def requires_tls(self) -> bool:
        """Whether nothing may be done on a plain connection but to begin TLS."""
        return self.starttls == "require" and not self.tls_at_once

    def trusts(self, peer_ip: str) -> bool:
        """Tell whether a password may come from that IP address without TLS."""
        if self.requires_tls:
            return False
        is_near = self.plain_login == "loopback" and is_loopback(peer_ip)
        return is_near or self.plain_login == "always"
