"""Postfix as a peer: its own configuration and queue, on one port, touching no system instance.

Accepted mail goes into its queue with fsync, as by default. Nothing is ever delivered. The two
ways to arrange that differ in what else Postfix has to do while mail comes in:

- *deferred*: Postfix with its default settings, whose transports are deferred. The queue manager
  reads each message, defers it and writes why, as it would behind a receiver that is down;
- *held*: mail is put on hold, so that the queue manager never sees it, and `in_flow_delay` is off.
  Taking in is all that is done: the most that this Postfix can do.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.servers import (
    HOST,
    NotInstalledError,
    Server,
    free_port,
    listens,
    program,
    running,
    temporary_dir,
    version_told,
)

_HOW_TO_GET: Final = "apt-get install postfix"
_COMMAND_TIMEOUT_S: Final = 60
_MAIN: Final = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
inet_interfaces = {host}
inet_protocols = ipv4
myhostname = bench.example
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
alias_maps =
"""
_DEFERRED: Final = "defer_transports = smtp relay local\n"
_HELD: Final = "smtpd_recipient_restrictions = check_client_access static:HOLD\nin_flow_delay = 0\n"
_MASTER: Final = """\
{host}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
anvil unix - - n - 1 anvil
"""


@contextmanager
def postfix_deferred() -> Iterator[Server]:
    """Postfix with its default settings, delivery put off."""
    with _postfix("postfix", _DEFERRED) as server:
        yield server


@contextmanager
def postfix_held() -> Iterator[Server]:
    """Postfix that does nothing but take in."""
    with _postfix("postfix-hold", _HELD) as server:
        yield server


@contextmanager
def _postfix(name: str, settings: str) -> Iterator[Server]:
    postfix = program("postfix", _HOW_TO_GET)
    if os.geteuid() != 0:
        raise NotInstalledError("needs root to be started")
    port = free_port()
    with temporary_dir(name) as home:
        _configure(home, port, settings)
        command = [postfix, "-c", str(home / "conf"), "start-fg"]
        with running(command, listens(port)) as master:
            try:
                yield Server(
                    name=name,
                    version=postfix_version(),
                    port=port,
                    pid=master.pid,
                    empty=lambda: _empty(home),
                )
            finally:
                _control(postfix, home, "stop")


def postfix_version() -> str:
    """The version of the Postfix that is installed."""
    return version_told(program("postconf", _HOW_TO_GET), "-hd", "mail_version")


def _configure(home: Path, port: int, settings: str) -> None:
    for part in ("conf", "queue", "data"):
        (home / part).mkdir()
    owner = pwd.getpwnam("postfix")
    os.chown(home / "data", owner.pw_uid, owner.pw_gid)
    main = _MAIN.format(home=home, host=HOST) + settings
    (home / "conf" / "main.cf").write_text(main, encoding="utf-8")
    master = _MASTER.format(host=HOST, port=port)
    (home / "conf" / "master.cf").write_text(master, encoding="utf-8")


def _empty(home: Path) -> None:
    _control(program("postsuper", _HOW_TO_GET), home, "-d", "ALL")


def _control(path: str, home: Path, *arguments: str) -> None:
    subprocess.run(
        [path, "-c", str(home / "conf"), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_COMMAND_TIMEOUT_S,
        check=False,
    )
