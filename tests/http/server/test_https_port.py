"""What connections over TLS may cost that plain ones cannot: a handshake at both ends."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.static import Data

from mailsacd.certificate import CertificateStore
from mailsacd.http.server.bounds import Bounds
from mailsacd.http.server.channel import CLOSE_TIMEOUT_S, Channel
from mailsacd.http.server.request import Request
from mailsacd.http.server.site import HttpSite
from mailsacd.settings import HttpSettings, TlsSettings
from tests.http.client import connect
from tests.patience import until

reactor: Any = the_reactor


class _Port:
    """One that allows two connections."""

    def __init__(self, listen: Callable[[Any], int], data_dir: Path) -> None:
        self.clock = Clock()
        self.bounds = Bounds(HttpSettings(max_connections=2, idle_timeout_s=60.0), self.clock)
        site = HttpSite(
            Data(b"hello", "text/plain"), self.bounds, self.clock, channel=Channel, request=Request
        )
        store = CertificateStore(TlsSettings(), data_dir=data_dir, hostname="localhost")
        self.number = listen(
            TLSMemoryBIOFactory(store.context_factory, isClient=False, wrappedFactory=site)
        )

    async def has(self, connections: int) -> None:
        """Wait until there are so many."""
        await until(lambda: len(self.bounds.connections) == connections)


@pytest.fixture
def port(listen: Callable[[Any], int], tmp_path: Path) -> _Port:
    return _Port(listen, tmp_path)


@pytest_twisted.ensureDeferred
async def test_one_connection_too_many_is_closed_at_once_however_silent_it_is(port: _Port) -> None:
    first, second = await connect(reactor, port.number), await connect(reactor, port.number)
    await port.has(2)
    for _ in range(10):
        assert await (await connect(reactor, port.number)).until_closed() == b""
    port.clock.advance(60)  # a handshake that does not come is not waited for either
    assert await first.until_closed() == b""
    assert await second.until_closed() == b""
    await port.has(0)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 "),
        (b"no request\r\n\r\n", b"HTTP/1.1 400 "),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_does_not_agree_to_the_end_is_not_waited_for(
    port: _Port, asked: bytes, answered: bytes
) -> None:
    def ask() -> tuple[bytes, ssl.SSLSocket]:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", port.number), timeout=10)
        secure = context.wrap_socket(plain)
        secure.sendall(asked)
        answer = b""
        while piece := secure.recv(4096):
            answer += piece
        return answer, secure  # which stays open: the end of TLS is not answered

    answer, secure = await deferToThread(ask)
    with secure:
        assert answer.startswith(answered)
        await port.has(1)
        port.clock.advance(CLOSE_TIMEOUT_S)
        await port.has(0)
