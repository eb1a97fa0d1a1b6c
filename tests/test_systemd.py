"""What systemd is told, over a real socket of its kind, and what it hands over."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.task import Clock

from mailsacd.core.errors import ConfigurationError
from mailsacd.ports import activated_sockets
from mailsacd.settings import Settings, SmtpSettings
from mailsacd.systemd import STARTING_EVERY_S, Activated, Notifier, take_sockets


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def _told(manager: socket.socket) -> list[str]:
    told = []
    while True:
        try:
            told.append(manager.recv(4096).decode())
        except BlockingIOError:
            return told


def test_a_start_may_take_long_and_the_watchdog_is_fed_from_then_on(
    manager: socket.socket,
) -> None:
    environment = {
        "NOTIFY_SOCKET": manager.getsockname(),
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/",
    }
    clock = Clock()
    notifier = Notifier(environment, clock)
    assert environment == {"HOME": "/"}
    notifier.starting()
    clock.advance(0)
    clock.advance(STARTING_EVERY_S)
    assert _told(manager) == ["EXTEND_TIMEOUT_USEC=60000000"] * 2
    notifier.ready()
    assert _told(manager) == ["READY=1\nSTATUS=Mail is taken", "WATCHDOG=1"]
    clock.advance(14.9)
    assert _told(manager) == []
    clock.advance(0.2)
    assert _told(manager) == ["WATCHDOG=1"]
    notifier.stopping()
    clock.advance(100)
    assert _told(manager) == ["STOPPING=1\nSTATUS=Messages are finished"]


@pytest.mark.parametrize("pid", ["", "1"])
def test_another_process_s_watchdog_is_not_fed(manager: socket.socket, pid: str) -> None:
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_PID": pid}
    if pid:
        environment["WATCHDOG_USEC"] = "1000000"
    clock = Clock()
    notifier = Notifier(environment, clock)
    notifier.ready()
    clock.advance(10)
    assert _told(manager) == ["READY=1\nSTATUS=Mail is taken"]
    assert clock.getDelayedCalls() == []


def test_where_nobody_wants_to_know_nothing_is_done() -> None:
    clock = Clock()
    notifier = Notifier({}, clock)
    notifier.starting()
    notifier.ready()
    notifier.stopping()
    assert clock.getDelayedCalls() == []


def test_a_manager_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}, Clock())
    notifier.ready()
    notifier.stopping()


def test_sockets_of_another_process_are_left_alone() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}
    assert take_sockets(environment, reactor) == []
    assert environment == {}
    assert take_sockets(environment, reactor) == []


def _listening(name: str = "", host: str = "127.0.0.1", port: int = 0) -> Activated:
    return Activated(name, socket.create_server((host, port)))


def test_a_socket_is_known_by_its_name_or_by_its_port() -> None:
    named, numbered = _listening("pop3"), _listening("mailsacd.socket")
    port = numbered.socket.getsockname()[1]
    settings = Settings(smtp=SmtpSettings(port=port))
    found = activated_sockets(settings, [named, numbered])
    assert found == {"pop3": named.socket, "smtp": numbered.socket}
    with pytest.raises(ConfigurationError, match=r"no setting has that port.*smtp, capture"):
        activated_sockets(Settings(), [numbered])
    with pytest.raises(ConfigurationError, match="two sockets were handed over for pop3"):
        activated_sockets(settings, [named, Activated("pop3", numbered.socket)])
    for each in (named, numbered):
        each.socket.close()
