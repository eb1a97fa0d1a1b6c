"""Name servers on the loopback, with what a test puts into them."""

from collections import defaultdict
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, fail, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.names import dns, error
from twisted.names.server import DNSServerFactory
from twisted.python.failure import Failure

from mailsacd.outbound.dns import Resolver
from mailsacd.settings import DnsSettings

TIMEOUT_S = 0.2


class Records:
    """A server's answers, by name and kind. Twisted's server factory asks it."""

    def __init__(self) -> None:
        self.records: defaultdict[str, list[Any]] = defaultdict(list)
        self.failing: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, int]] = []
        self.refers: set[str] = set()

    def add(self, name: str, *records: Any) -> None:
        """Records of any kinds."""
        self.records[name] += records

    def query(self, query: dns.Query, timeout: Any = None) -> Deferred[Any]:  # noqa: ARG002  Twisted's
        """What twisted.names' servers call."""
        name = query.name.name.decode().lower()
        self.asked.append((name, query.type))
        if name in self.silent:
            return Deferred()
        if name in self.refers:
            return succeed(([], [_header(name, dns.Record_NS("elsewhere.example"))], []))
        if name in self.failing:
            return fail(error.DNSServerError())
        answers: list[dns.RRHeader] = []
        end = name
        for _ in range(20):
            here = self.records.get(end, [])
            answers += [_header(end, r) for r in here if r.TYPE in {query.type, dns.CNAME}]
            aliases = [r for r in here if r.TYPE == dns.CNAME]
            if not aliases or query.type == dns.CNAME:
                break
            end = aliases[0].name.name.decode().lower()
            if end not in self.records:
                break
        below = any(known.endswith("." + name) for known in self.records)
        if not answers and name not in self.records and not below:
            return fail(error.DNSNameError())
        return succeed((answers, [], []))


def _header(name: str, record: Any) -> dns.RRHeader:
    return dns.RRHeader(name.encode(), record.TYPE, dns.IN, 60, record)


class _Factory(DNSServerFactory):
    """Twisted's takes every error for a name that does not exist."""

    def gotResolverError(  # noqa: N802  Twisted's
        self, failure: Failure, protocol: Any, message: dns.Message, address: Any
    ) -> None:
        if failure.check(error.DNSServerError):
            answer = self._responseFromMessage(message=message, rCode=dns.ESERVER)
            self.sendReply(protocol, answer, address)
        else:
            super().gotResolverError(failure, protocol, message, address)


class NameServer:
    """`Records` behind UDP and TCP on one port of a loopback address: CannotListenError."""

    def __init__(self, reactor: Any, ip: str = "127.0.0.1", port: int = 0) -> None:
        self.ip = ip
        self.answers = Records()
        self._ports: list[Any] = []
        for _ in range(20):
            factory = _Factory(clients=[self.answers], verbose=0)
            factory.noisy = False
            protocol = dns.DNSDatagramProtocol(factory, reactor=reactor)
            protocol.noisy = False
            tcp = reactor.listenTCP(port, factory, interface=ip)
            self.port = tcp.getHost().port
            try:
                udp = reactor.listenUDP(self.port, protocol, interface=ip)
            except CannotListenError:  # somebody else has the number for UDP
                tcp.stopListening()
            else:
                self._ports = [tcp, udp]
                return
        raise CannotListenError(ip, port, OSError("no port is free for both"))

    async def stop(self) -> None:
        """Stop listening."""
        for port in self._ports:
            await maybeDeferred(port.stopListening)


def _both(reactor: Any) -> tuple[NameServer, NameServer]:
    """On one port of two addresses: what is free on one of them may be taken on the other."""
    for _ in range(20):
        usual = NameServer(reactor)
        try:
            return usual, NameServer(reactor, "127.0.0.2", usual.port)
        except CannotListenError:
            ensureDeferred(usual.stop())
    raise AssertionError("no port is free on both addresses")


class Network:
    """The usual name server, and that of the domain example.com itself."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.usual, self.own = _both(reactor)
        usual, own = self.usual.answers, self.own.answers
        usual.add("example.com", dns.Record_NS("ns1.example.com"), dns.Record_TXT(b"stale"))
        usual.add("ns1.example.com", dns.Record_A("127.0.0.2"))
        own.add("example.com", dns.Record_TXT(b"fresh"), dns.Record_MX(10, "MX.example.com"))

    def resolver(self, **settings: Any) -> Resolver:
        """One that asks them."""
        chosen: dict[str, Any] = {
            "servers": (f"127.0.0.1:{self.usual.port}",),
            "timeout_s": TIMEOUT_S,
            "authority_port": self.usual.port,
            "allowed_networks": ("127.0.0.0/8",),
        }
        return Resolver(DnsSettings(**{**chosen, **settings}), self._reactor)

    async def stop(self) -> None:
        """Stop both."""
        await self.usual.stop()
        await self.own.stop()
