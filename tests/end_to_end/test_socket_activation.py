"""The daemon as systemd starts it: sockets handed over, news of its state, a watchdog."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

# As systemd does it: sockets from descriptor 3 on, and which process is meant
_STARTER = """
import os, sys
count = int(sys.argv[1])
for at, each in enumerate(map(int, sys.argv[2:2 + count])):
    os.dup2(each, 3 + at)
os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


@dataclass
class ServiceManager:
    """Starts daemons with sockets, and hears how they are."""

    directory: Path
    notices: socket.socket = field(init=False)
    sockets: dict[str, socket.socket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(str(self.directory / "notify"))
        self.notices.settimeout(60)

    def open(self, *names: str) -> None:
        """Listen on free ports."""
        for name in names:
            self.sockets[name] = socket.create_server(("127.0.0.1", 0))

    def spawn(self, daemon: RunningDaemon, *options: str) -> None:
        """Start the daemon, as its unit would."""
        given = [os.dup(each.fileno()) for each in self.sockets.values()]
        twistd = str(Path(sys.executable).parent / "twistd")
        with daemon.log.open("ab") as log:
            daemon.process = subprocess.Popen(
                [
                    sys.executable, "-c", _STARTER, str(len(given)), *map(str, given),
                    twistd, "--nodaemon", "--pidfile=", "mailsacd",
                    "--data-dir", str(daemon.data_dir), "--set", "smtp.port=0",
                    "--set", "capture.port=0", "--set", "submission.port=0",
                    "--set", "pop3.port=0", "--set", "http.port=0",
                    *options,
                ],
                env=os.environ
                | {
                    "NOTIFY_SOCKET": str(self.directory / "notify"),
                    "WATCHDOG_USEC": "2000000",
                    "LISTEN_FDS": str(len(given)),
                    "LISTEN_FDNAMES": ":".join(self.sockets),
                },
                pass_fds=given, stdout=log, stderr=log, cwd=self.directory,
            )  # fmt: skip
        for each in given:
            os.close(each)

    def hear(self, news: str) -> None:
        """Wait until the daemon says so."""
        while news not in self.notices.recv(4096).decode().splitlines():
            pass

    def close(self) -> None:
        """Close all that is open."""
        for each in (self.notices, *self.sockets.values()):
            each.close()


@pytest.fixture
def manager(workspace: Path) -> Iterator[ServiceManager]:
    made = ServiceManager(workspace)
    yield made
    made.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_sockets_outlive_the_daemon_and_nobody_is_refused_meanwhile(
    make_daemon: MakeDaemon, manager: ServiceManager, workers: int
) -> None:
    manager.open("smtp", "http")
    address = manager.sockets["smtp"].getsockname()
    daemon = make_daemon()
    for _ in range(2):
        with socket.create_connection(address, timeout=60) as waiting:  # before it is there
            manager.spawn(daemon, "--set", f"server.workers={workers}")
            manager.hear("READY=1")
            assert waiting.recv(100).startswith(b"220 ")
        manager.hear("WATCHDOG=1")
        manager.hear("WATCHDOG=1")
        with socket.create_connection(manager.sockets["http"].getsockname(), timeout=60) as client:
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        daemon.process.terminate()
        manager.hear("STOPPING=1")
        daemon.process.wait(60)


def test_a_socket_that_no_setting_knows_keeps_it_from_starting(
    make_daemon: MakeDaemon, manager: ServiceManager
) -> None:
    manager.open("imap")
    daemon = make_daemon()
    manager.spawn(daemon)
    assert daemon.process.wait(60) == 1
    port = manager.sockets["imap"].getsockname()[1]
    assert f"the socket on 127.0.0.1 port {port} (imap) was handed over" in daemon.log.read_text()
