"""The server that the tests use: one that is there, or a daemon for all processes of a session."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from mailsacd_client import AsyncClient, Client
from pytest_mailsacd import keeper

_STARTING_S: Final = 90
_STOPPING_S: Final = 30
_LOOK_S: Final = 0.02
_HERE: Final = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where mail goes, and where it is read: what the program under test has to be told.

    ``key`` is an API key; empty where there is none. ``ports`` are those of all listeners of a
    daemon that was started for the tests, by their names.
    """

    url: str
    smtp_host: str
    smtp_port: int
    key: str = ""
    ports: dict[str, int] = field(default_factory=dict)

    @cached_property
    def client(self) -> Client:
        """A client that has the key."""
        return Client(self.url, key=self.key)

    def async_client(self) -> AsyncClient:
        """A new client for asyncio, with the key; it is closed by who asked for it."""
        return AsyncClient(self.url, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What all processes of a session of pytest know of the daemon that they share.

    Its files are in ``directory``; it ends with the process ``owner``. ``python`` is an
    interpreter that has mailsacd, ``settings`` are the daemon's (``smtp.starttls=never``).
    """

    directory: Path
    owner: int
    python: str = sys.executable
    settings: tuple[str, ...] = ()

    def server(self) -> Server:
        """The daemon, which the first that asks starts. Raises RuntimeError if it does not."""
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o755)  # else root's PostgreSQL, which is another user, is shut out
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.directory / keeper.PID_FILE).exists():
                self._start()
            ports = self._ports()
        return Server(
            url=f"http://{_HERE}:{ports['http']}",
            smtp_host=_HERE,
            smtp_port=ports["smtp"],
            key=(self.directory / keeper.DATA / "admin.key").read_text().strip(),
            ports=ports,
        )

    def end(self) -> None:
        """Stop the daemon, if anybody has started it, and return when its files are gone."""
        try:
            pid = int((self.directory / keeper.PID_FILE).read_text())
            os.kill(pid, signal.SIGTERM)
        except (FileNotFoundError, ProcessLookupError):
            return
        deadline = time.monotonic() + _STOPPING_S
        while self.directory.exists() and time.monotonic() < deadline:
            time.sleep(_LOOK_S)

    def _start(self) -> None:
        words = [str(self.owner), str(self.directory), self.python, *self.settings]
        subprocess.run(  # noqa: S603  nothing in it is anybody else's
            [sys.executable, keeper.__file__, *words],
            check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _ports(self) -> dict[str, int]:
        """The ports, when the daemon is ready."""
        ready = self.directory / keeper.DATA / "ready.json"
        deadline = time.monotonic() + _STARTING_S
        while time.monotonic() < deadline:
            try:
                return dict(json.loads(ready.read_text())["ports"])
            except FileNotFoundError:
                if (self.directory / keeper.ENDED).exists():
                    break
                time.sleep(_LOOK_S)
        log = (self.directory / keeper.LOG).read_text(errors="replace")
        raise RuntimeError(f"mailsacd did not start, by {self.python}:\n{log[-4000:]}")
