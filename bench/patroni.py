"""Three PostgreSQL nodes under Patroni with etcd, on loopback, as Debian packages them.

One of the standbys is synchronous, always (`synchronous_mode_strict`): what is committed is on two
nodes. The times are such that a primary whose machine is gone is followed by another one within
`ttl` seconds and a turn of the loop.
"""

import json
import os
import pwd
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg2

from bench.servers import (
    HOST,
    NotInstalledError,
    free_port,
    listens,
    program,
    running,
    stop,
    wait_until,
)

NODES: Final = 3
TTL_S: Final = 8
LOOP_WAIT_S: Final = 1
RETRY_TIMEOUT_S: Final = 3

_USER: Final = "postgres"
_FORMED_WITHIN_S: Final = 120.0
_STEADY_S: Final = 4.0
_HOW_TO_GET: Final = "apt-get install patroni etcd-server postgresql-15"
_REST_TIMEOUT_S: Final = 2.0


@dataclass(slots=True)
class Node:
    """One of the cluster: Patroni, and the PostgreSQL that it looks after."""

    name: str
    home: Path
    port: int
    rest_port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def postgres_pid(self) -> int:
        """The process id of its PostgreSQL."""
        found = self.home / "data" / "postmaster.pid"
        return int(found.read_text(encoding="ascii").split("\n", 1)[0])

    def kill_postgres(self) -> None:
        """kill -9 its PostgreSQL; Patroni goes on and sees to it."""
        os.kill(self.postgres_pid, signal.SIGKILL)

    def kill(self) -> None:
        """kill -9 Patroni and PostgreSQL, as when the machine loses its power."""
        assert self.process is not None  # for mypy: it runs
        postgres = self.postgres_pid
        self.process.kill()
        os.kill(postgres, signal.SIGKILL)
        self.process.wait()


class Cluster:
    """Patroni's nodes. They run within `formed`."""

    def __init__(self, home: Path, etcd_port: int) -> None:
        """Raises NotInstalledError."""
        self._patroni = program("patroni", _HOW_TO_GET)
        self._bin_dir = _bin_dir()
        self._home = home
        self._etcd_port = etcd_port
        self.nodes: Final = tuple(
            Node(f"node{n}", home / f"node{n}", free_port(), free_port()) for n in range(NODES)
        )

    @property
    def dsn(self) -> str:
        """All nodes, of which the primary is wanted."""
        hosts = ",".join(HOST for _ in self.nodes)
        ports = ",".join(str(node.port) for node in self.nodes)
        attributes = "target_session_attrs=read-write"
        return f"host={hosts} port={ports} user={_USER} dbname=postgres {attributes}"

    def start(self, node: Node) -> None:
        """Start the node, which is empty or was killed."""
        node.home.mkdir(exist_ok=True)
        settings = node.home / "patroni.json"  # JSON is YAML
        settings.write_text(json.dumps(self._settings(node)), encoding="utf-8")
        command = [self._patroni, str(settings)]
        if os.geteuid() == 0:
            user = pwd.getpwnam(_USER)
            os.chown(node.home, user.pw_uid, user.pw_gid)
            dropping = ("--reuid", _USER, "--regid", _USER, "--clear-groups", "--inh-caps=-all")
            command = ["setpriv", *dropping, *command]
        with (node.home / "log").open("ab") as log:
            node.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=node.home,
            )  # fmt: skip

    def stop(self) -> None:
        """End all that runs."""
        for node in self.nodes:
            if node.process is not None:
                stop(node.process)
            with suppress(OSError, ValueError):
                os.kill(node.postgres_pid, signal.SIGKILL)

    def primary(self) -> Node | None:
        """Return the node that says that it is the primary; None when there is none."""
        return next((node for node in self.nodes if _answer(node, "/primary") is not None), None)

    @property
    def is_whole(self) -> bool:
        """Whether there is a primary, and both of the others follow it, one synchronously.

        Patroni calls a standby running that cannot follow, and is about to be made anew.
        """
        primary = self.primary()
        states = _followers(primary) if primary is not None else []
        return sorted(states) == ["streaming async", "streaming sync"]

    def wait_until_whole(self) -> bool:
        """Whether it `is_whole` in time, and stays so: Patroni may yet make a standby anew."""
        whole_since = time.monotonic()

        def stays_whole() -> bool:
            nonlocal whole_since
            if not self.is_whole:
                whole_since = time.monotonic()
            return time.monotonic() > whole_since + _STEADY_S

        return wait_until(stays_whole, _FORMED_WITHIN_S)

    def _settings(self, node: Node) -> dict[str, Any]:
        address, rest = f"{HOST}:{node.port}", f"{HOST}:{node.rest_port}"
        login = {"username": _USER}
        return {
            "scope": "mailsacd",
            "name": node.name,
            "restapi": {"listen": rest, "connect_address": rest},
            "etcd3": {"host": f"{HOST}:{self._etcd_port}"},
            "bootstrap": {
                "dcs": DYNAMIC,
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
                "pg_hba": [f"host {who} all {HOST}/32 trust" for who in ("all", "replication")],
            },
            "postgresql": {
                "listen": address,
                "connect_address": address,
                "data_dir": str(node.home / "data"),
                "bin_dir": self._bin_dir,
                "pgpass": str(node.home / "pgpass"),
                "authentication": {"superuser": login, "replication": login, "rewind": login},
                "parameters": {"unix_socket_directories": str(node.home)},
            },
        }


DYNAMIC: Final[dict[str, Any]] = {
    "ttl": TTL_S,
    "loop_wait": LOOP_WAIT_S,
    "retry_timeout": RETRY_TIMEOUT_S,
    "primary_start_timeout": 0,  # a standby is there at once, a crash recovery may take long
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    "postgresql": {
        "use_pg_rewind": True,
        "remove_data_directory_on_rewind_failure": True,
        "remove_data_directory_on_diverged_timelines": True,
        "parameters": {
            "max_connections": 50,
            "shared_buffers": "32MB",
            "wal_keep_size": "256MB",
            # Commits wait until the other standby has found the new primary; 5 s by itself
            "wal_retrieve_retry_interval": "500ms",
        },
    },
}


@contextmanager
def formed(home: Path) -> Iterator[Cluster]:
    """A cluster in the directory ``home``, from when it is whole. Raises NotInstalledError."""
    etcd = program("etcd", _HOW_TO_GET)
    port, peer = free_port(), free_port()
    client_url, peer_url = f"http://{HOST}:{port}", f"http://{HOST}:{peer}"
    command = [
        etcd, "--name=etcd", f"--data-dir={home / 'etcd'}", "--log-level=error",
        f"--listen-client-urls={client_url}", f"--advertise-client-urls={client_url}",
        f"--listen-peer-urls={peer_url}", f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=etcd={peer_url}",
    ]  # fmt: skip
    cluster = Cluster(home, port)
    with ExitStack() as stack:
        stack.enter_context(running(command, listens(port)))
        stack.callback(cluster.stop)
        cluster.start(cluster.nodes[0])
        if not wait_until(lambda: cluster.primary() is not None, _FORMED_WITHIN_S):
            raise NotInstalledError(f"Patroni makes no primary: {_last_words(cluster.nodes[0])}")
        for node in cluster.nodes[1:]:
            cluster.start(node)
        if not cluster.wait_until_whole():
            raise NotInstalledError(f"no standbys: {_last_words(cluster.nodes[1])}")
        yield cluster


def _last_words(node: Node) -> str:
    return (node.home / "log").read_text(encoding="utf-8", errors="replace")[-2000:]


def _bin_dir() -> str:
    """Where the newest of the system's PostgreSQL is. Raises NotInstalledError."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        raise NotInstalledError(f"PostgreSQL is not installed ({_HOW_TO_GET})")
    return str(found[-1].parent)


def _followers(primary: Node) -> list[str]:
    """How its standbys follow it; none when it cannot be asked."""
    try:
        with closing(psycopg2.connect(f"{_address(primary)} connect_timeout=2")) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "select state || ' ' || sync_state from pg_stat_replication"
                " where application_name <> 'pg_basebackup'"  # which makes one
            )
            return [state for (state,) in cursor.fetchall()]
    except psycopg2.Error:
        return []


def _address(node: Node) -> str:
    return f"host={HOST} port={node.port} user={_USER} dbname=postgres"


def _answer(node: Node, path: str) -> Any:
    """What Patroni's REST API says; None when it says no, or nothing."""
    url = f"http://{HOST}:{node.rest_port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=_REST_TIMEOUT_S) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None
