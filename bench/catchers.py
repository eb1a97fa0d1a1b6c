"""Mail catchers for developers as peers: Mailpit, Inbucket and MailDev, each with its own store."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from bench.dialogue import LoadError
from bench.servers import (
    HOST,
    NotInstalledError,
    Server,
    free_port,
    go_version,
    listens,
    program,
    running,
    temporary_dir,
    version_told,
)

_MAILPIT: Final = "github.com/axllent/mailpit"
_INBUCKET: Final = "github.com/inbucket/inbucket/v3"
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
    path = program("mailpit", f"go install {_MAILPIT}@latest")
    port, http_port = free_port(), free_port()
    with temporary_dir("mailpit") as home:
        places = ["--smtp", f"{HOST}:{port}", "--listen", f"{HOST}:{http_port}"]
        command = [path, *places, "--database", str(home / "mailpit.db"), *_MAILPIT_OPTIONS]
        with running(command, listens(port)) as process:
            yield Server(
                name="mailpit",
                version=go_version(path, _MAILPIT) or version_told(path, "version"),
                port=port,
                http_port=http_port,
                pid=process.pid,
                empty=lambda: _delete(http_port, "/api/v1/messages"),
            )


@contextmanager
def inbucket() -> Iterator[Server]:
    """Inbucket: parses and keeps all in memory; Go. Its mailboxes are named by local parts."""
    path = program("inbucket", f"go install {_INBUCKET}/cmd/inbucket@latest")
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
            yield Server(
                name="inbucket",
                version=go_version(path, _INBUCKET) or version_told(path, "-version"),
                port=port,
                http_port=http_port,
                pid=process.pid,
            )


@contextmanager
def maildev() -> Iterator[Server]:
    """MailDev: parses, keeps all in memory and writes files; Node."""
    node = program("node", "apt-get install nodejs npm")
    script, version = _installed_maildev()
    port, http_port = free_port(), free_port()
    with temporary_dir("maildev") as home:
        ports = ["--smtp", str(port), "--web", str(http_port), "--ip", HOST, "--web-ip", HOST]
        command = [node, str(script), *ports, "--silent", "--mail-directory", str(home)]
        with running(command, listens(port)) as process:
            yield Server(
                name="maildev",
                version=version,
                port=port,
                http_port=http_port,
                pid=process.pid,
                empty=lambda: _delete(http_port, "/api/email/all", "/email/all"),
            )


def _delete(http_port: int, *paths: str) -> None:
    """Have a catcher delete all its mail, at the first of ``paths`` that it knows.

    Raises LoadError when it does not: later rounds would find another server than the first.
    """
    answers = []
    for path in paths:
        connection = HTTPConnection(HOST, http_port, timeout=_DELETE_TIMEOUT_S)
        connection.request("DELETE", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status < 300:
            return
        answers.append(f"{path}: {answer.status}")
    raise LoadError(f"it does not delete its mail ({', '.join(answers)})")


def _installed_maildev() -> tuple[Path, str]:
    """MailDev's program and its version, installed on first use outside of the repository."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    prefix = cache / "mailsacd-bench"
    if found := npm_program(prefix, "maildev"):
        return found
    npm = program("npm", "apt-get install nodejs npm")
    prefix.mkdir(parents=True, exist_ok=True)
    for version in _MAILDEV_VERSIONS:
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(prefix), version]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False
        )
        if found := npm_program(prefix, "maildev"):
            return found
        said = (done.stderr.strip().splitlines() or ["it has no program"])[-1]
        print(f"maildev: {version} cannot be had: {said}")
    shutil.rmtree(prefix / "node_modules", ignore_errors=True)
    raise NotInstalledError(f"not installed (npm install --prefix {prefix} maildev failed)")


def npm_program(prefix: Path, package: str) -> tuple[Path, str] | None:
    """The program of a package that npm installed below ``prefix``, and its version.

    It is where the package says, which differs between versions. None: it is not there.
    """
    home = prefix / "node_modules" / package
    try:
        said = json.loads((home / "package.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    programs = said.get("bin", {})
    script = home / (programs if isinstance(programs, str) else programs.get(package, ""))
    return (script, said["version"]) if script.is_file() else None
