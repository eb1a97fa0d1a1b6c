"""The servers that are measured side by side, by name."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from bench.daemon import mailsacd
from bench.postfix import postfix_deferred, postfix_held
from bench.servers import (
    HOST,
    NotInstalledError,
    NotStartedError,
    Server,
    free_port,
    listens,
    program,
    running,
    temporary_dir,
)

_SINK_BACKLOG: Final = "1000"
_INSTALL_TIMEOUT_S: Final = 180
_DELETE_TIMEOUT_S: Final = 60
# The newest is tried first; 2.1.0 needs nothing that some registry mirrors lack.
_MAILDEV_VERSIONS: Final = ("maildev", "maildev@2.1.0")


@contextmanager
def smtp_sink() -> Iterator[Server]:
    """Postfix's `smtp-sink`: one process in C that reads mail and throws it away."""
    path = program("smtp-sink", "apt-get install postfix")
    port = free_port()
    drop_root = ["-u", "nobody"] if os.geteuid() == 0 else []
    with running([path, *drop_root, f"{HOST}:{port}", _SINK_BACKLOG], listens(port)):
        yield Server(name="smtp-sink", port=port)


@contextmanager
def aiosmtpd() -> Iterator[Server]:
    """aiosmtpd, the usual SMTP server for Python's tests, with its handler that keeps nothing."""
    try:
        import aiosmtpd.handlers  # noqa: F401, PLC0415  only to see whether it is there
    except ImportError as e:
        raise NotInstalledError("not installed (pip install aiosmtpd)") from e
    port = free_port()
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{HOST}:{port}"]
    with running([*command, "-c", "aiosmtpd.handlers.Sink"], listens(port)):
        yield Server(name="aiosmtpd", port=port)


@contextmanager
def maildev() -> Iterator[Server]:
    """MailDev, a mail catcher for developers: parses, keeps all in memory and writes files."""
    node = program("node", "apt-get install nodejs npm")
    script = _installed_maildev()
    port, web_port = free_port(), free_port()
    with temporary_dir("maildev") as home:
        options = ["--smtp", str(port), "--web", str(web_port), "--ip", HOST, "--silent"]
        command = [node, str(script), *options, "--mail-directory", str(home)]
        with running(command, listens(port)):
            yield Server(name="maildev", port=port, empty=lambda: _delete_all(web_port))


PEERS: Final[Mapping[str, Callable[[], AbstractContextManager[Server]]]] = {
    "mailsacd": mailsacd,
    "postfix": postfix_deferred,
    "postfix-hold": postfix_held,
    "smtp-sink": smtp_sink,
    "aiosmtpd": aiosmtpd,
    "maildev": maildev,
}


def start_all(names: Iterable[str], stack: ExitStack) -> list[Server]:
    """Start those of the peers that can be; say why for each of the others."""
    servers = []
    for name in names:
        try:
            servers.append(stack.enter_context(PEERS[name]()))
        except (NotInstalledError, NotStartedError) as e:
            print(f"{name}: {e}")
    return servers


def server_at(text: str) -> Server:
    """A server that somebody else runs, from ``NAME=HOST:PORT``. Raises ValueError."""
    name, equals, address = text.partition("=")
    host, colon, port = address.rpartition(":")
    if not equals or not colon or not port.isdigit():
        raise ValueError(f"{text}: write it as NAME=HOST:PORT")
    return Server(name=name, host=host.strip("[]"), port=int(port))


def _delete_all(web_port: int) -> None:
    connection = HTTPConnection(HOST, web_port, timeout=_DELETE_TIMEOUT_S)
    connection.request("DELETE", "/email/all")
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
