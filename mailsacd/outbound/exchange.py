"""One question to one name server: by UDP, and by TCP when the answer is too long for that.

Some name servers are strangers', and an answer is read on the reactor. A name in it may be put
together from pieces all over the answer, and again for each record: 64 KiB can be written so that
twisted.names takes 40 s. So answers have bounds.
"""

from io import BytesIO
from typing import Any, Final, cast

from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import ITransport
from twisted.names import dns

from mailsacd.outbound.tcp_endpoint import TcpEndpoint

Server = tuple[str, int]
"""IP address and port."""

MAX_UDP_BYTES: Final = 512
"""Longer answers come by TCP (RFC 1035 section 4.2.1), for no question allows more by EDNS."""

MAX_TCP_BYTES: Final = 16_384
MAX_READS: Final = 4_096
"""So many pieces of an answer by TCP are read: about 5 ms. A record takes about ten."""

_UDP_TRIES: Final = 2
_TRUNCATED: Final = 2


async def exchange(reactor: Any, server: Server, query: dns.Query, timeout_s: float) -> dns.Message:
    """The server's answer to ``query``, whatever its code.

    Raises TimeoutError when nothing came in ``timeout_s`` seconds (by TCP, so many more), OSError
    and twisted's ConnectError when the server cannot be reached, ValueError for another answer.
    """
    answer = await _by_udp(reactor, server, query, timeout_s)
    if answer.trunc:
        answer = await _by_tcp(reactor, server, query, timeout_s)
    if [(q.name.name.lower(), q.type) for q in answer.queries] != [
        (query.name.name.lower(), query.type)
    ]:
        raise ValueError("an answer to another question")
    return answer


async def _by_udp(reactor: Any, server: Server, query: dns.Query, timeout_s: float) -> dns.Message:
    for _ in range(_UDP_TRIES):
        # a source port, which the system draws, and an id of its own for each question: what makes
        # it hard to answer for others
        protocol = _DnsOverUdp(_Controller(), reactor=reactor)
        protocol.noisy = False
        interface = "::" if ":" in server[0] else ""
        port = reactor.listenUDP(0, protocol, interface=interface, maxPacketSize=MAX_UDP_BYTES + 1)
        try:
            answer: dns.Message = await protocol.query(server, [query], timeout_s / _UDP_TRIES)
        except dns.DNSQueryTimeoutError:
            continue
        finally:
            port.stopListening()
        return answer
    raise TimeoutError("no answer by UDP")


async def _by_tcp(reactor: Any, server: Server, query: dns.Query, timeout_s: float) -> dns.Message:
    protocol = DnsOverTcp(_Controller(), reactor=reactor)
    await connectProtocol(TcpEndpoint(reactor, *server, timeout_s), protocol)
    try:
        answer: dns.Message = await protocol.query([query], timeout_s)
    except dns.DNSQueryTimeoutError as e:
        raise TimeoutError("no answer by TCP") from e
    finally:
        if protocol.transport is not None:
            protocol.transport.loseConnection()
    return answer


class _DnsOverUdp(dns.DNSDatagramProtocol):
    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take in an answer. A longer one than may be has its end cut off, and is marked so."""
        if len(data) > MAX_UDP_BYTES:
            data = data[:2] + bytes([data[2] | _TRUNCATED]) + data[3:]
        super().datagramReceived(data, addr)


class DnsOverTcp(dns.DNSProtocol):
    """A connection to a name server. It hangs up on what is long, or takes long to read."""

    MAX_LENGTH = MAX_TCP_BYTES

    def stringReceived(self, data: bytes) -> None:
        """Take in an answer, unless reading it once for a try takes too many reads."""
        try:
            dns.Message().decode(_FewReads(data))
        except (EOFError, ValueError):
            cast(ITransport, self.transport).loseConnection()
        else:
            super().stringReceived(data)


class _FewReads(BytesIO):
    """An answer that can be read MAX_READS times: then there is a ValueError."""

    _left = MAX_READS

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ValueError("the answer takes too long to read")
        return super().read(size)


class _Controller:
    """What Twisted tells of a connection besides the answer."""

    def connectionMade(self, protocol: dns.DNSProtocol) -> None:
        """Called when there is a connection: nothing waits for that."""

    def connectionLost(self, protocol: dns.DNSProtocol) -> None:
        """Called when it is lost: the question's time limit takes care of that."""

    def messageReceived(self, message: dns.Message, protocol: Any, address: Any = None) -> None:
        """Called with an answer to no question, which is not looked at."""
