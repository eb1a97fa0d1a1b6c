"""Keeps a daemon for a session of pytest, as a process of its own that imports nothing else.

It is run by its path: OWNER_PID DIRECTORY PYTHON [NAME=VALUE…]. Whichever worker comes first starts
it, and the daemon has to outlive that worker and to end with the session: it does so when
``owner``, the process of pytest that was started by hand, is no more, however it ended, or when it
gets SIGTERM. With it the directory goes.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

PID_FILE: Final = "keeper.pid"
DATA: Final = "data"
LOG: Final = "daemon.log"
ENDED: Final = "ended"
"""There when the daemon ended by itself."""

_LOOK_S: Final = 0.1
_STOPPING_S: Final = 20
_PORTS: Final = ("smtp", "capture", "submission", "pop3", "http")
_TWISTD: Final = "from twisted.scripts.twistd import run; run()"


def main(owner: int, directory: Path, python: str, settings: list[str]) -> None:
    """Go on in the background, and keep the daemon there until the ``owner`` is no more."""
    if pid := os.fork():
        (directory / PID_FILE).write_text(str(pid))
        os._exit(0)
    os.setsid()  # a Ctrl-C is the tests' first, which may wait for mail in their last steps
    stops: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stops.append(number))
    daemon = _start(directory, python, settings)
    while daemon.poll() is None and not stops and _is_alive(owner):
        time.sleep(_LOOK_S)
    if daemon.poll() is not None:
        (directory / ENDED).touch()
        while not stops and _is_alive(owner):  # its log is what the tests show
            time.sleep(_LOOK_S)
    _stop(daemon)
    shutil.rmtree(directory, ignore_errors=True)


def _start(directory: Path, python: str, settings: list[str]) -> "subprocess.Popen[bytes]":
    given = [f"{name}.port=0" for name in _PORTS]
    words = [word for setting in (*given, *settings) for word in ("--set", setting)]
    # env, for it is always there: that there is no such interpreter is then said in the log
    program = ["/usr/bin/env", python, "-c", _TWISTD, "--nodaemon", "--pidfile=", "mailsacd"]
    with (directory / LOG).open("wb") as log:
        return subprocess.Popen(  # noqa: S603  nothing in it is anybody else's
            [*program, "--data-dir", str(directory / DATA), *words],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory,
        )  # fmt: skip


def _stop(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    try:
        daemon.wait(_STOPPING_S)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
