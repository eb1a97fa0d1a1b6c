"""One question to one name server: by UDP, and by TCP when the answer is too long for that."""

from typing import Any, Final

from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from twisted.names import dns
from twisted.names.client import Resolver as OneServer

Server = tuple[str, int]
"""IP address and port."""

_UDP_TRIES: Final = 2


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
    # A source port and an id of its own for each question: what makes it hard to answer for others
    asking = OneServer(servers=[server], reactor=reactor)
    tries = [timeout_s / _UDP_TRIES] * _UDP_TRIES
    try:
        answer: dns.Message = await asking.queryUDP([query], tries)
    except DeferredTimeoutError as e:
        raise TimeoutError("no answer by UDP") from e
    return answer


async def _by_tcp(reactor: Any, server: Server, query: dns.Query, timeout_s: float) -> dns.Message:
    endpoint = TCP6ClientEndpoint if ":" in server[0] else TCP4ClientEndpoint
    reaching = endpoint(reactor, *server, timeout=timeout_s)
    protocol = dns.DNSProtocol(_DnsConnectionOwner(), reactor=reactor)
    await connectProtocol(reaching, protocol)
    try:
        answer: dns.Message = await protocol.query([query], timeout_s)
    except dns.DNSQueryTimeoutError as e:
        raise TimeoutError("no answer by TCP") from e
    finally:
        if protocol.transport is not None:
            protocol.transport.loseConnection()
    return answer


class _DnsConnectionOwner:
    """What Twisted tells of a connection besides the answer."""

    def connectionMade(self, protocol: dns.DNSProtocol) -> None:
        """Called when there is a connection: nothing waits for that."""

    def connectionLost(self, protocol: dns.DNSProtocol) -> None:
        """Called when it is lost: the question's time limit takes care of that."""

    def messageReceived(self, message: dns.Message, protocol: dns.DNSProtocol) -> None:
        """Called with an answer to no question, which is not looked at."""
