"""Mail catchers for developers as peers: Mailpit, Inbucket and MailDev, each with its own store."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
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
)

_INSTALL_TIMEOUT_S: Final = 180
_DELETE_TIMEOUT_S: Final = 60
# The newest is tried first; 2.1.0 needs nothing that some registry mirrors lack.
_MAILDEV_VERSIONS: Final = ("maildev", "maildev@2.1.0")
_MAILPIT_OPTIONS: Final = (
    "--max=0",  # keeps all, as the others do; by default it prunes to 500 once a minute
    "--smtp-disable-rdns",  # asks no name server about each connection
    "--disable-version-check",
    "--quiet",
)
_INBUCKET_MESSAGES: Final = "1000000"


@contextmanager
def mailpit() -> Iterator[Server]:
    """Mailpit: parses, stores in SQLite without waiting for the disk; Go."""
    path = program("mailpit", "go install github.com/axllent/mailpit@latest")
    port, http_port = free_port(), free_port()
    with temporary_dir("mailpit") as home:
        places = ["--smtp", f"{HOST}:{port}", "--listen", f"{HOST}:{http_port}"]
        command = [path, *places, "--database", str(home / "mailpit.db"), *_MAILPIT_OPTIONS]
        with running(command, listens(port)) as process:
            yield Server(
                name="mailpit",
                port=port,
                http_port=http_port,
                pid=process.pid,
                empty=lambda: _delete(http_port, "/api/v1/messages"),
            )


@contextmanager
def inbucket() -> Iterator[Server]:
    """Inbucket: parses and keeps all in memory; Go. Its mailboxes are named by local parts."""
    path = program("inbucket", "go install github.com/inbucket/inbucket/v3/cmd/inbucket@latest")
    port, http_port = free_port(), free_port()
    with temporary_dir("inbucket") as home:
        environment = {
            "INBUCKET_SMTP_ADDR": f"{HOST}:{port}",
            "INBUCKET_WEB_ADDR": f"{HOST}:{http_port}",
            "INBUCKET_POP3_ADDR": f"{HOST}:{free_port()}",
            "INBUCKET_STORAGE_MAILBOXMSGCAP": _INBUCKET_MESSAGES,
            "INBUCKET_LOGLEVEL": "error",
        }
        with running([path], listens(port), cwd=home, environment=environment) as process:
            yield Server(name="inbucket", port=port, http_port=http_port, pid=process.pid)


@contextmanager
def maildev() -> Iterator[Server]:
    """MailDev: parses, keeps all in memory and writes files; Node."""
    node = program("node", "apt-get install nodejs npm")
    script = _installed_maildev()
    port, http_port = free_port(), free_port()
    with temporary_dir("maildev") as home:
        options = ["--smtp", str(port), "--web", str(http_port), "--ip", HOST, "--silent"]
        command = [node, str(script), *options, "--mail-directory", str(home)]
        with running(command, listens(port)) as process:
            yield Server(
                name="maildev",
                port=port,
                http_port=http_port,
                pid=process.pid,
                empty=lambda: _delete(http_port, "/email/all"),
            )


def _delete(http_port: int, path: str) -> None:
    connection = HTTPConnection(HOST, http_port, timeout=_DELETE_TIMEOUT_S)
    connection.request("DELETE", path)
    connection.getresponse().read()
    connection.close()


def _installed_maildev() -> Path:
    """MailDev's program, installed on first use outside of the repository."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    prefix = cache / "mailsacd-bench"
    script = prefix / "node_modules" / "maildev" / "bin" / "maildev"
    if script.exists():
        return script
    npm = program("npm", "apt-get install nodejs npm")
    prefix.mkdir(parents=True, exist_ok=True)
    for version in _MAILDEV_VERSIONS:
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(prefix), version]
        subprocess.run(command, capture_output=True, timeout=_INSTALL_TIMEOUT_S, check=False)
        if script.exists():
            return script
    shutil.rmtree(prefix / "node_modules", ignore_errors=True)
    raise NotInstalledError(f"not installed (npm install --prefix {prefix} maildev failed)")
