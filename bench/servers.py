"""Programs that the bench starts on loopback, waits for, and always stops again."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
_START_TIMEOUT_S: Final = 30.0
_STOP_TIMEOUT_S: Final = 10.0
_VERSION_TIMEOUT_S: Final = 10.0
_VERSION: Final = re.compile(r"(?<![\w.])v?(\d+\.\d+[\w.+-]*)")
_POLL_S: Final = 0.005
_SYSTEM_DIRS: Final = "/usr/sbin:/sbin:/usr/local/sbin"


class NotInstalledError(Exception):
    """A peer's program is missing; the text says how to get it."""


class NotStartedError(Exception):
    """A server did not begin to listen; the text ends with what it printed."""


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that listens. ``port`` speaks SMTP (HTTP for the constant route).

    ``pid`` is the process whose descendants all its others are; None: somebody else started it.
    ``empty`` throws away what it has stored, so that the next round finds it as the first did.
    ``version`` is the program's, empty where it cannot be told.
    """

    name: str
    port: int
    version: str = ""
    host: str = HOST
    http_port: int = 0
    pop3_port: int = 0
    pid: int | None = None
    data_dir: Path | None = None
    empty: Callable[[], None] = _nothing

    def introduce(self) -> None:
        """Print what is measured: figures of another version are another program's."""
        print(f"{self.name} {self.version or '(of a version that it does not tell)'}")

    @property
    def address(self) -> tuple[str, int]:
        """Where its ``port`` is."""
        return self.host, self.port


def program(name: str, how_to_get: str) -> str:
    """The path of an installed program: on PATH, or named by a variable such as `BENCH_MAILPIT`.

    Raises NotInstalledError.
    """
    named = os.environ.get(f"BENCH_{name.upper().replace('-', '_')}")
    path = shutil.which(named or name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_DIRS}")
    if path is None:
        raise NotInstalledError(f"not installed ({how_to_get})")
    return path


def version_told(*command: str) -> str:
    """The first version in what a program prints when it is asked; empty when there is none."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(done.stdout + done.stderr)
    return found[1] if found else ""


def go_version(program: str, module: str) -> str:
    """The version of a Go program as its build says, which `go install` takes from the module.

    Empty where it does not.
    """
    pattern = re.compile(rb"mod\t" + re.escape(module.encode()) + rb"\tv([\w.+-]+)\t")
    found = pattern.search(Path(program).read_bytes())
    return found[1].decode() if found else ""


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as s:
        s.bind((HOST, 0))
        port: int = s.getsockname()[1]
        return port


@contextmanager
def temporary_dir(name: str) -> Iterator[Path]:
    """A directory that other users can pass through: servers that drop root need that."""
    path = Path(tempfile.mkdtemp(prefix=f"mailsacd-bench-{name}-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(
    command: Sequence[str],
    is_up: Callable[[], bool],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process in its own process group, from when it is up; all of the group is stopped.

    Raises NotStartedError.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        try:
            if not wait_until(lambda: is_up() or process.poll() is not None) or not is_up():
                output.seek(0)
                printed = output.read()[-2000:].decode(errors="replace")
                raise NotStartedError(f"{command[0]} did not start: {printed}")
            yield process
        finally:
            stop(process)


def listens(port: int) -> Callable[[], bool]:
    """A question whether something listens on that port of the loopback."""

    def is_up() -> bool:
        with socket.socket() as s:
            return s.connect_ex((HOST, port)) == 0

    return is_up


def wait_until(condition: Callable[[], bool], timeout_s: float = _START_TIMEOUT_S) -> bool:
    """Whether ``condition`` came true in time."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_S)
    return True


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child by SIGTERM, and by SIGKILL what is left of its group after a while."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_TIMEOUT_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
