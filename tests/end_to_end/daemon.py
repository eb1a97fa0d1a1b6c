"""The real daemon, started as its users start it, and clients on real sockets."""

import contextlib
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from mailsacd.core.ready import Ready, read_ready
from tests.data_directory import copy_data, open_directory

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30


@dataclass
class RunningDaemon:
    """A `twistd mailsacd` process on free ports."""

    data_dir: Path
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    twistd: tuple[str, ...] = ()
    """Options of twistd itself."""
    process: subprocess.Popen[bytes] = field(init=False)
    ready: Ready = field(init=False)

    @property
    def log(self) -> Path:
        """What the process prints."""
        return self.data_dir.with_suffix(".log")

    def spawn(self) -> None:
        """Start the process without waiting for it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(Path(sys.executable).parent / "twistd"),
                    "--nodaemon", "--pidfile=", *self.twistd,
                    "mailsacd", "--data-dir", str(self.data_dir),
                    "--set", "smtp.port=0", "--set", "capture.port=0", "--set", "pop3.port=0",
                    "--set", "submission.port=0", "--set", "http.port=0",
                    # else what is read of a message changes a moment later, and a DNS is asked
                    "--set", "checks.authentication=off", *self.options,
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=self.data_dir.parent, env=os.environ | self.environment,
            )  # fmt: skip

    def start(self) -> "RunningDaemon":
        """Start the process and wait until it says that it is ready."""
        self.spawn()
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            ready = read_ready(self.data_dir)
            if ready is not None and ready.pid == self.process.pid:
                self.ready = ready
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        raise AssertionError(self.log.read_text())

    def stop(self, with_signal: signal.Signals = signal.SIGINT) -> None:
        """Ask the process once to stop, and wait. twistd ends by the signal that it was sent."""
        self.process.send_signal(with_signal)
        assert self.process.wait(STOP_TIMEOUT_S) == -with_signal

    def kill(self) -> None:
        """kill -9, unless it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait_for_postgres_to_end(self) -> None:
        """Return when no PostgreSQL is left on the data, as after a kill a while later."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while (self.data_dir / "postgres" / "postmaster.pid").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def smtp(self) -> smtplib.SMTP:
        """A connected client."""
        port = self.ready.ports["smtp"]
        # named, since smtplib would ask the name servers of this machine what it is called
        return smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=30)

    def send(self, to: str, content: str, sender: str = "sender@example.net") -> None:
        """Send one message as a whole session of its own."""
        with self.smtp() as client:
            client.sendmail(sender, [to], content.encode())

    def request(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower-case names) and body of one request."""
        url = f"http://127.0.0.1:{self.ready.ports['http']}{path}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, method=method), timeout=30
            ) as answer:
                return answer.status, _lower(answer.headers), answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _lower(refused.headers), refused.read()

    def json(self, path: str) -> Any:
        """The JSON of a GET that is answered 200."""
        status, _, body = self.request(path)
        assert status == 200, body
        return json.loads(body)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says, of what no call tells."""
        dsn = f"host={self.data_dir / 'postgres'} port=5432 user=mailsacd dbname=postgres"
        with contextlib.closing(psycopg2.connect(dsn)) as asking, asking.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def postgres_pid(self) -> int:
        """The process id of the embedded PostgreSQL."""
        found = self.data_dir / "postgres" / "postmaster.pid"
        return int(found.read_text().splitlines()[0])

    def worker_pids(self) -> list[int]:
        """The process ids of its workers."""
        mine = [pid for pid in _process_ids() if _parent(pid) == self.process.pid]
        return [pid for pid in mine if _command(pid)[-2:] == ["-m", "mailsacd.workers.child"]]


MakeDaemon = Callable[..., RunningDaemon]


@contextmanager
def running_daemon(data: Path, *options: str) -> Iterator[RunningDaemon]:
    """Run a daemon on a copy of ``data``; it ends, and well, with the context."""
    with open_directory() as directory:
        copy_data(data, directory / "data")
        daemon = RunningDaemon(directory / "data", options).start()
        try:
            yield daemon
            daemon.stop()
        finally:
            daemon.kill()
            daemon.wait_for_postgres_to_end()


def _process_ids() -> list[int]:
    return sorted(int(found.name) for found in Path("/proc").glob("[0-9]*"))


def _parent(pid: int) -> int | None:
    """The parent's process id; None when the process is gone. See proc(5), /proc/pid/stat."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(after_name.split()[1])


def _command(pid: int) -> list[str]:
    """The command line; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
