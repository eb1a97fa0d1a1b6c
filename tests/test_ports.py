"""What connections have from the ports that they come by."""

import resource
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol

from mailsacd.core.errors import ConfigurationError
from mailsacd.ports import (
    MAX_UNSENT_BYTES,
    OTHER_FILES,
    InheritedPorts,
    OwnPorts,
    Ports,
    allow_open_files,
    bind_shared,
    port_names,
    where,
)
from mailsacd.settings import (
    CaptureSettings,
    FacadeSettings,
    HttpSettings,
    Pop3Settings,
    Settings,
    SmtpSettings,
    SubmissionSettings,
)

SETTINGS = Settings(
    smtp=SmtpSettings(port=0),
    capture=CaptureSettings(port=0),
    submission=SubmissionSettings(port=0),
    pop3=Pop3Settings(port=0),
    http=HttpSettings(port=0),
)


def _inherited() -> Ports:
    [bound] = bind_shared(SETTINGS, 1, {})
    inherited = bound.pop("pop3")
    inherited.listen()
    for another in bound.values():
        another.close()
    return InheritedPorts({"pop3": inherited.detach()}, reactor)


class _Greeter(Protocol):
    def __init__(self, made: Deferred[list[int]]) -> None:
        self._made = made

    def connectionMade(self) -> None:
        assert self.transport is not None
        handle: socket.socket = self.transport.getHandle()  # type: ignore[attr-defined]
        options = (socket.TCP_NOTSENT_LOWAT, socket.TCP_NODELAY)
        self._made.callback([handle.getsockopt(socket.IPPROTO_TCP, each) for each in options])
        self.transport.loseConnection()


@pytest.mark.parametrize("ports", [lambda: OwnPorts(SETTINGS, reactor, {}), _inherited])
@pytest_twisted.ensureDeferred
async def test_the_kernel_holds_no_reply_back_and_keeps_little_that_a_peer_does_not_read(
    ports: Callable[[], Ports],
) -> None:
    made: Deferred[list[int]] = Deferred()
    factory = Factory.forProtocol(lambda: _Greeter(made))
    listening: Any = ports().listen("pop3", factory)
    with socket.create_connection(("127.0.0.1", listening.getHost().port)):
        unsent, no_delay = await made.addTimeout(10, reactor)
    assert unsent == MAX_UNSENT_BYTES
    assert no_delay
    await listening.stopListening()


@pytest.fixture
def few_files() -> Iterator[int]:
    """The process may open as many as most systems give it at first, and ask for so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_files")
def test_as_many_files_may_be_open_as_there_may_be_connections() -> None:
    settings = Settings(
        smtp=SmtpSettings(max_connections=1000, tls_port=0),
        capture=CaptureSettings(max_connections=10),
        submission=SubmissionSettings(max_connections=5),
        pop3=Pop3Settings(max_connections=20),
        http=HttpSettings(max_connections=30),
    )
    assert allow_open_files(settings) == 0
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 2065 + OTHER_FILES


def test_it_is_told_how_many_connections_the_system_does_not_allow(few_files: int) -> None:
    settings = Settings(smtp=SmtpSettings(max_connections=few_files))
    others = OTHER_FILES + 1_000 + 1_000 + 6_000 + 5_000
    assert allow_open_files(settings) == others
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == few_files


def test_facades_listen_where_they_are_switched_on_and_are_on_this_machine() -> None:
    assert not {"mailpit", "mailhog"} & {*port_names(Settings())}
    settings = Settings(facades=FacadeSettings(mailhog_port=8027))
    assert "mailhog" in port_names(settings)
    assert where(settings, "mailhog") == ("127.0.0.1", 8027)


def test_a_facade_s_port_that_is_taken_is_named_by_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(facades=FacadeSettings(mailpit_port=port))
        with pytest.raises(ConfigurationError, match=r"set facades.host or facades.mailpit_port"):
            OwnPorts(settings, reactor, {}).listen("mailpit", Factory())
